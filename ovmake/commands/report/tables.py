"""What the report says: every figure with its words, a verdict per target, the best target of each model. Pure.

    build_page(reports, title=...) -> Page
    page.to_json() -> dict               the content of report.json
    verdicts(page) -> tuple[str, ...]    a line per target

Rule 1: HTML, JSON and the terminal show what stands here; none of them computes a figure of its own.
Rule 2: a figure without a value has a reason instead. It is never 0 and never blank.

A figure goes by its path in report.json: `openvino.latency_median_us`.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from ovmake.commands.report import names, words
from ovmake.commands.report.advice import Advice, advice_for
from ovmake.commands.report.facts.history import History
from ovmake.commands.report.facts.measurement import Measured
from ovmake.commands.report.facts.records import Evaluation, TargetReport
from ovmake.commands.report.figures import (
    NO_INTERVAL,
    SIDES,
    UNLABELLED,
    CandidateRow,
    Figure,
    candidate_row,
    figures_of,
    sides_of,
    speed_figure,
)
from ovmake.commands.report.searched import Searched, searched
from ovmake.commands.report.words import why
from ovmake.contracts.codec import facts_of
from ovmake.contracts.speed import SpeedRatio
from ovmake.contracts.verdict import DefaultVerdict

FORMAT = 2
# What is not known of a measurement, and why.
UNKNOWN = {
    "foreign_cores": "this system does not tell what others use of the processor",
    "apart_ns": "this system does not tell which cores share a cache, or there is one core only",
}
# A name, and no address: nothing is fetched for it. `ovmake report --schema` prints it.
SCHEMA = "ovmake-report.schema.json"
# What an evaluation gives beside the figures.
OF_METRIC = ("metric", "unit", "higher_is_better", "drop_interval", "score_intervals")
EVALUATED = (*OF_METRIC, "samples", "differences", "executed", "layers", "weights")
# The figures in the table of a model, of both frameworks and of the two together; all others are in the details.
SHOWN = ("latency_median_us", "latency_p95_us", "throughput_per_second", "peak_memory_bytes", "operations")
SHOWN_ONCE = ("speedup.median", "drop", "max_abs_difference", "openvino.size_bytes")
# With more models than these, a page that says all about each would be too long to open.
MOST_MODELS = 40
UNTITLED = "OpenVINO beside TensorFlow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A figure of both frameworks, by its name in words."""

    name: str
    tensorflow: Figure
    openvino: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A target with everything that is said of it."""

    report: TargetReport
    figures: Mapping[str, Figure]
    verdict: str

    @property
    def metric(self) -> str:
        """The name that the scores go by in `figures`."""
        return words.metric_of(self.report)

    @property
    def interval(self) -> str:
        """Where the drop lies, in the unit of the drop; "" where that is not known."""
        evaluated = self.report.evaluation
        if evaluated is None or evaluated.interval is None:
            return ""
        return words.interval_in(evaluated.unit, *evaluated.interval)

    def score_interval(self, side: str) -> str:
        """Where a framework's score lies, in the unit of the score; "" where that is not known."""
        evaluated = self.report.evaluation
        if evaluated is None or evaluated.score_intervals is None:
            return ""
        low, high = evaluated.score_intervals[side]
        return f"{words.score(evaluated.unit, low).removesuffix(' %')} to {words.score(evaluated.unit, high)}"

    @property
    def counted(self) -> str:
        """How to read the metric; "" without one."""
        evaluated = self.report.evaluation
        if evaluated is None or evaluated.metric is None:
            return ""
        return words.counted_in(evaluated.unit, higher_is_better=evaluated.higher_is_better)

    @property
    def noted(self) -> bool:
        """Whether the gate's figures stand among the notes: all is not as a plain "passed" would say."""
        return self.report.gate != "passed" or not self.report.decided or bool(self.report.at_chance)

    @property
    def doubts(self) -> tuple[str, ...]:
        """Labels of a speed-up that is not to be relied on: "unstable", "loaded", "cores apart"."""
        return words.doubts(self.report.measurement) if self.report.measurement is not None else ()

    @property
    def candidates(self) -> tuple[CandidateRow, ...]:
        """What `auto` weighed; nothing for other targets."""
        weighing, evaluated = self.report.choice, self.report.evaluation
        unit = evaluated.unit if evaluated else ""
        return () if weighing is None else tuple(candidate_row(unit, one) for one in weighing.candidates)

    @property
    def searched(self) -> Searched | None:
        """What accuracy control did; None for targets without."""
        return searched(self.report)

    @property
    def speed_check(self) -> Figure | None:
        """How fast an INT8 IR is beside the FP32 one; None where that is not checked."""
        check = self.report.speed_check
        if check is None and "speed-check" not in self.report.missing:
            return None
        unmeasured = "too few inferences fit into the time" if check else why(self.report, "speed-check")
        return speed_figure(check.speed if check else None, unmeasured)

    @property
    def again(self) -> str:
        """The command that measures this target again, for a shell."""
        return f"ovmake report --force {shlex.quote(self.report.name)}"

    @property
    def compared(self) -> tuple[Compared, ...]:
        """All figures that both frameworks have."""
        keys = [path.removeprefix("tensorflow.") for path in self.figures if path.startswith("tensorflow.")]
        return tuple(
            Compared(
                name=names.figure_name(key),
                tensorflow=self.figures[f"tensorflow.{key}"],
                openvino=self.figures[f"openvino.{key}"],
            )
            for key in keys
        )

    @property
    def single(self) -> tuple[tuple[str, Figure], ...]:
        """The figures that are not one of each framework, by their names in words; a ratio with its range."""
        both = {path for path in self.figures if path.startswith("tensorflow.")}
        both |= {path.replace("tensorflow.", "openvino.", 1) for path in both}
        ends = (".low", ".high")
        alone = [path for path in self.figures if path not in both and not path.endswith(ends)]
        return tuple((names.figure_name(path), self._with_range(path)) for path in alone)

    def _with_range(self, path: str) -> Figure:
        figure, stem = self.figures[path], path.removesuffix(".median")
        if stem == path or figure.value is None:
            return figure
        low, high = (self.figures[f"{stem}.{end}"].text for end in ("low", "high"))
        return replace(figure, text=f"{figure.text} ({low} to {high})")

    def to_json(self) -> dict[str, Any]:
        """Return the target's part of report.json: null where there is no figure, and the reason in `missing`."""
        report, evaluated = self.report, self.report.evaluation
        return {
            "target": report.name,
            "model": report.model,
            "precision": report.precision,
            "status": report.status,
            "verdict": self.verdict,
            "gate": {
                "result": report.gate,
                "text": report.gate_text,
                "decided": report.decided,
                "at_chance": bool(report.at_chance),
                **_by_default(report.by_default),
            },
            **({"compile": report.compiled} if report.compiled else {}),
            "place": report.place,
            "metric": evaluated.metric if evaluated else None,
            "unit": evaluated.unit if evaluated and evaluated.metric else None,
            "higher_is_better": evaluated.higher_is_better if evaluated and evaluated.metric else None,
            **self._nested(),
            "drop_interval": _interval(evaluated) if evaluated else None,
            "score_intervals": _score_intervals(evaluated) if evaluated else None,
            "samples": evaluated.samples if evaluated else None,
            "differences": _differences(evaluated) if evaluated else None,
            "executed": dict(evaluated.executed) if evaluated else None,
            "layers": [asdict(layer) for layer in evaluated.layers] if evaluated else None,
            "weights": dict(evaluated.weights) if evaluated else None,
            "measured": _circumstances(report.measurement) if report.measurement else None,
            **({"auto": facts_of(report.choice)} if report.choice else {}),
            **({"accuracy_control": self.searched.to_json()} if self.searched else {}),
            **({"speed_check": facts_of(report.speed_check)} if report.speed_check else {}),
            **({"speed_check": None} if "speed-check" in report.missing else {}),
            "requirements": [asdict(one) for one in report.requirements],
            "devices": {name: _elsewhere(one) for name, one in report.devices.items()},
            "options": dict(report.options),
            "versions": dict(report.versions),
            "digests": dict(report.digests),
            "missing": self._missing(),
        }

    def _nested(self) -> dict[str, Any]:
        nested: dict[str, Any] = {}
        for path, figure in self.figures.items():
            # A metric may have a dot of its own: `tensorflow.metrics.py:recall`.
            group, dot, name = path.partition(".")
            (nested.setdefault(group, {}) if dot else nested)[name or group] = figure.value
        return nested

    def _missing(self) -> dict[str, str]:
        report = self.report
        missing = {path: figure.reason for path, figure in self.figures.items() if figure.value is None}
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
                f"measured.{name}": reason
                for name, reason in UNKNOWN.items()
                if getattr(report.measurement, name) is None
            }
        if "speed-check" in report.missing:
            missing["speed_check"] = why(report, "speed-check")
        return missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A model and its targets.

    `best` is the fastest of the measured targets that keep their gate. `rivals` are those among them whose range meets
    the best one's, so that which of them is faster is open. `notes` are the reasons that the model's table refers to by
    number; `advice` says what to do next.
    """

    model: str
    rows: tuple[Row, ...]
    best: Row | None
    rivals: tuple[str, ...]
    notes: tuple[str, ...]
    advice: tuple[Advice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The whole report. `rows` are in the order of the Ovfile; `history` compares it with an earlier one."""

    title: str
    rows: tuple[Row, ...]
    sections: tuple[Section, ...]
    history: History | None = None

    @property
    def is_long(self) -> bool:
        """Whether there are too many models for a page that says all about each."""
        return len(self.sections) > MOST_MODELS

    @property
    def machine(self) -> tuple[tuple[str, str], ...]:
        """What is known of the machine: a name and words for each fact. Nothing, where nothing was measured."""
        measured = next((row.report.measurement for row in self.rows if row.report.measurement is not None), None)
        return () if measured is None else names.machine(measured)

    @property
    def machines(self) -> tuple[str, ...]:
        """The machines that figures come from: one, unless a measurement did not say."""
        measured = (row.report.measurement for row in self.rows)
        return tuple(dict.fromkeys(one.machine for one in measured if one is not None and one.machine))

    def to_json(self) -> dict[str, Any]:
        """Return the content of report.json: plain numbers, units in their names."""
        return {
            "$schema": SCHEMA,
            "format": FORMAT,
            "title": self.title,
            "targets": [row.to_json() for row in self.rows],
            "advice": [{"model": section.model, **asdict(one)} for section in self.sections for one in section.advice],
            "against": self.history.to_json() if self.history else None,
        }


def build_page(reports: Sequence[TargetReport], *, title: str) -> Page:
    """Return what the report says of the targets."""
    of_model: dict[str, list[TargetReport]] = {}
    for report in reports:
        of_model.setdefault(report.model, []).append(report)
    # Variants of a model are sections of their own, and tell about each other.
    families: dict[str, list[TargetReport]] = {}
    for report in reports:
        families.setdefault(_family(report.model), []).append(report)
    sections = tuple(
        _section(model, members, [one for one in families[_family(model)] if one.model != model])
        for model, members in of_model.items()
    )
    rows = {row.report.name: row for section in sections for row in section.rows}
    return Page(title=title or UNTITLED, rows=tuple(rows[report.name] for report in reports), sections=sections)


def verdicts(page: Page) -> tuple[str, ...]:
    """Return a verdict in words per target, in the order of the Ovfile."""
    return tuple(row.verdict for row in page.rows)


# ----------------------------------------------------------------------------------------------------------------------
# models


def _family(model: str) -> str:
    return model.partition("@")[0]


def _section(model: str, reports: Sequence[TargetReport], beside: Sequence[TargetReport]) -> Section:
    unit = _common_unit(reports)
    rows = tuple(Row(report=one, figures=figures_of(one, unit), verdict=words.verdict(one)) for one in reports)
    contenders = {
        row.report.name: row.report.measurement
        for row in rows
        if row.report.gate == "passed" and row.report.measurement is not None
    }
    best = max(contenders, key=lambda name: contenders[name].speedup.median, default=None)
    return Section(
        model=model,
        rows=rows,
        best=next((row for row in rows if row.report.name == best), None),
        rivals=_rivals(contenders, best) if best else (),
        notes=_notes(rows),
        advice=advice_for(reports, beside=beside),
    )


def _common_unit(reports: Sequence[TargetReport]) -> str:
    """Return one unit for all times of a model: whoever compares 1.2 ms with 640 µs misreads one."""
    measured = [report.measurement for report in reports if report.measurement is not None]
    sides = [side for one in measured for side in (one.tensorflow, one.openvino)]
    return words.unit_for(min((side.latency_median_us for side in sides), default=0))


def _rivals(contenders: Mapping[str, Measured], best: str) -> tuple[str, ...]:
    # Of one IR under two names (`auto` and what it chose) there is one measurement.
    others = {name: one for name, one in contenders.items() if one != contenders[best]}
    return tuple(name for name, one in others.items() if one.speedup.high >= contenders[best].speedup.low)


def _notes(rows: Sequence[Row]) -> tuple[str, ...]:
    """Return each reason once, in the order in which a reader of the table meets it."""
    reasons: list[str] = []
    for row in rows:
        sides = [f"{side}.{name}" for side in SIDES for name in (*SHOWN, row.metric)]
        reasons += [row.figures[path].reason for path in (*sides, *SHOWN_ONCE)]
        if row.noted:
            reasons.append(row.report.gate_text)
    return tuple(dict.fromkeys(filter(None, reasons)))


def _interval(evaluated: Evaluation) -> dict[str, float | None] | None:
    if evaluated.interval is None:
        return None
    low, high = evaluated.interval
    return {"low": low, "high": high, "level": evaluated.level}


def _score_intervals(evaluated: Evaluation) -> dict[str, dict[str, float | None]] | None:
    if evaluated.score_intervals is None:
        return None
    ends = evaluated.score_intervals.items()
    return {name: {"low": low, "high": high, "level": evaluated.level} for name, (low, high) in ends}


def _differences(evaluated: Evaluation) -> list[dict[str, Any]]:
    """Return the differences per output; JSON has no word for a figure that overflowed, so it is null."""
    return [
        {name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in one.items()}
        for one in map(asdict, evaluated.differences)
    ]


def _by_default(found: DefaultVerdict | None) -> dict[str, Any]:
    """Return what the gate says of the IR compiled without properties, where that executes something else."""
    if found is None:
        return {}
    needs = {"needs": found.needs} if found.needs else {}
    told = {"precision": found.precision, "result": found.verdict.result, "text": found.verdict.text}
    return {"by_default": {**told, **needs}}


def _circumstances(measured: Measured) -> dict[str, Any]:
    """Return how a measurement came about, and what there is no figure of."""
    plain = ("pairs", "quiet_pairs", "windows", "seconds", "batch", "threads", "inputs", "device", "level")
    more = ("unstable", "loaded", "foreign_cores", "apart", "apart_ns", "machine", "layers_missing")
    return {
        **{name: getattr(measured, name) for name in (*plain, *more)},
        # What is not known of the machine has its reasons there.
        "machine_facts": {name: value for name, value in facts_of(measured.machine_facts).items() if value is not None},
        "versions": dict(measured.versions),
        "tensorflow_called": measured.tensorflow.way,
        "openvino_called": measured.openvino.way,
        "ways": [{**asdict(way), "speedup": _ratio(way.speedup)} for way in measured.ways],
        **({"by_default": asdict(measured.by_default)} if measured.by_default else {}),
        "ways_missing": dict(measured.ways_missing),
        "executed": dict(measured.executed),
        "layers": [asdict(layer) for layer in measured.layers],
        **{f"{name}_in_flight": side.in_flight for name, side in sides_of(measured).items()},
        **{f"{name}_quantiles_us": list(side.quantiles_us) for name, side in sides_of(measured).items()},
        **{f"{name}_energy": facts_of(side.energy) if side.energy else {} for name, side in sides_of(measured).items()},
    }


def _elsewhere(found: Measured | str) -> dict[str, Any]:
    """Return what was measured on another device, or why nothing was."""
    if isinstance(found, str):
        return {"not_available": found}
    keys = ("latency_median_us", "latency_p95_us", "throughput_per_second")
    return {
        "speedup": asdict(found.speedup),
        **{key: getattr(found.openvino, key) for key in keys},
        "measured": _circumstances(found),
    }


def _ratio(ratio: SpeedRatio | None) -> dict[str, float] | None:
    return None if ratio is None else asdict(ratio)
