"""Per-action limits on time and memory, with real workers: what hangs or eats the machine is ended, and nothing else.

Also the timeline of a real build. A loader of the user's hangs in a process of its own, below the worker, and starts
one more: all of them must go.
"""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path

import pytest

from tests.cli.test_timeline import check_form
from tests.e2e.conftest import Repo
from tests.e2e.processes import wait_for

pytestmark = pytest.mark.heavy

OVFILE = """\
[limits]
minutes = {minutes}

[datasets.own]
loader = "data.py:val"

[models.fashion]
source = "models/fashion"
precisions = ["fp32"]
accuracy.dataset = "own"

[models.other]
source = "models/fashion"
precisions = ["fp16"]
"""
HANGING = """\
import subprocess
import time


def val():
    subprocess.Popen(["sleep", "1000"])
    time.sleep(1000)
    yield None
"""
# 100 MB more every twentieth of a second, up to 3 GB.
EATING = """\
import time


def val():
    held = []
    for _ in range(30):
        held.append(bytearray(b"x") * 100_000_000)
        time.sleep(0.05)
    time.sleep(1000)
    yield None
"""


def at_work(folder: Path) -> list[str]:
    """Return the commands of all processes that work in a folder, as workers and what they start do."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if (place / "cwd").readlink() == folder:
                found.append((place / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def shown(stderr: str) -> str:
    """Return the errors, with figures of this run and the warnings left out."""
    errors = stderr[stderr.index("error[") :]
    return re.sub(r"used [0-9.]+ [MG]B", "used MUCH", re.sub(r"\([0-9]+ lines\)", "(N lines)", errors))


@pytest.mark.alone
@pytest.mark.usefixtures("cold")
def test_loader_that_hangs_fails_its_action_and_the_others_go_on(fresh: Repo) -> None:
    (fresh.folder / "Ovfile").write_text(OVFILE.format(minutes=0.3))
    (fresh.folder / "data.py").write_text(HANGING)

    result = fresh.build("-k")
    again = fresh.ovmake("build", "fashion", "--timeout", "0.1")

    assert (1, {"fashion:fp32": "failed", "other:fp16": "built"}) == (result.status, result.targets)
    assert ["check-samples fashion"] == result.actions("failed")
    assert [] == at_work(fresh.folder)
    (event,) = [event for event in result.events if event.get("status") == "failed" and "action" in event]
    assert 18 < event["seconds"] < 36
    assert "action-timeout" == event["diagnostic"]["code"]
    assert "check-samples fashion: it took longer than 0.3 minutes, and was ended" == event["diagnostic"]["message"]
    assert {"file": "Ovfile", "line": 2, "column": 11, "length": 3} == event["diagnostic"]["at"]
    # The failure is no result: the same action hangs once more. Now the command line says how long.
    expected = """\
error[action-timeout]: check-samples fashion: it took longer than 0.1 minutes, and was ended
 --> Ovfile:7:1
  |
7 | [models.fashion]
  | ^^^^^^^^^^^^^^^^
  |
  = note: `data.py:val` was running
help: a loader that has no end needs a `limit` in the dataset's table; allow more time with --timeout, if it should take so long
"""  # noqa: E501 - as it is printed
    assert (1, expected) == (again.status, shown(again.stderr))


@pytest.mark.alone
@pytest.mark.usefixtures("cold")
def test_loader_that_eats_the_memory_fails_its_action(fresh: Repo) -> None:
    (fresh.folder / "Ovfile").write_text(OVFILE.replace("minutes = {minutes}", 'memory = "800 MB"'))
    (fresh.folder / "data.py").write_text(EATING)

    result = fresh.ovmake("build", "-k")

    assert 1 == result.status
    expected = """\
error[action-memory]: check-samples fashion: it used MUCH of memory, more than 800 MB, and was ended
 --> Ovfile:2:10
  |
2 | memory = "800 MB"
  |          ^^^^^^^^
  |
  = note: `data.py:val` was running
help: a loader that has no end needs a `limit` in the dataset's table; allow more memory with `memory` in [limits], or with --memory, if it should need so much
"""  # noqa: E501 - as it is printed
    assert expected == shown(result.stderr)[: len(expected)]
    assert re.search(r"other:fp16 +built", result.stdout)
    assert [] == at_work(fresh.folder)


@pytest.mark.alone
def test_measurement_that_takes_too_long_is_ended_with_both_sides(built: Repo) -> None:
    built.edit('precisions = ["fp32", "fp16", "int8"]', 'precisions = ["fp32"]\nbenchmark.max-seconds = 300')
    built.edit("[models.fashion.int8]\ncalibration", "[defaults.int8]\ncalibration")
    process = built.start("report", "--json", "--timeout", "0.3")
    wait_for(lambda: sum("_worker" in command for command in at_work(built.folder)) >= 3)  # bench and its sides

    stdout, _ = process.communicate(timeout=120)

    failed = [json.loads(line) for line in stdout.splitlines()]
    codes = [event["diagnostic"]["code"] for event in failed if event.get("status") == "failed" and "action" in event]
    assert (1, ["action-timeout"]) == (process.returncode, codes)
    assert [] == at_work(built.folder)


# --- the timeline -----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("cold")
def test_timeline_shows_what_ran_when_and_in_which_worker(built: Repo) -> None:
    assert 0 == built.ovmake("build", "--force", "-j", "2", "--timeline", "t.json", "fashion:fp16").status

    events = json.loads((built.folder / "t.json").read_text())["traceEvents"]
    check_form(events)
    rows = {event["tid"]: event["args"]["name"].partition(" ")[0] for event in events if event["name"] == "thread_name"}
    ran = {event["name"]: (rows[event["tid"]], event["args"]) for event in events if event["ph"] == "X"}
    assert {
        "check-samples fashion": "openvino",
        "check-source fashion": "tensorflow",
        "compress fashion:fp16": "openvino",
        "convert fashion": "openvino",
        "evaluate fashion:fp16": "openvino",
        "gate fashion:fp16": "ovmake",
        "publish fashion:fp16": "ovmake",
        "reference fashion": "tensorflow",
    } == {name: row for name, (row, _) in ran.items()}
    assert {"ran"} == {args["status"] for _, args in ran.values()}
    assert all(args["peak_bytes"] > 1_000_000 for row, args in ran.values() if row != "ovmake")


def test_timeline_is_there_after_an_interrupt(fresh: Repo) -> None:
    process = fresh.start("build", "--timeline", "t.json")
    wait_for((fresh.folder / ".ovmake/logs/worker-tensorflow.log").exists)

    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)

    assert 130 == process.returncode
    events = json.loads((fresh.folder / "t.json").read_text())["traceEvents"]
    check_form(events)
    statuses = {event["name"]: event["args"]["status"] for event in events if event["ph"] == "X"}
    assert {"convert fashion": "ran", "check-source fashion": "interrupted"}.items() <= statuses.items()


def test_timeline_of_a_build_in_which_nothing_is_stale_is_empty(built: Repo) -> None:
    assert 0 == built.ovmake("build").status  # the stamp: the next one need not look

    result = built.ovmake("build", "--timeline", "t.json")

    assert (0, "up to date: 3 targets\n") == (result.status, result.stdout)
    events = json.loads((built.folder / "t.json").read_text())["traceEvents"]
    assert ["process_name"] == [event["name"] for event in events]


def test_dry_run_says_how_long_it_would_take(built: Repo) -> None:
    built.edit("max-drop = 0.01", "max-drop = 0.02")
    only_gates = built.ovmake("build", "-n")
    forced = built.ovmake("build", "-n", "--force", "--json", "-j", "1", "fashion:fp16")

    # Gates and publications run in milliseconds, in no worker: there is nothing to say.
    assert "3 of 3 targets are stale; nothing was run\n" == only_gates.stdout.splitlines(keepends=True)[-1]
    each = [event["estimate_seconds"] for event in forced.events if event.get("status") == "would-run"]
    last = forced.events[-1]
    assert 8 == len(each)
    low, high = last["estimate_seconds"]
    assert (low, 0) == (high, last["estimate_unknown"])
    assert abs(sum(each) - high) < 0.01
