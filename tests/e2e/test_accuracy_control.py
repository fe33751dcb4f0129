"""`on-drop = "mixed"` on the bundled example: a promise that plain INT8 misses is kept by giving layers back.

Plain INT8 drops by 0.0042 on the example's 5,000 images where sums of 8 bits are exact (VNNI), and by 0.0046 where they
saturate (AVX2); without its worst convolution by 0.0020 and 0.0022. So promises keep away from both.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Repo, copy_example

pytestmark = pytest.mark.heavy

MIXED = '\non-drop = "mixed"\naccuracy.max-drop = {drop}\n'

# Computes what the record says, from the published IR and the validation set alone.
INDEPENDENT = """
import sys; sys.modules["openvino_telemetry"] = None
import numpy as np, openvino as ov
data = np.load(sys.argv[2])
compiled = ov.Core().compile_model(sys.argv[1], "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
answers = [compiled(data["x"][i : i + 100].astype("f4"))[0].argmax(1) for i in range(0, 5000, 100)]
right = [np.concatenate(answers) == data["y"]]
print(float(np.concatenate(right).mean()))
"""


def promised(repo: Repo, drop: float, extra: str = "") -> Repo:
    """Let the example's INT8 give layers back until it drops by this much at most."""
    path = repo.folder / "Ovfile"
    original = path.read_text().partition(MIXED.partition("{")[0])[0]
    path.write_text(original + MIXED.format(drop=drop) + extra)
    return repo


def search_of(repo: Repo) -> dict[str, Any]:
    """Return what the record says of the search."""
    found = repo.record("fashion", "int8")["accuracy_control"]
    assert isinstance(found, dict)
    return found


def journal(repo: Repo) -> list[dict[str, Any]]:
    """Return the whole lines of the one journal, none if it is not there yet."""
    paths = list((repo.folder / ".ovmake/journals").glob("*"))
    assert len(paths) <= 1
    return [
        json.loads(line) for path in paths for line in path.read_text().splitlines(keepends=True) if line[-1] == "\n"
    ]


def trials(repo: Repo) -> list[tuple[str, ...]]:
    """Return the sets of layers that were really validated, in the order of time."""
    return [tuple(entry["trial"]["names"]) for entry in journal(repo) if "trial" in entry]


@pytest.fixture(scope="module")
def controlled(built_once: Repo, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """The example with a drop of 0.003 promised and kept."""
    folder = tmp_path_factory.mktemp("controlled") / "fashion"
    repo = promised(built_once.copy(folder), 0.003)
    assert 0 == repo.build("fashion:int8").status
    return repo


def test_the_promise_is_kept_with_one_layer_given_back(controlled: Repo) -> None:
    record, search = controlled.record("fashion", "int8"), search_of(controlled)

    assert "passed" == record["gate"]["result"]
    assert record["gate"]["drop"] <= 0.003 + 1e-9
    assert search["kept"]
    assert search["layers"] - search["int8"] == len(search["reverted"]) == 1
    assert search["trials"][0]["drop"] > 0.003
    assert search["reverted"][0]["in_int8"] == search["trials"][0]["drop"]


def test_layers_that_were_given_back_execute_in_floating_point_and_the_others_in_int8(controlled: Repo) -> None:
    record, search = controlled.record("fashion", "int8"), search_of(controlled)
    executed = {layer["name"]: layer["precision"] for layer in record["layers"]}
    (reverted,) = (layer["name"] for layer in search["reverted"])

    assert "f32" == executed[reverted]
    assert search["int8"] == sum(precision in {"i8", "u8"} for precision in executed.values())


def test_the_drop_in_the_record_is_what_an_independent_script_computes(controlled: Repo) -> None:
    record = controlled.record("fashion", "int8")
    paths = [str(controlled.folder / name) for name in ("build/fashion/int8/fashion.xml", "data/val.npz")]
    done = subprocess.run([sys.executable, "-c", INDEPENDENT, *paths], capture_output=True, text=True, check=True)

    assert float(done.stdout) == record["openvino"]["accuracy"]
    assert record["tensorflow"]["accuracy"] - float(done.stdout) == pytest.approx(record["gate"]["drop"], abs=1e-12)


def test_the_same_search_from_nothing_gives_the_same_bytes(controlled: Repo, tmp_path: Path) -> None:
    again = promised(copy_example(tmp_path / "again"), 0.003)
    assert 0 == again.build("fashion:int8").status

    for name in ("fashion.xml", "fashion.bin", "record.json"):
        place = Path("build/fashion/int8") / name
        assert (controlled.folder / place).read_bytes() == (again.folder / place).read_bytes(), name


def test_another_promise_quantizes_nothing_again_and_repeats_no_trial(built_once: Repo, tmp_path: Path) -> None:
    repo = promised(built_once.copy(tmp_path / "fashion"), 0.003)
    assert 0 == repo.build("fashion:int8").status
    before = trials(repo)

    result = promised(repo, 0.0005).build("fashion:int8")

    assert 0 == result.status
    assert not [name for name in result.ran if name.startswith(("quantize", "convert", "reference"))]
    assert before == trials(repo)[: len(before)]
    assert len(set(trials(repo))) == len(trials(repo))
    gate = repo.record("fashion", "int8")["gate"]
    assert gate["drop"] <= 0.0005 + 1e-9
    assert "too few to decide" in gate["doubt"]
    assert "the 5000 samples of the validation set are too few to decide" in gate["text"]


def test_a_search_finds_the_same_whatever_other_promises_left_in_the_journal(built_once: Repo, tmp_path: Path) -> None:
    used = promised(built_once.copy(tmp_path / "used"), 0.003)
    assert 0 == used.build("fashion:int8").status
    new = promised(built_once.copy(tmp_path / "new"), 0.0008)

    assert 0 == promised(used, 0.0008).build("fashion:int8").status
    assert 0 == new.build("fashion:int8").status

    for name in ("fashion.xml", "fashion.bin", "record.json"):
        place = Path("build/fashion/int8") / name
        assert (new.folder / place).read_bytes() == (used.folder / place).read_bytes(), name
    # The trial that saw all samples for 0.003 counts as ended where it would have been for this promise.
    ended = [trial["ended_early"] for trial in search_of(new)["trials"]]
    assert len(trials(used)) == len(trials(new)) == len(ended)


def test_a_search_that_is_killed_goes_on_and_repeats_no_finished_trial(built_once: Repo, tmp_path: Path) -> None:
    repo = promised(built_once.copy(tmp_path / "fashion"), 0.0001)
    process = repo.start("build", "fashion:int8")
    _wait_until(lambda: len(trials(repo)) >= 3)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    done = trials(repo)

    result = repo.build("fashion:int8")

    assert 0 == result.status
    assert done == trials(repo)[: len(done)]
    assert len(set(trials(repo))) == len(trials(repo))
    assert len(search_of(repo)["trials"]) == len(trials(repo))


def test_a_promise_that_nothing_keeps_publishes_nothing_and_names_the_worst_layers(controlled: Repo) -> None:
    before, plain = controlled.outputs(), search_of(controlled)["trials"][0]["drop"]

    result = promised(controlled, -0.5).ovmake("build", "fashion:int8")

    assert 1 == result.status
    assert before == controlled.outputs()
    assert "error[gate-missed]: gate fashion:int8: accuracy 0.9180 in TensorFlow" in result.stderr
    assert f"note: plain INT8: drop {plain:.4f}" in result.stderr
    assert "note: even with all layers in floating point the gate is missed" in result.stderr
    assert "note: the layers whose quantization changes the outputs most: `wide_14` (Convolution, " in result.stderr


def test_a_limit_takes_the_best_so_far_or_says_that_it_ended_the_search(controlled: Repo) -> None:
    result = promised(controlled, -0.005, "max-evaluations = 2\n").ovmake("build", "fashion:int8")

    assert 1 == result.status
    assert "note: the search ended early: `max-evaluations` = 2 were done" in result.stderr
    assert "help: raise the limit; the trials are stored, and the search continues from there" in result.stderr


def _wait_until(ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not ready():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.05)
