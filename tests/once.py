"""What is made once for all tests of a run, in whichever process of pytest-xdist comes first.

    folder = once(tmp_path_factory, "sources", make)    make(folder) fills it; the others wait, and find it
    copy_of(folder, to)                                 a test's own, with modification times; cloned where disks can

What was made is not to be changed. If making it fails, each process that needs it tries again, and says why.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return a folder of this run that holds what `make` puts into the folder that it is given, which is new."""
    base = factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    folder = shared / "once" / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = folder.with_name(f"{name}.done")
        if not done.exists():
            subprocess.run(["rm", "-rf", folder], check=True)
            folder.mkdir()
            make(folder)
            done.touch()
    return folder


def copy_of(folder: Path, to: Path) -> Path:
    """Copy a folder; return the copy. Blocks are shared until one side is written to, where the file system can."""
    if to.exists():
        raise FileExistsError(to)
    subprocess.run(["cp", "-aT", "--reflink=auto", folder, to], check=True)
    return to
