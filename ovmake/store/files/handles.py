"""System calls on the entries of an open folder, relative to its handle. Links are never followed.

`own_folders.py` opens the folders, and explains why.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat as stat_module
from collections.abc import Iterator

from ovmake.diagnostics import Diagnostic, OvmakeError

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# O_NONBLOCK: if the entry is a named pipe, opening it must not wait for a writer.
FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | FILE
_RENAME_EXCHANGE = 2


class ForeignEntryError(OvmakeError):
    """One of our own folders holds an entry that ovmake cannot have made."""

    def __init__(self, path: str, what: str) -> None:
        super().__init__(
            Diagnostic(
                code="foreign-entry",
                message=f"`{path}` {what}; ovmake did not make it",
                notes=("nothing was changed: the entry may lead to files of yours outside of ovmake's folders",),
                help="check it and remove it; if it is a link to a folder of yours, --allow-outside follows it",
            ),
            exit_status=1,
        )
        self.path = path


def remove(handle: int, name: str, *, as_far_as_possible: bool = False) -> None:
    """Remove an entry of an open folder, a folder with its content; the entry need not exist."""
    try:
        os.unlink(name, dir_fd=handle)
    except FileNotFoundError:
        return
    except OSError:
        if not is_folder(handle, name):
            if as_far_as_possible:
                return
            raise
        import shutil  # noqa: PLC0415 - with its compressors 8 ms, and a no-op removes no folder

        shutil.rmtree(name, ignore_errors=as_far_as_possible, dir_fd=handle)


def is_folder(handle: int, name: str) -> bool:
    """Whether an entry of an open folder is a folder. A link to a folder is not."""
    try:
        return stat_module.S_ISDIR(os.stat(name, dir_fd=handle, follow_symlinks=False).st_mode)
    except OSError:
        return False


def create_at(handle: int, name: str) -> int:
    """Create a file in an open folder, open for writing and reading."""
    return os.open(name, NEW, 0o666, dir_fd=handle)


def check_at(handle: int, name: str, shown: str, *, follow: bool = False) -> None:
    """Check that an entry of an open folder is a folder, or a regular file with one name. The entry is not opened.

    Closing a file that SQLite has open in this process would release SQLite's locks (fcntl(2)). With `follow`, a link
    to a folder counts as a folder.

    Raises:
        ForeignEntryError: the entry is of any other kind.
    """
    found = os.stat(name, dir_fd=handle, follow_symlinks=False)
    if follow and stat_module.S_ISLNK(found.st_mode) and os.path.isdir(f"/proc/self/fd/{handle}/{name}"):  # noqa: PTH112
        return
    if stat_module.S_ISLNK(found.st_mode):
        raise ForeignEntryError(shown, "is a link")
    if not stat_module.S_ISDIR(found.st_mode):
        _check(found, shown, in_place=True)


def exists(handle: int, name: str) -> bool:
    """Whether an entry of that name exists; a dangling link counts."""
    try:
        os.stat(name, dir_fd=handle, follow_symlinks=False)
    except OSError:
        return False
    return True


@contextlib.contextmanager
def below(handle: int, name: str) -> Iterator[int]:
    """Open a folder in an open folder. A link is not followed."""
    inner = os.open(name, FOLDER | os.O_NOFOLLOW, dir_fd=handle)
    try:
        yield inner
    finally:
        os.close(inner)


def flush_folder(handle: int) -> None:
    """Make renames in a folder durable. Some file systems cannot; that is ignored."""
    with contextlib.suppress(OSError):
        os.fsync(handle)


def exchange(handle: int, first: str, second: str) -> bool:
    """Swap two entries of a folder in one system call (renameat2(2)); False if the system lacks it.

    Raises:
        OSError: the system has the call, and it failed.
    """
    import ctypes  # noqa: PLC0415 - 3 ms, and a no-op publishes nothing

    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    if call(handle, os.fsencode(first), handle, os.fsencode(second), _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM}:
        return False
    raise OSError(code, os.strerror(code), second)


def open_file(handle: int, name: str, flags: int, shown: str, *, in_place: bool = False) -> int:
    """Open a regular file; `shown` is its path in messages. With `in_place` it must have one name only."""
    try:
        file = os.open(name, flags | FILE, 0o666, dir_fd=handle)
    except OSError as error:
        if is_link(handle, name):
            raise ForeignEntryError(shown, "is a link") from None
        if error.errno == errno.ENXIO:  # a pipe without a reader, or a socket
            raise ForeignEntryError(shown, "is not a regular file") from None
        raise
    try:
        _check(os.fstat(file), shown, in_place=in_place)
    except BaseException:
        os.close(file)
        raise
    return file


def _check(found: os.stat_result, shown: str, *, in_place: bool) -> None:
    if stat_module.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), shown)
    if not stat_module.S_ISREG(found.st_mode):
        raise ForeignEntryError(shown, "is not a regular file")
    if in_place and found.st_nlink > 1:
        raise ForeignEntryError(shown, f"has {found.st_nlink} names (hard links)")


def walk(handle: int, prefix: str, found: dict[str, os.stat_result]) -> None:
    """Add the files and links below an open folder to `found`, by `prefix` plus relative path."""
    with os.scandir(handle) as entries:
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                found[prefix + entry.name] = entry.stat(follow_symlinks=False)
                continue
            with below(handle, entry.name) as inner:
                walk(inner, f"{prefix}{entry.name}/", found)


def read(file: int) -> bytes:
    """Return all bytes of an open file and close it."""
    with os.fdopen(file, "rb") as opened:
        return opened.read()


def is_link(handle: int, name: str) -> bool:
    """Whether an entry of an open folder is a symbolic link."""
    try:
        return stat_module.S_ISLNK(os.stat(name, dir_fd=handle, follow_symlinks=False).st_mode)
    except OSError:
        return False
