"""The Disk protocol, through which the engine reads and changes files, and the real disk.

    Disk                 the protocol; tests use a fake in memory, with a clock and a log of the files read
    RealDisk(root, own)  every path is relative to `root`, the folder of the Ovfile, with `/`

Rule 1: `write` and `adopt` are atomic and durable: after them the file is complete, even after a power failure.
Rule 2: `publish` replaces the files of a folder together: a reader sees the old set, the new set or no file, never a
        mixture.
Rule 3: a published file shares no inode with its original: an edit of it in place does not change the original. The
        two may share blocks, where the file system copies a block on write (reflinks). See publishing.py.
Rule 4: ovmake writes only in its own folders, `own`, where no link is followed (own_folders.py). Sources are only read,
        and may be reached through links that stay in the repo.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat as stat_module
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ovmake import ledger
from ovmake.graph.digest import Digest
from ovmake.ledger import ABSENT, Note, note_nothing
from ovmake.names import BUILD, STATE
from ovmake.store.files.links import linked
from ovmake.store.files.own_folders import OwnFolders
from ovmake.store.files.publishing import DigestMismatchError, clear_up, publish

__all__ = ["DigestMismatchError", "Disk", "LinkOutsideError", "RealDisk", "Stat", "by_folder", "is_full"]

# SQLite's WAL needs a file of 32 kB beside the database, even to read it.
FULL_BYTES = 1 << 16
# The default folders of a repo's state and outputs.
OWN = (STATE, BUILD)


@dataclass(frozen=True, slots=True)
class Stat:
    """The state of a file: two different states of it differ here, as far as can be known without reading it.

    `mtime_ns` is the time of the last change of the content or of the inode, whichever is later.
    """

    is_folder: bool
    size_bytes: int
    mtime_ns: int
    inode: int


class LinkOutsideError(Exception):
    """A link in a source folder leads out of the repo; `path` is the link."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class Disk(Protocol):
    """The operations on files that the engine uses. Paths are relative to the Ovfile's folder."""

    def stat(self, path: str, note: Note = note_nothing) -> Stat | None:
        """Return the state of a file or folder, None if it does not exist. `note` is called with it, see `ledger`."""

    def walk(self, path: str, note: Note = note_nothing) -> dict[str, Stat]:
        """Return the files below a folder by relative path; symbolic links are followed.

        `note` is called with each folder before it is listed, and with each file.

        Raises:
            LinkOutsideError: a link leaves the repo.
        """

    def linked(self, path: str) -> list[str]:
        """Return the targets of the links in a source folder: absolute paths, all links resolved."""

    def digest(self, path: str) -> Digest:
        """Return the digest of a file's bytes."""

    def read(self, path: str) -> bytes:
        """Return a file's bytes."""

    def write(self, path: str, data: bytes) -> None:
        """Write `data` to a file."""

    def adopt(self, scratch: str, path: str) -> None:
        """Move a finished scratch file to `path`."""

    def publish(self, folder: str, files: Mapping[str, tuple[str, Digest]]) -> None:
        """Put copies into a folder: name -> (path of the original, its digest).

        Raises:
            DigestMismatchError: an original does not have its digest; the folder is untouched.
        """

    def clear_up(self, folders: Mapping[str, Collection[str]]) -> None:
        """Remove what a killed `publish` left beside these folders. Folder -> names of the files published there.

        A folder that it had moved aside is moved back. Files that a user added stay.
        """

    def remove(self, path: str) -> None:
        """Remove a file, or a folder with its content; the path need not exist."""

    def make_folder(self, path: str) -> None:
        """Create a folder and its parents."""

    def now_ns(self) -> int:
        """Return the time on the clock that stamps files."""


def by_folder(paths: Iterable[str]) -> dict[str, list[str]]:
    """Return the names of files by their folder."""
    found: dict[str, list[str]] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        found.setdefault(folder, []).append(name)
    return found


class RealDisk:
    """The file system below `root`.

    `own` are the folders that ovmake writes; all other files are sources, and only read. `inside` says whether a path
    stays in the repo after links are followed; it is called for every link in a source folder.
    """

    def __init__(
        self,
        root: Path,
        own: Collection[str] = OWN,
        *,
        inside: Callable[[str], bool] = lambda _: True,
        follow_folders: bool = False,
    ) -> None:
        self.root = root
        self.ours = OwnFolders(str(root), follow_folders=follow_folders)
        self._root = str(root)
        self._own = tuple(f"{folder}/" for folder in own)
        self._inside = inside

    def absolute(self, path: str) -> str:
        """Return the absolute path, for a process with a different working folder."""
        return os.path.join(self._root, path)  # noqa: PTH118 - on the path of a no-op; pathlib costs 5 times as much

    def _is_ours(self, path: str) -> bool:
        return f"{path}/".startswith(self._own)

    def stat(self, path: str, note: Note = note_nothing) -> Stat | None:
        """See `Disk`. A path below a regular file does not exist."""
        try:
            # A link is not our file. Its parent folders are checked when the file is opened.
            found = os.stat(self.absolute(path), follow_symlinks=not self._is_ours(path))  # noqa: PTH116
        except (FileNotFoundError, NotADirectoryError):
            note(path, ABSENT)
            return None
        note(path, ledger.state(found))
        return _stat(found)

    def walk(self, path: str, note: Note = note_nothing) -> dict[str, Stat]:
        """See `Disk`. A link to a parent folder is followed once. In our own folders no link is followed."""
        if self._is_ours(path):
            note(path, ABSENT)  # no decision may depend on our own folders: ABSENT never matches again
            return {name: _stat(found) for name, found in self.ours.walk(path).items()}
        found: dict[str, Stat] = {}
        self._walk(path, "", found, frozenset(), note)
        return found

    def _walk(
        self, top: str, prefix: str, found: dict[str, Stat], above: frozenset[tuple[int, int]], note: Note
    ) -> None:
        folder = self.absolute(f"{top}/{prefix}")
        here = os.stat(folder)  # noqa: PTH116
        identity = (here.st_dev, here.st_ino)
        if identity in above:
            return
        note(f"{top}/{prefix}".rstrip("/"), ledger.state(here))
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_symlink() and not self._inside(f"{top}/{prefix}{entry.name}"):
                    raise LinkOutsideError(f"{top}/{prefix}{entry.name}")
                if entry.is_dir():
                    self._walk(top, f"{prefix}{entry.name}/", found, above | {identity}, note)
                elif os.path.exists(entry.path):  # noqa: PTH110
                    there = entry.stat()
                    note(f"{top}/{prefix}{entry.name}", ledger.state(there))
                    found[prefix + entry.name] = _stat(there)
                else:
                    # A dangling link is listed with an impossible state; the error comes when the file is read.
                    note(f"{top}/{prefix}{entry.name}", ABSENT)
                    found[prefix + entry.name] = Stat(False, -1, 0, 0)

    def linked(self, path: str) -> list[str]:
        """See `Disk`."""
        return linked(self.absolute(path))

    def digest(self, path: str) -> Digest:
        """See `Disk`."""
        with os.fdopen(self._open(path), "rb") as file:
            digest = hashlib.file_digest(file, "sha256")
            return Digest(digest.hexdigest(), file.tell())

    def read(self, path: str) -> bytes:
        """See `Disk`."""
        with os.fdopen(self._open(path), "rb") as file:
            return file.read()

    def _open(self, path: str) -> int:
        if self._is_ours(path):
            return self.ours.open(path, os.O_RDONLY)
        # Opening a named pipe would wait for a writer, and reading /dev/zero would never end.
        file = os.open(self.absolute(path), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        if stat_module.S_ISREG(os.fstat(file).st_mode):
            return file
        os.close(file)
        raise OSError(errno.EINVAL, "not a regular file", self.absolute(path))

    def write(self, path: str, data: bytes) -> None:
        """See `Disk`."""
        self.ours.replace(path, data)

    def adopt(self, scratch: str, path: str) -> None:
        """See `Disk`."""
        self.ours.adopt(scratch, path)

    def publish(self, folder: str, files: Mapping[str, tuple[str, Digest]]) -> None:
        """See `Disk`."""
        publish(self.ours, folder, files)

    def clear_up(self, folders: Mapping[str, Collection[str]]) -> None:
        """See `Disk`. Lists each parent once."""
        for parent, names in by_folder(folders).items():
            clear_up(self.ours, parent, {name: folders[f"{parent}/{name}"] for name in names})

    def remove(self, path: str) -> None:
        """See `Disk`."""
        self.ours.remove(path)

    def make_folder(self, path: str) -> None:
        """See `Disk`."""
        self.ours.make_folder(path)

    def now_ns(self) -> int:
        """See `Disk`."""
        return time.time_ns()


def _stat(found: os.stat_result) -> Stat:
    # tar, rsync and cp set mtime back. ctime is always the time of the last change.
    changed_ns = max(found.st_mtime_ns, found.st_ctime_ns)
    return Stat(stat_module.S_ISDIR(found.st_mode), found.st_size, changed_ns, found.st_ino)


def is_full(folder: Path) -> bool:
    """Whether the disk of a folder has too little room for SQLite's files. A file system without blocks (/proc): no."""
    found = os.statvfs(folder)
    return found.f_blocks > 0 and found.f_bavail * found.f_frsize < FULL_BYTES
