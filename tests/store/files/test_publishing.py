"""Published files share blocks with the store where a file system can, and never an inode: an edit stays where it is.

On the ordinary file system, and on btrfs and XFS in an image file, which only root can mount.
"""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ovmake.graph.digest import of_bytes
from ovmake.store.files.disk import DigestMismatchError, RealDisk
from tests.engine.small import action, graph
from tests.real import RealRepo

DATA = b"".join(b"%07d\n" % number for number in range(200_000))
IMAGE_BYTES = 400_000_000  # a sparse file; mkfs.xfs wants 300 MB
FORMAT_WITH = {
    "btrfs": ["mkfs.btrfs", "-q"],
    "xfs": ["mkfs.xfs", "-q", "-m", "reflink=1"],
}

FS_IOC_FIEMAP = 0xC020660B
FIEMAP_FLAG_SYNC = 1
EXTENTS = 64


def run(*words: str) -> None:
    """Run a command of the system; skip the test with its words where it cannot be had or does not work."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip(f"`{words[0]}` is not installed")
    if done.returncode != 0:
        pytest.skip(f"`{' '.join(words)}`: {done.stderr.strip()}")


@pytest.fixture(params=FORMAT_WITH)
def reflinking(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system with reflinks."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    image, there = tmp_path / "image", tmp_path / "there"
    with image.open("wb") as file:
        file.truncate(IMAGE_BYTES)
    there.mkdir()
    run(*FORMAT_WITH[request.param], str(image))
    run("mount", "-o", "loop", str(image), str(there))
    try:
        yield there
    finally:
        subprocess.run(["umount", str(there)], check=True)


def blocks(path: Path) -> list[tuple[int, int]]:
    """Return where a file's extents lie on the medium: (physical address, length)."""
    head = struct.pack("=QQIIII", 0, 2**64 - 1, FIEMAP_FLAG_SYNC, 0, EXTENTS, 0)
    answer = bytearray(head + bytes(56 * EXTENTS))
    with path.open("rb") as file:
        fcntl.ioctl(file, FS_IOC_FIEMAP, answer)
    (count,) = struct.unpack_from("=I", answer, 20)
    extents = [struct.unpack_from("=QQQ", answer, 32 + 56 * number) for number in range(count)]
    return [(physical, length) for _, physical, length in extents]


def published(root: Path) -> tuple[RealDisk, Path, Path]:
    """Publish DATA; return the disk, the original and the published file."""
    disk = RealDisk(root)
    disk.write("cas/data", DATA)
    disk.publish("build/m", {"m.bin": ("cas/data", of_bytes(DATA))})
    return disk, root / "cas/data", root / "build/m/m.bin"


def edit(path: Path) -> None:
    """Write into a file where it is: the inode stays."""
    with path.open("r+b") as file:
        file.seek(len(DATA) // 2)
        file.write(b"edited")


def test_published_file_shares_its_blocks_where_the_file_system_can(reflinking: Path) -> None:
    _, original, copy = published(reflinking)

    assert DATA == copy.read_bytes()
    assert blocks(original) == blocks(copy) != []


def test_edit_of_a_clone_leaves_the_original_alone(reflinking: Path) -> None:
    _, original, copy = published(reflinking)

    edit(copy)

    assert DATA == original.read_bytes()
    assert blocks(original) != blocks(copy)


def test_published_file_is_never_the_same_inode(tmp_path: Path) -> None:
    _, original, copy = published(tmp_path)

    assert (1, 1) == (original.stat().st_nlink, copy.stat().st_nlink)


def test_clone_of_rotten_bytes_is_not_published(reflinking: Path) -> None:
    disk, original, copy = published(reflinking)
    edit(original)

    with pytest.raises(DigestMismatchError, match="cas/data"):
        disk.publish("build/m", {"m.bin": ("cas/data", of_bytes(DATA))})

    assert DATA == copy.read_bytes()


def edited_output_comes_back(root: Path) -> None:
    repo = RealRepo(root)
    repo.put("models/m.pb", DATA)
    convert = action("convert m", "models/m.pb")
    one = graph(convert, action("publish m", "convert m", place="build/m/m.xml"))
    repo.build(one)
    before, stored = repo.published(), repo.stored()
    with (root / "build/m/m.xml").open("r+b") as file:
        file.write(b"edited")
    assert before != repo.published()

    built = repo.build(one)

    assert ({"convert m": "fresh", "publish m": "restored"}, []) == (built.statuses, built.ran)
    assert (before, stored) == (repo.published(), repo.stored())
    assert {of_bytes(data).sha256: data for data in stored.values()} == stored


def test_output_edited_in_place_comes_back_from_a_store_that_kept_its_bytes(tmp_path: Path) -> None:
    edited_output_comes_back(tmp_path)


def test_clone_edited_in_place_comes_back_from_a_store_that_kept_its_bytes(reflinking: Path) -> None:
    edited_output_comes_back(reflinking)
