"""What Python runs before a process's own code. A process that is to be warm becomes the stand-in of a server's fork.

See `tests.warm`. This file costs every other process a look at its environment.
"""

from __future__ import annotations

import os
import sys

FOLDER, ASKED = "OVMAKE_TESTS_WARM", "OVMAKE_TESTS_WARM_BY"
PLAYED = "OVMAKE_TESTS_BF16"  # see tests/warm/path/playing.py
WORKERS = {
    "ovmake.workers.openvino_worker": "openvino",
    "ovmake.workers.tensorflow_worker": "tensorflow",
    "ovmake.workers.reference.tflite_probe": "tensorflow",
}


def wanted() -> str | None:
    """Return which framework this process wants to find imported."""
    if not os.environ.get(FOLDER):
        return None
    return os.environ.get(ASKED) or WORKERS.get(sys.orig_argv[-1])


def stand_in(framework: str) -> None:
    """Have a server's fork do what this process was to do, and end as it ends; return if there is none to do it."""
    import ctypes
    import marshal
    import signal
    import socket

    # As a worker does: end with the parent.
    end_with_parent = ctypes.CDLL(None).prctl
    try:
        asking = socket.socket(socket.AF_UNIX)
    except PermissionError:  # a worker's worker is in its cage, which has no sockets
        return
    end_with_parent(1, signal.SIGKILL)
    with asking as server:
        try:
            server.connect(f"{os.environ[FOLDER]}/{framework}")
            order = {
                "executable": sys.executable,
                "words": sys.orig_argv[1:],
                "environment": dict(os.environ),
                "cwd": os.getcwd(),  # noqa: PTH109
            }
            message = marshal.dumps(order)
            socket.send_fds(server, [len(message).to_bytes(4, "little")], [0, 1, 2])
            server.sendall(message)
            accepted = server.recv(1) == b"+"
        except OSError:
            accepted = False
        if not accepted:
            end_with_parent(1, 0)
            return
        # The other ends of the pipes have to see that the fork closes them.
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nowhere, descriptor)
        status = server.recv(4)
    if len(status) < 4:
        os.kill(os.getpid(), signal.SIGKILL)  # the server died
    end_with(int.from_bytes(status, "little", signed=True))


def end_with(status: int) -> None:
    """End with an exit status, or of the signal whose number it is less than zero."""
    import resource
    import signal

    if status >= 0:
        os._exit(status)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the fork has left one, where that is wanted
    if -status not in {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(-status, signal.SIG_DFL)
    os.kill(os.getpid(), -status)


if (framework := wanted()) is not None:
    stand_in(framework)
if PLAYED in os.environ and WORKERS.get(sys.orig_argv[-1]) == "openvino":
    # By its name in this folder, for a worker in a cage reads what Python's path names, and no more of a checkout.
    import importlib

    importlib.import_module("playing").play(os.environ[PLAYED])
