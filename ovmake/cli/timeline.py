"""A timeline of a build in Chrome's trace format: for chrome://tracing, Perfetto or speedscope.

    with Timeline(listener, file) as listener: ...     passes all events on, writes `file` at the end
    recorded.to_json() -> {"traceEvents": [...]}

There is one row per worker process, named after it; in-process actions have the row `ovmake`. An action is a complete
event ("X") with its reasons and its outcome; one restored from the action cache is an instant ("i"). An action that
runs when the build is interrupted gets a row of its own, because its worker is unknown. The format:
https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from ovmake.cli.terminal import Listener
from ovmake.diagnostics import Diagnostic, OvmakeError
from ovmake.engine.events import ActionFinished, ActionStarted, Event
from ovmake.graph.action import Action

IN_PROCESS = "in-process"


@dataclass(slots=True)
class Recorded:
    """The events of a timeline so far. Times are microseconds after `zero`, which is in seconds."""

    zero: float
    process: int
    _rows: dict[tuple[str, int], int] = field(default_factory=dict)
    _events: list[dict[str, object]] = field(default_factory=list)
    _running: dict[str, tuple[ActionStarted, float]] = field(default_factory=dict)

    def hear(self, event: Event, now: float) -> None:
        """Record an event, received at `now`."""
        if isinstance(event, ActionStarted):
            self._running[event.action.name] = (event, now)
        elif isinstance(event, ActionFinished):
            began = self._running.pop(event.action.name, None)
            if began is not None:
                self._ran(event, *began, now)
            elif event.status == "restored":
                place = {"ts": self._us(now), "tid": self._row(IN_PROCESS, self.process)}
                self._add("i", event.action, _args(event.reasons, event.status), {**place, "s": "t"})

    def end(self, now: float) -> None:
        """End the timeline; actions that still run were interrupted."""
        for number, (event, started) in enumerate(self._running.values(), start=1):
            row = self._row("interrupted", number)
            self._complete(event.action, _args(event.reasons, "interrupted"), row, (started, now))
        self._running.clear()

    def to_json(self) -> dict[str, object]:
        """Return the file's content: names of the rows, then events ordered by start."""
        names = [self._name(0, "process_name", "ovmake")]
        for (worker, pid), row in self._rows.items():
            names.append(self._name(row, "thread_name", "ovmake" if worker == IN_PROCESS else f"{worker} {pid}"))
        return {"displayTimeUnit": "ms", "traceEvents": [*names, *sorted(self._events, key=_start)]}

    def _ran(self, event: ActionFinished, began: ActionStarted, heard: float, now: float) -> None:
        """Record a run with the runner's own times and process, if known: events arrive a little later."""
        effort = event.effort
        args = _args(began.reasons, event.status)
        if effort is None:
            self._complete(event.action, args, self._row(IN_PROCESS, self.process), (heard, now))
            return
        if effort.peak_bytes is not None:
            args["peak_bytes"] = effort.peak_bytes
        if event.diagnostic is not None:
            args["error"] = event.diagnostic.message
        ended = effort.started + (event.seconds or 0.0)
        self._complete(event.action, args, self._row(effort.worker, effort.pid), (effort.started, ended))

    def _complete(self, action: Action, args: dict[str, object], row: int, span: tuple[float, float]) -> None:
        # Start and end are rounded, not the duration: so no event overlaps the next one of its row.
        start, end = self._us(span[0]), self._us(span[1])
        self._add("X", action, args, {"ts": start, "dur": end - start, "tid": row})

    def _add(self, phase: str, action: Action, args: dict[str, object], place: Mapping[str, object]) -> None:
        event = {"name": action.name, "cat": action.kind, "ph": phase, "pid": self.process, **place, "args": args}
        self._events.append(event)

    def _row(self, worker: str, pid: int) -> int:
        return self._rows.setdefault((worker, pid), len(self._rows) + 1)

    def _name(self, row: int, kind: str, name: str) -> dict[str, object]:
        return {"name": kind, "ph": "M", "pid": self.process, "tid": row, "ts": 0, "args": {"name": name}}

    def _us(self, moment: float) -> int:
        return max(0, int((moment - self.zero) * 1_000_000))


def _args(reasons: tuple[str, ...], status: str) -> dict[str, object]:
    return {"status": status, "reasons": list(reasons)}


def _start(event: dict[str, object]) -> int:
    return int(str(event["ts"]))


class Timeline:
    """A listener that passes all events on, and writes the timeline at the end, also of a failed build.

    Raises:
        OvmakeError: the file cannot be written. This is checked at the start, not after a build of an hour.
    """

    def __init__(self, inner: Listener, file: str, clock: Callable[[], float] = time.monotonic) -> None:
        _check_writable(file)
        self._inner = inner
        self._file = Path(file)
        self._clock = clock
        self._recorded = Recorded(zero=clock(), process=os.getpid())

    def __call__(self, event: Event) -> None:
        """Record the event and pass it on."""
        self._recorded.hear(event, self._clock())
        self._inner(event)

    def __enter__(self) -> Self:
        """Begin."""
        self._inner.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the file."""
        self._inner.__exit__(kind, error, trace)
        self._recorded.end(self._clock())
        self._file.write_text(json.dumps(self._recorded.to_json()) + "\n")


def _check_writable(file: str) -> None:
    try:
        with open(file, "ab"):  # noqa: PTH123
            pass
    except OSError as error:
        message = f"cannot write {file}: {error.strerror}"
        raise OvmakeError(Diagnostic(code="cannot-write", message=message, help="name another --timeline")) from None
