"""The lock of a repo, `.ovmake/lock`: one ovmake at a time. The kernel releases it when its holder dies.

with hold(ours, ".ovmake", wait=..., waiting=print): ...
holder(ours, ".ovmake") -> "4711"      the process that holds it, for commands that take no lock
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator

from ovmake.diagnostics import Diagnostic, OvmakeError
from ovmake.store.files.own_folders import OwnFolders
from ovmake.store.processes import locked_files

# Its name in the folder.
LOCK = "lock"
# Of a process number.
MOST_DIGITS = 20


@contextlib.contextmanager
def hold(ours: OwnFolders, folder: str, *, wait: bool, waiting: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock. If a different process has it: call `waiting` with a message and wait, or fail at once.

    Raises:
        OvmakeError: `wait` is False and a different process holds it.
        ForeignEntryError: the lock is a link, or has several names.
    """
    file = _locked(ours, folder, wait=wait, waiting=waiting)
    try:
        with contextlib.suppress(OSError):  # a full disk: the waiting process cannot say who holds it
            os.ftruncate(file, 0)
            os.pwrite(file, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(file)


def _locked(ours: OwnFolders, folder: str, *, wait: bool, waiting: Callable[[str], None]) -> int:
    """Lock the current lock file: while we waited, `clean --all` may have removed the file that we opened."""
    path = f"{folder}/{LOCK}"
    while True:
        file = ours.open(path, os.O_RDWR | os.O_CREAT, in_place=True)
        try:
            _lock(file, ours.root, wait=wait, waiting=waiting)
            there = ours.stat(path)
        except BaseException:
            os.close(file)
            raise
        if there is not None and os.path.samestat(os.fstat(file), there):
            return file
        os.close(file)


def _lock(file: int, root: str, *, wait: bool, waiting: Callable[[str], None]) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(file, MOST_DIGITS, 0).decode(errors="replace").strip() or "unknown"
        message = f"another ovmake (process {holder}) is running in {root}"
        if not wait:
            hint = "run it again later, or without --no-wait"
            raise OvmakeError(Diagnostic(code="locked", message=message, help=hint), exit_status=1) from None
        waiting(f"{message}; waiting for it to end")
        fcntl.flock(file, fcntl.LOCK_EX)


def holder(ours: OwnFolders, folder: str) -> str:
    """Return the number of the process that holds the lock; "" if there is no holder, or the kernel does not say.

    It asks the kernel. Trying the lock could make a build that starts at that moment wait, or fail.
    """
    path = f"{folder}/{LOCK}"
    try:
        found = ours.stat(path)
        said = ours.read(path)[:MOST_DIGITS].decode(errors="replace").strip()
    except OSError:
        return ""
    # Inodes repeat from disk to disk, so the file must name the process too.
    return said if found is not None and (said, found.st_ino) in locked_files() else ""
