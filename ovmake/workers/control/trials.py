"""Trials: sets of layers given back, each validated like the IR that will be published, and noted.

    trials = Trials(subject=..., pair=..., promise=..., limits=..., journal=...)
    trials.attempt(names) -> Outcome        what `search` asks
    trials.disturbed -> numbers of samples  those that plain INT8 disturbs most

A trial runs the samples in the order and the batches of *evaluate*, so that what it finds is what the gate will see.
One that cannot keep the promise any more is ended early: when not even right answers to all samples that are left would
do, or when the drop so far is above the promise by more than four standard errors. That may be wrong of a set in some
ten thousand, and then costs INT8 layers; it never publishes what breaks a promise, for the gate runs all samples.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ovmake.promise import Verdict, decide
from ovmake.promise.dropping import SLACK, bound_of
from ovmake.workers.comparison import Seen, Subject, Tallies, compare, compile_model
from ovmake.workers.control.journal import Journal
from ovmake.workers.control.pair import Pair
from ovmake.workers.control.search import BudgetSpentError, Names, Outcome
from ovmake.workers.preparing import Array
from ovmake.workers.samples import Feed, Samples

# Samples of up to this size are kept in memory for all trials; larger sets are read again each time.
KEPT_BYTES = 512_000_000
STANDARD_ERRORS = 4
# So many samples make the standard error worth trusting.
ENOUGH = 64
# How many of the most disturbed samples are noted: more than any ranking uses.
NOTED = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long a search may go on: trials, and seconds of work, those of an interrupted run among them."""

    evaluations: int
    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What is known of a set of layers: its figures, as an evaluation has them, and what they took.

    `stopped` holds the promise at which it was ended early, None if it saw all samples.
    """

    names: Names
    figures: Mapping[str, Any]
    seconds: float
    stopped: Mapping[str, Any] | None = None
    disturbed: tuple[int, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return what the journal keeps."""
        return {
            "figures": dict(self.figures),
            "seconds": self.seconds,
            "stopped": None if self.stopped is None else dict(self.stopped),
            "disturbed": list(self.disturbed),
        }

    @classmethod
    def from_json(cls, names: Names, body: Mapping[str, Any]) -> Trial:
        """Read what `to_json` wrote."""
        return cls(
            names=names,
            figures=body["figures"],
            seconds=body["seconds"],
            stopped=body["stopped"],
            disturbed=tuple(body["disturbed"]),
        )


@dataclass(slots=True, kw_only=True)
class Trials:
    """See the module. `done` is in the order of the attempts; `recalled` counts those that the journal knew."""

    subject: Subject
    pair: Pair
    promise: Mapping[str, Any]
    limits: Limits
    journal: Journal
    device: str
    properties: Mapping[str, str]
    done: list[Trial] = field(default_factory=list)
    recalled: int = 0
    _other_seconds: float = field(init=False, default=0.0)
    _other_inferences: int = field(init=False, default=0)
    _feeds: list[Feed] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._feeds = _kept(self.subject.samples)

    def attempt(self, names: Names) -> Outcome:
        """Validate a set, or recall that it was.

        Raises:
            BudgetSpentError: no trial is left, or no time.
        """
        self._check_limits()
        known = self.journal.trial(names)
        trial = Trial.from_json(names, known) if known else None
        if trial is not None and trial.stopped in (None, self.promise):
            self.recalled += 1
        else:
            trial = self._run(names)
            self.journal.note_trial(names, trial.to_json())
        self.done.append(trial)
        outcome = self.outcome(trial)
        note(_line(len(self.done), trial, outcome, self.verdict(trial), len(self.pair.layers)))
        return outcome

    @property
    def disturbed(self) -> tuple[int, ...]:
        """The numbers of the samples that plain INT8 disturbs most, the most disturbed first."""
        return next(trial.disturbed for trial in self.done if not trial.names)

    @property
    def inferences(self) -> int:
        """How many samples were run, the ranking's included."""
        return self._other_inferences + sum(int(trial.figures["samples"]) for trial in self.done)

    @property
    def seconds(self) -> float:
        """How long the search worked, an interrupted run included."""
        return self._other_seconds + sum(trial.seconds for trial in self.done)

    def count_other(self, *, inferences: int, seconds: float) -> None:
        """Count work that is no trial."""
        self._other_inferences += inferences
        self._other_seconds += seconds

    def feeds(self) -> Iterable[Feed]:
        """Return the samples, from memory if they are there."""
        return self._feeds if self._feeds is not None else self.subject.samples.feeds()

    def verdict(self, trial: Trial) -> Verdict:
        """Return the gate's own answer for a trial that saw all samples."""
        return decide(trial.figures, self.promise)

    def _check_limits(self) -> None:
        if len(self.done) >= self.limits.evaluations:
            raise BudgetSpentError(f"`max-evaluations` = {self.limits.evaluations} were done")
        if self.limits.seconds is not None and self.seconds >= self.limits.seconds:
            raise BudgetSpentError(f"`max-minutes` = {self.limits.seconds / 60:g} were over")

    def outcome(self, trial: Trial) -> Outcome:
        """Return what a trial means to the search: one that was ended early did not keep the promise."""
        verdict = self.verdict(trial)
        whole = trial.stopped is None
        return Outcome(kept=verdict.result == "passed" and whole, distance=verdict.excess, whole=whole)

    def _run(self, names: Names) -> Trial:
        started = time.monotonic()
        model = self.pair.with_float(names) if names else self.pair.quantized
        compiled = compile_model(model, self.device, self.properties)
        # What plain INT8 and the float model reach is told to the user, so they see all samples.
        doomed = self._doomed() if 0 < len(names) < len(self.pair.layers) else None
        watch = _Watch(scales=self.subject.facts["scales"], doomed=doomed)
        figures = compare(self.subject, compiled, feeds=self.feeds(), look=watch, interval=False)
        return Trial(
            names=names,
            figures=figures,
            seconds=time.monotonic() - started,
            stopped=self.promise if watch.ended else None,
            disturbed=() if names else watch.most_disturbed(NOTED),
        )

    def _doomed(self) -> _Doomed | None:
        """Return what ends a trial early: only a drop can, of which plain INT8's trial told TensorFlow's score."""
        written = self.promise.get("accuracy.max-drop")
        metric = self.done[0].figures.get("metric") if self.done else None
        if written is None or metric is None or metric["reference"] is None:
            return None
        return _Doomed(
            allowed=bound_of(str(written), metric["reference"]),
            count=self.subject.samples.count,
            sign=1 if metric["higher_is_better"] else -1,
            reference=metric["reference"] if metric["step"] is not None else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Doomed:
    """Whether a trial cannot keep its promise any more.

    `reference`: TensorFlow's share of right answers, None if the metric counts something else.
    """

    allowed: float
    count: int
    sign: int
    reference: float | None

    def __call__(self, tallies: Tallies) -> bool:
        expected, actual = tallies.reference.each(), tallies.candidate.each()
        if expected is None or actual is None or len(actual) >= self.count:
            return False
        drops = self.sign * (expected - actual)
        if self.reference is not None:
            # At best the candidate is right on all that is left, and gains what TensorFlow gets wrong there.
            wrong_left = self.count * (1 - self.reference) - float((1 - expected).sum())
            if (float(drops.sum()) - wrong_left) / self.count > self.allowed + SLACK:
                return True
        left = 1 - len(drops) / self.count
        error = float(drops.std()) * np.sqrt(left / len(drops))
        return len(drops) >= ENOUGH and float(drops.mean()) - STANDARD_ERRORS * error > self.allowed + SLACK


@dataclass(slots=True, kw_only=True)
class _Watch:
    """Sees every feed of a trial: how much each sample is disturbed, and whether to end."""

    scales: Mapping[str, float]
    doomed: _Doomed | None
    ended: bool = False
    _squares: list[Array] = field(default_factory=list)

    def __call__(self, seen: Seen) -> bool:
        self._squares.append(np.sum([self._apart(seen, name) for name in seen.actual], axis=0))
        self.ended = self.doomed is not None and seen.tallies is not None and self.doomed(seen.tallies)
        return self.ended

    def most_disturbed(self, count: int) -> tuple[int, ...]:
        """Return the numbers of the samples that differ most from TensorFlow's outputs."""
        squares = np.concatenate(self._squares)
        return tuple(int(number) for number in np.argsort(-squares, kind="stable")[:count])

    def _apart(self, seen: Seen, name: str) -> Array:
        """Return per sample the mean squared difference of an output, in units of its scale."""
        apart = seen.actual[name].astype(np.float64) - seen.expected[name].astype(np.float64)
        flat = apart.reshape(len(apart), -1) / (self.scales[name] or 1.0)
        return np.asarray(np.square(np.nan_to_num(flat, nan=1.0, posinf=1.0, neginf=1.0)).mean(axis=1))


def note(line: str) -> None:
    """Write a line to the action's log: a long search is followed there."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _kept(samples: Samples) -> list[Feed] | None:
    """Return all feeds if they are small enough together, as the first one promises."""
    first = next(iter(samples.feeds()), None)
    if first is None or len(samples) * sum(array.nbytes for array in first.inputs.values()) > KEPT_BYTES:
        return None
    return list(samples.feeds())


def _line(number: int, trial: Trial, outcome: Outcome, verdict: Verdict, layers: int) -> str:
    """Return a trial for the log."""
    became = "kept" if outcome.kept else "missed"
    if trial.stopped is not None:
        became = f"ended after {trial.figures['samples']} samples"
    drop = "" if verdict.drop is None else f"drop {verdict.drop:.4f}, "
    given_back = f"{len(trial.names)} of {layers} layers in floating point"
    return f"trial {number}: {given_back}: {drop}{became} ({trial.seconds:.2f} s)"


def pick(feeds: Iterable[Feed], numbers: Sequence[int], *, whole: bool) -> list[dict[str, Array]]:
    """Return samples by their numbers among those of the feeds, in the order of `numbers`.

    By input [1, ...]; `whole`: each feed is one sample, handed on as it is.
    """
    wanted, found, start = set(numbers), {}, 0
    for feed in feeds:
        for place in range(feed.count):
            if start + place in wanted:
                rows = slice(None) if whole else slice(place, place + 1)
                found[start + place] = {
                    name: array[rows] if array.ndim else array for name, array in feed.inputs.items()
                }
        start += feed.count
    return [found[number] for number in numbers]
