"""The stamp says "fresh" only while nothing it rests on has changed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ovmake import stamp

TARGETS = ["digits:fp32", "digits:int8", "cats:fp32"]


def stamped(folder: Path) -> None:
    """Make a folder with a source, an output and a stamp about them."""
    (folder / ".ovmake").mkdir()
    (folder / stamp.STATE).touch()
    (folder / "source").mkdir()
    for name in ("Ovfile", "source/model.pb", "output.xml"):
        (folder / name).write_text("content")
    looked_ns = stamp.after_a_tick()
    names = ["Ovfile", "source/model.pb", "output.xml", *stamp.folders_of(str(folder), "source")]
    files = {name: stamp.state_of(str(folder / name)) for name in names}
    assert stamp.write(str(folder), "Ovfile False", TARGETS, files, looked_ns)


def test_nothing_changed_means_fresh(tmp_path: Path) -> None:
    stamped(tmp_path)

    assert 3 == stamp.up_to_date(str(tmp_path), "Ovfile False", [])


def test_targets_are_counted_by_name_and_by_model(tmp_path: Path) -> None:
    stamped(tmp_path)

    assert 2 == stamp.up_to_date(str(tmp_path), "Ovfile False", ["digits"])
    assert 2 == stamp.up_to_date(str(tmp_path), "Ovfile False", ["digits:int8", "cats"])


def test_unknown_target_is_left_to_the_full_look(tmp_path: Path) -> None:
    stamped(tmp_path)

    assert stamp.up_to_date(str(tmp_path), "Ovfile False", ["digits", "dogs"]) is None


def same_size(path: Path) -> None:
    """Write as many other bytes."""
    path.write_text("CONTENT")


CHANGES: dict[str, Callable[[Path], object]] = {
    "the state is deleted": lambda folder: (folder / stamp.STATE).unlink(),
    "the Ovfile is edited": lambda folder: same_size(folder / "Ovfile"),
    "a source is edited": lambda folder: same_size(folder / "source/model.pb"),
    "a source is touched": lambda folder: os.utime(folder / "source/model.pb"),
    "a file appears in a source folder": lambda folder: (folder / "source/new").touch(),
    "an output is edited": lambda folder: same_size(folder / "output.xml"),
    "an output is deleted": lambda folder: (folder / "output.xml").unlink(),
    "an output is replaced": lambda folder: replaced_keeping_times(folder / "output.xml"),
    "the stamp is torn": lambda folder: (folder / stamp.PLACE).write_text('{"format": 1, "fi'),
    "the stamp is no object": lambda folder: (folder / stamp.PLACE).write_text("[]"),
    "the stamp is forgotten": lambda folder: stamp.forget(str(folder)),
}


def replaced_keeping_times(path: Path) -> None:
    """Put another file in its place, with the same size and time."""
    found = path.stat()
    other = path.with_name("other")
    other.write_text("CONTENT")
    os.utime(other, ns=(found.st_atime_ns, found.st_mtime_ns))
    other.replace(path)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_any_change_ends_in_the_full_look(change: Callable[[Path], object], tmp_path: Path) -> None:
    stamped(tmp_path)

    change(tmp_path)

    assert stamp.up_to_date(str(tmp_path), "Ovfile False", []) is None


def test_another_ovfile_of_the_folder_has_no_stamp(tmp_path: Path) -> None:
    stamped(tmp_path)

    assert stamp.up_to_date(str(tmp_path), "Other False", []) is None
    assert stamp.up_to_date(str(tmp_path), "Ovfile True", []) is None


def test_file_written_within_a_tick_of_the_look_gets_no_stamp(tmp_path: Path) -> None:
    (tmp_path / ".ovmake").mkdir()
    (tmp_path / "Ovfile").write_text("content")
    files = {"Ovfile": stamp.state_of(str(tmp_path / "Ovfile"))}

    written = stamp.write(str(tmp_path), "Ovfile False", TARGETS, files, time.time_ns())

    assert written is False
    assert not (tmp_path / stamp.PLACE).exists()


def test_other_packages_installed_end_in_the_full_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packages = tmp_path / "packages"
    packages.mkdir()
    monkeypatch.syspath_prepend(str(packages))
    folder = tmp_path / "repo"
    folder.mkdir()
    stamped(folder)

    (packages / "openvino-2026.5.0.dist-info").mkdir()

    assert stamp.up_to_date(str(folder), "Ovfile False", []) is None
