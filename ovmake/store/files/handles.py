"""Entries of an open folder: looked at, opened, made, swapped and removed by the folder's handle, and never followed.

`beneath.py` says why, and opens the folders.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat as stat_module
from collections.abc import Iterator

from ovmake.diagnostics import Diagnostic, OvmakeError

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# A named pipe in a file's place must not keep us waiting until somebody writes to it.
FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | FILE
_RENAME_EXCHANGE = 2


class ForeignEntryError(OvmakeError):
    """In a folder of ours there is something that ovmake would not have made."""

    def __init__(self, path: str, what: str) -> None:
        super().__init__(
            Diagnostic(
                code="foreign-entry",
                message=f"`{path}` {what}, and ovmake makes none in its own folders",
                notes=("nothing was touched: whoever made it may mean files of yours that lie elsewhere",),
                help="look at it and remove it; if it is a link to a folder of yours, --allow-outside follows it",
            ),
            exit_status=1,
        )
        self.path = path


def remove(handle: int, name: str, *, as_far_as_possible: bool = False) -> None:
    """Remove an entry of an open folder, with all it holds if it is a folder; it need not exist."""
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
    """Whether an entry of an open folder is a folder itself, and no link to one."""
    try:
        return stat_module.S_ISDIR(os.stat(name, dir_fd=handle, follow_symlinks=False).st_mode)
    except OSError:
        return False


def create_at(handle: int, name: str) -> int:
    """Make a new file in an open folder, to be written and read."""
    return os.open(name, NEW, 0o666, dir_fd=handle)


def check_at(handle: int, name: str, shown: str, *, follow: bool = False) -> None:
    """See that an entry of an open folder is a folder, or a regular file of one name; nothing is opened.

    Nothing: closing a file that SQLite has open in this process would give up its locks (fcntl(2)). With `follow`, a
    link to a folder is a folder.

    Raises:
        ForeignEntryError: it is something else.
    """
    found = os.stat(name, dir_fd=handle, follow_symlinks=False)
    if follow and stat_module.S_ISLNK(found.st_mode) and os.path.isdir(f"/proc/self/fd/{handle}/{name}"):  # noqa: PTH112
        return
    if stat_module.S_ISLNK(found.st_mode):
        raise ForeignEntryError(shown, "is a link")
    if not stat_module.S_ISDIR(found.st_mode):
        _check(found, shown, in_place=True)


def exists(handle: int, name: str) -> bool:
    """Whether there is an entry of that name, be it a link that leads nowhere."""
    try:
        os.stat(name, dir_fd=handle, follow_symlinks=False)
    except OSError:
        return False
    return True


@contextlib.contextmanager
def below(handle: int, name: str) -> Iterator[int]:
    """Open a folder in an open folder; a link is none."""
    inner = os.open(name, FOLDER | os.O_NOFOLLOW, dir_fd=handle)
    try:
        yield inner
    finally:
        os.close(inner)


def flush_folder(handle: int) -> None:
    """Make renames in a folder durable. Not every file system can; then there is nothing better to do."""
    with contextlib.suppress(OSError):
        os.fsync(handle)


def exchange(handle: int, first: str, second: str) -> bool:
    """Swap two entries of a folder in one system call (renameat2(2)); False where the system cannot.

    Raises:
        OSError: it can, and refuses.
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
    """Open a regular file; `shown` is its path in errors. With `in_place` it must have one name only."""
    try:
        file = os.open(name, flags | FILE, 0o666, dir_fd=handle)
    except OSError as error:
        if is_link(handle, name):
            raise ForeignEntryError(shown, "is a link") from None
        if error.errno == errno.ENXIO:  # a pipe that nobody reads, or a socket
            raise ForeignEntryError(shown, "is no regular file") from None
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
        raise ForeignEntryError(shown, "is no regular file")
    if in_place and found.st_nlink > 1:
        raise ForeignEntryError(shown, f"has {found.st_nlink} names (hard links)")


def walk(handle: int, prefix: str, found: dict[str, os.stat_result]) -> None:
    """Add the files below an open folder to `found`, links among them, by `prefix` and relative path."""
    with os.scandir(handle) as entries:
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                found[prefix + entry.name] = entry.stat(follow_symlinks=False)
                continue
            with below(handle, entry.name) as inner:
                walk(inner, f"{prefix}{entry.name}/", found)


def read(file: int) -> bytes:
    """Return all bytes of an open file, and close it."""
    with os.fdopen(file, "rb") as opened:
        return opened.read()


def is_link(handle: int, name: str) -> bool:
    """Whether an entry of an open folder is a symbolic link."""
    try:
        return stat_module.S_ISLNK(os.stat(name, dir_fd=handle, follow_symlinks=False).st_mode)
    except OSError:
        return False
