"""Choose the settings of a starter Ovfile: those that were tried, and build.

    entries = settle(entries, attempt)

`attempt(text)` builds an Ovfile in a scratch folder (trial.py). A gate that fails is not written. Nor is a gate on data
on which TensorFlow is no better than the most frequent answer: it would pass for any IR. A comment beside the model
says what was tried and failed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from ovmake.commands.inspect.data import MOST_SAMPLES, DataPlan
from ovmake.commands.inspect.starter import SUGGESTED, Entry, Scaling, starter

# The usual scalings of pixels: none, to 0..1, to -1..1.
SCALINGS: tuple[Scaling | None, ...] = (None, Scaling(mean=0.0, scale=255.0), Scaling(mean=127.5, scale=127.5))
# A score is better if the difference exceeds this many standard errors.
CLEARLY = 2.0
# Suggestions that may break a model: a fixed shape, or batch. A mean of 0 and a scale of 1 are neutral.
STRUCTURE = ("batch", "shape")
# A number of samples that is enough to choose a scaling, and to try a setting.
SOME = 500
# The maximal length of a note about a failure.
LONGEST = 300


class TrialOutcome(Protocol):
    """The outcome of a target: see `ovmake.commands.inspect.trial.TrialOutcome`."""

    @property
    def failure(self) -> str:
        """The error if it failed, else ""."""

    @property
    def score(self) -> float | None:
        """TensorFlow's score, None without a metric."""


Attempt = Callable[[str], Mapping[str, TrialOutcome]]


def settle(entries: Sequence[Entry], attempt: Attempt) -> list[Entry]:
    """Return the entries to write."""
    scaled = [_above_chance(entry, score) for entry, score in _scaled(entries, attempt)]
    built = _built(scaled, attempt)
    # At most twice: a model may build without INT8, or else without its validation data.
    for _ in range(2):
        less = [_less(one) for one in built]
        if less == [one.entry for one in built]:
            break
        built = _built(less, attempt)
    return _suggesting([_given_up(one) for one in built], attempt)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Built:
    """An entry, and the outcome of its targets by precision."""

    entry: Entry
    targets: Mapping[str, TrialOutcome]

    @property
    def failures(self) -> dict[str, str]:
        """The errors of failed targets, by precision."""
        return {name: tried.failure for name, tried in self.targets.items() if tried.failure}


def _built(
    entries: Sequence[Entry], attempt: Attempt, uncommented: Iterable[str] = (), most: int = MOST_SAMPLES
) -> list[_Built]:
    """Build all entries, with `most` samples of a dataset; an entry that does not build has no outcomes."""
    text = starter(entries, uncommented=tuple(uncommented), most=most)
    tried = attempt(text) if any(entry.builds for entry in entries) else {}
    return [
        _Built(
            entry=entry,
            targets={
                name.rpartition(":")[2]: one for name, one in tried.items() if name.rpartition(":")[0] == entry.name
            },
        )
        for entry in entries
    ]


# which scaling


def _scaled(entries: Sequence[Entry], attempt: Attempt) -> list[tuple[Entry, float | None]]:
    """Return the entries with the scaling that gives TensorFlow the best score, and that score."""
    asking = [_asks(entry) for entry in entries]
    if not any(asking):
        return [(entry, None) for entry in entries]
    scores: list[dict[int, float]] = [{} for _ in entries]
    for number, scaling in enumerate(SCALINGS):
        # Without INT8: only TensorFlow's score matters.
        trying = [
            replace(entry, scaling=scaling, plan=replace(entry.plan, calibration=None)) if asks else _out(entry)
            for entry, asks in zip(entries, asking, strict=True)
        ]
        if scaling is not None:
            trying = [entry if _has_pixels(entry) else _out(entry) for entry in trying]
        for place, built in enumerate(_built(trying, attempt, most=SOME)):
            known = [one.score for one in built.targets.values() if one.score is not None]
            if known:
                scores[place][number] = known[0]
    return [_best(entry, found) for entry, found in zip(entries, scores, strict=True)]


def _asks(entry: Entry) -> bool:
    return entry.builds and entry.plan.validation is not None and entry.plan.validation.metric == "accuracy"


def _has_pixels(entry: Entry) -> bool:
    return entry.plan.validation is not None and bool(entry.plan.validation.pixels)


def _out(entry: Entry) -> Entry:
    return replace(entry, reason=entry.reason or "not asked")


def _best(entry: Entry, scores: Mapping[int, float]) -> tuple[Entry, float | None]:
    """Return the scaling that is clearly better than no scaling; of two similar ones, the first."""
    best = min(scores, default=None)
    if best is None or entry.plan.validation is None:
        return entry, None
    count = min(SOME, entry.plan.validation.found.data.count)
    for number, score in scores.items():
        if score > scores[best] + CLEARLY * _error(score, count):
            best = number
    return replace(entry, scaling=SCALINGS[best]), scores[best]


def _error(share: float, count: int) -> float:
    return math.sqrt(max(share * (1 - share), 1 / count) / count)


def _above_chance(entry: Entry, score: float | None) -> Entry:
    """Leave out a gate that would pass for any IR."""
    use = entry.plan.validation
    if use is None or score is None:
        return entry
    count = min(SOME, use.found.data.count)
    if score > use.common + CLEARLY * _error(use.common, count):
        return entry
    note = (
        f"no accuracy on {use.found.path}: TensorFlow is right on {100 * score:.1f} % of it, the most frequent answer "
        f"alone on {100 * use.common:.1f} %; check the labels, and the scaling of inputs"
    )
    return replace(entry, plan=replace(entry.plan, validation=None), scaling=None, notes=(*entry.notes, note))


# what fails


def _less(built: _Built) -> Entry:
    """Return an entry with less: without INT8 if only INT8 failed, else without its data."""
    entry, failures = built.entry, built.failures
    if not failures or not entry.builds:
        return entry
    if set(failures) == {"int8"}:
        note = f"no INT8, calibrated with {_path(entry.plan, 'calibration')}: {_short(failures['int8'])}"
        return replace(entry, plan=replace(entry.plan, calibration=None), notes=(*entry.notes, note))
    if entry.plan != DataPlan():
        why = next(iter(failures.values()))
        note = f"no accuracy and no INT8 with the data that was found: {_short(why)}"
        return replace(entry, plan=DataPlan(), scaling=None, notes=(*entry.notes, note))
    return entry


def _path(plan: DataPlan, role: str) -> str:
    use = plan.calibration if role == "calibration" else plan.validation
    return "" if use is None else use.found.path


def _given_up(built: _Built) -> Entry:
    if not built.failures or not built.entry.builds:
        return built.entry
    return replace(built.entry, reason=_short(next(iter(built.failures.values()))))


def _short(words: str) -> str:
    line = " ".join(words.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


# suggested settings


def _suggesting(entries: Sequence[Entry], attempt: Attempt) -> list[Entry]:
    """Keep the suggestions with which all models build, together and each by itself."""
    together = _built(entries, attempt, SUGGESTED, SOME)
    kept = [
        one.entry
        if not one.failures
        else replace(one.entry, suggested=tuple(kind for kind in SUGGESTED if kind not in STRUCTURE))
        for one in together
    ]
    for kind in STRUCTURE:
        # Without INT8, which was tried with all of them already: calibration takes longest.
        without = [replace(entry, plan=replace(entry.plan, calibration=None)) for entry in kept]
        for place, one in enumerate(_built(without, attempt, (kind,), SOME)):
            if one.failures:
                others = tuple(word for word in kept[place].suggested if word != kind)
                kept[place] = replace(kept[place], suggested=others)
    return kept
