"""Missed gates, broken sources, killed processes: what fails, what does not, and what is left."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys

import pytest

from tests.e2e.conftest import Repo, environment
from tests.e2e.processes import wait_for, workers

pytestmark = pytest.mark.heavy


def test_missed_gate_fails_its_target_and_leaves_the_last_good_ir(built: Repo) -> None:
    before = built.outputs()
    built.edit("max-drop = 0.01", "max-drop = 0.001")

    result = built.build("-k")

    assert 1 == result.status
    assert {"fashion:fp32": "built", "fashion:fp16": "built", "fashion:int8": "failed"} == result.targets
    after = built.outputs()
    assert before["fashion/int8/fashion.xml"] == after["fashion/int8/fashion.xml"]
    assert before["fashion/int8/record.json"] == after["fashion/int8/record.json"]
    missed = next(event for event in result.events if event.get("gate") == "missed")
    assert "fashion:int8" == missed["target"]
    assert missed["drop"] > 0.001


def test_missed_gate_points_at_max_drop(built: Repo) -> None:
    built.edit("max-drop = 0.01", "max-drop = -0.5")

    result = built.ovmake("build", "fashion:fp32")

    record = json.loads((built.folder / "build/fashion/fp32/record.json").read_text())
    score = f"{record['tensorflow']['accuracy']:.4f}"
    assert 1 == result.status
    expected = f"""\
error[gate-missed]: gate fashion:fp32: accuracy {score} in TensorFlow, {score} in the IR: drop 0.0000 (0.0000 to \
0.0000 with 95 % confidence on 5000 samples), allowed -0.5; \
largest difference SMALL of the scale of `probabilities`, at most 0.0001 wanted
  --> Ovfile:30:12
   |
30 | max-drop = -0.5
   |            ^^^^
   |
   = note: nothing was published; the last good IR, if any, stays
"""
    assert expected == re.sub(r"\d\.\d\de-0\d", "SMALL", result.stderr)


def test_status_names_the_failed_target_and_why(built: Repo) -> None:
    built.edit("max-drop = 0.01", "max-drop = 0.001")
    built.build("-k")

    lines = built.ovmake("status").stdout.splitlines()

    assert re.fullmatch(r"fashion:fp32 +fresh +accuracy (\d\d\.\d\d) % → \1 %, drop 0\.0000", lines[0])
    assert ["fashion:int8", "failed"] == lines[2].split()[:2]
    assert "allowed 0.001" in lines[2]


def test_corrupt_source_fails_its_model_and_not_the_other(built: Repo) -> None:
    broken = built.folder / "models" / "broken"
    broken.mkdir()
    (broken / "saved_model.pb").write_bytes(b"garbage")
    with (built.folder / "Ovfile").open("a") as file:
        file.write('\n[models.broken]\nsource = "models/broken"\n[models.gone]\nsource = "models/gone"\n')
    built.edit("samples = 300", "samples = 299")

    result = built.build("-k")

    assert 1 == result.status
    assert "built" == result.targets["fashion:int8"]
    assert {"failed"} == {result.targets[f"{model}:{p}"] for model in ("broken", "gone") for p in ("fp32", "fp16")}
    codes = {event["diagnostic"]["code"] for event in result.events if "diagnostic" in event}
    assert {"cannot-convert", "source-not-found"} == codes
    message = next(e["diagnostic"]["message"] for e in result.events if "diagnostic" in e and "broken" in e["target"])
    assert "Saved Model cannot be parsed" in message


def test_killed_worker_fails_its_action_only_and_the_next_build_is_right(fresh: Repo, built_once: Repo) -> None:
    process = fresh.start("build", "--json", "-k")
    log = fresh.folder / ".ovmake/logs/worker-tensorflow.log"
    wait_for(log.exists)
    wait_for(lambda: workers(process.pid, "tensorflow"))
    os.kill(workers(process.pid, "tensorflow")[0], signal.SIGKILL)
    stdout, _ = process.communicate(timeout=120)

    events = [json.loads(line) for line in stdout.splitlines()]
    died = [event for event in events if event.get("diagnostic", {}).get("code") == "worker-died"]
    assert ["check-source"] == [event["action"] for event in died]
    assert 1 == process.returncode
    assert 0 == fresh.build().status
    assert built_once.outputs() == fresh.outputs()


def test_second_build_waits_for_the_first_or_fails_at_once_with_no_wait(fresh: Repo) -> None:
    first = fresh.start("build", "fashion:fp32")
    wait_for((fresh.folder / ".ovmake/logs").exists)

    refused = fresh.ovmake("build", "--no-wait")
    second = fresh.ovmake("build", "fashion:fp32")

    first.communicate(timeout=120)
    assert 0 == first.returncode
    assert 1 == refused.status
    assert "error[locked]" in refused.stderr
    assert f"another ovmake (process {first.pid}) is running" in second.stderr
    assert "up to date: 1 target\n" == second.stdout


def test_source_that_changes_while_it_is_read_records_nothing(fresh: Repo) -> None:
    process = fresh.start("build", "--json", "fashion:fp32")
    log = fresh.folder / ".ovmake/logs/worker-openvino.log"
    wait_for(log.exists)
    variables = fresh.folder / "models/fashion/variables/variables.index"
    variables.write_bytes(variables.read_bytes())

    stdout, _ = process.communicate(timeout=120)

    codes = [e["diagnostic"]["code"] for e in map(json.loads, stdout.splitlines()) if "diagnostic" in e]
    assert ["source-changed"] == codes
    assert 0 == fresh.build("fashion:fp32").status


def test_no_op_loads_no_framework_numpy_rich_or_jinja2(built: Repo) -> None:
    script = (
        "import sys\nfrom ovmake.cli import main\nmain(['build'])\n"
        "heavy = {'numpy', 'rich', 'jinja2', 'tensorflow', 'openvino', 'nncf', 'keras'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script],
        cwd=built.folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )

    assert "up to date: 3 targets\n[]\n" == result.stdout


def test_misnamed_array_points_at_the_line_that_names_it(fresh: Repo) -> None:
    fresh.edit('inputs = { image = "x" }\nlabels', 'inputs = { image = "pixels" }\nlabels')

    result = fresh.ovmake("build", "fashion:fp32")

    assert 1 == result.status
    expected = """\
error[dataset-array]: check-samples fashion: the dataset has no array `pixels` for input `image`; it has `x`, `y`
 --> Ovfile:7:20
  |
7 | inputs = { image = "pixels" }
  |                    ^^^^^^^^
  |
"""
    assert expected in result.stderr


def test_reader_that_goes_away_is_not_success(built: Repo) -> None:
    built.edit("max-drop = 0.01", "max-drop = -0.5")
    process = built.start("build", "--json")
    assert process.stdout is not None

    process.stdout.close()
    process.wait(timeout=60)

    assert process.stderr is not None
    process.stderr.close()
    assert 141 == process.returncode
