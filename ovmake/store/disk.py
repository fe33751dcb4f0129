"""The disk, as the engine sees it: a small protocol, and the real thing.

    Disk            the protocol; tests have one in memory with a clock and a log of what was read
    RealDisk(root)  every path is relative to `root`, the folder of the Ovfile, with `/`

Rule 1: `write` and `adopt` are atomic and durable: after them the file is whole even if the power fails.
Rule 2: `publish` replaces files of a folder together: whoever looks sees the old set, the new set, or none of them, and
        never a mixture.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat as stat_module
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ovmake.graph.digest import Digest

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Stat:
    """What tells one state of a file from another without reading it.

    `mtime_ns` is the time of the last change, of the content or of the inode, whichever is later.
    """

    is_folder: bool
    size_bytes: int
    mtime_ns: int
    inode: int


class DigestMismatchError(Exception):
    """A file does not hold the bytes it was stored for; `path` is the file."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class Disk(Protocol):
    """What the engine does to files. Paths are relative to the Ovfile's folder."""

    def stat(self, path: str) -> Stat | None:
        """Return the state of a file or folder, None if there is none."""

    def walk(self, path: str) -> dict[str, Stat]:
        """Return the files below a folder by relative path; symbolic links are followed."""

    def digest(self, path: str) -> Digest:
        """Return the digest of a file's bytes."""

    def read(self, path: str) -> bytes:
        """Return a file's bytes."""

    def write(self, path: str, data: bytes) -> None:
        """Make a file hold `data`."""

    def adopt(self, scratch: str, path: str) -> None:
        """Move a finished scratch file to `path`."""

    def publish(self, folder: str, files: Mapping[str, tuple[str, Digest]]) -> None:
        """Put copies into a folder: name -> (path of the original, its digest).

        Raises:
            DigestMismatchError: an original does not have its digest; the folder is untouched.
        """

    def clear_up(self, folders: Mapping[str, Collection[str]]) -> None:
        """Remove what a killed `publish` left beside these folders; for each, the names of the files published there.

        A folder that it had moved aside comes back, and what a user put beside the files stays.
        """

    def remove(self, path: str) -> None:
        """Remove a file or a folder with all it holds; it need not exist."""

    def make_folder(self, path: str) -> None:
        """Make a folder and its parents."""

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
    """The file system below `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._root = str(root)

    def absolute(self, path: str) -> str:
        """Return the path as a process with another working folder can use it."""
        return os.path.join(self._root, path)  # noqa: PTH118 - on the path of a no-op; pathlib costs 5 times as much

    def stat(self, path: str) -> Stat | None:
        """See `Disk`. A path through something that is no folder does not exist either."""
        try:
            found = os.stat(self.absolute(path))  # noqa: PTH116
        except (FileNotFoundError, NotADirectoryError):
            return None
        return _stat(found)

    def walk(self, path: str) -> dict[str, Stat]:
        """See `Disk`. A link that leads back up is followed once and no further."""
        found: dict[str, Stat] = {}
        self._walk(self.absolute(path), "", found, frozenset())
        return found

    def _walk(self, folder: str, prefix: str, found: dict[str, Stat], above: frozenset[tuple[int, int]]) -> None:
        here = os.stat(folder)  # noqa: PTH116
        identity = (here.st_dev, here.st_ino)
        if identity in above:
            return
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir():
                    self._walk(entry.path, f"{prefix}{entry.name}/", found, above | {identity})
                else:
                    # A dangling link is listed with an impossible state, so that reading it fails where it is read.
                    exists = os.path.exists(entry.path)  # noqa: PTH110
                    found[prefix + entry.name] = _stat(entry.stat()) if exists else Stat(False, -1, 0, 0)

    def digest(self, path: str) -> Digest:
        """See `Disk`."""
        with open(self.absolute(path), "rb") as file:  # noqa: PTH123
            digest = hashlib.file_digest(file, "sha256")
            return Digest(digest.hexdigest(), file.tell())

    def read(self, path: str) -> bytes:
        """See `Disk`."""
        return Path(self.absolute(path)).read_bytes()

    def write(self, path: str, data: bytes) -> None:
        """See `Disk`: a temporary file beside it, flushed to the medium, renamed over it.

        One run at a time writes here, so the name can always be the same: the next run overwrites what a kill left.
        """
        target = Path(self.absolute(path))
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = target.with_name(f".{target.name}.tmp")
        try:
            with scratch.open("wb") as file:
                file.write(data)
                _flush(file.fileno())
            scratch.replace(target)
        finally:
            scratch.unlink(missing_ok=True)
        _flush_folder(target.parent)

    def adopt(self, scratch: str, path: str) -> None:
        """See `Disk`."""
        target = Path(self.absolute(path))
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(self.absolute(scratch), "rb") as file:  # noqa: PTH123
            _flush(file.fileno())
        Path(self.absolute(scratch)).replace(target)
        _flush_folder(target.parent)

    def publish(self, folder: str, files: Mapping[str, tuple[str, Digest]]) -> None:
        """See `Disk`: a new folder is filled beside the old one and exchanged with it in one system call."""
        target = Path(self.absolute(folder))
        target.parent.mkdir(parents=True, exist_ok=True)
        self.clear_up({folder: files})
        fresh = target.with_name(f".{target.name}.{os.getpid()}.new")
        fresh.mkdir()
        try:
            for name, (original, digest) in files.items():
                self._copy_checked(original, fresh / name, digest)
            _bring(old=target, new=fresh)
            _flush_folder(fresh)
            _exchange(fresh, target)
            _rescue(old=fresh, new=target, replaced=files)
        finally:
            _remove(fresh, as_far_as_possible=True)
        _flush_folder(target.parent)

    def clear_up(self, folders: Mapping[str, Collection[str]]) -> None:
        """See `Disk`. Lists each parent once."""
        for parent, names in by_folder(folders).items():
            for left, name in _left(self.absolute(parent), names):
                folder = f"{parent}/{name}"
                place = Path(self.absolute(folder))
                _clear_up(place.with_name(left), place, folders[folder])

    def _copy_checked(self, original: str, copy: Path, digest: Digest) -> None:
        hasher = hashlib.sha256()
        with open(self.absolute(original), "rb") as source, copy.open("wb") as target:  # noqa: PTH123
            while chunk := source.read(CHUNK_BYTES):
                hasher.update(chunk)
                target.write(chunk)
            _flush(target.fileno())
        if hasher.hexdigest() != digest.sha256:
            raise DigestMismatchError(original)

    def remove(self, path: str) -> None:
        """See `Disk`."""
        _remove(Path(self.absolute(path)))

    def make_folder(self, path: str) -> None:
        """See `Disk`."""
        Path(self.absolute(path)).mkdir(parents=True, exist_ok=True)

    def now_ns(self) -> int:
        """See `Disk`."""
        return time.time_ns()


def _stat(found: os.stat_result) -> Stat:
    # tar, rsync and cp set mtime back; nothing but a change sets ctime, and then to now.
    changed_ns = max(found.st_mtime_ns, found.st_ctime_ns)
    return Stat(stat_module.S_ISDIR(found.st_mode), found.st_size, changed_ns, found.st_ino)


def _flush(descriptor: int) -> None:
    os.fsync(descriptor)


def _flush_folder(folder: Path) -> None:
    """Make renames in a folder durable. Not every file system can; then there is nothing better to do."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)


AT_FDCWD = -100
RENAME_EXCHANGE = 2


def _exchange(fresh: Path, target: Path) -> None:
    """Make `fresh` appear as `target`; what was there is at `fresh` afterwards.

    Linux can swap two folders in one call. Where it cannot (overlayfs of old kernels, other systems), the old folder
    moves aside first: for an instant there is none, but never a mixture.
    """
    if not target.exists():
        fresh.rename(target)
        return
    if _renameat2(fresh, target):
        return
    aside = target.with_name(f".{target.name}.{os.getpid()}.old")
    target.rename(aside)
    fresh.rename(target)
    aside.rename(fresh)


def _renameat2(first: Path, second: Path) -> bool:
    import ctypes  # noqa: PLC0415 - see _remove

    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    if call(AT_FDCWD, os.fsencode(first), AT_FDCWD, os.fsencode(second), RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM}:
        return False
    raise OSError(code, os.strerror(code), str(second))


def _left(parent: str, names: Collection[str]) -> list[tuple[str, str]]:
    """Return what a killed `publish` left in a folder, with the name of what it was publishing; `.old` comes first."""
    found = []
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(parent) as entries:
        for entry in entries:
            stem, _, suffix = entry.name.rpartition(".")
            name, _, process = stem.rpartition(".")
            if suffix in {"old", "new"} and process.isdecimal() and name[:1] == "." and name[1:] in names:
                found.append((entry.name, name[1:]))
    return sorted(found, key=lambda pair: pair[0].endswith(".new"))


def _clear_up(left: Path, target: Path, published: Collection[str]) -> None:
    """Put back what was moved aside, or remove it; what is a user's goes to the published folder first."""
    if left.suffix == ".old" and not target.exists():
        left.rename(target)
        return
    if target.is_dir():
        _rescue(old=left, new=target, replaced=published)
    _remove(left, as_far_as_possible=True)


def _remove(path: Path, *, as_far_as_possible: bool = False) -> None:
    import shutil  # noqa: PLC0415 - with its compressors 8 ms, and a no-op removes nothing

    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=as_far_as_possible)
    else:
        path.unlink(missing_ok=True)


def _bring(*, old: Path, new: Path) -> None:
    """Link what a user put beside the published files into the new folder: killed at any moment, it is in both."""
    if not old.is_dir():
        return
    for entry in old.iterdir():
        copy = new / entry.name
        if os.path.lexists(copy):
            continue
        if entry.is_dir() and not entry.is_symlink():
            copy.mkdir()
            _bring(old=entry, new=copy)
            continue
        try:
            copy.hardlink_to(entry)
        except OSError:  # a file system without links: `_rescue` moves it
            continue


def _rescue(*, old: Path, new: Path, replaced: Collection[str]) -> None:
    """Move what a user put beside the published files from the old folder to the new one: nothing is lost."""
    if not old.is_dir():
        return
    for entry in old.iterdir():
        there = new / entry.name
        if entry.name in replaced:
            continue
        if entry.is_dir() and not entry.is_symlink() and there.is_dir():
            _rescue(old=entry, new=there, replaced=())
        elif not os.path.lexists(there):
            entry.rename(there)
