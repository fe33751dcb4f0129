"""Put figures in words: numbers as short text, and a verdict per target. Pure.

    verdict(report) -> str                        "fashion:int8 is 4.8× as fast as TensorFlow (4.3 to 5.1×) at …"
    duration, rate, size, ratio, times, ...       one number -> text

Rule: the range of the speed-up decides, not its median. A range that holds 1 is "no clear difference". A range that is
wider than required is "unstable". "loaded": other programs used the processor. "high core latency": values took long
from core to core.
"""

# ruff: noqa: RUF001, RUF002 - the signs for times and minus are intended

from __future__ import annotations

import math

from ovmake.commands.report.facts.measurement import Measured
from ovmake.commands.report.facts.records import Evaluation, TargetReport
from ovmake.contracts.files.speed import SpeedRatio
from ovmake.units import digits, size_in_words

NOT_MEASURED = "not measured"
# Why a measurement is not reliable: the field that says so, and its label.
DOUBTS = {"unstable": "unstable", "loaded": "loaded", "high_latency": "high core latency"}

# The unit of a metric that is a share: 0.01 is a point. Other metrics are shown unchanged.
SHARE = "share"
# Scores are ratios of counts. A smaller difference is a rounding error.
SAME_SCORE = 1e-9
ENERGIES = (("J", 1.0), ("mJ", 1e-3), ("µJ", 1e-6))
UNITS_US = {"µs": 1.0, "ms": 1e3, "s": 1e6}


# ----------------------------------------------------------------------------------------------------------------------
# verdicts


def verdict(report: TargetReport) -> str:
    """Return one sentence without a final period: the speed, and its cost."""
    if report.gate == "missed":
        return f"{report.name} missed its gate and was not published: {report.gate_text}"
    if report.place is None:
        state = "is stale" if report.status == "stale" else "was not built"
        return f"{report.name} {state}: {why(report, 'ir')}"
    if report.measurement is None:
        alone = f"{report.name}: speed {NOT_MEASURED} ({why(report, 'measurement')}); {_accuracy_alone(report)}"
        return f"{alone}{_undecided(report)}"
    return f"{_named(report)} {_speed(report.measurement)}{_cost(report)}{_undecided(report)}{_slower(report)}"


def _undecided(report: TargetReport) -> str:
    """Return why the figures decide nothing, as the end of a sentence; "" if they do, or without figures."""
    if report.at_chance:
        return "; TensorFlow itself is no better than chance"
    evaluated = report.evaluation
    if report.gate != "not-measured" or evaluated is None or evaluated.not_measured:
        return ""
    return f"; its gate was {NOT_MEASURED}: {report.gate_text}"


def _named(report: TargetReport) -> str:
    """Return the target's name with the choice and reverted layers: "m:auto (int8, 7 of 8 layers in INT8)"."""
    search = report.search
    chosen = report.choice.chosen if report.choice else ""
    int8 = f"{search.int8} of {search.layers} layers in INT8" if search and search.reverted else ""
    details = ", ".join(filter(None, (chosen, int8)))
    return f"{report.name} ({details})" if details else report.name


def _slower(report: TargetReport) -> str:
    """Return the warning of the speed check, as the end of a sentence."""
    check = report.speed_check
    if check is None or not check.slower or check.speed is None:
        return ""
    return f"; it is slower than the FP32 IR: {speed(check.speed)}"


def why(report: TargetReport, what: str) -> str:
    """Return why "measurement", "evaluation" or "ir" is missing."""
    return report.missing.get(what) or "the records do not say why"


def doubts(measured: Measured) -> tuple[str, ...]:
    """Return the labels that say why a measurement is not reliable."""
    return tuple(label for name, label in DOUBTS.items() if getattr(measured, name))


def metric_of(report: TargetReport) -> str:
    """Return the name of the metric; "accuracy" without one."""
    return (report.evaluation.metric if report.evaluation else None) or "accuracy"


def _speed(measured: Measured) -> str:
    median, low, high = measured.speedup.median, measured.speedup.low, measured.speedup.high
    held = f"({', '.join((f'{ratio(low)} to {times(high)}', *doubts(measured)))})"
    if low <= 1 <= high:
        return f"shows no clear difference in speed from TensorFlow, {times(median)} {held}"
    if high < 1:
        return f"is slower than TensorFlow, {times(median)} as fast {held}"
    return f"is {times(median)} as fast as TensorFlow {held}"


def _cost(report: TargetReport) -> str:
    """Return the cost in accuracy, as the end of a sentence about speed."""
    drop, evaluated = _known_drop(report), report.evaluation
    if drop is None or evaluated is None:
        return f"; {_accuracy_alone(report)}"
    if drop == 0:
        return f" with the same {metric_of(report)}"
    if drop < 0:
        return f" and {_better_or_worse(evaluated, drop)}{_interval(evaluated, -1)}"
    return f" at a cost of {_amount(evaluated, drop)}{_interval(evaluated)}"


def _accuracy_alone(report: TargetReport) -> str:
    """Return the accuracy, as a separate clause."""
    drop, evaluated, metric = _known_drop(report), report.evaluation, metric_of(report)
    if drop is not None and evaluated is not None:
        if not drop:
            return f"the same {metric} as TensorFlow"
        return f"{_better_or_worse(evaluated, drop)}{_interval(evaluated, 1 if drop > 0 else -1)} than TensorFlow"
    if report.evaluation is None:
        return f"accuracy {NOT_MEASURED} ({why(report, 'evaluation')})"
    if report.evaluation.drop is not None:
        return f"{metric} {NOT_MEASURED} (a score is not finite)"
    return _agreement(report.evaluation)


def _known_drop(report: TargetReport) -> float | None:
    """Return the drop, exactly 0 if the scores are equal; None without a metric or a finite score."""
    drop = report.evaluation.drop if report.evaluation else None
    if drop is None or not math.isfinite(drop):
        return None
    return 0.0 if abs(drop) < SAME_SCORE else drop


def _agreement(evaluated: Evaluation) -> str:
    outputs = [output for output in evaluated.differences if output.elements != 0]
    if evaluated.not_measured:
        return f"agreement with TensorFlow {NOT_MEASURED} ({evaluated.not_measured})"
    if not outputs:
        held = "every output was empty" if evaluated.differences else "the evaluation has no output"
        return f"agreement with TensorFlow {NOT_MEASURED} ({held})"
    mismatched = sum(output.nan_mismatch for output in outputs)
    nan = f", {mismatched:,} elements finite on one side only" if mismatched else ""
    worst = min((output.cosine for output in outputs), key=lambda value: -math.inf if math.isnan(value) else value)
    return f"cosine {cosine(worst)} with TensorFlow's outputs{nan}"


def _amount(evaluated: Evaluation, drop: float) -> str:
    """Return a drop without its sign: "0.42 points of accuracy"."""
    metric = evaluated.metric
    return f"{_points(drop)} points of {metric}" if evaluated.unit == SHARE else f"{abs(drop):.3g} in {metric}"


def _better_or_worse(evaluated: Evaluation, drop: float) -> str:
    """Return a drop with its direction: "0.42 points less accurate"."""
    if evaluated.metric == "accuracy":
        return f"{_points(drop)} points {'less' if drop > 0 else 'more'} accurate"
    direction = "lower" if (drop > 0) == evaluated.higher_is_better else "higher"
    amount = f"{_points(drop)} points" if evaluated.unit == SHARE else f"{abs(drop):.3g}"
    return f"{amount} {direction} in {evaluated.metric}"


def _interval(evaluated: Evaluation, sign: int = 1) -> str:
    """Return the interval of a drop, without its unit: " (0.08 to 0.74)". With `sign` -1, that of a gain."""
    if evaluated.interval is None:
        return ""
    ends = sorted(sign * end for end in evaluated.interval)
    low, high = (_signed(evaluated.unit, end) for end in ends)
    return f" ({low} to {high})"


def _signed(unit: str, drop: float) -> str:
    """Return a number in points, or in the unit of the metric, with a sign if it is negative."""
    shown = f"{abs(drop) * 100:.2f}" if unit == SHARE else f"{abs(drop):.3g}"
    return f"−{shown}" if drop < 0 and float(shown) else shown


def _points(drop: float) -> str:
    """Return a drop in points. One that is too small for two decimals does not become 0."""
    points = abs(drop) * 100
    return "less than 0.01" if points < 0.005 else f"{points:.2f}"  # noqa: PLR2004 - half of the last decimal


# ----------------------------------------------------------------------------------------------------------------------
# numbers


def counted(count: int, what: str) -> str:
    """Return a count with its noun: "1 trial", "12 trials"."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def ratio(value: float) -> str:
    """Return a ratio, with two decimals below 2: "0.72", "1.04", "4.8", "120"."""
    decimals = 2 if value < 2 else 1 if value < 100 else 0  # noqa: PLR2004 - a scale
    return f"{value:,.{decimals}f}"


def times(value: float) -> str:
    """Return a ratio as a factor: "4.8×"."""
    return f"{ratio(value)}×"


def speed(measured: SpeedRatio) -> str:
    """Return a relative speed with its range: "1.52× (1.51 to 1.53×)"."""
    return f"{times(measured.median)} ({range_of(measured)})"


def range_of(measured: SpeedRatio) -> str:
    """Return the range of a ratio: "1.51 to 1.53×"."""
    return f"{ratio(measured.low)} to {times(measured.high)}"


def duration(us: float, unit: str) -> str:
    """Return a time in the given unit: "215 µs"."""
    return f"{digits(us / UNITS_US[unit])} {unit}"


def unit_for(us: float) -> str:
    """Return the unit for times of this length and longer."""
    return "µs" if us < UNITS_US["ms"] else "ms" if us < UNITS_US["s"] else "s"


def rate(per_second: float) -> str:
    """Return a throughput: "22,100 /s"."""
    return f"{digits(per_second)} /s"


def energy(joules: float) -> str:
    """Return an energy: "12 mJ"."""
    unit, scale = next(((name, scale) for name, scale in ENERGIES if joules >= scale), ENERGIES[-1])
    return f"{digits(joules / scale)} {unit}"


def size(count: float) -> str:
    """Return bytes in decimal units: "199 kB"."""
    return size_in_words(count)


def score(unit: str, value: float) -> str:
    """Return a score; a share in per cent."""
    return f"{value * 100:.2f} %" if unit == SHARE else f"{value:.4g}"


def drop_in(unit: str, drop: float) -> str:
    """Return a drop with its sign: "0.42 points", "−0.10 points" if the IR is better, "none"."""
    if abs(drop) < SAME_SCORE:
        return "none"
    sign = "−" if drop < 0 else ""
    if unit != SHARE:
        return f"{sign}{abs(drop):.3g}"
    points = _points(drop)
    if points.startswith("less"):
        return f"{points} points {'better' if drop < 0 else 'worse'}"
    return f"{sign}{points} points"


def interval_in(unit: str, low: float, high: float) -> str:
    """Return the interval of a drop: "0.08 to 0.74"; "none" if both ends are 0."""
    if max(abs(low), abs(high)) < SAME_SCORE:
        return "none"
    return f"{_signed(unit, low)} to {_signed(unit, high)}"


def counted_in(unit: str, *, higher_is_better: bool) -> str:
    """Return how to read a metric: "higher is better, in per cent"."""
    units = {SHARE: ", a share in per cent", "labels": ", in the unit of the labels"}
    return f"{'higher' if higher_is_better else 'lower'} is better{units.get(unit, '')}"


def difference(value: float) -> str:
    """Return a numeric difference with three digits."""
    return f"{value:.3g}"


def decibels(value: float | None) -> str:
    """Return a signal-to-noise ratio; "equal" for equal outputs, which have no noise."""
    return "equal" if value is None else f"{value:.0f} dB"


def precision(element: str) -> str:
    """Return the usual name of an element type: "INT8" for `i8`, "FP32" for `f32`. Unknown types stay unchanged."""
    kind, bits = element[:1], element[1:]
    if not bits.isdecimal():
        return element.upper() if element == "bf16" else element
    return {"f": f"FP{bits}", "i": f"INT{bits}", "u": f"UINT{bits}"}.get(kind, element)


def part(value: float | None) -> str:
    """Return a share in per cent; a dash if it is unknown."""
    return "-" if value is None else f"{value:.1%}"


def cosine(value: float) -> str:
    """Return a cosine. One below 1 is never shown as 1."""
    text = f"{value:.6f}"
    return "over 0.999999" if text == "1.000000" and value < 1 else text
