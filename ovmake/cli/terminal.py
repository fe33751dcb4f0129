"""The text output of a build: plain lines, or on a terminal a live view (live.py).

    listener = Plain(write, explain=False) | live.Live(write, explain=False)
    with listener: ...; listener(event)
    how_far(event, since) -> "7 of 22 · about 2 min"

Both use the same words. Progress goes to stderr; `Summary` collects the lines that go to stdout at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from ovmake.diagnostics import harmless, render
from ovmake.engine.events import (
    ActionFinished,
    ActionStarted,
    BuildFinished,
    BuildProgressed,
    Event,
    TargetFinished,
    Watching,
)
from ovmake.engine.forecasting.estimate import Estimate, duration, in_words
from ovmake.engine.job import Progress
from ovmake.engine.outcomes.scores import drop_in_words
from ovmake.engine.remote import Traffic
from ovmake.project.stamp import up_to_date
from ovmake.units import counted, size_in_words

Write = Callable[[str], None]


class Listener(Protocol):
    """Takes events. It is a context manager, because a live view must be closed."""

    def __call__(self, event: Event) -> None:
        """Handle an event."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""


# Descriptions of actions by kind, for users who do not know the kinds.
DOING = {
    "benchmark": "measuring speed",
    "check-calibration": "checking calibration data",
    "check-samples": "checking data",
    "check-size": "checking the size",
    "check-source": "trying the model in TensorFlow",
    "check-speed": "judging the speed",
    "choose": "choosing a precision",
    "compare-layers": "comparing layers with TensorFlow's",
    "compare-speed": "comparing speed with FP32",
    "compress": "rounding weights to 16 bits",
    "compress-weights": "compressing weights",
    "control": "searching layers for INT8",
    "convert": "converting to OpenVINO",
    "evaluate": "comparing with TensorFlow",
    "freeze": "freezing with TensorFlow",
    "gate": "judging",
    "judge": "judging",
    "name-layers": "naming layers",
    "publish": "publishing",
    "quantize": "quantizing to INT8",
    "reference": "running TensorFlow",
    "require": "checking requirements",
    "time-candidates": "timing precisions",
    "weigh": "choosing a precision",
}

STATUS_WORDS = {
    "restored": "restored from the action cache",
    "failed": "failed",
    "would-run": "would run",
    "would-restore": "would be restored from the action cache",
    "may-run": "may run",
}


def doing(kind: str) -> str:
    """Return a description of a kind of action for new users."""
    return DOING.get(kind, kind.replace("-", " "))


def how_far(event: BuildProgressed, since: float) -> str:
    """Return the progress of a build `since` seconds ago, and the remaining time now.

    If the estimate is used up, only the progress is returned.
    """
    count = f"{event.done} of {event.of}"
    left = (event.seconds_left or 0.0) - since
    if left < 1:
        return count
    about = "at least" if event.unknown else "up to" if event.most else "about"
    return f"{count} · {about} {duration(left)}"


def inner(progress: Progress, *, narrow: bool) -> str:
    """Return the progress of an action: `160 of 5000 samples`, or `160/5000` if narrow."""
    if progress.of is None:
        return str(progress.done) if narrow else f"{progress.done} {progress.unit}"
    return f"{progress.done}/{progress.of}" if narrow else f"{progress.done} of {progress.of} {progress.unit}"


def lines_of(event: Event, *, explain: bool) -> list[str]:
    """Return the lines to print for an event.

    Gates and publications take milliseconds, and their result is in the line of the target. So they, and skipped
    actions, get lines of their own only with `explain`, or if they fail.
    """
    if isinstance(event, ActionStarted) and (explain or event.action.worker != "in-process"):
        return _with_reasons(f"{event.action.name}: {doing(event.action.kind)} …", event.reasons, explain=explain)
    if isinstance(event, ActionFinished):
        return _finished(event, explain=explain)
    return _watching(event) if isinstance(event, Watching) else []


def _finished(event: ActionFinished, *, explain: bool) -> list[str]:
    name = event.action.name
    if event.diagnostic is not None:
        return render(event.diagnostic).splitlines()
    warned = [line for warning in event.warnings for line in render(warning).splitlines()]
    if event.status == "ran":
        told = explain or event.action.worker != "in-process"
        return [*([f"{name}: done in {event.seconds or 0:.1f} s"] if told else []), *warned]
    if event.status == "skipped":
        # One failure skips a dozen actions per target; the lines of the targets say so.
        return [f"{name}: skipped, because {' and '.join(event.reasons)}"] if explain else []
    planned = event.status in {"would-run", "would-restore", "may-run"}
    line = (
        f"{name}: {'restored from the remote cache' if event.remote else STATUS_WORDS.get(event.status, event.status)}"
    )
    if event.estimate_seconds is not None and event.action.worker != "in-process":
        line += f", about {duration(event.estimate_seconds)}"
    return [*_with_reasons(line, event.reasons, explain=explain or planned), *warned]


def _watching(event: Watching) -> list[str]:
    warned = [] if event.warning is None else render(event.warning).splitlines()
    return [*warned, f"watching {event.files} file{'' if event.files == 1 else 's'}; Ctrl-C ends it"]


def _with_reasons(line: str, reasons: tuple[str, ...], *, explain: bool) -> list[str]:
    return [line, *(f"    {reason}" for reason in reasons)] if explain else [line]


def target_line(event: TargetFinished, places: str) -> str:
    """Return the line of a target: name, status, gate, scores, layers in INT8, path, `auto`'s choice.

    Facts of a remote cache may be a stranger's: no control character of theirs reaches the terminal.
    """
    gate = "" if event.gate is None else f"gate {event.gate}"
    scores = "" if event.scores is None else f", {event.scores.in_words()}"
    drop = "" if event.drop is None else f", {drop_in_words(event.drop)}"
    int8 = "" if event.int8_layers is None else f", {event.int8_layers} of {event.layers} layers INT8"
    chosen = "" if event.chosen is None else f" ({event.chosen})"
    needs = "" if event.needs is None else f" with {event.needs}"
    figures = gate + scores + drop + int8
    return harmless(f"{event.target:<24} {event.status:<8} {figures:<28} {places}{chosen}{needs}".rstrip())


def remote_lines(traffic: Traffic | None, ran: int) -> list[str]:
    """Return what a build had of the remote cache: a line of counts, and one for each kind of trouble."""
    if traffic is None or traffic == Traffic():
        return []
    restored = f"restored {counted(traffic.restored, 'result')}"
    restored += f" ({size_in_words(traffic.restored_bytes)})" if traffic.restored_bytes else ""
    uploaded = f", uploaded {traffic.uploaded:,} ({size_in_words(traffic.uploaded_bytes)})" if traffic.uploaded else ""
    lines = [f"remote cache: {restored}, ran {counted(ran, 'action')}{uploaded}"]
    refused = sorted(traffic.refused.items())
    lines += [f"remote cache: {counted(count, 'result')} not used: {why}" for why, count in refused]
    lines += [f"remote cache: {_failures(count, why)}" for why, count in traffic.errors.items()]
    lines += [f"remote cache is off for this build: {traffic.off}"] if traffic.off else []
    return lines


def _failures(count: int, why: str) -> str:
    """Return what failed. A result can stay here without any request: no key signs it."""
    return (
        f"{counted(count, 'result')} {why}"
        if why.startswith("not uploaded")
        else f"{counted(count, 'request')} failed: {why}"
    )


class Transfers:
    """Keeps what a build had of the remote cache, for commands that print other things at their end."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, event: Event) -> None:
        """Note the last event of a build."""
        if isinstance(event, BuildFinished):
            self.lines = remote_lines(event.traffic, event.ran)


class Plain:
    """Prints one or more lines per event."""

    def __init__(self, write: Write, *, explain: bool) -> None:
        self._write = write
        self._explain = explain

    def __call__(self, event: Event) -> None:
        """Write the event's lines."""
        for line in lines_of(event, explain=self._explain):
            self._write(line)

    def __enter__(self) -> Self:
        """Do nothing."""
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing."""


class JsonLines:
    """Prints events as JSON lines, for programs."""

    def __init__(self, write: Callable[[dict[str, object]], None]) -> None:
        self._write = write

    def __call__(self, event: Event) -> None:
        """Write the event's public form."""
        self._write(event.to_json())

    def __enter__(self) -> Self:
        """Do nothing."""
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing."""


class Summary:
    """The lines of targets, printed after the build. `known_fresh` counts the targets that the build did not check."""

    def __init__(self, build_dir: str, *, known_fresh: int) -> None:
        self._build_dir = build_dir
        self._lines: list[str] = []
        self._fresh = known_fresh
        self._skipped = 0
        self._seconds = 0.0
        self._estimate: Estimate | None = None
        self._ran = 0
        self._traffic: Traffic | None = None

    def __call__(self, event: Event) -> None:
        """Record the outcome of a target. Fresh targets are only counted: there may be ten thousand."""
        if isinstance(event, TargetFinished):
            self._fresh += event.status == "fresh"
            self._skipped += event.status == "skipped"
            if event.status != "fresh":
                model, _, precision = event.target.partition(":")
                place = f"{self._build_dir}/{model}/{precision}/{model}.xml" if event.status == "built" else ""
                self._lines.append(target_line(event, place))
        if isinstance(event, BuildFinished):
            self._seconds, self._estimate = event.seconds, event.estimate
            self._ran, self._traffic = event.ran, event.traffic

    def lines(self, *, dry_run: bool, jobs: int) -> list[str]:
        """Return the lines of the targets, and a summary."""
        if not self._lines:
            return [up_to_date(self._fresh)]
        if dry_run:
            count = len(self._lines)
            takes = in_words(self._estimate, jobs)
            return [*self._lines, f"{count} of {count + self._fresh} targets are stale; nothing was run{takes}"]
        stopped = "; the build stopped at a failure (-k continues with the rest)" if self._skipped else ""
        others = f"; {up_to_date(self._fresh)}" if self._fresh else ""
        shared = remote_lines(self._traffic, self._ran)
        return [*self._lines, *shared, f"done in {self._seconds:.1f} s{stopped}{others}"]
