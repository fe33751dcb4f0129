"""Digests of sources: what is read, what is believed without reading, and changes that a clock cannot tell."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ovmake.graph.digest import of_bytes, of_tree
from ovmake.ledger import RACY_NS
from ovmake.store.database import Database
from ovmake.store.files.disk import RealDisk
from ovmake.store.files.sources import Sources, SourceState
from tests.fakes import TICK_NS, FakeDisk


@pytest.fixture
def database() -> Iterator[Database]:
    with closing(Database.in_memory()) as opened:
        yield opened


def look(disk: FakeDisk | RealDisk, database: Database, path: str) -> SourceState:
    """Return a source's state as the next run sees it."""
    sources = Sources(disk, database)
    state = sources.state(path)
    sources.remember()
    assert state is not None
    return state


def test_a_file_is_its_bytes(database: Database) -> None:
    disk = FakeDisk()
    disk.put("models/m.pb", b"a")

    assert look(disk, database, "models/m.pb").digest == of_bytes(b"a")


def test_a_folder_is_its_names_and_bytes(database: Database) -> None:
    disk = FakeDisk()
    disk.put("m/saved_model.pb", b"a")
    disk.put("m/variables/index", b"b")

    expected = of_tree({"variables/index": of_bytes(b"b"), "saved_model.pb": of_bytes(b"a")})
    assert look(disk, database, "m").digest == expected


def test_a_folder_with_a_renamed_file_is_another(database: Database) -> None:
    disk = FakeDisk()
    disk.put("m/a", b"same")
    before = look(disk, database, "m").digest
    disk.take_away("m/a")
    disk.put("m/b", b"same")

    assert look(disk, database, "m").digest != before


def test_a_folder_is_not_the_file_that_it_holds(database: Database) -> None:
    disk = FakeDisk()
    disk.put("m/a", b"same")

    assert look(disk, database, "m").digest != look(disk, database, "m/a").digest


def test_what_is_not_there_has_no_state(database: Database) -> None:
    assert Sources(FakeDisk(), database).state("models/m.pb") is None


# the stat cache


def test_unchanged_file_is_not_read_again(database: Database) -> None:
    disk = FakeDisk()
    disk.put("m/saved_model.pb", b"a")
    disk.put("m/variables/index", b"b")
    disk.tick()
    first = look(disk, database, "m")
    disk.reads.clear()

    second = look(disk, database, "m")

    assert disk.reads == []
    assert second == first


def test_only_the_changed_file_of_a_folder_is_read_again(database: Database) -> None:
    disk = FakeDisk()
    disk.put("m/saved_model.pb", b"a")
    disk.put("m/variables/index", b"b")
    disk.tick()
    look(disk, database, "m")
    disk.reads.clear()
    disk.tick()
    disk.put("m/variables/index", b"c")

    state = look(disk, database, "m")

    assert disk.reads == ["m/variables/index"]
    assert state.digest == of_tree({"saved_model.pb": of_bytes(b"a"), "variables/index": of_bytes(b"c")})


def test_a_file_is_read_once_per_run(database: Database) -> None:
    disk = FakeDisk()
    disk.put("m.pb", b"a")
    sources = Sources(disk, database)

    states = [sources.state("m.pb"), sources.state("m.pb")]

    assert disk.reads == ["m.pb"]
    assert states[0] == states[1]


def test_an_edit_in_the_middle_of_a_run_belongs_to_the_next(database: Database) -> None:
    disk = FakeDisk()
    disk.put("m.pb", b"a")
    sources = Sources(disk, database)
    before = sources.state("m.pb")
    disk.tick()
    disk.put("m.pb", b"b")

    assert sources.state("m.pb") == before
    assert before is not None
    assert not sources.unchanged("m.pb", before)
    assert look(disk, database, "m.pb").digest == of_bytes(b"b")


def test_file_with_another_inode_is_read_again(database: Database) -> None:
    disk = FakeDisk()
    disk.put("m.pb", b"a")
    disk.tick()
    look(disk, database, "m.pb")
    state = disk.files["m.pb"]
    disk.touch("m.pb")
    disk.files["m.pb"] = type(state)(b"b", state.mtime_ns, disk.files["m.pb"].inode)

    assert look(disk, database, "m.pb").digest == of_bytes(b"b")


# racy timestamps


def test_rewritten_within_a_tick_it_is_noticed(database: Database) -> None:
    # Same size, inode and time: only the rule about racy entries tells.
    disk = FakeDisk()
    disk.put("m.pb", b"a")
    assert look(disk, database, "m.pb").digest == of_bytes(b"a")
    disk.put("m.pb", b"b")

    assert look(disk, database, "m.pb").digest == of_bytes(b"b")


def test_file_that_was_read_in_the_tick_of_its_writing_is_read_once_more(database: Database) -> None:
    disk = FakeDisk()
    disk.put("m.pb", b"a")
    for _ in range(3):
        look(disk, database, "m.pb")
        disk.tick()

    assert disk.reads == ["m.pb", "m.pb"]


def test_file_from_the_future_is_never_believed(database: Database) -> None:
    disk = FakeDisk()
    disk.put("m.pb", b"a")
    file = disk.files["m.pb"]
    disk.files["m.pb"] = type(file)(b"a", file.mtime_ns + 10 * TICK_NS, file.inode)
    for _ in range(3):
        look(disk, database, "m.pb")

    assert disk.reads == ["m.pb"] * 3


def test_rewritten_on_a_real_disk_at_once_it_is_noticed(tmp_path: Path, database: Database) -> None:
    disk = RealDisk(tmp_path)
    file = tmp_path / "m.pb"
    for number in range(50):
        data = f"{number:04}".encode()
        file.write_bytes(data)

        assert look(disk, database, "m.pb").digest == of_bytes(data)


def test_rewritten_with_its_old_time_on_a_real_disk_it_is_noticed(tmp_path: Path, database: Database) -> None:
    # `tar -x`, `rsync -t` and `cp -p` set times: archives made for reproducible builds give all files the same one.
    disk = RealDisk(tmp_path)
    file = tmp_path / "m.pb"
    file.write_bytes(b"a")
    os.utime(file, ns=(0, 0))
    assert look(disk, database, "m.pb").digest == of_bytes(b"a")

    file.write_bytes(b"b")
    os.utime(file, ns=(0, 0))

    assert look(disk, database, "m.pb").digest == of_bytes(b"b")


def test_the_rule_leaves_room_for_the_slowest_clock() -> None:
    # 10 ms is a kernel with 100 ticks a second.
    assert RACY_NS >= 2 * 10_000_000


# the folder of the Ovfile moves


def test_moved_repo_reads_nothing_again(tmp_path: Path, database: Database) -> None:
    (tmp_path / "before").mkdir()
    before = RealDisk(tmp_path / "before")
    before.write("models/m.pb", b"a")
    time.sleep(2 * RACY_NS / 1e9)
    state = look(before, database, "models/m.pb")
    shutil.move(tmp_path / "before", tmp_path / "after")
    after = RealDisk(tmp_path / "after")
    sources = Sources(after, database)

    assert sources.state("models/m.pb") == state
    assert sources._fresh == {}


def test_copied_repo_finds_the_same_digests(tmp_path: Path, database: Database) -> None:
    (tmp_path / "before").mkdir()
    before = RealDisk(tmp_path / "before")
    before.write("models/m/saved_model.pb", b"a")
    state = look(before, database, "models/m")
    shutil.copytree(tmp_path / "before", tmp_path / "after")

    assert look(RealDisk(tmp_path / "after"), database, "models/m").digest == state.digest


# odd folders on a real disk


def test_dangling_link_in_a_folder_cannot_be_read(tmp_path: Path, database: Database) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m/weights").symlink_to("gone")

    with pytest.raises(FileNotFoundError):
        Sources(RealDisk(tmp_path), database).state("m")


def test_name_that_is_not_utf8_is_a_name_like_others(tmp_path: Path, database: Database) -> None:
    acute, grave = (tmp_path / "m" / os.fsdecode(name) for name in (b"caf\xe9.txt", b"caf\xe8.txt"))
    acute.parent.mkdir()
    acute.write_bytes(b"a")
    first = look(RealDisk(tmp_path), database, "m")
    acute.rename(grave)

    assert look(RealDisk(tmp_path), database, "m").digest != first.digest


def test_name_with_a_line_break_does_not_pass_for_two_files() -> None:
    one = of_bytes(b"a")

    assert of_tree({f"a\n{one.encoded()} b": one}).sha256 != of_tree({"a": one, "b": one}).sha256


def test_empty_folder_has_a_digest(tmp_path: Path, database: Database) -> None:
    (tmp_path / "m").mkdir()

    assert look(RealDisk(tmp_path), database, "m").digest == of_tree({})
