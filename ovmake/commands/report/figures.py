"""Make the figures of a target: each number with its text, or with the reason why it is missing. Pure.

    figures_of(report, unit) -> {"openvino.latency_median_us": Figure(...), ...}     by path in report.json
    candidate_row(unit, candidate), speed_figure(speed, why)                         figures outside of report.json

Rule: a figure without a value has a reason. It is never 0 and never blank.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from ovmake.commands.report import words
from ovmake.commands.report.facts.measurement import Measured
from ovmake.commands.report.facts.records import TargetReport
from ovmake.commands.report.words import why
from ovmake.contracts.files.measurement import SideFigures
from ovmake.contracts.files.speed import Candidate, SpeedRatio

SIDES = ("tensorflow", "openvino")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number and its text. If `value` is None, `reason` says why; else `reason` is empty."""

    value: float | None
    text: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateRow:
    """A candidate of `auto`: its `drop` in the metric, its `speed` relative to the FP32 IR, and the range of that."""

    candidate: Candidate
    drop: Figure
    speed: Figure
    range: str


def figures_of(report: TargetReport, unit: str) -> dict[str, Figure]:
    """Return the figures of a target by path, in reading order. `unit` is that of its times."""
    measured = report.measurement
    unmeasured = why(report, "measurement")
    # Without figures: the note about the gate has them.
    unpublished = "not published: it missed its gate" if report.gate == "missed" else why(report, "ir")
    evaluated = _evaluated(report)
    sides: dict[str, SideFigures | None] = {
        "tensorflow": None,
        "openvino": None,
        **(sides_of(measured) if measured else {}),
    }
    speedup = measured.speedup if measured else None
    figures: dict[str, Figure] = {}
    for name, side in sides.items():
        figures |= {f"{name}.{key}": figure for key, figure in _side(side, unit, unmeasured).items()}
        figures |= {path: figure for path, figure in evaluated.items() if path.startswith(name)}
    return figures | {
        "speedup.median": _figure(speedup, "median", words.times, unmeasured),
        "speedup.low": _figure(speedup, "low", words.ratio, unmeasured),
        "speedup.high": _figure(speedup, "high", words.times, unmeasured),
        **_throughput_ratio(measured, unmeasured),
        "drop": evaluated["drop"],
        "max_abs_difference": evaluated["max_abs_difference"],
        "openvino.size_bytes": _figure(report, "size_bytes", words.size, unpublished),
    }


def _throughput_ratio(measured: Measured | None, unmeasured: str) -> dict[str, Figure]:
    ratio = measured.throughput_ratio if measured else None
    reason = "too few runs fit into the time" if measured else unmeasured
    texts = {"median": words.times, "low": words.ratio, "high": words.times}
    return {f"throughput_ratio.{name}": _figure(ratio, name, text, reason) for name, text in texts.items()}


def candidate_row(unit: str, one: Candidate) -> CandidateRow:
    """Return a candidate of `auto` with its figures; `unit` is the metric's."""

    def in_points(drop: float) -> str:
        return words.drop_in(unit, drop)

    no_drop = UNLABELLED if one.gate != "not-measured" else one.text
    return CandidateRow(
        candidate=one,
        drop=_figure(one, "drop", in_points, no_drop),
        speed=_figure(one.speed, "median", words.times, one.not_measured),
        # The FP32 IR's ratio to itself has no range.
        range=words.range_of(one.speed) if one.speed and one.speed.low < one.speed.high else "",
    )


def speed_figure(speed: SpeedRatio | None, unmeasured: str) -> Figure:
    """Return a ratio with its range, or the reason why it is missing."""
    if speed is None:
        return Figure(value=None, text=words.NOT_MEASURED, reason=unmeasured)
    return Figure(value=speed.median, text=words.speed(speed))


def _side(side: SideFigures | None, unit: str, unmeasured: str) -> dict[str, Figure]:
    def in_unit(us: float) -> str:
        return words.duration(us, unit)

    def in_ms(ms: float) -> str:
        return words.duration(ms * 1000, "ms")

    figures: dict[str, Callable[[float], str]] = {
        **{f"latency_{name}_us": in_unit for name in ("median", "p90", "p95", "p99", "p999")},
        "throughput_per_second": words.rate,
        "peak_memory_bytes": words.size,
        "import_memory_bytes": words.size,
        "import_ms": in_ms,
        "load_ms": in_ms,
        "first_inference_ms": in_ms,
        "energy_joules": words.energy,
        "inferences": "{:,}".format,
    }
    reasons = side.missing if side else dict.fromkeys(figures, unmeasured)
    return {name: _figure(side, name, text, reasons.get(name, NO_REASON)) for name, text in figures.items()}


NO_REASON = "the measurement does not say why"
NO_INTERVAL = "an interval needs finite scores and more than one sample"
UNLABELLED = "no labelled dataset, so only outputs are compared"


def _evaluated(report: TargetReport) -> dict[str, Figure]:
    evaluated, metric = report.evaluation, words.metric_of(report)
    unit = evaluated.unit if evaluated else words.SHARE
    unevaluated = why(report, "evaluation")
    no_score = UNLABELLED if evaluated and not evaluated.not_measured else unevaluated

    def in_metric(value: float) -> str:
        return words.score(unit, value)

    def in_points(drop: float) -> str:
        return words.drop_in(unit, drop)

    return {
        f"tensorflow.{metric}": _figure(evaluated, "reference", in_metric, no_score),
        "tensorflow.operations": _figure(evaluated, "operations_tensorflow", "{:,}".format, unevaluated),
        f"openvino.{metric}": _figure(evaluated, "candidate", in_metric, no_score),
        "openvino.operations": _figure(evaluated, "operations_openvino", "{:,}".format, unevaluated),
        "drop": _figure(evaluated, "drop", in_points, no_score),
        "max_abs_difference": _figure(evaluated, "max_abs", words.difference, unevaluated),
    }


def _figure(owner: object, name: str, text: Callable[[float], str], missing: str) -> Figure:
    """Return the owner's figure of that name, or why it is missing."""
    value = None if owner is None else getattr(owner, name)
    if value is None:
        return Figure(value=None, text=words.NOT_MEASURED, reason=missing)
    if not math.isfinite(value):
        return Figure(value=None, text=words.NOT_MEASURED, reason=f"its value is {value}, which cannot be compared")
    return Figure(value=value, text=text(value))


def sides_of(measured: Measured) -> dict[str, SideFigures]:
    """Return the figures of each framework, by its name."""
    return dict(zip(SIDES, (measured.tensorflow, measured.openvino), strict=True))
