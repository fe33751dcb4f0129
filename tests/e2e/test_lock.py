"""Ovfile.lock of real builds: what a block says is what was published and recorded."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from ovmake.contracts.sharing.lock import LockedTarget
from ovmake.lockfile.file import read_lock
from tests.e2e.conftest import Repo, copy_example

pytestmark = pytest.mark.heavy


def locked(repo: Repo) -> dict[str, LockedTarget]:
    """Write the lock and read it."""
    done = repo.ovmake("lock")
    assert 0 == done.status, done.stdout + done.stderr
    found = read_lock(repo.folder)
    assert found is not None
    return dict(found.targets)


def test_block_says_what_was_published_and_recorded(built: Repo) -> None:
    blocks = locked(built)

    assert {"fashion:fp32", "fashion:fp16", "fashion:int8"} == set(blocks)
    for name, block in blocks.items():
        record = built.record("fashion", name.partition(":")[2])
        files = {path: (built.folder / "build" / path).read_bytes() for path in block.outputs}
        assert {
            path: f"{hashlib.sha256(data).hexdigest()}:{len(data)}" for path, data in files.items()
        } == block.outputs
        assert sorted(record["files"].values()) == sorted(
            digest.partition(":")[0] for path, digest in block.outputs.items() if not path.endswith(".json")
        )
        scores = (record["tensorflow"]["accuracy"], record["openvino"]["accuracy"])
        assert ("accuracy", *scores) == (block.metric, block.tensorflow, block.openvino)
        assert record["gate"]["drop"] == block.drop
        interval = record["gate"]["interval"]
        assert (interval["low"], interval["high"]) == (block.drop_low, block.drop_high)
        assert record["versions"].items() <= dict(block.versions).items()
        assert record["reproducible"].get("isa", "") == block.isa
    assert {"openvino", "nncf", "tensorflow", "ovmake"} <= set(blocks["fashion:int8"].versions)
    assert {"data/val.npz", "data/calibration.npz", "models/fashion"} == set(blocks["fashion:int8"].sources)
    assert blocks["fashion:int8"].isa
    assert not blocks["fashion:fp32"].isa


def test_two_builds_at_two_places_give_the_same_lock(built: Repo, tmp_path: Path) -> None:
    fresh = copy_example(tmp_path / "other")
    assert 0 == fresh.build().status

    assert locked(built) == locked(fresh)
    assert (built.folder / "Ovfile.lock").read_bytes() == (fresh.folder / "Ovfile.lock").read_bytes()


def test_check_needs_neither_state_nor_outputs(built: Repo, tmp_path: Path) -> None:
    locked(built)
    clone = copy_example(tmp_path / "clone")
    shutil.copy(built.folder / "Ovfile.lock", clone.folder)

    done = clone.ovmake("lock", "--check")

    assert (0, "Ovfile.lock is up to date: 3 targets\n", "") == (done.status, done.stdout, done.stderr)
    assert not (clone.folder / ".ovmake").exists()


def test_new_promise_makes_its_targets_out_of_date_until_they_are_built_and_locked(built: Repo) -> None:
    locked(built)
    path = built.folder / "Ovfile"
    path.write_text(path.read_text() + "\naccuracy.max-drop = 0.02\n")  # of int8, whose table is the last one

    stale = built.ovmake("lock", "--check")
    refused = built.ovmake("lock")
    again = built.build()

    assert (1, "fashion:int8 is out of date: its settings changed: `accuracy.max-drop`\n") == (
        stale.status,
        stale.stdout,
    )
    assert 1 == refused.status
    assert "fashion:int8             must be built not built, or stale\n" in refused.stdout
    assert 0 == again.status
    before = read_lock(built.folder)
    assert before is not None
    after = locked(built)
    # The same IR under another promise: only what says so differs.
    was, now = before.targets["fashion:int8"], after["fashion:int8"]
    differing = {path for path in was.outputs if was.outputs[path] != now.outputs[path]}
    assert {"fashion/int8/record.json"} == differing
    assert was.inputs != now.inputs
    assert was.sources == now.sources
    assert 0 == built.ovmake("lock", "--check").status


def test_layers_that_accuracy_control_reverted_are_in_the_lock(built: Repo) -> None:
    path = built.folder / "Ovfile"
    path.write_text(path.read_text() + '\non-drop = "mixed"\naccuracy.max-drop = 0.003\n')
    assert 0 == built.build("fashion:int8").status

    block = locked(built)["fashion:int8"]

    search = built.record("fashion", "int8")["accuracy_control"]
    assert tuple(sorted(layer["name"] for layer in search["reverted"])) == block.reverted
    assert 1 == len(block.reverted)


def test_measurements_change_nothing(built: Repo) -> None:
    before = locked(built)
    path = built.folder / "Ovfile"
    path.write_text(
        path.read_text().replace("[models.fashion]\n", "[defaults.benchmark]\nmax-seconds = 3\n\n[models.fashion]\n")
    )

    assert 0 == built.ovmake("lock", "--check").status
    assert before == locked(built)
