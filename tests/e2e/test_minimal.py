"""What runs after which edit, on the real example: exactly what the edit concerns."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import Repo, run_tensorflow

pytestmark = pytest.mark.heavy

PRECISIONS = ("fp16", "fp32", "int8")

REEXPORT = """
import tensorflow as tf
model = tf.saved_model.load("models/fashion")
tf.saved_model.save(model, "again", signatures=model.signatures)
"""


def each(*kinds: str) -> list[str]:
    """Return "kind fashion:precision" for all precisions."""
    return sorted(f"{kind} fashion:{precision}" for kind in kinds for precision in PRECISIONS)


def test_second_build_runs_nothing_and_starts_no_worker(built: Repo) -> None:
    before = built.outputs()

    result = built.ovmake("build")

    assert (0, "up to date: 3 targets\n", "") == (result.status, result.stdout, result.stderr)
    assert set() == built.workers_started()
    assert before == built.outputs()


def test_stamp_and_explain_agree_whatever_is_edited(built: Repo) -> None:
    stamp = built.folder / ".ovmake/stamp"
    edits: list[Callable[[], object]] = [
        lambda: next((built.folder / ".ovmake/cas").glob("*/*")).unlink(),
        lambda: (built.folder / "models/fashion/new.txt").write_text("new"),
        lambda: (built.folder / "build/fashion/fp32/record.json").write_text("{}"),
    ]
    for edit in edits:
        assert 0 == built.ovmake("build").status
        assert stamp.exists()
        assert "up to date: 3 targets\n" == built.ovmake("build").stdout

        edit()

        assert built.ovmake("explain").stdout.count("is up to date") < len(PRECISIONS)
        assert not built.ovmake("build").stdout.startswith("up to date")


def test_touching_a_source_runs_nothing(built: Repo) -> None:
    for path in (built.folder / "models").rglob("*"):
        os.utime(path)
    os.utime(built.folder / "data" / "val.npz")

    result = built.build()

    assert [] == result.ran
    assert set() == built.workers_started()


def test_new_max_drop_runs_the_gate_and_no_worker(built: Repo) -> None:
    before = built.outputs()
    built.edit("max-drop = 0.01", "max-drop = 0.02")

    result = built.build()

    # The record states the promise, so it is published again; the IRs beside it are the same bytes.
    assert each("gate", "publish") == result.ran
    assert set() == built.workers_started()
    changed = {name for name, content in built.outputs().items() if content != before[name]}
    assert {f"fashion/{precision}/record.json" for precision in PRECISIONS} == changed


def test_new_mean_runs_convert_and_all_that_follows(built: Repo) -> None:
    built.edit("mean = 72.94", "mean = 70.0")

    result = built.build()

    expected = ["convert fashion", "check-source fashion", "reference fashion"]
    expected += ["compress fashion:fp16", "quantize fashion:int8"]
    expected += ["compare-speed fashion:int8", "check-speed fashion:int8"]
    expected += ["check-samples fashion", "check-calibration fashion:int8"]  # whether samples fit the new interface
    assert sorted([*expected, *each("evaluate", "gate", "publish")]) == result.ran


def test_going_back_restores_everything_from_the_cache(built: Repo) -> None:
    before = built.outputs()
    built.edit("samples = 300", "samples = 200")
    built.build()
    built.workers_started()
    built.edit("samples = 200", "samples = 300")

    result = built.build()

    assert [] == result.ran
    assert "quantize fashion:int8" in result.actions("restored")
    assert set() == built.workers_started()
    assert before == built.outputs()


def test_reexported_model_with_the_same_weights_stops_after_convert_and_one_load(built: Repo) -> None:
    source = built.folder / "models" / "fashion"
    was = (source / "saved_model.pb").read_bytes()
    run_tensorflow(REEXPORT, built.folder)
    shutil.rmtree(source)
    (built.folder / "again").rename(source)
    assert was != (source / "saved_model.pb").read_bytes()

    result = built.build()

    assert ["check-source fashion", "convert fashion"] == result.ran
    assert {"openvino", "tensorflow"} == {
        name.removeprefix("worker-").removesuffix(".log") for name in built.workers_started()
    }


def test_deleted_and_edited_outputs_come_back_without_a_worker(built: Repo) -> None:
    before = built.outputs()
    (built.folder / "build/fashion/fp32/fashion.bin").unlink()
    (built.folder / "build/fashion/int8/fashion.xml").write_text("edited")

    result = built.build()

    assert ["publish fashion:fp32", "publish fashion:int8"] == sorted(result.actions("restored"))
    assert set() == built.workers_started()
    assert before == built.outputs()


def test_explain_says_what_changed_and_where_without_running(built: Repo) -> None:
    built.edit("mean = 72.94", "mean = 70.0")

    result = built.ovmake("explain", "fashion:fp32")

    assert 0 == result.status
    assert "`inputs.image.mean` changed: [72.94] → [70.0]  Ovfile:23\n" in result.stdout
    assert "gate fashion:fp32: may run\n" in result.stdout
    assert set() == built.workers_started()


def test_two_clean_builds_in_two_folders_give_the_same_bytes(built_once: Repo, fresh: Repo, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere" / "deeper"
    moved.parent.mkdir()
    fresh.folder.rename(moved)

    result = Repo(folder=moved).build("-j", "1")

    assert 0 == result.status
    outputs = Repo(folder=moved).outputs()
    assert built_once.outputs() == outputs
    for path in (built_once.folder, moved):
        assert [] == [name for name, content in outputs.items() if str(path).encode() in content]
