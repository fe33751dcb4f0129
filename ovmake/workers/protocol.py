"""The protocol between ovmake and its workers: one JSON object a line, requests on stdin, responses on stdout.

    {"id": 1, "kind": "convert", "params": {...}, "inputs": {role: path}, "outputs": {role: path}, "log": path,
     "cage": {"read": [path], "list": [path], "write": [path]}}
    {"id": 1, "ok": true, "facts": {...}}
    {"id": 1, "ok": false, "code": "...", "message": "...", "notes": [...], "help": "...", "setting": "..."}

A worker reads its inputs, writes its outputs to the paths it is given, and answers with a few facts. A request with a
cage is done in a fork (forking.py, cage.py); one without, by the worker itself: those of a worker in a cage have none,
for it is in theirs already. Standard library only: both sides import it.

Rule 1: what a framework prints goes to the request's log, never into the protocol.
Rule 2: a framework's own message travels as it is. We add to it, and never replace it.
Rule 3: a worker ends when its parent does, also in the middle of a computation.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import importlib
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from ovmake.workers.cage import Cage

PR_SET_PDEATHSIG = 1
# What is written fills a disk up to the last block, or to where the file system needs some for itself.
FULL_BYTES = 1 << 16
NOTHING: Mapping[str, Sequence[str]] = {}
FULL = (errno.ENOSPC, errno.EDQUOT)
ROOM = "free space on that disk, and run ovmake build again"


class ActionError(Exception):
    """A failure that the worker understands.

    `setting` names the setting of the Ovfile that it points at ("inputs.image.mean"), or an input's role.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        help: str = "",  # noqa: A002 - the field's name everywhere else
        notes: tuple[str, ...] = (),
        setting: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.help = help
        self.notes = notes
        self.setting = setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One action to do. Lists of JSON stay lists in `params`. `journal` is where it keeps notes, "" if nowhere.

    `scratch` is where its temporary files go; "" leaves that to the system.
    """

    id: int
    kind: str
    params: Mapping[str, object] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    log: str = ""
    journal: str = ""
    scratch: str = ""
    cage: Cage | None = None

    def to_line(self) -> bytes:
        """Return the request as it travels."""
        fields = {
            "id": self.id,
            "kind": self.kind,
            "params": dict(self.params),
            "inputs": dict(self.inputs),
            "outputs": dict(self.outputs),
            "log": self.log,
            "journal": self.journal,
            "scratch": self.scratch,
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
    """How it went. Without `ok`, `code` and `message` say why. `peak_bytes` is the most memory that a fork held."""

    id: int
    ok: bool
    facts: Mapping[str, object] = field(default_factory=dict)
    code: str = ""
    message: str = ""
    notes: tuple[str, ...] = ()
    help: str = ""
    setting: str = ""
    peak_bytes: int | None = None

    def to_line(self) -> bytes:
        """Return the response as it travels."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return json.dumps(fields, allow_nan=False).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Response:
        """Read what `to_line` wrote."""
        fields = json.loads(line)
        return cls(**{**fields, "notes": tuple(fields["notes"])})


Handler = Callable[[Request], Mapping[str, object]]


def serve(handlers: Mapping[str, str | Handler], imports: Mapping[str, Sequence[str]] = NOTHING) -> None:
    """Answer requests until stdin ends. Takes over stdout and stderr.

    `handlers` are functions of modules in `ovmake.workers` ("freezing:freeze"), imported when first needed. `imports`
    are other modules that a kind of request needs, to be imported before a fork does it.
    """
    from ovmake.workers.forking import apart, keep
    from ovmake.workers.helping import Helpers

    die_with_parent()
    # Ctrl-C in the terminal is the parent's business: it decides what ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    helpers = Helpers()

    def answered(request: Request) -> bytes:
        if request.cage is None:
            return _line(_answer(handlers, request))
        for module in imports.get(request.kind, ()):
            with contextlib.suppress(Exception):  # the fork meets it again, and says so
                importlib.import_module(module)
        with contextlib.suppress(Exception):
            _handler(handlers, request.kind)
        helpers.serve(request)

        def answer() -> bytes:
            os.close(answers.fileno())
            return _line(replace(_answer(handlers, request), peak_bytes=_peak_bytes()))

        return apart(request.cage, request.scratch, answer, helpers)

    with os.fdopen(os.dup(1), "wb", buffering=0) as answers:
        os.dup2(2, 1)
        for line in sys.stdin.buffer:
            request = Request.from_line(line)
            try:
                with logged_to(request.log):
                    answer = answered(request)
            except OSError as error:
                message = f"cannot write {request.log}: {error.strerror or error}"
                hint = ROOM if error.errno in FULL else ""
                answer = _line(Response(id=request.id, ok=False, code="cannot-write", message=message, help=hint))
            answers.write(answer)
            keep()
    helpers.end()


def _peak_bytes() -> int | None:
    """Return the most memory that this process held, less the files that it has mapped; None where nobody tells."""
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
    found: Handler = getattr(importlib.import_module(f"ovmake.workers.{module}"), name)
    return found


def _line(response: Response) -> bytes:
    try:
        return response.to_line()
    except (TypeError, ValueError) as error:  # a NaN, or what JSON cannot hold
        message = f"the worker's answer is no JSON: {message_of(error)}"
        return Response(id=response.id, ok=False, code="action-failed", message=message).to_line()


def _answer(handlers: Mapping[str, str | Handler], request: Request) -> Response:
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
    """Return which file there was no room for, or the folder of outputs, to go on after "the disk is full"."""
    names = [one.filename for one in (error, error.__cause__) if isinstance(one, OSError) and one.filename]
    folders = [str(Path(path).parent) for path in request.outputs.values()]
    return f": {(names or folders)[0]}" if names or folders else ""


def ask_for_room(path: str, size_bytes: int, error: Exception) -> None:
    """After `error`, which may have come of a full disk: ask the kernel for room for a file, and give it back.

    Raises:
        OSError: there is none; `error` is its cause.
    """
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        os.posix_fallocate(file, 0, size_bytes + FULL_BYTES)
    except OSError as full:
        raise full from error
    finally:
        os.close(file)
        Path(path).unlink()


def _disk_is_full(request: Request, error: Exception) -> bool:
    """Whether that is why an action failed: few that write say so."""
    if isinstance(error, OSError) and error.errno in FULL:
        return True
    try:
        places = [os.statvfs(Path(path).parent) for path in request.outputs.values()]
    except OSError:
        return False
    return any(place.f_bavail * place.f_frsize < FULL_BYTES for place in places)


def message_of(error: BaseException) -> str:
    """Return an exception's own words in one line."""
    words = " ".join(str(error).split())
    return words or type(error).__name__


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
            with contextlib.suppress(OSError):  # a full disk: the log is cut, and not the way back
                stream.flush()
        os.dup2(before[0], 1)
        os.dup2(before[1], 2)
        for descriptor in (log, *before):
            os.close(descriptor)


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent ends. Elsewhere than on Linux, the end of stdin has to do."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == 1:  # the parent ended before the call
            os._exit(1)
