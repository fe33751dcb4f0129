"""One ovmake at a time in a repo: a lock on `.ovmake/lock` that the kernel lets go when its holder dies.

with hold(folder, wait=..., waiting=print): ...
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from ovmake.diagnostics import Diagnostic, OvmakeError


@contextlib.contextmanager
def hold(folder: Path, *, wait: bool, waiting: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock. When another process has it: tell `waiting` and wait, or fail at once.

    Raises:
        OvmakeError: `wait` is False and another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a+") as file:
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
        with contextlib.suppress(OSError):  # a full disk: whoever waits does not read who holds it
            os.ftruncate(file.fileno(), 0)
            os.pwrite(file.fileno(), str(os.getpid()).encode(), 0)
        yield
