"""Compare the drop of a metric with `max-drop`. Pure.

    accuracy_drop(reference, candidate, ...) -> float
    check_drop(metric, asked, samples) -> Dropped         `metric` is that of an evaluation

The measured drop alone decides. But a different validation set would give a different drop, so the text has the drop's
interval too. If the interval contains `max-drop`, a different set might give the opposite result, and the text says
that the samples are too few. So a reader of "passed" can tell luck from evidence.
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
    """One check: the setting that requires it, whether it is kept, and its figures in words.

    `excess` is the figure minus its limit, in the figure's unit; infinite without a figure. `unmeasured` says why the
    figures decide nothing, and `help` gives advice; "" if they decide.
    """

    setting: str
    kept: bool
    text: str
    excess: float = math.inf
    unmeasured: str = ""
    help: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """The check of a drop. `drop` and `interval` are in metric units, None if unknown.

    `doubt` says why the samples are too few to decide, "" if they suffice. `absurd`: the IR is implausibly good.
    """

    check: Check
    drop: float | None
    interval: DropInterval | None = None
    doubt: str = ""
    absurd: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Promise:
    """`max-drop` as it is written in the Ovfile, and the same in metric units (`bound`).

    `per_cent` is 1 % of TensorFlow's score in metric units, None if `max-drop` is absolute.
    """

    written: float | str
    bound: float
    per_cent: float | None

    def shown(self, drop: float, unit: str) -> str:
        """Return a drop in the unit of `max-drop`."""
        if self.per_cent is not None:
            return f"{_unsigned_zero(f'{drop / self.per_cent if self.per_cent else 0:.2f}')}%"
        return _unsigned_zero(f"{drop:.4f}") if unit == "share" else f"{drop:.3g}"


def _unsigned_zero(text: str) -> str:
    """Return "0.0000" for "-0.0000": a difference of two ratios of counts can be slightly below 0."""
    return text.removeprefix("-") if not float(text) else text


def accuracy_drop(reference: float, candidate: float, *, higher_is_better: bool, relative: bool) -> float:
    """Return how much worse `candidate` is than `reference`.

    Both are the same metric on the same samples. Absolute: in metric units (0.01 = one point of top-1). Relative: as a
    fraction of `reference`; 0 if both are 0. Negative if the candidate is better, so `drop <= max_drop` still holds.

    Raises:
        ValueError: the drop is relative, and only `reference` is 0; such metrics need an absolute drop.
    """
    drop = reference - candidate if higher_is_better else candidate - reference
    if not relative or drop == 0:
        return drop
    if reference == 0:
        raise ValueError("a relative drop needs a reference score that is not 0")
    return drop / abs(reference)


def check_drop(metric: Metric, asked: MaxDrop, samples: int) -> Dropped:
    """Return the check of a metric's drop against `max-drop`, over so many samples."""
    reference, candidate = number(metric.reference), number(metric.candidate)
    higher, unit = metric.higher_is_better, metric.unit
    first, second = score_in_words(reference, unit), score_in_words(candidate, unit)
    scores = f"{metric.name} {first} in TensorFlow, {second} in the IR"
    drop = accuracy_drop(reference, candidate, higher_is_better=higher, relative=False)
    known = drop if math.isfinite(drop) else None
    promise = _promise(asked, reference)
    if promise.per_cent == 0 and drop != 0:
        text = f"{scores}: a relative drop from 0 is undefined, give `max-drop` as a number"
        return Dropped(check=Check(setting=SETTING, kept=False, text=text), drop=None)
    # A negative `max-drop` says that a gain is expected.
    absurd = better_by_too_much(metric, drop) if promise.bound >= 0 else ""
    kept = math.isfinite(drop) and drop <= promise.bound + SLACK and not absurd
    between = metric.interval
    word = "drop" if higher else "rise"
    doubt = "" if known is None else _doubt(drop, promise, metric, samples)
    shown = f"{word} {promise.shown(drop, unit)}{_range(between, promise, unit, samples)}"
    result = f"{shown}, {absurd}" if absurd else f"{shown}, allowed {promise.written}"
    text = "; ".join(filter(None, (f"{scores}: {result}", doubt)))
    excess = math.inf if known is None or absurd else drop - promise.bound
    check = Check(setting=SETTING, kept=kept, text=text, excess=excess)
    return Dropped(check=check, drop=known, interval=between, doubt=doubt, absurd=bool(absurd))


def _promise(asked: MaxDrop, reference: float) -> _Promise:
    per_cent = abs(reference) / 100 if asked.relative else None
    return _Promise(written=asked.written, bound=asked.bound(reference), per_cent=per_cent)


def _range(interval: DropInterval | None, promise: _Promise, unit: str, samples: int) -> str:
    if interval is None:
        return ""
    low, high = (promise.shown(end, unit) for end in (interval.low, interval.high))
    return f" ({low} to {high} with {interval.level * 100:.0f} % confidence on {samples} samples)"


def _doubt(drop: float, promise: _Promise, metric: Metric, samples: int) -> str:
    """Return why the samples are too few to decide, "" if they suffice."""
    interval, unit = metric.interval, metric.unit
    if interval is None:
        return f"{samples} sample{'' if samples == 1 else 's'} of the validation set cannot decide"
    low, high, step = interval.low, interval.high, number(metric.step)
    if low <= promise.bound + SLACK < high:
        around = f"{promise.shown(drop, unit)} ± {promise.shown((high - low) / 2, unit)}"
        word = "drop" if metric.higher_is_better else "rise"
        return f"the {samples} samples of the validation set are too few to decide: {word} {around}"
    # A `max-drop` of 0.001 on 200 samples allows no wrong sample at all, which is hardly intended.
    if drop <= promise.bound + SLACK and 0 < promise.bound < step - SLACK:
        share = promise.shown(step, unit)
        return f"`max-drop` is smaller than {share}, the weight of one of the {samples} samples of the validation set"
    return ""
