"""The drop of a metric: how large it is, how sure, and whether it may be. Pure.

    accuracy_drop(reference, candidate, ...) -> float
    check_drop(metric, promise, samples) -> Dropped       `metric` as an evaluation holds it

The measured drop decides, and nothing else. But another validation set would give another drop, so its interval stands
beside it; and where that holds the promise too, so that the samples might as well have said the opposite, the text
says that they are too few. Whoever reads "passed" can tell luck from evidence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ovmake.contracts.files.evaluation import DropInterval, Metric
from ovmake.contracts.params.promise import MaxDrop
from ovmake.verdicts.figures import SLACK, number, score_in_words
from ovmake.verdicts.sanity import better_by_too_much

SETTING = "accuracy.max-drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One promise: the setting that makes it, whether it is kept, and its figures.

    `excess` is by how much the figure is worse than promised, in the figure's own unit; infinite where there is none.
    `unmeasured` says why the figures say neither, and `help` what would help; "" where they do.
    """

    setting: str
    kept: bool
    text: str
    excess: float = math.inf
    unmeasured: str = ""
    help: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """The check of a drop. `drop` and `interval` are in metric units, None where there is none.

    `doubt` says why the samples are too few to tell, "" if they are not. `absurd`: the IR is better than it can be.
    """

    check: Check
    drop: float | None
    interval: DropInterval | None = None
    doubt: str = ""
    absurd: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Promise:
    """`max-drop` as the Ovfile has it, and what it comes to in metric units: a share of TensorFlow's score."""

    written: float | str
    bound: float
    per_cent: float | None

    def shown(self, drop: float, unit: str) -> str:
        """Return a drop as the promise speaks of it."""
        if self.per_cent is not None:
            return f"{_unsigned_zero(f'{drop / self.per_cent if self.per_cent else 0:.2f}')}%"
        return _unsigned_zero(f"{drop:.4f}") if unit == "share" else f"{drop:.3g}"


def _unsigned_zero(text: str) -> str:
    """Return "0.0000" for "-0.0000": differences of counts over counts are a little more or less than nothing."""
    return text.removeprefix("-") if not float(text) else text


def accuracy_drop(reference: float, candidate: float, *, higher_is_better: bool, relative: bool) -> float:
    """Return how much worse `candidate` is than `reference`.

    Both are the same metric on the same samples. Absolute: metric units (0.01 = one point of top-1). Relative: fraction
    of `reference`; 0 where both are 0. Negative when the candidate is better, so `drop <= max_drop` still holds.

    Raises:
        ValueError: relative with `reference == 0` alone; such metrics need an absolute drop.
    """
    drop = reference - candidate if higher_is_better else candidate - reference
    if not relative or drop == 0:
        return drop
    if reference == 0:
        raise ValueError("a relative drop needs a reference metric other than 0")
    return drop / abs(reference)


def check_drop(metric: Metric, asked: MaxDrop, samples: int) -> Dropped:
    """Return whether the promise is kept."""
    reference, candidate = number(metric.reference), number(metric.candidate)
    higher, unit = metric.higher_is_better, metric.unit
    first, second = score_in_words(reference, unit), score_in_words(candidate, unit)
    scores = f"{metric.name} {first} in TensorFlow, {second} in the IR"
    drop = accuracy_drop(reference, candidate, higher_is_better=higher, relative=False)
    known = drop if math.isfinite(drop) else None
    promise = _promise(asked, reference)
    if promise.per_cent == 0 and drop != 0:
        text = f"{scores}: no relative drop from 0, give `max-drop` as a number"
        return Dropped(check=Check(setting=SETTING, kept=False, text=text), drop=None)
    # Who promises a gain has one to expect: a negative `max-drop` is taken at its word.
    absurd = better_by_too_much(metric, drop) if promise.bound >= 0 else ""
    kept = math.isfinite(drop) and drop <= promise.bound + SLACK and not absurd
    between = metric.interval
    word = "drop" if higher else "rise"
    doubt = "" if known is None else _doubt(drop, promise, metric, samples)
    said = f"{word} {promise.shown(drop, unit)}{_held(between, promise, unit, samples)}"
    told = f"{said}, {absurd}" if absurd else f"{said}, allowed {promise.written}"
    text = "; ".join(filter(None, (f"{scores}: {told}", doubt)))
    excess = math.inf if known is None or absurd else drop - promise.bound
    check = Check(setting=SETTING, kept=kept, text=text, excess=excess)
    return Dropped(check=check, drop=known, interval=between, doubt=doubt, absurd=bool(absurd))


def _promise(asked: MaxDrop, reference: float) -> _Promise:
    per_cent = abs(reference) / 100 if asked.relative else None
    return _Promise(written=asked.written, bound=asked.bound(reference), per_cent=per_cent)


def _held(interval: DropInterval | None, promise: _Promise, unit: str, samples: int) -> str:
    if interval is None:
        return ""
    low, high = (promise.shown(end, unit) for end in (interval.low, interval.high))
    return f" ({low} to {high} with {interval.level * 100:.0f} % confidence on {samples} samples)"


def _doubt(drop: float, promise: _Promise, metric: Metric, samples: int) -> str:
    """Return why the samples are too few, "" if they are not."""
    interval, unit = metric.interval, metric.unit
    if interval is None:
        return f"{samples} sample{'' if samples == 1 else 's'} of the validation set cannot decide"
    low, high, step = interval.low, interval.high, number(metric.step)
    if low <= promise.bound + SLACK < high:
        around = f"{promise.shown(drop, unit)} ± {promise.shown((high - low) / 2, unit)}"
        word = "drop" if metric.higher_is_better else "rise"
        return f"the {samples} samples of the validation set are too few to decide: {word} {around}"
    # Whoever allows 0.001 on 200 samples allows no sample to be lost, and cannot have meant that.
    if drop <= promise.bound + SLACK and 0 < promise.bound < step - SLACK:
        share = promise.shown(step, unit)
        return f"`max-drop` is finer than one of the {samples} samples of the validation set, which counts {share}"
    return ""
