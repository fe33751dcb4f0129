"""A process that imports a framework and forks for whoever asks: `python -m tests.warm.server tensorflow SOCKET`.

It is asked by `path/sitecustomize.py`: three descriptors and an `Order`. It answers "+" when there is a fork, and
nothing where there is to be none; after that the fork's exit status, or its signal less than zero, in four bytes. When
whoever asked is gone, the fork is killed with its process group.

It has one thread and does one thing at a time; forks are children of its own. The frameworks are imported, and nothing
of them is used: TensorFlow makes its pools of threads, and OpenVINO its plugins, when first needed, in the fork.
"""

from __future__ import annotations

import contextlib
import importlib
import marshal
import os
import random
import runpy
import selectors
import signal
import socket
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ovmake.workers.ipc.environment import passed
from ovmake.workers.ipc.protocol import die_with_parent
from tests.warm import ASKED, FOLDER, ON_PATH
from tests.warm.path.playing import PLAYED, play

# What workers import sooner or later. `ovmake.workers` comes first: it keeps the others from reporting usage.
MODULES = {
    "openvino": ("ovmake.workers", "openvino", "nncf", "sklearn.metrics", "scipy.optimize", "PIL.Image"),
    "tensorflow": ("ovmake.workers", "tensorflow", "keras"),
}
# Names that no framework reads, and two that scikit-learn sets wherever it is imported, in the test's own process, too.
# Everything else has to be as it was when the frameworks were imported.
UNREAD = {
    *(
        FOLDER,
        ASKED,
        "OVMAKE_STATE_KEY",
        PLAYED,
        "PYTEST_CURRENT_TEST",
        "PWD",
        "OLDPWD",
        "COLUMNS",
        "LINES",
        "TERM",
        "CRASH_MARK",
        "_",
        "SHLVL",
    ),
    *("KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK"),
}
DESCRIPTORS = 3


@dataclass(frozen=True, slots=True)
class Fork:
    """A running fork: who asked for it, its pid, and what tells that it has ended."""

    asker: socket.socket
    pid: int
    pidfd: int


@dataclass(frozen=True, slots=True)
class Order:
    """What a process was to do."""

    executable: str
    words: list[str]
    environment: dict[str, str]
    cwd: str
    descriptors: list[int]

    def close(self) -> None:
        """Let go of its descriptors: whoever reads from them waits for the last one."""
        for descriptor in self.descriptors:
            os.close(descriptor)


class Forked(Exception):  # noqa: N818 - no error
    """Raised in the fork, so that what it runs begins with an empty stack."""

    def __init__(self, order: Order) -> None:
        super().__init__()
        self.order = order


def serve(path: str, framework: str) -> None:
    """Listen at `path`, import, and answer until the end.

    Raises:
        Forked: in each fork.
    """
    die_with_parent()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    sys.stdout.write("listening\n")
    sys.stdout.flush()
    begun = _readable(os.environ)  # a framework sets some for itself
    for name in MODULES[framework]:
        importlib.import_module(name)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    forks: set[Fork] = set()
    while True:
        for key, _ in selector.select():
            if key.fileobj is not listener:
                # Both ends of a fork may be gone at once, and the first has taken it away.
                if key.data in forks:
                    _end(key.data, selector, by_itself=key.fd == key.data.pidfd)
                    forks.remove(key.data)
                continue
            asker, _address = listener.accept()
            if (order := _read(asker)) is not None:
                if order.executable == sys.executable and _readable(order.environment) == begun:
                    with contextlib.suppress(OSError):  # no room for one more process: it imports for itself
                        forks.add(_fork(asker, order, selector, forks))
                        continue
                order.close()
            asker.close()


def _read(asker: socket.socket) -> Order | None:
    """Read an order; None where its process is gone."""
    descriptors: list[int] = []
    try:
        size, descriptors, _flags, _address = socket.recv_fds(asker, 4, DESCRIPTORS)
        missing = int.from_bytes(size, "little")
        parts = []
        while missing and (part := asker.recv(missing)):
            parts.append(part)
            missing -= len(part)
    except OSError:
        missing = 1
    if missing or len(descriptors) != DESCRIPTORS:
        for descriptor in descriptors:
            os.close(descriptor)
        return None
    return Order(**marshal.loads(b"".join(parts)), descriptors=descriptors)  # noqa: S302 - written by our own file


def _readable(environment: Mapping[str, str]) -> dict[str, object]:
    """Return what a framework may read: in another environment it is not the one that was imported.

    What no worker is given, none reads.
    """
    found: dict[str, object] = {name: value for name, value in passed(environment).items() if name not in UNREAD}
    found["PYTHONPATH"] = set(environment.get("PYTHONPATH", "").split(os.pathsep))
    return found


def _fork(asker: socket.socket, order: Order, selector: selectors.BaseSelector, others: Collection[Fork]) -> Fork:
    pid = os.fork()
    if pid == 0:
        selector.close()
        for one in others:
            one.asker.close()
            os.close(one.pidfd)
        asker.close()
        raise Forked(order)
    try:
        fork = Fork(asker, pid, os.pidfd_open(pid))
    except OSError:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise
    order.close()
    for end in (asker, fork.pidfd):
        selector.register(end, selectors.EVENT_READ, fork)
    with contextlib.suppress(OSError):
        asker.sendall(b"+")
    return fork


def _end(fork: Fork, selector: selectors.BaseSelector, *, by_itself: bool) -> None:
    """One end is gone: have the other one follow."""
    if not by_itself:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(fork.pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):  # it has not come to having a group yet
            os.kill(fork.pid, signal.SIGKILL)
    _pid, status = os.waitpid(fork.pid, 0)
    with contextlib.suppress(OSError):
        fork.asker.sendall(os.waitstatus_to_exitcode(status).to_bytes(4, "little", signed=True))
    for end in (fork.asker, fork.pidfd):
        selector.unregister(end)
    fork.asker.close()
    os.close(fork.pidfd)


def become(order: Order) -> None:
    """Be the process that was to be: its session, its descriptors, its environment, its code."""
    os.setsid()
    die_with_parent()
    for place, descriptor in enumerate(order.descriptors):
        os.dup2(descriptor, place)
        os.close(descriptor)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update({name: value for name, value in order.environment.items() if name != ASKED})
    os.chdir(order.cwd)
    random.seed()
    sys.modules["numpy.random"].seed()
    if PLAYED in os.environ and "openvino" in sys.modules:
        play(os.environ[PLAYED])
    run(order.words)


def run(words: list[str]) -> None:
    """Do what `python *words` does, with -P, -c and -m."""
    words = list(words)
    sys.path[:] = [path for path in sys.path if path != str(ON_PATH)]
    safe = words[0] == "-P"
    words = words[1:] if safe else words
    if words[0] == "-m":
        sys.argv = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    elif words[0] == "-c":
        sys.argv = ["-c", *words[2:]]
        sys.path[:0] = [] if safe else [""]
        exec(compile(words[1], "<string>", "exec"), {"__name__": "__main__"})  # noqa: S102 - as `python -c` does
    else:
        sys.argv = words
        sys.path[:0] = [] if safe else [os.path.dirname(os.path.abspath(words[0]))]  # noqa: PTH100, PTH120
        runpy.run_path(words[0], run_name="__main__")


def _status(ended: SystemExit) -> int:
    if ended.code is None or isinstance(ended.code, int):
        return (ended.code or 0) & 0xFF
    sys.stderr.write(f"{ended.code}\n")
    return 1


def main() -> None:
    """Serve; in forks, do what was asked and end."""
    try:
        serve(sys.argv[2], sys.argv[1])
    except Forked as forked:
        order = forked.order
    status = 0
    try:
        become(order)
    except SystemExit as ended:
        status = _status(ended)
    except BaseException:  # noqa: BLE001 - as the interpreter does
        sys.excepthook(*sys.exc_info())
        status = 1
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
