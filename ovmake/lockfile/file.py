"""Read and write Ovfile.lock, beside the Ovfile.

    read_lock(root) -> Lock | None      None: the file does not exist
    read_text(root) -> str | None       its text, which may have conflict markers
    write_lock(root, lock)              atomically: a new file is renamed over it

`name` is the Ovfile's name and `.lock`: `ovmake -f Other` has `Other.lock`. Links are not followed: reading
refuses a link, writing replaces it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from ovmake.contracts.sharing.lock import Lock
from ovmake.diagnostics import Diagnostic, OvmakeError, what_to_do
from ovmake.lockfile.text import LARGEST, decode, parse, render
from ovmake.store.files.own_folders import OwnFolders

LOCK = "Ovfile.lock"


def read_lock(root: Path, name: str = LOCK) -> Lock | None:
    """Return the lock in the folder `root`, None if it does not exist.

    Raises:
        OvmakeError: it is a link, cannot be read, is not a lock, or has conflict markers. The status is 1.
    """
    text = read_text(root, name)
    return None if text is None else parse(text, file=name)


def read_text(root: Path, name: str = LOCK) -> str | None:
    """Return the text of the lock in the folder `root`, None if it does not exist. Lines end with a line feed only.

    Raises:
        OvmakeError: it is a link, cannot be read, or is not text.
    """
    try:
        file = OwnFolders(str(root)).open(name, os.O_RDONLY)
        with os.fdopen(file, "rb") as opened:
            data = opened.read(LARGEST + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        message = f"cannot read {root / name}: {error.strerror}"
        raise OvmakeError(Diagnostic(code="lock-unreadable", message=message), exit_status=1) from None
    return decode(data, file=name)


def write_lock(root: Path, lock: Lock, name: str = LOCK) -> None:
    """Write the lock into the folder `root`; a kill leaves the old file or the new one.

    Raises:
        OvmakeError: it cannot be written.
    """
    write_text(root, render(lock), name)


def write_text(root: Path, text: str, name: str) -> None:
    """Write a text as `write_lock` does. Concurrent writers wait for their turn."""
    ours = OwnFolders(str(root))
    try:
        with ours.folder("") as handle:
            with contextlib.suppress(OSError):  # a file system without locks
                fcntl.flock(handle, fcntl.LOCK_EX)
            ours.replace(name, text.encode())
    except OSError as error:
        message = f"cannot write {root / name}: {error.strerror}"
        raise OvmakeError(
            Diagnostic(code="cannot-write", message=message, help=what_to_do(error)), exit_status=1
        ) from None
