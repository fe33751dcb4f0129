"""A worker's loop: read requests from stdin, run each action in a caged fork, write responses to stdout.

    serve({"freeze": "workers.loading.freezing:freeze", ...}, imports={"freeze": ("tensorflow",)})

A worker runs a request without a cage itself: it is in the cage of its parent already. Rules: see protocol.py.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import tempfile
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from ovmake.contracts.values import JsonObject
from ovmake.errors import ActionError, message_of
from ovmake.workers.ipc import progress
from ovmake.workers.ipc.cage import Cage
from ovmake.workers.ipc.forking import Forks, keep
from ovmake.workers.ipc.helpers import Helpers
from ovmake.workers.ipc.protocol import FULL, FULL_BYTES, ROOM, Request, Response, die_with_parent, logged_to, write_all

NOTHING: Mapping[str, Sequence[str]] = {}

Handler = Callable[[Request], JsonObject]


def serve(handlers: Mapping[str, str | Handler], imports: Mapping[str, Sequence[str]] = NOTHING) -> None:
    """Answer requests until stdin ends. Takes over stdout and stderr.

    `handlers` are functions below `ovmake` ("workers.loading.freezing:freeze"), imported when first needed. `imports`
    are further modules that a kind of request needs. They are imported before the fork.
    """
    die_with_parent()
    # The parent handles Ctrl-C in the terminal, and decides what to end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers, asked = os.dup(1), os.fdopen(os.dup(0), "rb")
    os.dup2(2, 1)
    # A user's function that reads the terminal (input(), breakpoint()) must not wait for requests, or consume them.
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    server = _Server(handlers, imports, answers, asked)
    for line in asked:
        write_all(answers, server.answer(line))
        keep()
    server.end()


class _Server:
    """A worker's forks, its helpers, and its handlers."""

    def __init__(
        self,
        handlers: Mapping[str, str | Handler],
        imports: Mapping[str, Sequence[str]],
        answers: int,
        asked: BinaryIO,
    ) -> None:
        self._handlers = handlers
        self._imports = imports
        self._asked = asked
        self._answers: int | None = answers
        self._helpers = Helpers()
        self._forks = Forks(self._helpers)

    def answer(self, line: bytes) -> bytes:
        """Return the response line to a request line."""
        request = Request.from_line(line)
        try:
            with logged_to(request.log):
                return _line(_answer(self._handlers, request)) if request.cage is None else self._apart(request, line)
        except OSError as error:
            message = f"cannot write {request.log}: {error.strerror or error}"
            hint = ROOM if error.errno in FULL else ""
            return _line(Response(id=request.id, ok=False, code="cannot-write", message=message, help=hint))

    def _apart(self, request: Request, line: bytes) -> bytes:
        self._helpers.serve(request)
        inside = request.cage or Cage()
        if (said := self._forks.go_on(line, inside, request.scratch)) is not None:
            return said
        for module in self._imports.get(request.kind, ()):
            with contextlib.suppress(Exception):  # the fork fails in the same way, and reports it
                importlib.import_module(module)
        with contextlib.suppress(Exception):
            _handler(self._handlers, request.kind)
        return self._forks.in_fork(line, inside, request.scratch, self._in_fork, stay=request.stay)

    def _in_fork(self, line: bytes) -> bytes:
        """Answer in a fork, with the worker's own channels closed."""
        request = Request.from_line(line)
        if self._answers is not None:  # the first of at most two answers: its log is the worker's
            os.close(self._answers)
            self._asked.close()
            self._answers = None
            log = ""
        else:
            os.environ["TMPDIR"] = tempfile.tempdir = request.scratch
            log = request.log
        with logged_to(log):
            return _line(replace(_answer(self._handlers, request), peak_bytes=_peak_bytes()))

    def end(self) -> None:
        """End the fork that stayed, and the helpers."""
        self._forks.end_staying()
        self._helpers.end()


def _peak_bytes() -> int | None:
    """Return this process's peak memory without mapped files; None if the system does not report it."""
    try:
        with open("/proc/self/status", "rb") as status:  # noqa: PTH123
            fields = {words[0]: int(words[1]) for line in status if (words := line.split())[-1] == b"kB"}
        return (fields[b"VmHWM:"] - fields[b"RssFile:"]) * 1024
    except (OSError, KeyError, ValueError):
        return None


def _handler(handlers: Mapping[str, str | Handler], kind: str) -> Handler:
    handler = handlers[kind]
    if not isinstance(handler, str):
        return handler
    module, _, name = handler.partition(":")
    found: Handler = getattr(importlib.import_module(f"ovmake.{module}"), name)
    return found


def _line(response: Response) -> bytes:
    try:
        return response.to_line()
    except (TypeError, ValueError) as error:  # a NaN, or a type that JSON lacks
        message = f"the worker's answer is not valid JSON: {message_of(error)}"
        return Response(id=response.id, ok=False, code="action-failed", message=message).to_line()


def _answer(handlers: Mapping[str, str | Handler], request: Request) -> Response:
    progress.begin(request.scratch)
    try:
        facts = _handler(handlers, request.kind)(request)
        return Response(id=request.id, ok=True, facts=facts)
    except ActionError as error:
        traceback.print_exc()
        return Response(
            id=request.id,
            ok=False,
            code=error.code,
            message=error.message,
            notes=error.notes,
            help=error.help,
            setting=error.setting,
        )
    except MemoryError:
        return Response(id=request.id, ok=False, code="out-of-memory", message="the worker ran out of memory")
    except Exception as error:  # noqa: BLE001 - a framework may raise anything, and its message must reach the user
        traceback.print_exc()
        if _disk_is_full(request, error):
            return Response(
                id=request.id,
                ok=False,
                code="disk-full",
                message=f"the disk is full{_where(request, error)}",
                notes=tuple(message_of(one) for one in (error, error.__cause__) if one is not None),
                help=ROOM,
            )
        return Response(id=request.id, ok=False, code="action-failed", message=message_of(error))


def _where(request: Request, error: BaseException) -> str:
    """Return the file that did not fit, or the folder of outputs, to follow "the disk is full"."""
    names = [one.filename for one in (error, error.__cause__) if isinstance(one, OSError) and one.filename]
    folders = [str(Path(path).parent) for path in request.outputs.values()]
    return f": {(names or folders)[0]}" if names or folders else ""


def _disk_is_full(request: Request, error: Exception) -> bool:
    """Whether a full disk made an action fail. Few libraries report it as such."""
    if isinstance(error, OSError) and error.errno in FULL:
        return True
    try:
        places = [os.statvfs(Path(path).parent) for path in request.outputs.values()]
    except OSError:
        return False
    return any(place.f_bavail * place.f_frsize < FULL_BYTES for place in places)
