"""The protocol between ovmake and its workers: one JSON object per line, requests on stdin, responses on stdout.

    {"id": 1, "kind": "convert", "params": {...}, "inputs": {role: path}, "outputs": {role: path}, "log": path,
     "cage": {"read": [path], "list": [path], "write": [path]}}
    {"id": 1, "ok": true, "facts": {...}}
    {"id": 1, "ok": false, "code": "...", "message": "...", "notes": [...], "help": "...", "setting": "..."}

A worker reads its inputs, writes its outputs to the given paths, and answers with a few facts. A request with a cage is
done in a fork (forking.py, cage.py). A request without one is done by the worker itself: a helper that a caged process
started is already in its cage. Standard library only: both sides import this module.

Rule 1: a framework's output goes to the request's log, never into the protocol.
Rule 2: a framework's own message is passed on unchanged. ovmake adds to it, and never replaces it.
Rule 3: a worker ends when its parent ends, also in the middle of a computation.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar

from ovmake.contracts.codec import decode
from ovmake.contracts.values import JsonObject
from ovmake.workers.ipc.cage import Cage

T = TypeVar("T")

PR_SET_PDEATHSIG = 1
# Writing fills a disk up to the last block, or up to the file system's own reserve.
FULL_BYTES = 1 << 16
FULL = (errno.ENOSPC, errno.EDQUOT)
ROOM = "free space on that disk, and run ovmake build again"
# The note beside an action's outputs. It names the user's function that runs or ran: see user_code.py.
USER_CODE_NOTE = "user-code"
USER_CODE_RUNNING, USER_CODE_RAN = "running", "ran"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An action to run. `params` are JSON, which `asked` decodes.

    `journal` is the path of its journal, "" without one. `scratch` is the folder of its temporary files, "" for the
    system's. With `stay`, its fork waits for the next request, which can use the loaded model if its cage is the same.
    """

    id: int
    kind: str
    params: JsonObject = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    log: str = ""
    journal: str = ""
    scratch: str = ""
    stay: bool = False
    cage: Cage | None = None

    def asked(self, kind: type[T]) -> T:
        """Return the params as the dataclass that the kind of action has.

        Raises:
            ContractError: the params belong to a different action or version.
        """
        return decode(kind, self.params, f"params of {self.kind}")

    def to_line(self) -> bytes:
        """Return the request as one line."""
        fields = {
            "id": self.id,
            "kind": self.kind,
            "params": dict(self.params),
            "inputs": dict(self.inputs),
            "outputs": dict(self.outputs),
            "log": self.log,
            "journal": self.journal,
            "scratch": self.scratch,
            "stay": self.stay,
            "cage": None if self.cage is None else asdict(self.cage),
        }
        return json.dumps(fields).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Request:
        """Read what `to_line` wrote."""
        fields = json.loads(line)
        around = fields.pop("cage")
        cage = None if around is None else Cage(**{name: tuple(paths) for name, paths in around.items()})
        return cls(**fields, cage=cage)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """The result. Without `ok`, `code` and `message` say why. `peak_bytes` is the peak memory of the fork."""

    id: int
    ok: bool
    facts: JsonObject = field(default_factory=dict)
    code: str = ""
    message: str = ""
    notes: tuple[str, ...] = ()
    help: str = ""
    setting: str = ""
    peak_bytes: int | None = None

    def to_line(self) -> bytes:
        """Return the response as one line."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return json.dumps(fields, allow_nan=False).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Response:
        """Read what `to_line` wrote."""
        fields = json.loads(line)
        return cls(**{**fields, "notes": tuple(fields["notes"])})


def ask_for_room(path: str, size_bytes: int, error: Exception) -> None:
    """After `error`, which a full disk may have caused: test whether the kernel can still allocate space for a file.

    Raises:
        OSError: there is no space; `error` is its cause.
    """
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        os.posix_fallocate(file, 0, size_bytes + FULL_BYTES)
    except OSError as full:
        raise full from error
    finally:
        os.close(file)
        Path(path).unlink()


def warning(
    code: str, message: str, *, notes: tuple[str, ...] = (), hint: str = "", setting: str = ""
) -> dict[str, object]:
    """Return the fact that adds a warning to a success. `setting` is the key that the warning points at."""
    return {"warnings": ((code, message, notes, hint, setting),)}


@contextlib.contextmanager
def logged_to(path: str) -> Iterator[None]:
    """Send file descriptors 1 and 2 to a file: frameworks in C++ print past `sys.stdout`."""
    if not path:
        yield
        return
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    before = os.dup(1), os.dup(2)
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o644)
    try:
        os.dup2(log, 1)
        os.dup2(log, 2)
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            # A full disk may cut the log, and a user's function may have closed the stream. Restoring still works.
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os.dup2(before[0], 1)
        os.dup2(before[1], 2)
        for descriptor in (log, *before):
            os.close(descriptor)


def die_with_parent(parent: int | None = None) -> None:
    """Have the kernel kill this process when its parent ends. On systems other than Linux, the end of stdin ends it.

    Pass `parent` if its id is known: in a container it may be process 1.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == 1 if parent is None else os.getppid() != parent:  # the parent ended before the call
            os._exit(1)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of `data` to a pipe, in several calls if necessary."""
    while data:
        data = data[os.write(descriptor, data) :]
