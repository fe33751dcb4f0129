"""Our own folders: what a cloned repo put there is refused with its path, and nothing outside is touched."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from ovmake.store.files.handles import ForeignEntryError
from ovmake.store.files.own_folders import OwnFolders, copy_file, create_file, read_file

SECRET = b"ssh-ed25519 AAAA"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder of the user's elsewhere, with a file in it."""
    folder = tmp_path / "home"
    (folder / "deep").mkdir(parents=True)
    (folder / "authorized_keys").write_bytes(SECRET)
    (folder / "deep/notes").write_bytes(SECRET)
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "repo/.ovmake").mkdir(parents=True)
    return tmp_path / "repo"


@pytest.fixture
def ours(root: Path) -> OwnFolders:
    return OwnFolders(str(root))


def snapshot(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path): (path.read_bytes() if path.is_file() else b"", path.stat().st_mtime_ns)
        for path in (folder, *folder.rglob("*"))
    }


WRITES: dict[str, Callable[[OwnFolders, str], object]] = {
    "replace": lambda ours, path: ours.replace(path, b"mine"),
    "open to write": lambda ours, path: ours.open(path, os.O_RDWR | os.O_CREAT, in_place=True),
    "adopt": lambda ours, path: ours.adopt("scratch", path),
    "make a folder": lambda ours, path: ours.make_folder(path),
    "move": lambda ours, path: ours.move("scratch", path),
    "remove": lambda ours, path: ours.remove(path),
    "read": lambda ours, path: ours.read(path),
    "walk": lambda ours, path: ours.walk(path),
    "stat": lambda ours, path: ours.stat(path),
}


@pytest.mark.parametrize("do", WRITES.values(), ids=WRITES.keys())
@pytest.mark.parametrize("path", [".ovmake/cas/authorized_keys", ".ovmake/cas/deep/notes", ".ovmake/cas/new/file"])
def test_folder_that_is_a_link_is_refused_with_its_path(
    do: Callable[[OwnFolders, str], object], path: str, ours: OwnFolders, root: Path, outside: Path
) -> None:
    (root / ".ovmake/cas").symlink_to(outside)
    (root / "scratch").write_bytes(b"mine")
    before = snapshot(outside)

    with pytest.raises(ForeignEntryError) as caught:
        do(ours, path)

    assert caught.value.path == ".ovmake/cas"
    assert caught.value.exit_status == 1
    assert snapshot(outside) == before


@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_RDWR | os.O_CREAT, os.O_WRONLY | os.O_TRUNC | os.O_CREAT])
@pytest.mark.parametrize("leads_to", ["authorized_keys", "nowhere", "."])
def test_file_that_is_a_link_is_refused_and_not_followed(
    flags: int, leads_to: str, ours: OwnFolders, root: Path, outside: Path
) -> None:
    (root / ".ovmake/lock").symlink_to(outside / leads_to)
    before = snapshot(outside)

    with pytest.raises(ForeignEntryError, match=r"`\.ovmake/lock` is a link"):
        ours.open(".ovmake/lock", flags)

    assert snapshot(outside) == before


def test_file_with_another_name_is_not_written_in_place(ours: OwnFolders, root: Path, outside: Path) -> None:
    (root / ".ovmake/lock").hardlink_to(outside / "authorized_keys")

    with pytest.raises(ForeignEntryError, match=r"has 2 names \(hard links\)"):
        ours.open(".ovmake/lock", os.O_RDWR | os.O_CREAT, in_place=True)

    assert (outside / "authorized_keys").read_bytes() == SECRET


@pytest.mark.timeout(20)
def test_pipes_and_sockets_keep_nobody_waiting(ours: OwnFolders, root: Path) -> None:
    os.mkfifo(root / ".ovmake/pipe")
    here = Path.cwd()
    with socket.socket(socket.AF_UNIX) as listening:
        os.chdir(root)  # a socket's path has at most 108 characters
        listening.bind(".ovmake/socket")
        os.chdir(here)
        for name in ("pipe", "socket"):
            for flags in (os.O_RDONLY, os.O_RDWR, os.O_WRONLY):
                with pytest.raises(ForeignEntryError, match="is not a regular file"):
                    ours.open(f".ovmake/{name}", flags)
            with pytest.raises(ForeignEntryError, match=f"`.ovmake/{name}` is not a regular file"):
                ours.check(".ovmake")
            (root / f".ovmake/{name}").unlink()


def test_what_replaces_a_link_leaves_what_it_led_to(ours: OwnFolders, root: Path, outside: Path) -> None:
    (root / ".ovmake/page").symlink_to(outside / "authorized_keys")
    (root / ".ovmake/.page.tmp").symlink_to(outside / "authorized_keys")
    before = snapshot(outside)

    ours.replace(".ovmake/page", b"mine")

    assert (root / ".ovmake/page").read_bytes() == b"mine"
    assert not (root / ".ovmake/page").is_symlink()
    assert snapshot(outside) == before


def test_folder_in_the_place_of_the_scratch_file_makes_room(ours: OwnFolders, root: Path) -> None:
    (root / ".ovmake/.page.tmp/inner").mkdir(parents=True)

    ours.replace(".ovmake/page", b"mine")

    assert [path.name for path in (root / ".ovmake").iterdir()] == ["page"]


def test_removing_a_folder_stays_in_it(ours: OwnFolders, root: Path, outside: Path) -> None:
    (root / ".ovmake/tmp/1").mkdir(parents=True)
    (root / ".ovmake/tmp/1/out").symlink_to(outside)
    (root / ".ovmake/tmp/file").symlink_to(outside / "authorized_keys")
    before = snapshot(outside)

    ours.remove(".ovmake/tmp")
    ours.remove(".ovmake/tmp")  # it need not be there

    assert not (root / ".ovmake/tmp").exists()
    assert snapshot(outside) == before


def test_removing_a_link_removes_the_link(ours: OwnFolders, root: Path, outside: Path) -> None:
    (root / ".ovmake/tmp").symlink_to(outside)

    ours.remove(".ovmake/tmp")

    assert not (root / ".ovmake/tmp").is_symlink()
    assert (outside / "authorized_keys").read_bytes() == SECRET


def test_finished_file_that_is_a_link_is_not_adopted(ours: OwnFolders, root: Path, outside: Path) -> None:
    (root / ".ovmake/tmp").mkdir()
    (root / ".ovmake/tmp/xml").symlink_to(outside / "authorized_keys")

    with pytest.raises(ForeignEntryError, match=r"`\.ovmake/tmp/xml` is a link"):
        ours.adopt(".ovmake/tmp/xml", ".ovmake/cas/ab/cd")

    assert not (root / ".ovmake/cas/ab/cd").exists()


@pytest.mark.parametrize("path", ["../home/authorized_keys", ".ovmake/../../home/authorized_keys", "/etc/hostname"])
def test_path_that_leads_up_is_refused(path: str, ours: OwnFolders, outside: Path) -> None:
    before = snapshot(outside)

    for do in WRITES.values():
        with pytest.raises((ForeignEntryError, FileNotFoundError)):
            do(ours, path)

    assert snapshot(outside) == before


def test_walk_lists_links_and_follows_none(ours: OwnFolders, root: Path, outside: Path) -> None:
    (root / ".ovmake/cas/ab").mkdir(parents=True)
    (root / ".ovmake/cas/ab/cd").write_bytes(b"123")
    (root / ".ovmake/cas/out").symlink_to(outside)

    found = ours.walk(".ovmake/cas")

    assert found.keys() == {"ab/cd", "out"}
    assert found["ab/cd"].st_size == 3


@pytest.mark.parametrize("name", ["lock", "state.db", "state.db-wal", "stamp", "cas", "tmp", ".gitignore", "anything"])
@pytest.mark.parametrize("leads_to", ["", "authorized_keys", "nowhere"])
def test_check_names_the_link_before_anything_is_opened(
    name: str, leads_to: str, ours: OwnFolders, root: Path, outside: Path
) -> None:
    (root / f".ovmake/{name}").symlink_to(outside / leads_to)

    with pytest.raises(ForeignEntryError, match=f"`.ovmake/{name}` is a link"):
        ours.check(".ovmake")


def test_check_is_content_with_folders_and_files(ours: OwnFolders, root: Path) -> None:
    (root / ".ovmake/cas/ab").mkdir(parents=True)
    (root / ".ovmake/lock").write_text("1")

    ours.check(".ovmake")
    ours.check("nothing")


def test_with_allow_outside_folders_may_be_links_and_files_may_not(root: Path, outside: Path) -> None:
    ours = OwnFolders(str(root), follow_folders=True)
    (root / "build").symlink_to(outside)
    (root / ".ovmake/lock").symlink_to(outside / "authorized_keys")

    ours.replace("build/m/page", b"mine")
    with pytest.raises(ForeignEntryError, match="is a link"):
        ours.check(".ovmake")
    with pytest.raises(ForeignEntryError, match="is a link"):
        ours.open(".ovmake/lock", os.O_RDWR)

    assert (outside / "m/page").read_bytes() == b"mine"
    assert (outside / "authorized_keys").read_bytes() == SECRET


def test_errors_of_the_system_name_the_whole_path(ours: OwnFolders, root: Path) -> None:
    (root / ".ovmake/cas").write_text("a file")

    with pytest.raises(NotADirectoryError) as caught:
        ours.replace(".ovmake/cas/ab/cd", b"")

    assert caught.value.filename == f"{root}/.ovmake/cas"


# single files of a scratch folder


def test_outputs_are_made_anew_and_read_as_they_are(root: Path, outside: Path) -> None:
    create_file(str(root / "out"), b"made")
    copy_file(str(root / "out"), str(root / "copy"))

    assert read_file(str(root / "copy")) == b"made"
    for name in ("link", "gone"):
        (root / name).symlink_to(outside / ("authorized_keys" if name == "link" else "nowhere"))
        with pytest.raises(FileExistsError):
            create_file(str(root / name), b"mine")
        with pytest.raises(FileExistsError):
            copy_file(str(root / "out"), str(root / name))
        with pytest.raises(ForeignEntryError):
            read_file(str(root / name))
    assert (outside / "authorized_keys").read_bytes() == SECRET
    assert not (outside / "nowhere").exists()
