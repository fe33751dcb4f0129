"""Trials: validate sets of reverted layers like the published IR, and store the results in the journal.

    trials = Trials(subject=..., pair=..., promise=..., limits=..., journal=...)
    trials.attempt(names) -> Outcome        called by `search`
    trials.largest_error -> numbers of samples  those with the largest quantization error in plain INT8

A trial runs the samples in the order and the batches of *evaluate*, so its result is that of the gate. A trial is ended
early when it cannot pass any more: when right answers to all remaining samples would not be enough, or when the drop so
far exceeds the allowed drop by more than four standard errors. This is wrong for one set in some ten thousand, and then
costs INT8 layers. It never publishes an IR that fails, because the gate runs all samples.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ovmake.contracts.params.promise import PromiseParams
from ovmake.verdicts.figures import SLACK
from ovmake.verdicts.verdict import judged
from ovmake.workers.evaluation.comparison import ComparedFeed, Subject, Tallies, compare, compile_model
from ovmake.workers.inputs.preparing import Array
from ovmake.workers.inputs.samples import Feed, Samples
from ovmake.workers.ipc import progress
from ovmake.workers.quantization.control.journal import Interim, Journal, Trial
from ovmake.workers.quantization.control.pair import Pair
from ovmake.workers.quantization.control.search import BudgetSpentError, Names, Outcome

# Datasets of up to this size are kept in memory for all trials; larger ones are read again each time.
KEPT_BYTES = 512_000_000
STANDARD_ERRORS = 4
# The number of samples from which on the standard error is reliable.
ENOUGH = 64
# How many of the samples with the largest error are stored: more than any ranking uses.
NOTED = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of a search: trials, and seconds of work, including those of interrupted runs."""

    evaluations: int
    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A trial for the search. `drop` is None without a metric; if the trial was ended early, it is the drop so far."""

    trial: Trial
    outcome: Outcome
    drop: float | None
    samples: int


@dataclass(slots=True, kw_only=True)
class Trials:
    """See the module. `done` is in the order of the attempts; `recalled` counts those that the journal knew."""

    subject: Subject
    pair: Pair
    promise: PromiseParams
    limits: Limits
    journal: Journal
    device: str
    properties: Mapping[str, str]
    done: list[Done] = field(default_factory=list)
    recalled: int = 0
    _other_seconds: float = field(init=False, default=0.0)
    _other_inferences: int = field(init=False, default=0)
    _feeds: list[Feed] | None = field(init=False, default=None)

    def attempt(self, names: Names) -> Outcome:
        """Validate a set, or recall its result.

        Raises:
            BudgetSpentError: no trial or no time is left.
        """
        self._check_limits()
        progress.say(len(self.done) + 1, self.limits.evaluations, "trials")
        doomed = self._doomed(names)
        trial, end = self._recall(names, doomed)
        if trial is None:
            trial = self._run(names, doomed)
            self.journal.note_trial(trial)
            end = None if trial.whole else trial.interims[-1]
        self.done.append(self._judged(trial, end, doomed))
        note(_line(len(self.done), self.done[-1], len(self.pair.layers)))
        return self.done[-1].outcome

    @property
    def largest_error(self) -> tuple[int, ...]:
        """The numbers of the samples with the largest quantization error in plain INT8, in descending order."""
        return next(done.trial.largest_error for done in self.done if not done.trial.names)

    @property
    def inferences(self) -> int:
        """The number of samples that were run, including those of the ranking."""
        return self._other_inferences + sum(done.samples for done in self.done)

    @property
    def seconds(self) -> float:
        """The seconds of work, including those of interrupted runs."""
        return self._other_seconds + sum(done.trial.seconds for done in self.done)

    def count_other(self, *, inferences: int, seconds: float) -> None:
        """Count work outside of trials."""
        self._other_inferences += inferences
        self._other_seconds += seconds

    def feeds(self) -> Iterable[Feed]:
        """Return the samples, from memory if they are small enough. A search that only recalls results reads none."""
        if self._feeds is None:
            self._feeds = _kept(self.subject.samples)
        return self._feeds or self.subject.samples.feeds()

    def _check_limits(self) -> None:
        if len(self.done) >= self.limits.evaluations:
            raise BudgetSpentError(f"`max-evaluations` = {self.limits.evaluations} were done")
        if self.limits.seconds is not None and self.seconds >= self.limits.seconds:
            raise BudgetSpentError(f"`max-minutes` = {self.limits.seconds / 60:g} were over")

    def _recall(self, names: Names, doomed: _Doomed | None) -> tuple[Trial | None, Interim | None]:
        """Return a stored trial, and where it ends for this requirement; None if it did not run that far."""
        trial = self.journal.trial(names)
        if trial is None:
            return None, None
        end = next(filter(doomed, trial.interims), None) if doomed else None
        if not trial.whole and end is None:
            return None, None
        self.recalled += 1
        return trial, end

    def _judged(self, trial: Trial, end: Interim | None, doomed: _Doomed | None) -> Done:
        if end is None or doomed is None:
            found = judged(trial.figures, self.promise, inputs=self.subject.facts.inputs)
            # If nothing can be measured, the search ends.
            outcome = Outcome(kept=found.verdict.result != "missed", distance=found.excess)
            return Done(trial=trial, outcome=outcome, drop=found.verdict.drop, samples=trial.figures.samples)
        drop = end.drops / end.count
        outcome = Outcome(kept=False, distance=drop - doomed.allowed, whole=False)
        return Done(trial=trial, outcome=outcome, drop=drop, samples=end.count)

    def _run(self, names: Names, doomed: _Doomed | None) -> Trial:
        started = time.monotonic()
        model = self.pair.with_float(names) if names else self.pair.quantized
        compiled = compile_model(model, self.device, self.properties)
        watch = _Watch(scales=self.subject.facts.scales, doomed=doomed)
        figures = compare(self.subject, compiled, feeds=self.feeds(), on_feed=watch, interval=False)
        return Trial(
            names=names,
            figures=figures,
            seconds=time.monotonic() - started,
            whole=not watch.ended,
            interims=tuple(watch.steps),
            largest_error=() if names else watch.with_largest_error(NOTED),
        )

    def _doomed(self, names: Names) -> _Doomed | None:
        """Return the check that ends a trial early. It needs a drop, and TensorFlow's score from plain INT8's trial.

        Plain INT8 and the float model run all samples, because their results are reported to the user.
        """
        promised = self.promise.max_drop
        metric = self.done[0].trial.figures.metric if self.done else None
        if promised is None or metric is None or metric.reference is None or len(names) == len(self.pair.layers):
            return None
        return _Doomed(
            allowed=promised.bound(metric.reference),
            count=self.subject.samples.count,
            reference=metric.reference if metric.step is not None else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Doomed:
    """Whether a trial cannot pass any more.

    `reference`: TensorFlow's share of right answers, None for other metrics.
    """

    allowed: float
    count: int
    reference: float | None

    def __call__(self, step: Interim) -> bool:
        if step.count >= self.count:
            return False
        if self.reference is not None:
            # At best the candidate is right on all remaining samples, and gains TensorFlow's wrong answers there.
            wrong_left = self.count * (1 - self.reference) - step.wrong
            if (step.drops - wrong_left) / self.count > self.allowed + SLACK:
                return True
        mean = step.drops / step.count
        spread = math.sqrt(max(0.0, step.squares / step.count - mean**2))
        error = spread * math.sqrt((1 - step.count / self.count) / step.count)
        return step.count >= ENOUGH and mean - STANDARD_ERRORS * error > self.allowed + SLACK


@dataclass(slots=True, kw_only=True)
class _Watch:
    """Called with every feed of a trial: records the error of each sample, and decides whether to end."""

    scales: Mapping[str, float]
    doomed: _Doomed | None
    ended: bool = False
    steps: list[Interim] = field(default_factory=list)
    _squares: list[Array] = field(default_factory=list)

    def __call__(self, seen: ComparedFeed) -> bool:
        self._squares.append(np.sum([self._error(seen, name) for name in seen.actual], axis=0))
        if seen.tallies is not None and (step := self._step(seen.tallies, seen.feed.count)) is not None:
            self.steps.append(step)
            self.ended = self.doomed is not None and self.doomed(step)
        return self.ended

    def _step(self, tallies: Tallies, count: int) -> Interim | None:
        """Return the state of the trial after `count` more samples; None if the metric is not a mean."""
        expected, actual = tallies.reference.each(), tallies.candidate.each()
        if expected is None or actual is None:
            return None
        drops = (1 if tallies.metric.higher_is_better else -1) * (expected[-count:] - actual[-count:])
        before = self.steps[-1] if self.steps else Interim(count=0, drops=0.0, squares=0.0, wrong=0.0)
        return Interim(
            count=before.count + count,
            drops=before.drops + float(drops.sum()),
            squares=before.squares + float(np.square(drops).sum()),
            wrong=before.wrong + float((1 - expected[-count:]).sum()),
        )

    def with_largest_error(self, count: int) -> tuple[int, ...]:
        """Return the numbers of the samples with the largest difference from TensorFlow's outputs."""
        squares = np.concatenate(self._squares)
        return tuple(int(number) for number in np.argsort(-squares, kind="stable")[:count])

    def _error(self, seen: ComparedFeed, name: str) -> Array:
        """Return per sample the mean squared difference of an output, in units of its scale."""
        actual, expected = seen.actual[name], seen.expected[name]
        if not actual.size or actual.shape != expected.shape:  # an output whose size depends on the data
            return np.zeros(len(actual))
        error = actual.astype(np.float64) - expected.astype(np.float64)
        flat = error.reshape(len(error), -1) / (self.scales[name] or 1.0)
        return np.asarray(np.square(np.nan_to_num(flat, nan=1.0, posinf=1.0, neginf=1.0)).mean(axis=1))


def note(line: str) -> None:
    """Write a line to the action's log, where a user can follow a long search."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _kept(samples: Samples) -> list[Feed]:
    """Return all feeds if they are small enough together, judging by the first one; else none."""
    feeds = samples.feeds()
    first = next(feeds, None)
    if first is None or len(samples) * sum(array.nbytes for array in first.inputs.values()) > KEPT_BYTES:
        return []
    return [first, *feeds]


def _line(number: int, done: Done, layers: int) -> str:
    """Return a trial for the log."""
    became = "kept" if done.outcome.kept else "missed" if done.outcome.whole else f"ended after {done.samples} samples"
    drop = "" if done.drop is None else f"drop {done.drop:.4f}, "
    reverted = f"{len(done.trial.names)} of {layers} layers in floating point"
    return f"trial {number}: {reverted}: {drop}{became} ({done.trial.seconds:.2f} s)"


def pick(feeds: Iterable[Feed], numbers: Sequence[int], *, whole: bool) -> list[dict[str, Array]]:
    """Return samples by their numbers among those of the feeds, in the order of `numbers`.

    By input [1, ...]; `whole`: each feed is one sample, returned unchanged.
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
