"""One ovmake at a time in a repo: a lock on `.ovmake/lock` that the kernel lets go when its holder dies.

with hold(folder, wait=..., waiting=print): ...
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from io import TextIOWrapper
from pathlib import Path

from ovmake.diagnostics import Diagnostic, OvmakeError

# Its name in the folder.
LOCK = "lock"


@contextlib.contextmanager
def hold(folder: Path, *, wait: bool, waiting: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock. When another process has it: tell `waiting` and wait, or fail at once.

    Raises:
        OvmakeError: `wait` is False and another process holds it.
    """
    with _locked(folder, wait=wait, waiting=waiting) as file:
        with contextlib.suppress(OSError):  # a full disk: whoever waits does not read who holds it
            os.ftruncate(file.fileno(), 0)
            os.pwrite(file.fileno(), str(os.getpid()).encode(), 0)
        yield


def _locked(folder: Path, *, wait: bool, waiting: Callable[[str], None]) -> TextIOWrapper:
    """Lock the file that is there when the lock is ours: `clean --all` may have removed the one that was waited for."""
    path = folder / LOCK
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as opened, contextlib.suppress(FileNotFoundError):
            file = opened.enter_context(path.open("a+"))
            _lock(file, folder, wait=wait, waiting=waiting)
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                opened.pop_all()
                return file


def _lock(file: TextIOWrapper, folder: Path, *, wait: bool, waiting: Callable[[str], None]) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        message = f"another ovmake (process {holder}) is at work in {folder.parent}"
        if not wait:
            hint = "run it again later, or without --no-wait"
            raise OvmakeError(Diagnostic(code="locked", message=message, help=hint), exit_status=1) from None
        waiting(f"{message}; waiting for it to end")
        fcntl.flock(file, fcntl.LOCK_EX)
