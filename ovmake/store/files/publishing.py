"""Publishing: copies of stored files appear in a folder of the build folder, all together.

    publish(ours, "build/m/fp32", {"m.xml": (".ovmake/cas/ab/cdef", digest), ...})
    clear_up(ours, "build/m", {"fp32": ["m.xml", ...]})      remove what a killed `publish` left

It fills a new folder beside the old one, and swaps the two in one system call. Files that a user added are kept: they
are linked into the new folder before the swap, so a kill at any moment leaves them in at least one folder.

If a link has the folder's name, the link is replaced. No link is followed on the way (own_folders.py).
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Collection, Mapping

from ovmake.graph.digest import Digest
from ovmake.store.files.handles import below, create_at, exchange, exists, flush_folder, is_folder, remove
from ovmake.store.files.own_folders import OwnFolders

CHUNK_BYTES = 1 << 20
# ioctl_ficlone(2): the whole file, in one call, without copying its blocks.
FICLONE = 0x40049409


class DigestMismatchError(Exception):
    """The bytes of a stored file do not match its digest; `path` is the file."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


def publish(ours: OwnFolders, folder: str, files: Mapping[str, tuple[str, Digest]]) -> None:
    """Put copies into a folder: name -> (path of the original, its digest).

    Raises:
        DigestMismatchError: an original does not have its digest; the folder is untouched.
        ForeignEntryError: a folder on the way is a link.
    """
    with ours.place(folder, make=True) as (parent, name):
        _clear_up(parent, {name: files})
        fresh = f".{name}.{os.getpid()}.new"
        os.mkdir(fresh, dir_fd=parent)
        try:
            with below(parent, fresh) as new:
                for file, (original, digest) in files.items():
                    _copy_checked(ours, original, (new, file), digest)
                if is_folder(parent, name):  # the target of a link is not ours to keep
                    with below(parent, name) as old:
                        _bring(old, new)
                flush_folder(new)
                _take_the_place(parent, fresh, name)
                if is_folder(parent, fresh):
                    with below(parent, fresh) as old:
                        _rescue(old, new, replaced=files)
        finally:
            remove(parent, fresh, as_far_as_possible=True)
        flush_folder(parent)


def clear_up(ours: OwnFolders, parent: str, folders: Mapping[str, Collection[str]]) -> None:
    """Remove what a killed `publish` left in `parent`: for each folder, the names of the files published there."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), ours.folder(parent) as handle:
        _clear_up(handle, folders)


def _clear_up(parent: int, folders: Mapping[str, Collection[str]]) -> None:
    for left, name in _left(parent, folders):
        if not is_folder(parent, left):  # a file or link that ovmake did not make
            remove(parent, left)
        elif left.endswith(".old") and not exists(parent, name):
            os.rename(left, name, src_dir_fd=parent, dst_dir_fd=parent)
        else:
            if is_folder(parent, name):
                with below(parent, left) as old, below(parent, name) as new:
                    _rescue(old, new, replaced=folders[name])
            remove(parent, left, as_far_as_possible=True)


def _left(parent: int, names: Collection[str]) -> list[tuple[str, str]]:
    """Return what a killed `publish` left in a folder, each with the name of the published folder; `.old` first."""
    found = []
    for left in os.listdir(parent):
        stem, _, suffix = left.rpartition(".")
        name, _, process = stem.rpartition(".")
        if suffix in {"old", "new"} and process.isdecimal() and name[:1] == "." and name[1:] in names:
            found.append((left, name[1:]))
    return sorted(found, key=lambda pair: pair[0].endswith(".new"))


def _copy_checked(ours: OwnFolders, original: str, copy: tuple[int, str], digest: Digest) -> None:
    """Clone the original to `copy`, or copy it; either way its bytes are read once, to check the digest."""
    hasher = hashlib.sha256()
    with os.fdopen(ours.open(original, os.O_RDONLY), "rb") as source, os.fdopen(create_at(*copy), "w+b") as target:
        cloned = _clone(source.fileno(), target.fileno())
        while chunk := (target if cloned else source).read(CHUNK_BYTES):
            hasher.update(chunk)
            if not cloned:
                target.write(chunk)
        target.flush()
        os.fsync(target.fileno())
    if hasher.hexdigest() != digest.sha256:
        raise DigestMismatchError(original)


def _clone(source: int, target: int) -> bool:
    """Make the empty file `target` share the blocks of `source`, until one of them is written to; False if impossible.

    btrfs, XFS and a few other file systems support it. The error of the others differs (EOPNOTSUPP, EINVAL, ENOTTY,
    EPERM). Any error leads to a copy, which either works or gives the better message.
    """
    try:
        fcntl.ioctl(target, FICLONE, source)
    except OSError:
        return False
    return True


def _take_the_place(parent: int, fresh: str, name: str) -> None:
    """Make `fresh` appear as `name`; the old folder is at `fresh` afterwards.

    Linux can swap two folders in one call. Elsewhere (overlayfs of old kernels, different systems) the old folder is
    renamed first: for an instant no folder is there, but never a mixture.
    """
    if not exists(parent, name):
        os.rename(fresh, name, src_dir_fd=parent, dst_dir_fd=parent)
    elif not exchange(parent, fresh, name):
        aside = f".{name}.{os.getpid()}.old"
        for old, new in ((name, aside), (fresh, name), (aside, fresh)):
            os.rename(old, new, src_dir_fd=parent, dst_dir_fd=parent)


def _bring(old: int, new: int) -> None:
    """Link the files that a user added into the new folder."""
    for name in os.listdir(old):
        if exists(new, name):
            continue
        if is_folder(old, name):
            os.mkdir(name, dir_fd=new)
            with below(old, name) as inner, below(new, name) as copy:
                _bring(inner, copy)
            continue
        with contextlib.suppress(OSError):  # a file system without links: `_rescue` moves it
            os.link(name, name, src_dir_fd=old, dst_dir_fd=new, follow_symlinks=False)


def _rescue(old: int, new: int, *, replaced: Collection[str]) -> None:
    """Move the files that a user added from the old folder to the new one; no file is lost."""
    for name in os.listdir(old):
        if name in replaced:
            continue
        if is_folder(old, name) and is_folder(new, name):
            with below(old, name) as inner, below(new, name) as there:
                _rescue(inner, there, replaced=())
        elif not exists(new, name):
            os.rename(name, name, src_dir_fd=old, dst_dir_fd=new)
