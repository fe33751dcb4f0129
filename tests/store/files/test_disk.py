"""The real disk: what is written is whole, a folder is published together, and links are followed with care."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ovmake.graph.digest import Digest, of_bytes
from ovmake.store.files import publishing
from ovmake.store.files.disk import DigestMismatchError, LinkOutsideError, RealDisk, Stat


@pytest.fixture
def disk(tmp_path: Path) -> RealDisk:
    return RealDisk(tmp_path)


def originals(disk: RealDisk, **files: bytes) -> dict[str, tuple[str, Digest]]:
    """Store files as a CAS would; return what `publish` takes, by name with a dot for `_`."""
    for data in files.values():
        disk.write(f"cas/{of_bytes(data).sha256}", data)
    return {name.replace("_", "."): (f"cas/{of_bytes(data).sha256}", of_bytes(data)) for name, data in files.items()}


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# stat, digest, walk


def test_what_is_not_there_has_no_state(disk: RealDisk) -> None:
    disk.write("file", b"")

    assert disk.stat("nothing") is None
    assert disk.stat("file/below") is None


def test_digest_is_that_of_the_bytes(disk: RealDisk) -> None:
    data = bytes(range(256)) * 9_000
    disk.write("file", data)

    assert disk.digest("file") == of_bytes(data)
    assert disk.read("file") == data


def test_state_tells_files_from_folders(disk: RealDisk) -> None:
    disk.write("folder/file", b"abc")

    folder, file = disk.stat("folder"), disk.stat("folder/file")

    assert folder is not None
    assert file is not None
    assert (folder.is_folder, file.is_folder, file.size_bytes) == (True, False, 3)


def test_walk_lists_files_below_by_relative_path(disk: RealDisk) -> None:
    for path in ("m/saved_model.pb", "m/variables/variables.index", "m/.hidden"):
        disk.write(path, b"")

    assert sorted(disk.walk("m")) == [".hidden", "saved_model.pb", "variables/variables.index"]


def test_links_to_files_and_folders_are_followed(disk: RealDisk) -> None:
    disk.write("elsewhere/variables.index", b"abc")
    disk.make_folder("m")
    (disk.root / "m/variables").symlink_to(disk.root / "elsewhere")
    (disk.root / "m/index").symlink_to(disk.root / "elsewhere/variables.index")

    found = disk.walk("m")

    assert {name: stat.size_bytes for name, stat in found.items()} == {"variables/variables.index": 3, "index": 3}


def test_a_link_that_leads_back_up_ends_the_walk_there(disk: RealDisk) -> None:
    disk.write("m/a/file", b"")
    (disk.root / "m/a/up").symlink_to("..", target_is_directory=True)
    (disk.root / "m/self").symlink_to(".", target_is_directory=True)

    assert sorted(disk.walk("m")) == ["a/file"]


def test_a_dangling_link_is_listed_so_that_reading_it_fails(disk: RealDisk) -> None:
    disk.make_folder("m")
    (disk.root / "m/weights").symlink_to("gone")

    assert disk.walk("m") == {"weights": Stat(False, -1, 0, 0)}
    with pytest.raises(FileNotFoundError):
        disk.digest("m/weights")


def test_a_link_to_itself_is_an_error_of_the_system(disk: RealDisk) -> None:
    disk.make_folder("m")
    (disk.root / "m/loop").symlink_to("loop")

    with pytest.raises(OSError, match="Too many levels of symbolic links"):
        disk.walk("m")


def test_walk_of_what_is_not_there_is_an_error(disk: RealDisk) -> None:
    with pytest.raises(FileNotFoundError):
        disk.walk("nothing")


# write, adopt, remove


def test_write_makes_folders_and_leaves_no_scratch(disk: RealDisk) -> None:
    disk.write("a/b/file", b"old")
    disk.write("a/b/file", b"new")

    assert tree(disk.root) == {"a/b/file": b"new"}


def test_write_that_fails_leaves_the_old_file_and_no_scratch(disk: RealDisk) -> None:
    disk.make_folder("a/file")  # a folder stands where the file should go

    with pytest.raises(OSError, match="directory"):
        disk.write("a/file", b"new")

    assert [path.name for path in (disk.root / "a").iterdir()] == ["file"]


def test_adopt_moves_and_replaces(disk: RealDisk) -> None:
    disk.write("cas/ab/cd", b"damaged")
    disk.write("tmp/1/xml", b"whole")

    disk.adopt("tmp/1/xml", "cas/ab/cd")

    assert tree(disk.root) == {"cas/ab/cd": b"whole"}


def test_adopt_of_what_was_not_written_is_an_error(disk: RealDisk) -> None:
    with pytest.raises(FileNotFoundError):
        disk.adopt("tmp/1/xml", "cas/ab/cd")


def test_remove_takes_files_folders_and_nothing(disk: RealDisk) -> None:
    disk.write("file", b"")
    disk.write("folder/sub/file", b"")

    for path in ("file", "folder", "nothing"):
        disk.remove(path)

    assert tree(disk.root) == {}


def test_remove_of_a_link_leaves_what_it_leads_to(disk: RealDisk) -> None:
    disk.write("folder/file", b"")
    (disk.root / "link").symlink_to("folder", target_is_directory=True)

    disk.remove("link")

    assert tree(disk.root) == {"folder/file": b""}


# publish


def test_publish_makes_a_folder_that_holds_the_files(disk: RealDisk) -> None:
    disk.publish("build/m/fp32", originals(disk, m_xml=b"<net/>", m_bin=b"1234"))

    assert tree(disk.root / "build") == {"m/fp32/m.xml": b"<net/>", "m/fp32/m.bin": b"1234"}
    assert [path.name for path in (disk.root / "build/m").iterdir()] == ["fp32"]


def test_publish_replaces_its_files_and_keeps_what_a_user_put_beside_them(disk: RealDisk) -> None:
    disk.publish("build/m", originals(disk, m_xml=b"old", m_bin=b"old"))
    disk.write("build/m/notes.txt", b"mine")
    disk.write("build/m/plots/a.png", b"mine too")

    disk.publish("build/m", originals(disk, m_xml=b"new", m_bin=b"new"))

    assert tree(disk.root / "build") == {
        "m/m.xml": b"new",
        "m/m.bin": b"new",
        "m/notes.txt": b"mine",
        "m/plots/a.png": b"mine too",
    }


def test_published_files_share_nothing_with_the_store(disk: RealDisk) -> None:
    files = originals(disk, m_xml=b"<net/>")
    disk.publish("build/m", files)

    (disk.root / "build/m/m.xml").write_bytes(b"edited")

    original, digest = files["m.xml"]
    assert disk.digest(original) == digest


def test_original_that_is_not_its_digest_publishes_nothing(disk: RealDisk) -> None:
    disk.publish("build/m", originals(disk, m_xml=b"old", m_bin=b"old"))
    files = originals(disk, m_xml=b"new", m_bin=b"newer")
    damaged, _ = files["m.bin"]
    disk.write(damaged, b"rot")

    with pytest.raises(DigestMismatchError) as caught:
        disk.publish("build/m", files)

    assert caught.value.path == damaged
    assert tree(disk.root / "build") == {"m/m.xml": b"old", "m/m.bin": b"old"}
    assert [path.name for path in (disk.root / "build").iterdir()] == ["m"]


def test_original_that_is_gone_publishes_nothing(disk: RealDisk) -> None:
    files = originals(disk, m_xml=b"new", m_bin=b"newer")
    disk.remove(files["m.bin"][0])

    with pytest.raises(FileNotFoundError):
        disk.publish("build/m", files)

    assert tree(disk.root / "build") == {}


def test_folder_in_the_place_of_a_file_is_replaced(disk: RealDisk) -> None:
    disk.write("build/m/m.xml/inside", b"")

    disk.publish("build/m", originals(disk, m_xml=b"new"))

    assert tree(disk.root / "build") == {"m/m.xml": b"new"}


def test_file_in_the_place_of_the_folder_is_replaced_and_leaves_nothing(disk: RealDisk) -> None:
    disk.write("build/m", b"a file")

    disk.publish("build/m", originals(disk, m_xml=b"new"))

    assert tree(disk.root / "build") == {"m/m.xml": b"new"}


def test_publish_where_folders_cannot_be_exchanged(disk: RealDisk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "exchange", lambda *_: False)
    disk.publish("build/m", originals(disk, m_xml=b"old"))
    disk.write("build/m/notes.txt", b"mine")

    disk.publish("build/m", originals(disk, m_xml=b"new"))

    assert tree(disk.root / "build") == {"m/m.xml": b"new", "m/notes.txt": b"mine"}


def test_who_looks_into_the_folder_meanwhile_sees_no_mixture(disk: RealDisk) -> None:
    sets = [originals(disk, a=data, b=data) for data in (b"old", b"new")]
    disk.publish("build/m", sets[0])
    done = threading.Event()
    seen: list[set[bytes]] = []

    def look() -> None:
        while not done.is_set():
            folder = os.open(disk.root / "build/m", os.O_RDONLY)
            seen.append({data for name in ("a", "b") if (data := _read_in(folder, name)) is not None})
            os.close(folder)

    reader = threading.Thread(target=look)
    reader.start()
    for number in range(60):
        disk.publish("build/m", sets[number % 2])
    done.set()
    reader.join()

    assert len(seen) > 1
    assert [values for values in seen if len(values) > 1] == []


def _read_in(folder: int, name: str) -> bytes | None:
    """Read a file of a folder that is open; None when the folder is being removed."""
    try:
        file = os.open(name, os.O_RDONLY, dir_fd=folder)
    except FileNotFoundError:
        return None
    try:
        return os.read(file, 100)
    finally:
        os.close(file)


# Publishes `new` over what there is, and ends without a word after the n-th rename or exchange of folders.
CUT = """
import os, pathlib, sys
from ovmake.graph.digest import of_bytes
from ovmake.store.files import publishing
from ovmake.store.files.disk import RealDisk
root, exchange, left = pathlib.Path(sys.argv[1]), sys.argv[2] == "True", int(sys.argv[3])

def counted(real):
    def call(*given):
        global left
        result = real(*given)
        left -= result is not False
        if left == 0:
            os._exit(9)
        return result
    return call

disk = RealDisk(root)
disk.write("cas/new", b"new")
os.rename = counted(os.rename)
publishing.exchange = counted(publishing.exchange) if exchange else lambda *_: False
disk.publish("build/m", {"m.xml": ("cas/new", of_bytes(b"new"))})
"""


@pytest.mark.parametrize(("exchange", "moment"), [(True, 1), (True, 2), (False, 1), (False, 2), (False, 3), (False, 4)])
def test_killed_while_publishing_leaves_a_users_files_to_the_next_publish(
    disk: RealDisk,
    exchange: bool,  # noqa: FBT001
    moment: int,
) -> None:
    disk.publish("build/m", originals(disk, m_xml=b"old"))
    users = {"m/notes.txt": b"mine", "m/plots/a.png": b"mine too", "m/plots/b/c.png": b"this also"}
    for name, data in users.items():
        disk.write(f"build/{name}", data)

    command = [sys.executable, "-c", CUT, str(disk.root), str(exchange), str(moment)]
    subprocess.run(command, check=False, cwd=Path(__file__).parents[3])
    whole = tree(disk.root / "build/m").get("m.xml")
    disk.publish("build/m", originals(disk, m_xml=b"newer"))

    assert whole in {b"old", b"new", None}
    assert tree(disk.root / "build") == {"m/m.xml": b"newer", **users}


def test_killed_while_filling_the_new_folder_leaves_nothing_behind(disk: RealDisk) -> None:
    disk.publish("build/m", originals(disk, m_xml=b"old"))
    disk.write("build/.m.12345.new/m.xml", b"ne")

    disk.publish("build/m", originals(disk, m_xml=b"new"))

    assert tree(disk.root / "build") == {"m/m.xml": b"new"}


def test_what_a_killed_publish_left_goes_without_another_publish(disk: RealDisk) -> None:
    disk.publish("build/m", originals(disk, m_xml=b"new"))
    disk.write("build/.m.12345.new/m.xml", b"old")
    disk.write("build/.m.12345.old/m.xml", b"older")
    others = {".m.12345.new.txt": b"a", ".m.new": b"b", ".n.1.new/n.xml": b"c", "m/.m.1.new": b"d"}
    for name, data in others.items():
        disk.write(f"build/{name}", data)

    disk.clear_up({"build/m": ["m.xml"], "nowhere/n": ["n.xml"]})

    assert tree(disk.root / "build") == {"m/m.xml": b"new", **others}


def test_what_had_moved_aside_comes_back(disk: RealDisk) -> None:
    disk.write("build/.m.12345.old/m.xml", b"old")
    disk.write("build/.m.12345.new/m.xml", b"new")

    disk.clear_up({"build/m": ["m.xml"]})

    assert tree(disk.root / "build") == {"m/m.xml": b"old"}


def test_a_users_files_leave_the_old_folder_before_it_goes(disk: RealDisk) -> None:
    # As after a kill right after the exchange, on a file system without hard links.
    disk.publish("build/m", originals(disk, m_xml=b"new"))
    (disk.root / "build/m/plots").mkdir()
    users = {"notes.txt": b"mine", "plots/a.png": b"mine too", "plots/b/c.png": b"this also"}
    for name, data in {"m.xml": b"old", **users}.items():
        disk.write(f"build/.m.12345.new/{name}", data)

    disk.clear_up({"build/m": ["m.xml"]})

    assert tree(disk.root / "build/m") == {"m.xml": b"new", **users}
    assert [path.name for path in (disk.root / "build").iterdir()] == ["m"]


def test_a_users_dangling_link_beside_published_files_stays(disk: RealDisk) -> None:
    disk.publish("build/m", originals(disk, m_xml=b"old"))
    (disk.root / "build/m/latest").symlink_to("gone")

    disk.publish("build/m", originals(disk, m_xml=b"new"))

    assert (disk.root / "build/m/latest").readlink() == Path("gone")


def test_killed_while_writing_leaves_nothing_behind(disk: RealDisk) -> None:
    disk.write("build/.page.html.tmp", b"half")

    disk.write("build/page.html", b"whole")

    assert tree(disk.root / "build") == {"page.html": b"whole"}


# links that leave the repo


@pytest.mark.parametrize("name", ["link", "deep/link", "linked/link"])
def test_walk_over_a_source_stops_at_a_link_that_leaves_the_repo(name: str, tmp_path: Path) -> None:
    repo = tmp_path / "repo"
    (repo / "m/deep").mkdir(parents=True)
    (repo / "elsewhere").mkdir()
    (repo / "m/linked").symlink_to("../elsewhere")
    (tmp_path / "secret").write_text("secret")
    (repo / "m" / name).symlink_to(tmp_path / "secret")
    disk = RealDisk(repo, inside=lambda path: os.path.realpath(repo / path).startswith(f"{repo}/"))

    with pytest.raises(LinkOutsideError) as caught:
        disk.walk("m")

    assert caught.value.path == f"m/{name}"


def test_links_within_the_repo_are_followed_and_told_by_where_they_lead(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "shared").write_text("words")
    (tmp_path / "m/words").symlink_to("../shared")
    disk = RealDisk(tmp_path, inside=lambda path: os.path.realpath(tmp_path / path).startswith(f"{tmp_path}/"))

    assert disk.walk("m").keys() == {"words"}
    assert disk.linked("m") == [str(tmp_path / "shared")]
