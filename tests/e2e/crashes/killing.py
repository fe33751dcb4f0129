"""Run ovmake, and `kill -9` it at its n-th step: `python killing.py N SEEN WORDS...`.

A step is a moment before or after something on the disk changes: a file is opened to write, renamed, removed or linked,
a folder is made or exchanged, bytes are written or flushed, a statement of the database is run or committed, a process
is started. Python says so by itself (audit hooks, and profiling), so that ovmake runs as it is.

The number of steps so far is kept in the file SEEN, outside of the repo; N = 0 kills never.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

CHANGES = {"os.rename", "os.mkdir", "os.rmdir", "os.remove", "os.link", "os.truncate", "shutil.rmtree"}
OTHERS = {"sqlite3.connect", "subprocess.Popen"}
CALLS = {"fsync", "execute", "executemany", "executescript", "write", "flush", "flock"}
CLOSES = {"Connection.__exit__", "BufferedWriter.__exit__", "TextIOWrapper.__exit__"}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT

AT, SEEN = int(sys.argv[1]), os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
REPO = os.getcwd()  # noqa: PTH109
steps = 0


def step() -> None:
    """Count one more, and be no more."""
    global steps  # noqa: PLW0603 - a hook has nothing else to keep it in
    steps += 1
    if steps == AT:
        os.kill(os.getpid(), signal.SIGKILL)


def heard(event: str, arguments: tuple[object, ...]) -> None:
    """Count what is about to change something in the repo."""
    writes = event in CHANGES or (event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITES)
    if event in OTHERS or (writes and _in_repo(arguments[0])):
        step()


def _in_repo(path: object) -> bool:
    text = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else "/"
    return not text.startswith("/") or text.startswith(REPO)


def called(frame: FrameType, event: str, function: object) -> None:
    """Count calls and returns of C functions that write, and of what `store.files.disk` does between them."""
    file = frame.f_code.co_filename
    if event in {"c_call", "c_return"}:
        name, qualified = getattr(function, "__name__", ""), getattr(function, "__qualname__", "")
        if "/ovmake/" in file and (name in CALLS or qualified in CLOSES):
            step()
    elif file.endswith("/store/disk.py") and frame.f_code.co_name.startswith("_"):
        step()


if __name__ == "__main__":
    from ovmake.cli import main

    sys.addaudithook(heard)
    sys.setprofile(called)
    try:
        status = main(sys.argv[3:])
    finally:
        sys.setprofile(None)
        os.write(SEEN, str(steps).encode())
    sys.exit(status)
