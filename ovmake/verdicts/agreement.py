"""Compare the distance between an IR's outputs and TensorFlow's with the tolerance. Pure.

    check_cosine(outputs, least, lenient=...) -> Check
    check_error(outputs, most, lenient=...) -> Check

`outputs` are those of an evaluation. A `lenient` check has a default tolerance, which is widened by TensorFlow's own
uncertainty. The reference (`reference.py`) measures it: the distance between two runs of TensorFlow, and the distance
from the *truth*, the same model in a higher precision, if there is one.

Rule 1: an IR passes if it is as close to the truth as TensorFlow. In integers it may be twice as far: it has roundings
        of its own besides TensorFlow's.
Rule 2: a default is not widened beyond a useful limit. If TensorFlow's distance from itself exceeds the limit, and the
        IR does not pass without widening, the result is *not measured*: neither verdict would mean anything.
Rule 3: an output that is empty on both sides in all samples is ignored; the other outputs decide.
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
# The tolerance as a multiple of TensorFlow's own distance, for integers: an IR is a third set of kernels. In floating
# point the multiple is OWN_FLOATS.
OWN_INTEGERS = 2.0
# The tolerance in quantization steps of an integer output; the excess over 1 is for its own rounding.
STEP = 1.01
# The useful limit: with a larger tolerance wrong IRs would pass too. A default beyond the limit is not widened.
USEFUL_COSINE = 0.99
USEFUL_ERROR = 1e-2
USEFUL_STEPS = 4.0
# The same for a distance from the truth, which is certain.
USEFUL_TRUTH = 5e-2
REAL_DATA = "name a dataset under `accuracy`: a model is often more stable on real data than on synthetic inputs"
FIXED = "export the model for inference, without dropout or noise; or `cut` off the nodes that draw random numbers"

Outputs = Sequence[OutputFigures]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    """One output: the distance between the IR and TensorFlow (`found`), and the tolerance (`wanted`).

    Distances are 1 - cosine, or the largest difference as a share of the output's scale. `useful` limits the tolerance;
    `left_open` is the tolerance without the limit. `own` is TensorFlow's distance from itself (NaN: not measured).
    `to_truth` is the IR's distance from the truth, `truth_wanted` its tolerance, `truth_open` the tolerance without the
    limit; NaN without a truth.
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
        """Whether TensorFlow is too uncertain to show that the IR is wrong."""
        within = self.useful < self.found <= self.left_open or self.to_truth <= self.truth_open
        return not self.kept and (self.own > self.useful or within)

    @property
    def coarse(self) -> bool:
        """Whether the reason for `unknown` is TensorFlow's distance from the truth, not from itself."""
        return not self.own > self.useful and not self.useful < self.found <= self.left_open

    @property
    def shown(self) -> float:
        """The tolerance that messages show: the default if it suffices, else the widened one."""
        return self.default if self.found <= self.default else self.wanted

    @property
    def excess(self) -> float:
        return min(_or_inf(self.found - self.wanted), _or_inf(self.to_truth - self.truth_wanted))


def check_cosine(outputs: Outputs, least: float, *, lenient: bool) -> Check:
    """Return the check that the cosine with TensorFlow is at least `least` in all outputs."""
    compared = [_cosine(output, least, lenient=lenient) for output in _not_empty(outputs)]
    worst = max(compared, key=lambda one: one.excess, default=None)
    if worst is None:
        return _nothing(COSINE, outputs)
    wanted = least if worst.shown == worst.default else 1 - worst.shown
    # With fixed digits, 0.99999995 and 0.9999999 would both read "cosine 1.000000, at least 1 wanted".
    digits = max(6, round(-math.log10(1 - wanted)) + 1) if wanted < 1 else 9
    shown = f"at least {wanted:.{digits}g} wanted{_why(worst, digits)}"
    text = f"cosine {number(worst.output.cosine):.{digits}f} with TensorFlow's outputs, {shown}"
    own = f"cosine {1 - worst.own:.3g}, at least {1 - worst.useful:.3g} wanted"
    return _check(COSINE, compared, worst, text, own)


def check_error(outputs: Outputs, most: float, *, lenient: bool) -> Check:
    """Return the check that the largest difference is at most the share `most` of each output's scale."""
    compared = [_error(output, most, lenient=lenient) for output in _not_empty(outputs)]
    worst = max(compared, key=lambda one: one.excess, default=None)
    if worst is None:
        return _nothing(MAX_ERROR, outputs)
    shown = f"at most {worst.shown:g} wanted{_why(worst)}"
    text = f"largest difference {worst.found:.2e} of the scale of `{worst.name}`, {shown}"
    own = f"{worst.own:.2e} of the scale of `{worst.name}`, at most {worst.useful:.3g} wanted"
    return _check(MAX_ERROR, compared, worst, text, own)


def empty_outputs(outputs: Outputs) -> list[str]:
    """Return a text for each output that was empty on both sides in all samples."""
    return [f"`{output.name}` was empty in all samples" for output in outputs if output.elements == 0]


def other_sizes(outputs: Outputs) -> list[str]:
    """Return a text for each output whose size differs from TensorFlow's in some samples."""
    named = [(output.name, output.other_sizes) for output in outputs]
    return [f"the size of `{name}` differs from TensorFlow's {count} times" for name, count in named if count]


def _cosine(output: OutputFigures, least: float, *, lenient: bool) -> _Compared:
    default = 1 - least
    own = 1 - number(output.own_cosine)
    resolution = OWN_FLOATS * output.resolution
    found = 1 - number(output.cosine)
    # A difference of at most one integer step is allowed; so is the cosine that results from it.
    within_a_step = number(output.max_abs) <= STEP * number(output.quantum)
    step = found if within_a_step and found <= 1 - USEFUL_COSINE else 0.0
    left_open = _most(default, _factor(output) * own, resolution**2 / 2, step) if lenient else default
    useful = max(default, 1 - USEFUL_COSINE)
    truth_open = _most(default, _truth_factor(output) * (1 - number(output.own_truth_cosine)))
    return _Compared(
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


def _error(output: OutputFigures, most: float, *, lenient: bool) -> _Compared:
    """Return the largest difference and its tolerance, as shares of the output's scale; of 1 if that is 0."""
    scale = number(output.scale) or 1.0
    own, quantum = number(output.own_max_abs) / scale, number(output.quantum) / scale
    rounding = OWN_FLOATS * output.resolution
    left_open = _most(most, _factor(output) * own, STEP * quantum, rounding) if lenient else most
    useful = _most(most, USEFUL_ERROR, USEFUL_STEPS * quantum, rounding)
    truth_open = _most(most, _truth_factor(output) * number(output.own_truth_max_abs) / scale)
    return _Compared(
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


def _check(setting: str, compared: Sequence[_Compared], worst: _Compared, text: str, own: str) -> Check:
    outputs = [one.output for one in compared]
    nothing = [name for one in outputs if (name := _nowhere_finite(one))]
    unequal = not _same_nan(outputs)
    wrong = unequal or any(not one.kept and not one.unknown for one in compared if not _nowhere_finite(one.output))
    unmeasured, help_ = "", ""
    if not wrong and nothing:
        unmeasured = f"nothing finite to compare in {', '.join(nothing)}: TensorFlow's values are all NaN or infinite"
        help_ = "name a dataset under `accuracy` on which the model outputs finite numbers"
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
    """Return the check if there is no output to compare."""
    if not outputs:
        return Check(setting=setting, kept=False, text="no output to compare")
    listed = "; ".join(empty_outputs(outputs))
    help_ = "name a dataset under `accuracy` on which the model finds something"
    return Check(setting=setting, kept=False, text=listed, unmeasured=f"nothing to compare: {listed}", help=help_)


def _meaning(compared: _Compared) -> str:
    """Return why TensorFlow does not agree with itself."""
    output = compared.output
    if output.random:
        return "it gives a different answer each time, because the model draws random numbers"
    moved, scale = number(output.own_moved), number(output.scale)
    if output.in_integers or not moved or not scale:
        return "its own kernels round differently on these inputs"
    times = number(output.own_max_abs) / scale / moved
    return f"on these inputs the model amplifies a change of the last bit {_round(times)} times"


def _round(times: float) -> str:
    """Return a number rounded to two digits: 400,000 for 397,123."""
    digits = max(0, math.floor(math.log10(times)) - 1) if times >= 1 else 0
    return f"{round(times, -digits):,.0f}"


def _why(compared: _Compared, digits: int | None = None) -> str:
    """Return the reason for the tolerance, or that the truth decided. `digits` are those of a cosine, else None."""
    if compared.found > compared.wanted and compared.near_truth:
        output = compared.output
        if digits is None:
            theirs = number(output.own_truth_max_abs) / (number(output.scale) or 1.0)
            return f"; {compared.to_truth:.2e} from {output.truth}, TensorFlow {theirs:.2e}"
        cosine = number(output.own_truth_cosine)
        return f"; {1 - compared.to_truth:.{digits}f} with {output.truth}, TensorFlow {cosine:.{digits}f}"
    if compared.shown == compared.default:
        return ""
    half = compared.output.computes_in
    return f" ({half} inside)" if half else " (TensorFlow's agreement with itself)"


def _factor(output: OutputFigures) -> float:
    return OWN_INTEGERS if output.in_integers else OWN_FLOATS


def _truth_factor(output: OutputFigures) -> float:
    return OWN_INTEGERS if output.in_integers else 1.0


def _not_empty(outputs: Outputs) -> Outputs:
    return [output for output in outputs if output.elements != 0]


def _nowhere_finite(output: OutputFigures) -> str:
    """Return the output's name if none of TensorFlow's values is finite, else ""."""
    return f"`{output.name}`" if output.elements and output.elements == output.nonfinite_expected else ""


def _same_nan(outputs: Outputs) -> bool:
    return all(output.nan_mismatch == 0 for output in outputs if not _nowhere_finite(output))


def _most(*values: float) -> float:
    return max(value for value in values if math.isfinite(value))


def _or_inf(value: float) -> float:
    return math.inf if math.isnan(value) else value
