"""Our own folders, `.ovmake/` and the build folder: opened by directory handle, so that no link in a repo leads out.

    ours = OwnFolders(root)              paths are relative to `root`, with `/`
    ours.read(path), ours.replace(path, data), ours.remove(path), ours.make_folder(path), ours.stat(path) ...

    create_file, read_file, copy_file, ensure_file, remove_file     one file, by its absolute path

A cloned repo may hold anything that git can store, also links: `.ovmake/lock -> ~/.ssh/authorized_keys`. So:

Rule 1: a path is opened folder by folder, each relative to its parent (openat(2)). A link is never followed, whether
        it stands for a folder or for a file: `ForeignEntryError`, before any file is touched.
Rule 2: new files are created exclusively. A file is replaced by renaming over it: this replaces a link, and does not
        follow it.
Rule 3: a file that is written in place must have one name (no hard links): the second name may lie anywhere.
Rule 4: removing a folder stays inside it: links are removed, their targets stay.
Rule 5: `store/`, `engine/` and the writers of stamps and reports open, create, rename and remove files only through
        this module; tests/test_architecture.py enforces it.

`follow_folders` is `--allow-outside`: the user allows links to folders, such as `build -> /big/disk`. Links to files
are never followed. The root itself comes from the command line and may be reached through links.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator

from ovmake.store.files import handles
from ovmake.store.files.handles import FOLDER, NEW, ForeignEntryError, create_at, flush_folder, is_link, open_file

CHUNK_BYTES = 1 << 20


class OwnFolders:
    """Our own folders and files below `root`."""

    def __init__(self, root: str, *, follow_folders: bool = False) -> None:
        self.root = root
        self._follow = follow_folders

    # handles

    @contextlib.contextmanager
    def folder(self, path: str, *, make: bool = False) -> Iterator[int]:
        """Open a folder. With `make`, create it and its parents.

        Raises:
            OSError: the folder does not exist.
            ForeignEntryError: the folder, or a parent, is a link.
        """
        handle = os.open(self.root, FOLDER)
        try:
            for part, shown in _steps(path):
                below = self._enter(handle, part, shown, make=make)
                os.close(handle)
                handle = below
            yield handle
        except OSError as error:
            # Calls relative to a handle give the kernel only the last part of the path.
            if isinstance(error.filename, str) and not error.filename.startswith("/"):
                error.filename = "/".join(filter(None, (self.root, path, error.filename)))
            raise
        finally:
            os.close(handle)

    @contextlib.contextmanager
    def place(self, path: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
        """Open the parent folder of `path`; yield its handle and the last name of the path."""
        above, _, name = path.rpartition("/")
        with self.folder(above or ("/" if path.startswith("/") else ""), make=make) as handle:
            yield handle, name

    def _enter(self, handle: int, part: str, shown: str, *, make: bool) -> int:
        if part == "..":
            if not self._follow:
                raise ForeignEntryError(shown, "leads up")
            return os.open(part, FOLDER, dir_fd=handle)
        try:
            return self._open_folder(handle, part, shown)
        except FileNotFoundError as error:
            if not make:
                raise _at(error, f"{self.root}/{shown}") from None
        except OSError as error:
            raise _at(error, f"{self.root}/{shown}") from None
        try:
            with contextlib.suppress(FileExistsError):
                os.mkdir(part, dir_fd=handle)
            return self._open_folder(handle, part, shown)
        except OSError as error:
            raise _at(error, f"{self.root}/{shown}") from None

    def _open_folder(self, handle: int, part: str, shown: str) -> int:
        if part == "/":
            if not self._follow:
                raise ForeignEntryError(shown, "leads up")
            return os.open(part, FOLDER)
        try:
            return os.open(part, FOLDER | os.O_NOFOLLOW, dir_fd=handle)
        except OSError as error:
            if error.errno not in {errno.ENOTDIR, errno.ELOOP} or not is_link(handle, part):
                raise
        if not self._follow:
            raise ForeignEntryError(shown, "is a link")
        return os.open(part, FOLDER, dir_fd=handle)

    def open(self, path: str, flags: int, *, in_place: bool = False) -> int:
        """Open a regular file. With `in_place` it will be written in place, and must have one name only.

        Raises:
            OSError: it cannot be opened.
            ForeignEntryError: it is a link, a pipe or the like, or has several names.
        """
        with self.place(path, make=bool(flags & os.O_CREAT)) as (handle, name):
            return open_file(handle, name, flags, shown=path, in_place=in_place)

    # reading

    def stat(self, path: str) -> os.stat_result | None:
        """Return the state of an entry, of a link itself if it is one; None if the path does not exist.

        Raises:
            ForeignEntryError: a parent folder is a link.
        """
        try:
            with self.place(path) as (handle, name):
                return os.stat(name or ".", dir_fd=handle, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def walk(self, path: str) -> dict[str, os.stat_result]:
        """Return the files below a folder by relative path. Links are listed, and not followed."""
        found: dict[str, os.stat_result] = {}
        with self.folder(path) as handle:
            handles.walk(handle, "", found)
        return found

    def check(self, path: str) -> None:
        """Check that a folder, if it exists, holds only folders and regular files with one name each.

        Raises:
            ForeignEntryError: it holds a link, a pipe or the like, or a file with several names.
        """
        with contextlib.suppress(FileNotFoundError, NotADirectoryError), self.folder(path) as handle:
            for name in sorted(os.listdir(handle)):  # noqa: PTH208 - of a handle
                handles.check_at(handle, name, f"{path}/{name}", follow=self._follow)

    def names(self, path: str) -> list[str]:
        """Return the names in a folder; an empty list if it does not exist."""
        try:
            with self.folder(path) as handle:
                return os.listdir(handle)  # noqa: PTH208 - of a handle
        except (FileNotFoundError, NotADirectoryError):
            return []

    def read(self, path: str) -> bytes:
        """Return a file's bytes."""
        return handles.read(self.open(path, os.O_RDONLY))

    # changing

    def make_folder(self, path: str) -> None:
        """Create a folder and its parents."""
        with self.folder(path, make=True):
            pass

    def replace(self, path: str, data: bytes, *, durable: bool = True) -> None:
        """Write a file atomically: a new file beside it is renamed over it.

        One run at a time writes here, so the new file always has the same name. A file left by a kill is removed.
        """
        with self.place(path, make=True) as (handle, name):
            scratch = f".{name}.tmp"
            try:
                handles.remove(handle, scratch)
                with os.fdopen(create_at(handle, scratch), "wb") as file:
                    file.write(data)
                    file.flush()
                    if durable:
                        os.fsync(file.fileno())
                os.rename(scratch, name, src_dir_fd=handle, dst_dir_fd=handle)
            except OSError as error:
                raise _at(error, f"{self.root}/{path}") from None
            finally:
                with contextlib.suppress(OSError):
                    os.unlink(scratch, dir_fd=handle)
            if durable:
                flush_folder(handle)

    def adopt(self, scratch: str, path: str) -> None:
        """Move a finished file to `path`, and flush both to the medium."""
        with self.place(scratch) as (old, old_name), self.place(path, make=True) as (new, new_name):
            file = open_file(old, old_name, os.O_RDONLY, shown=scratch)
            try:
                os.fsync(file)
            finally:
                os.close(file)
            os.rename(old_name, new_name, src_dir_fd=old, dst_dir_fd=new)
            flush_folder(new)

    def move(self, old: str, new: str) -> None:
        """Rename a file within our folders. A file at `new` is replaced.

        Raises:
            FileNotFoundError: `old` does not exist.
        """
        with self.place(old) as (source, old_name), self.place(new) as (target, new_name):
            os.rename(old_name, new_name, src_dir_fd=source, dst_dir_fd=target)

    def remove(self, path: str, *, as_far_as_possible: bool = False) -> None:
        """Remove a file, a link, or a folder with its content; the path need not exist."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError), self.place(path) as (handle, name):
            handles.remove(handle, name, as_far_as_possible=as_far_as_possible)

    def remove_if_empty(self, path: str) -> None:
        """Remove a folder if it is empty."""
        with contextlib.suppress(OSError), self.place(path) as (handle, name):
            os.rmdir(name, dir_fd=handle)


def create_file(path: str, data: bytes) -> None:
    """Create a file at an absolute path; its folder exists.

    Raises:
        FileExistsError: the path exists already.
    """
    with os.fdopen(os.open(path, NEW, 0o666), "wb") as file:
        file.write(data)


def read_file(path: str) -> bytes:
    """Return the bytes of a regular file at an absolute path."""
    return handles.read(_opened(path))


def copy_file(path: str, to: str) -> None:
    """Copy a regular file to the absolute path `to`, which must not exist."""
    with os.fdopen(_opened(path), "rb") as source, os.fdopen(os.open(to, NEW, 0o666), "wb") as target:
        while chunk := source.read(CHUNK_BYTES):
            target.write(chunk)


def ensure_file(path: str, *, empty: bool = False) -> None:
    """Create an empty file at an absolute path, or accept an existing regular file with one name."""
    above, name = os.path.split(path)
    file = OwnFolders(above).open(name, os.O_RDWR | os.O_CREAT, in_place=True)
    try:
        if empty:
            os.ftruncate(file, 0)
    finally:
        os.close(file)


def remove_file(path: str) -> None:
    """Remove the file at an absolute path, if it exists."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)  # noqa: PTH108


def _opened(path: str) -> int:
    above, name = os.path.split(path)
    with OwnFolders(above).place(name) as (handle, _):
        return open_file(handle, name, os.O_RDONLY, shown=path)


def _steps(path: str) -> Iterator[tuple[str, str]]:
    """Yield the parts of a path, each with the path up to it. An absolute path begins with the part "/"."""
    shown = ""
    if path.startswith("/"):
        shown = "/"
        yield "/", shown
    for part in path.split("/"):
        if part not in {"", "."}:
            shown = f"{shown.rstrip('/')}/{part}" if shown else part
            yield part, shown


def _at(error: OSError, path: str) -> OSError:
    """Return the error with the whole path: the kernel was given only the last part."""
    error.filename = path
    return error
