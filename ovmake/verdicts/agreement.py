"""How far an IR is from TensorFlow's outputs, and whether it may be. Pure.

    check_cosine(outputs, least, lenient=...) -> Check
    check_error(outputs, most, lenient=...) -> Check

`outputs` are an evaluation's. A `lenient` check is a default of ovmake's: it is as wide as what TensorFlow leaves open.
The reference (`reference.py`) measures that: how far TensorFlow is from itself when it is asked again, and how far
from a *truth*, the same model in a higher precision, where there is one.

Rule 1: an IR that is as near to the truth as TensorFlow is keeps its promise. In integers, twice as far is as near: it
        rounds where TensorFlow does, and otherwise.
Rule 2: no default gets wider than is useful. Where TensorFlow is further from itself than that, and the IR is not near
        all the same, the check is not measured: neither word would mean anything.
Rule 3: an output that was empty on both sides in all samples says nothing, and the others decide.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ovmake.contracts.files.evaluation import OutputFigures
from ovmake.verdicts.dropping import Check
from ovmake.verdicts.figures import OWN_FLOATS, number

COSINE = "accuracy.agreement.cosine"
MAX_ERROR = "accuracy.agreement.max-error"
# An IR may be as far from TensorFlow as this many times TensorFlow's own distance. In integers, of which an IR is a
# third set of kernels; OWN_FLOATS times in floating point; and one step of an output in integers, with a little for its
# own rounding.
OWN_INTEGERS = 2.0
STEP = 1.01
# What is useful: beyond it the check would hold of wrong IRs too. A default that is wider by itself does not widen.
USEFUL_COSINE = 0.99
USEFUL_ERROR = 1e-2
USEFUL_STEPS = 4.0
# The same of a distance from the truth, which is no guess.
USEFUL_TRUTH = 5e-2
REAL_DATA = "name a dataset under `accuracy`: on real data a model is often calmer than on synthetic inputs"
FIXED = "export the model as it is used, without dropout or noise; or `cut` off what draws random numbers"

Outputs = Sequence[OutputFigures]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """One output: how far the IR is from TensorFlow, and how far it may be.

    Distances are 1 - cosine, or the largest difference as a share of the output's scale. `wanted` is what is allowed,
    `left_open` what it would be without an end, `own` how far TensorFlow is from itself (NaN: not tried), `useful` the
    end. `to_truth` is how far the IR is from the truth, `truth_wanted` how far it may be, `truth_open` that without an
    end; NaN without a truth.
    """

    output: OutputFigures
    found: float
    default: float
    wanted: float
    left_open: float
    own: float
    useful: float
    to_truth: float
    truth_wanted: float
    truth_open: float

    @property
    def name(self) -> str:
        return self.output.name

    @property
    def near_truth(self) -> bool:
        return self.to_truth <= self.truth_wanted

    @property
    def kept(self) -> bool:
        return self.found <= self.wanted or self.near_truth

    @property
    def unknown(self) -> bool:
        """Whether TensorFlow is too far from itself to say that the IR is wrong."""
        within = self.useful < self.found <= self.left_open or self.to_truth <= self.truth_open
        return not self.kept and (self.own > self.useful or within)

    @property
    def coarse(self) -> bool:
        """Whether it is the truth that TensorFlow is too far from, and not itself."""
        return not self.own > self.useful and not self.useful < self.found <= self.left_open

    @property
    def shown(self) -> float:
        """What was wanted: where that is enough, the default."""
        return self.default if self.found <= self.default else self.wanted

    @property
    def excess(self) -> float:
        return min(_or_inf(self.found - self.wanted), _or_inf(self.to_truth - self.truth_wanted))


def check_cosine(outputs: Outputs, least: float, *, lenient: bool) -> Check:
    """Return whether all outputs have at least this cosine with TensorFlow's."""
    asked = [_cosine(output, least, lenient=lenient) for output in _not_empty(outputs)]
    worst = max(asked, key=lambda one: one.excess, default=None)
    if worst is None:
        return _nothing(COSINE, outputs)
    wanted = least if worst.shown == worst.default else 1 - worst.shown
    # "cosine 1.000000, at least 1 wanted" would be the same of 0.99999995 and 0.9999999.
    digits = max(6, round(-math.log10(1 - wanted)) + 1) if wanted < 1 else 9
    shown = f"at least {wanted:.{digits}g} wanted{_why(worst, digits)}"
    text = f"cosine {number(worst.output.cosine):.{digits}f} with TensorFlow's outputs, {shown}"
    own = f"cosine {1 - worst.own:.3g}, at least {1 - worst.useful:.3g} wanted of it"
    return _check(COSINE, asked, worst, text, own)


def check_error(outputs: Outputs, most: float, *, lenient: bool) -> Check:
    """Return whether the largest difference in each output is at most this share of its scale."""
    asked = [_error(output, most, lenient=lenient) for output in _not_empty(outputs)]
    worst = max(asked, key=lambda one: one.excess, default=None)
    if worst is None:
        return _nothing(MAX_ERROR, outputs)
    shown = f"at most {worst.shown:g} wanted{_why(worst)}"
    text = f"largest difference {worst.found:.2e} of the scale of `{worst.name}`, {shown}"
    own = f"{worst.own:.2e} of the scale of `{worst.name}`, at most {worst.useful:.3g} wanted of it"
    return _check(MAX_ERROR, asked, worst, text, own)


def empty_outputs(outputs: Outputs) -> list[str]:
    """Return what to say of outputs that were empty on both sides in all samples."""
    return [f"`{output.name}` was empty in all samples" for output in outputs if output.elements == 0]


def other_sizes(outputs: Outputs) -> list[str]:
    """Return what to say of outputs whose size was TensorFlow's in some samples only."""
    named = [(output.name, output.other_sizes) for output in outputs]
    return [f"`{name}` has another size than TensorFlow's {count} times" for name, count in named if count]


def _cosine(output: OutputFigures, least: float, *, lenient: bool) -> _Asked:
    default = 1 - least
    own = 1 - number(output.own_cosine)
    resolution = OWN_FLOATS * output.resolution
    found = 1 - number(output.cosine)
    # What is off by a step of its integers at most is off by that also in its cosine.
    within_a_step = number(output.max_abs) <= STEP * number(output.quantum)
    step = found if within_a_step and found <= 1 - USEFUL_COSINE else 0.0
    left_open = _most(default, _factor(output) * own, resolution**2 / 2, step) if lenient else default
    useful = max(default, 1 - USEFUL_COSINE)
    truth_open = _most(default, _truth_factor(output) * (1 - number(output.own_truth_cosine)))
    return _Asked(
        output=output,
        found=found,
        default=default,
        wanted=min(left_open, useful),
        left_open=left_open,
        own=own if lenient else math.nan,
        useful=useful,
        to_truth=1 - number(output.truth_cosine) if lenient else math.nan,
        truth_wanted=min(truth_open, useful),
        truth_open=truth_open,
    )


def _error(output: OutputFigures, most: float, *, lenient: bool) -> _Asked:
    """Return the largest difference and what is allowed, as shares of the output's scale; of 1 if that is 0."""
    scale = number(output.scale) or 1.0
    own, quantum = number(output.own_max_abs) / scale, number(output.quantum) / scale
    rounding = OWN_FLOATS * output.resolution
    left_open = _most(most, _factor(output) * own, STEP * quantum, rounding) if lenient else most
    useful = _most(most, USEFUL_ERROR, USEFUL_STEPS * quantum, rounding)
    truth_open = _most(most, _truth_factor(output) * number(output.own_truth_max_abs) / scale)
    return _Asked(
        output=output,
        found=number(output.max_abs) / scale,
        default=most,
        wanted=min(left_open, useful),
        left_open=left_open,
        own=own if lenient else math.nan,
        useful=useful,
        to_truth=number(output.truth_max_abs) / scale if lenient else math.nan,
        truth_wanted=min(truth_open, _most(useful, USEFUL_TRUTH)),
        truth_open=truth_open,
    )


def _check(setting: str, asked: Sequence[_Asked], worst: _Asked, text: str, own: str) -> Check:
    outputs = [one.output for one in asked]
    nothing = [name for one in outputs if (name := _nowhere_finite(one))]
    unequal = not _same_nan(outputs)
    wrong = unequal or any(not one.kept and not one.unknown for one in asked if not _nowhere_finite(one.output))
    unmeasured, help_ = "", ""
    if not wrong and nothing:
        unmeasured = f"nothing finite to compare in {', '.join(nothing)}: TensorFlow's values are all NaN or infinite"
        help_ = "name a dataset under `accuracy` on which the model gives numbers"
    elif not wrong and worst.unknown:
        unmeasured = f"TensorFlow does not agree with itself: {own}; {_meaning(worst)}"
        if worst.coarse:
            truth = worst.output.truth
            unmeasured = f"TensorFlow is too far from {truth} to say whether the IR is right: {text}"
        help_ = FIXED if worst.output.random else REAL_DATA
    return Check(
        setting=setting, kept=not wrong and not unmeasured, text=text, excess=worst.excess, unmeasured=unmeasured,
        help=help_,
    )  # fmt: skip


def _nothing(setting: str, outputs: Outputs) -> Check:
    """Return the check of no output: nothing is left to compare."""
    if not outputs:
        return Check(setting=setting, kept=False, text="no output to compare")
    listed = "; ".join(empty_outputs(outputs))
    help_ = "name a dataset under `accuracy` on which the model finds something"
    return Check(setting=setting, kept=False, text=listed, unmeasured=f"nothing to compare: {listed}", help=help_)


def _meaning(asked: _Asked) -> str:
    """Return what it means that TensorFlow does not agree with itself, by how it was asked again."""
    output = asked.output
    if output.random:
        return "it gives another answer each time, for the model draws random numbers"
    moved, scale = number(output.own_moved), number(output.scale)
    if output.in_integers or not moved or not scale:
        return "its own kernels round differently on these inputs"
    times = number(output.own_max_abs) / scale / moved
    return f"on these inputs the model amplifies its last bit {_round(times)} times"


def _round(times: float) -> str:
    """Return a number in two digits: 400,000 of 397,123."""
    digits = max(0, math.floor(math.log10(times)) - 1) if times >= 1 else 0
    return f"{round(times, -digits):,.0f}"


def _why(asked: _Asked, digits: int | None = None) -> str:
    """Return why that much is wanted, or that the truth decided; a cosine in so many digits, None for a difference."""
    if asked.found > asked.wanted and asked.near_truth:
        output = asked.output
        if digits is None:
            theirs = number(output.own_truth_max_abs) / (number(output.scale) or 1.0)
            return f"; {asked.to_truth:.2e} from {output.truth}, TensorFlow {theirs:.2e}"
        cosine = number(output.own_truth_cosine)
        return f"; {1 - asked.to_truth:.{digits}f} with {output.truth}, TensorFlow {cosine:.{digits}f}"
    if asked.shown == asked.default:
        return ""
    half = asked.output.computes_in
    return f" ({half} inside)" if half else " (as well as TensorFlow agrees with itself)"


def _factor(output: OutputFigures) -> float:
    return OWN_INTEGERS if output.in_integers else OWN_FLOATS


def _truth_factor(output: OutputFigures) -> float:
    return OWN_INTEGERS if output.in_integers else 1.0


def _not_empty(outputs: Outputs) -> Outputs:
    return [output for output in outputs if output.elements != 0]


def _nowhere_finite(output: OutputFigures) -> str:
    """Return the name of an output of which TensorFlow gave no finite value, "" of others."""
    return f"`{output.name}`" if output.elements and output.elements == output.nonfinite_expected else ""


def _same_nan(outputs: Outputs) -> bool:
    return all(output.nan_mismatch == 0 for output in outputs if not _nowhere_finite(output))


def _most(*values: float) -> float:
    return max(value for value in values if math.isfinite(value))


def _or_inf(value: float) -> float:
    return math.inf if math.isnan(value) else value
