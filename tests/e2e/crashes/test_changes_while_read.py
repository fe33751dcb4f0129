"""Files that change while a build reads them: nothing is recorded wrongly, and the next build is right."""

from __future__ import annotations

import json
import shutil
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from tests.e2e.crashes.project import Clean, Project, assert_next_build_is_right, model, some
from tests.e2e.processes import wait_for, workers

pytestmark = pytest.mark.heavy


@pytest.mark.parametrize("when", some([1, 0, 2], 2))
def test_source_replaced_at_the_moment_it_is_opened(unbuilt: Project, clean: Clean, tmp_path: Path, when: int) -> None:
    (tmp_path / "new").write_bytes(model(7))
    source = unbuilt.folder / "models/a.pb"

    process = unbuilt.start_through("editing.py", str(source), str(tmp_path / "new"), str(when), "build", "-k")
    process.communicate(timeout=120)

    # Replaced before its digest was taken, it is simply the new one; later, its actions fail.
    assert process.returncode in {0, 1}
    assert_nothing_wrong_is_published(unbuilt, clean)
    assert_next_build_is_right(unbuilt, clean)


def test_source_that_changes_while_it_is_converted_fails_its_targets(unbuilt: Project, clean: Clean) -> None:
    process = unbuilt.start("build", "--json", "-k")
    wait_for(lambda: workers(process.pid, "openvino"))
    (unbuilt.folder / "models/a.pb").write_bytes(model(7))

    stdout, _ = process.communicate(timeout=120)

    found = [event["diagnostic"] for event in map(json.loads, stdout.splitlines()) if event.get("diagnostic")]
    expected = ("source-changed", "convert a: `models/a.pb` changed while it was being read", "run ovmake build again")
    assert [expected] == [(one["code"], one["message"], one["help"]) for one in found]
    assert {"b/fp32", "b/fp16"} == unbuilt.published().keys()
    assert_next_build_is_right(unbuilt, clean)


def test_source_that_changes_there_and_back_while_it_is_converted(unbuilt: Project, clean: Clean) -> None:
    source = unbuilt.folder / "models/a.pb"
    process = unbuilt.start("build", "-k")
    wait_for(lambda: workers(process.pid, "openvino"))
    before = source.read_bytes()
    source.write_bytes(model(7))
    time.sleep(0.3)
    source.write_bytes(before)

    process.communicate(timeout=120)

    assert 1 == process.returncode
    assert_nothing_wrong_is_published(unbuilt, clean)
    assert_next_build_is_right(unbuilt, clean)


@pytest.mark.parametrize("how", some(["by removing", "in place", "by renaming"], 1))
def test_source_that_never_stops_changing(unbuilt: Project, clean: Clean, how: str) -> None:
    source = unbuilt.folder / "models/a.pb"
    done = threading.Event()
    beside = source.with_suffix(".tmp")
    contents = [model(number) for number in range(5)]

    def change() -> None:
        number = 0
        while not done.wait(0.005):
            number += 1
            if how == "by removing":
                source.unlink()
            written = source if how != "by renaming" else beside
            written.write_bytes(contents[number % 5])
            written.replace(source)

    changing = threading.Thread(target=change)
    changing.start()
    try:
        for _ in range(2):
            result = unbuilt.ovmake("build", "-k")
            assert "Traceback" not in result.stderr
            assert 1 == result.status
            assert {"b/fp32", "b/fp16"} == unbuilt.published().keys()
    finally:
        done.set()
        changing.join()
    assert_next_build_is_right(unbuilt, clean)


def test_ovfile_that_changes_during_a_build_belongs_to_the_next(unbuilt: Project, clean: Clean) -> None:
    due = clean.outputs(unbuilt)
    process = unbuilt.start("build")
    wait_for(lambda: workers(process.pid, "openvino"))
    unbuilt.edit("batch = 1", "batch = 4")

    process.communicate(timeout=120)

    assert (0, due) == (process.returncode, unbuilt.outputs())
    assert_next_build_is_right(unbuilt, clean)


def test_outputs_deleted_during_a_build_come_back_with_the_next(project: Project, clean: Clean) -> None:
    project.set(others=1)
    process = project.start("build")
    wait_for(lambda: workers(process.pid, "openvino"))
    shutil.rmtree(project.folder / "build/a")

    process.communicate(timeout=120)

    assert_next_build_is_right(project, clean)


def test_dataset_that_changes_while_it_is_read_fails_its_gate(unbuilt: Project) -> None:
    # The check of samples is the first action that reads them; TensorFlow need not run.
    data = unbuilt.folder / "data"
    data.mkdir()
    numbers = np.random.default_rng(0)
    np.savez(data / "val.npz", x=numbers.random((40, 8), np.float32), y=numbers.integers(0, 8, 40))
    unbuilt.edit("batch = 1\n", 'accuracy = { dataset = "val", metric = "accuracy" }\n')
    with (unbuilt.folder / "Ovfile").open("a") as file:
        file.write('[datasets.val]\npath = "data/val.npz"\ninputs = { x = "x" }\nlabels = "y"\n')
    again = data / "val.npz"
    process = unbuilt.start("build", "--json", "a:fp32")
    wait_for((unbuilt.folder / ".ovmake/logs/check-samples-a.log").exists)
    again.write_bytes(again.read_bytes())

    stdout, _ = process.communicate(timeout=120)

    codes = [event["diagnostic"]["code"] for event in map(json.loads, stdout.splitlines()) if event.get("diagnostic")]
    assert ["source-changed"] == codes
    assert {} == unbuilt.published()


def assert_nothing_wrong_is_published(project: Project, clean: Clean) -> None:
    """What is published is what the inputs give as they are now."""
    due = clean.outputs(project)
    assert project.outputs().items() <= due.items()
