"""What of an Ovfile to begin with is written: what was tried, and builds.

    entries = settle(entries, attempt)

`attempt(text)` builds an Ovfile in a scratch place (ovmake/trial.py). A gate that is missed is not written, and neither
is a gate on data on which TensorFlow itself does no better than the most frequent answer would: it would pass whatever
the IR computes. What was tried in vain stands beside the model, in words.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from ovmake.commands.inspect.data import MOST_SAMPLES, DataPlan
from ovmake.commands.inspect.starter import SUGGESTED, Entry, Scaling, starter

# What is usual for pixels: as they are, from 0 to 1, from -1 to 1.
SCALINGS: tuple[Scaling | None, ...] = (None, Scaling(mean=0.0, scale=255.0), Scaling(mean=127.5, scale=127.5))
# Standard errors by which one score is better than another.
CLEARLY = 2.0
# What may break a model: a fixed shape, or batch. A mean of 0 and a scale of 1 change nothing.
STRUCTURE = ("batch", "shape")
# Samples that are enough to choose a scaling by, and to see that a setting breaks nothing.
SOME = 500
# A note about a failure is no longer.
LONGEST = 300


class Tried(Protocol):
    """What became of a target: see `ovmake.commands.inspect.trial.Tried`."""

    @property
    def failure(self) -> str:
        """Why it failed, "" if it did not."""

    @property
    def score(self) -> float | None:
        """TensorFlow's score, None without a metric."""


Attempt = Callable[[str], Mapping[str, Tried]]


def settle(entries: Sequence[Entry], attempt: Attempt) -> list[Entry]:
    """Return the entries as they are to be written."""
    scaled = [_above_chance(entry, score) for entry, score in _scaled(entries, attempt)]
    built = _built(scaled, attempt)
    # Twice at most: without INT8, and then without the data that it is judged by, a model may build.
    for _ in range(2):
        less = [_less(one) for one in built]
        if less == [one.entry for one in built]:
            break
        built = _built(less, attempt)
    return _suggesting([_given_up(one) for one in built], attempt)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Built:
    """An entry, and what became of its targets: precision -> what became of it."""

    entry: Entry
    targets: Mapping[str, Tried]

    @property
    def failures(self) -> dict[str, str]:
        """Why precisions failed."""
        return {name: tried.failure for name, tried in self.targets.items() if tried.failure}


def _built(
    entries: Sequence[Entry], attempt: Attempt, uncommented: Iterable[str] = (), most: int = MOST_SAMPLES
) -> list[_Built]:
    """Build all, judged by `most` samples; what an entry that does not build has is nothing."""
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
    """Return the entries with the scaling by which TensorFlow is most accurate, and its score."""
    asking = [_asks(entry) for entry in entries]
    if not any(asking):
        return [(entry, None) for entry in entries]
    scores: list[dict[int, float]] = [{} for _ in entries]
    for number, scaling in enumerate(SCALINGS):
        # Without INT8: it is TensorFlow that is asked.
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
    """Return the scaling that is clearly better than none; of two that are alike, the one before."""
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
    """Leave out a gate that would pass whatever the IR computes."""
    use = entry.plan.validation
    if use is None or score is None:
        return entry
    count = min(SOME, use.found.data.count)
    if score > use.common + CLEARLY * _error(use.common, count):
        return entry
    note = (
        f"no accuracy on {use.found.path}: TensorFlow is right on {100 * score:.1f} % of it, and who always gives the "
        f"most frequent answer on {100 * use.common:.1f} %; look at the labels, and at how inputs are scaled"
    )
    return replace(entry, plan=replace(entry.plan, validation=None), scaling=None, notes=(*entry.notes, note))


# what fails


def _less(built: _Built) -> Entry:
    """Return an entry with less: without INT8 where that fails, else without the data that it is judged by."""
    entry, failures = built.entry, built.failures
    if not failures or not entry.builds:
        return entry
    if set(failures) == {"int8"}:
        note = f"no INT8, calibrated with {_path(entry.plan, 'calibration')}: {_short(failures['int8'])}"
        return replace(entry, plan=replace(entry.plan, calibration=None), notes=(*entry.notes, note))
    if entry.plan != DataPlan():
        why = next(iter(failures.values()))
        note = f"no accuracy and no INT8 by the data that was found: {_short(why)}"
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


# what one may want next


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
        # INT8 was tried with all of them: to calibrate takes longest.
        without = [replace(entry, plan=replace(entry.plan, calibration=None)) for entry in kept]
        for place, one in enumerate(_built(without, attempt, (kind,), SOME)):
            if one.failures:
                others = tuple(word for word in kept[place].suggested if word != kind)
                kept[place] = replace(kept[place], suggested=others)
    return kept
