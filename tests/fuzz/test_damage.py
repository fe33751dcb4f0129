"""Damage is damage, and within a format it leaves the format whole."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from random import Random

import pytest

from ovmake.sources.leveldb import table
from ovmake.sources.protobuf import Message
from tests.fuzz.damage import damaged, entry, field, member
from tests.graphdefs import dense
from tests.workers.tables import written

INDEX = written({b"": b"\x08\x01", b"a/kernel": b"\x08\x01\x18\x00", b"b/kernel": b"\x08\x01\x28\x04"})


def dice(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - repeatable


@pytest.mark.parametrize("name", ["model.pb", "model.index", "model.tflite", "empty.pb"])
def test_file_is_never_what_it_was(tmp_path: Path, name: str) -> None:
    content = {"model.index": INDEX, "empty.pb": b""}.get(name, dense([[1.0, 2.0]]))
    for seed in range(200):
        (tmp_path / name).write_bytes(content)

        said = damaged(tmp_path / name, dice(seed))

        assert (tmp_path / name).read_bytes() != content
        assert said.startswith(f"{name}: ")


def test_same_seed_is_the_same_damage(tmp_path: Path) -> None:
    for name in ("1.pb", "2.pb"):
        (tmp_path / name).write_bytes(dense([[1.0, 2.0]]))
        damaged(tmp_path / name, dice(3))

    assert (tmp_path / "1.pb").read_bytes() == (tmp_path / "2.pb").read_bytes()


def test_damaged_field_leaves_a_message() -> None:
    content = dense([[1.0, 2.0]])

    found = {field(content, dice(seed)) for seed in range(200)}

    for made in found:
        Message(memoryview(made))
    assert len(found) > 100  # each in its own way


def test_damaged_entry_leaves_a_table() -> None:
    found = [dict(table(memoryview(entry(INDEX, dice(seed))))) for seed in range(100)]

    assert {2, 3} == {len(entries) for entries in found}


def test_damaged_member_leaves_a_zip() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("config.json", "{}" * 20)
        archive.writestr("model.weights.h5", b"\x89HDF" * 20)
    for seed in range(50):
        with zipfile.ZipFile(io.BytesIO(member(made.getvalue(), dice(seed)))) as archive:
            assert archive.testzip() is None
