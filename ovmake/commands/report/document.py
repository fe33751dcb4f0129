"""Convert the page to report.json. Pure.

document(page) -> Report
reported(row) -> ReportedTarget     a missing figure is null, and `missing` has the reason
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields

from ovmake.commands.report.facts.measurement import Measured
from ovmake.commands.report.facts.records import Evaluation, OutputDifference, TargetReport
from ovmake.commands.report.figures import NO_INTERVAL, UNLABELLED, Figure
from ovmake.commands.report.searched import Searched
from ovmake.commands.report.tables import Page, Row
from ovmake.commands.report.words import why
from ovmake.contracts.codec import encode_object
from ovmake.contracts.files.report import (
    Circumstances,
    DefaultGate,
    MeasuredElsewhere,
    NotMeasuredElsewhere,
    Report,
    ReportedAdvice,
    ReportedDifference,
    ReportedGate,
    ReportedInterval,
    ReportedRatio,
    ReportedSearch,
    ReportedTarget,
)
from ovmake.contracts.files.verdict import DefaultVerdict

# Fields of a measurement that may be null, and why.
UNKNOWN = {
    "foreign_cores": "this system does not report how much of the processor other programs use",
    "core_latency_ns": "this system does not report which cores share a cache, or there is only one core",
}
# The fields that come from an evaluation, in addition to the figures.
OF_METRIC = ("metric", "unit", "higher_is_better", "drop_interval", "score_intervals")
EVALUATED = (*OF_METRIC, "samples", "differences", "executed", "layers", "weights")


def document(page: Page) -> Report:
    """Return the content of report.json: plain numbers, with units in their names."""
    return Report(
        schema="ovmake-report.schema.json",
        title=page.title,
        targets=tuple(map(reported, page.rows)),
        advice=tuple(
            ReportedAdvice(model=section.model, text=one.text, evidence=one.evidence, targets=one.targets)
            for section in page.sections
            for one in section.advice
        ),
        against=page.history,
    )


def reported(row: Row) -> ReportedTarget:
    """Return the target's part of report.json."""
    report, evaluated, figures = row.report, row.report.evaluation, row.figures
    has_metric = evaluated is not None and evaluated.metric is not None
    return ReportedTarget(
        target=report.name,
        model=report.model,
        precision=report.precision,
        status=report.status,
        verdict=row.verdict,
        gate=_gate(report),
        compile=report.compiled,
        place=report.place,
        metric=evaluated.metric if evaluated else None,
        unit=evaluated.unit if evaluated and has_metric else None,
        higher_is_better=evaluated.higher_is_better if evaluated and has_metric else None,
        tensorflow=_side(figures, "tensorflow."),
        openvino=_side(figures, "openvino."),
        speedup=_ratio(figures, "speedup"),
        throughput_ratio=_ratio(figures, "throughput_ratio"),
        drop=figures["drop"].value,
        max_abs_difference=figures["max_abs_difference"].value,
        drop_interval=_drop_interval(evaluated) if evaluated else None,
        score_intervals=_score_intervals(evaluated) if evaluated else None,
        samples=evaluated.samples if evaluated else None,
        differences=tuple(map(_difference, evaluated.differences)) if evaluated else None,
        executed=evaluated.executed if evaluated else None,
        layers=evaluated.layers if evaluated else None,
        weights=evaluated.weights if evaluated else None,
        measured=_circumstances(report.measurement) if report.measurement else None,
        auto=report.choice,
        accuracy_control=_search(row.searched) if row.searched else None,
        speed_check=report.speed_check,
        requirements=report.requirements,
        devices={name: _elsewhere(one) for name, one in report.devices.items()},
        options=report.options,
        versions=report.versions,
        digests=report.digests,
        missing=_missing(row),
    )


def _gate(report: TargetReport) -> ReportedGate:
    return ReportedGate(
        result=report.gate,
        text=report.gate_text,
        decided=report.decided,
        at_chance=bool(report.at_chance),
        by_default=_default_gate(report.by_default) if report.by_default else None,
    )


def _default_gate(found: DefaultVerdict) -> DefaultGate:
    verdict = found.verdict
    return DefaultGate(precision=found.precision, result=verdict.result, text=verdict.text, needs=found.needs)


def _side(figures: Mapping[str, Figure], prefix: str) -> dict[str, float | None]:
    """Return a framework's figures. The name of a metric may contain a dot: `tensorflow.metrics.py:recall`."""
    return {path.removeprefix(prefix): one.value for path, one in figures.items() if path.startswith(prefix)}


def _ratio(figures: Mapping[str, Figure], name: str) -> ReportedRatio:
    median, low, high = (figures[f"{name}.{end}"].value for end in ("median", "low", "high"))
    return ReportedRatio(median=median, low=low, high=high)


def _drop_interval(evaluated: Evaluation) -> ReportedInterval | None:
    if evaluated.interval is None:
        return None
    low, high = evaluated.interval
    return ReportedInterval(low=low, high=high, level=evaluated.level)


def _score_intervals(evaluated: Evaluation) -> dict[str, ReportedInterval] | None:
    if evaluated.score_intervals is None:
        return None
    ends = evaluated.score_intervals.items()
    return {name: ReportedInterval(low=low, high=high, level=evaluated.level) for name, (low, high) in ends}


def _difference(one: OutputDifference) -> ReportedDifference:
    """Return the difference of an output. A figure that is not finite becomes null, because JSON has no form for it."""
    return ReportedDifference(
        name=one.name,
        max_abs=_finite(one.max_abs),
        mean_abs=_finite(one.mean_abs),
        cosine=_finite(one.cosine),
        nan_mismatch=one.nan_mismatch,
        scale=_finite(one.scale),
        max_rel=_finite(one.max_rel),
        snr_db=_finite(one.snr_db),
        argmax=_finite(one.argmax),
        elements=one.elements,
    )


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _circumstances(measured: Measured) -> Circumstances:
    """Return how a measurement was made, and on which machine."""
    facts = encode_object(measured.machine_facts)
    return Circumstances(
        pairs=measured.pairs,
        quiet_pairs=measured.quiet_pairs,
        windows=measured.windows,
        seconds=measured.seconds,
        batch=measured.batch,
        threads=measured.threads,
        inputs=measured.inputs,
        device=measured.device,
        level=measured.level,
        unstable=measured.unstable,
        loaded=measured.loaded,
        foreign_cores=measured.foreign_cores,
        high_latency=measured.high_latency,
        core_latency_ns=measured.core_latency_ns,
        machine=measured.machine,
        layers_missing=measured.layers_missing,
        # `missing` in the facts has the reasons for unknown ones.
        machine_facts={name: value for name, value in facts.items() if value is not None},
        versions=measured.versions,
        tensorflow_called=measured.tensorflow.way,
        openvino_called=measured.openvino.way,
        ways=measured.ways,
        by_default=measured.by_default,
        ways_missing=measured.ways_missing,
        executed=measured.executed,
        layers=measured.layers,
        tensorflow_in_flight=measured.tensorflow.in_flight,
        openvino_in_flight=measured.openvino.in_flight,
        tensorflow_quantiles_us=measured.tensorflow.quantiles_us,
        openvino_quantiles_us=measured.openvino.quantiles_us,
        tensorflow_energy=measured.tensorflow.energy,
        openvino_energy=measured.openvino.energy,
    )


def _elsewhere(found: Measured | str) -> MeasuredElsewhere | NotMeasuredElsewhere:
    """Return the measurement on another device, or why there is none."""
    if isinstance(found, str):
        return NotMeasuredElsewhere(not_available=found)
    return MeasuredElsewhere(
        speedup=found.speedup,
        latency_median_us=found.openvino.latency_median_us,
        latency_p95_us=found.openvino.latency_p95_us,
        throughput_per_second=found.openvino.throughput_per_second,
        measured=_circumstances(found),
    )


def _search(found: Searched) -> ReportedSearch:
    search = found.search
    return ReportedSearch(**{one.name: getattr(search, one.name) for one in fields(search)}, text=found.text)


def _missing(row: Row) -> dict[str, str]:
    report = row.report
    missing = {path: figure.reason for path, figure in row.figures.items() if figure.value is None}
    if report.place is None:
        missing["place"] = why(report, "ir")
    if report.evaluation is None:
        missing |= dict.fromkeys(EVALUATED, why(report, "evaluation"))
    elif report.evaluation.metric is None:
        missing |= dict.fromkeys(OF_METRIC, UNLABELLED)
    elif report.evaluation.interval is None:
        missing |= dict.fromkeys(("drop_interval", "score_intervals"), NO_INTERVAL)
    if report.measurement is None:
        missing["measured"] = why(report, "measurement")
    else:
        missing |= {
            f"measured.{name}": reason for name, reason in UNKNOWN.items() if getattr(report.measurement, name) is None
        }
    if "speed-check" in report.missing:
        missing["speed_check"] = why(report, "speed-check")
    return missing
