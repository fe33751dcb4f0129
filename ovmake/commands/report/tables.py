"""Build the page: every figure with its text, a verdict per target, the best target of each model. Pure.

    build_page(reports, title=...) -> Page
    verdicts(page) -> tuple[str, ...]    a line per target

Rule 1: HTML, JSON and the terminal show these figures. None of them computes a figure.
Rule 2: a figure without a value has a reason. It is never 0 and never blank.

The name of a figure is its path in report.json: `openvino.latency_median_us`.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ovmake.commands.report import names, words
from ovmake.commands.report.advice import Advice, advice_for
from ovmake.commands.report.facts.measurement import Measured
from ovmake.commands.report.facts.records import TargetReport
from ovmake.commands.report.figures import (
    SIDES,
    CandidateRow,
    Figure,
    candidate_row,
    figures_of,
    speed_figure,
)
from ovmake.commands.report.searched import Searched, searched
from ovmake.commands.report.words import why
from ovmake.contracts.files.report import History

# The figures in a model's table: of each framework, and of both together. The details show all figures.
SHOWN = ("latency_median_us", "latency_p95_us", "throughput_per_second", "peak_memory_bytes", "operations")
SHOWN_ONCE = ("speedup.median", "drop", "max_abs_difference", "openvino.size_bytes")
# With more models, a page with all details would be too long to open.
MOST_MODELS = 40
UNTITLED = "OpenVINO compared with TensorFlow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A figure of both frameworks, with its name in words."""

    name: str
    tensorflow: Figure
    openvino: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A target with its figures and its verdict."""

    report: TargetReport
    figures: Mapping[str, Figure]
    verdict: str

    @property
    def metric(self) -> str:
        """The name of the scores in `figures`."""
        return words.metric_of(self.report)

    @property
    def interval(self) -> str:
        """The interval of the drop, in its unit; "" if unknown."""
        evaluated = self.report.evaluation
        if evaluated is None or evaluated.interval is None:
            return ""
        return words.interval_in(evaluated.unit, *evaluated.interval)

    def score_interval(self, side: str) -> str:
        """The interval of a framework's score, in its unit; "" if unknown."""
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
        """Whether the notes show the gate's figures: the result is not simply "passed"."""
        return self.report.gate != "passed" or not self.report.decided or bool(self.report.at_chance)

    @property
    def doubts(self) -> tuple[str, ...]:
        """Labels that say why the speed-up is not reliable: "unstable", "loaded", "high core latency"."""
        return words.doubts(self.report.measurement) if self.report.measurement is not None else ()

    @property
    def candidates(self) -> tuple[CandidateRow, ...]:
        """The candidates of `auto`; empty for other targets."""
        weighing, evaluated = self.report.choice, self.report.evaluation
        unit = evaluated.unit if evaluated else ""
        return () if weighing is None else tuple(candidate_row(unit, one) for one in weighing.candidates)

    @property
    def searched(self) -> Searched | None:
        """The search of accuracy control in words; None without one."""
        return searched(self.report)

    @property
    def speed_check(self) -> Figure | None:
        """The speed of an INT8 IR relative to the FP32 IR; None if it is not checked."""
        check = self.report.speed_check
        if check is None and "speed-check" not in self.report.missing:
            return None
        unmeasured = "too few inferences fit into the time" if check else why(self.report, "speed-check")
        return speed_figure(check.speed if check else None, unmeasured)

    @property
    def again(self) -> str:
        """The shell command that measures this target again."""
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
        """The figures that exist once per target, with their names in words; a ratio with its range."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A model and its targets.

    `best` is the fastest of the measured targets that pass their gate. `rivals` are those of them whose range overlaps
    the range of `best`, so either may be faster. `notes` are the reasons that the model's table refers to by number.
    `advice` says what to do next.
    """

    model: str
    rows: tuple[Row, ...]
    best: Row | None
    rivals: tuple[str, ...]
    notes: tuple[str, ...]
    advice: tuple[Advice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The report. `rows` are in the order of the Ovfile; `history` compares with an earlier report."""

    title: str
    rows: tuple[Row, ...]
    sections: tuple[Section, ...]
    history: History | None = None

    @property
    def is_long(self) -> bool:
        """Whether there are too many models to show all details."""
        return len(self.sections) > MOST_MODELS

    @property
    def machine(self) -> tuple[tuple[str, str], ...]:
        """A name and a text for each known fact about the machine; empty if nothing was measured."""
        measured = next((row.report.measurement for row in self.rows if row.report.measurement is not None), None)
        return () if measured is None else names.machine(measured)

    @property
    def machines(self) -> tuple[str, ...]:
        """The machines of the measurements: one, or none if no measurement names it."""
        measured = (row.report.measurement for row in self.rows)
        return tuple(dict.fromkeys(one.machine for one in measured if one is not None and one.machine))


def build_page(reports: Sequence[TargetReport], *, title: str) -> Page:
    """Return the page for the targets."""
    of_model: dict[str, list[TargetReport]] = {}
    for report in reports:
        of_model.setdefault(report.model, []).append(report)
    # Each variant of a model is a section; its advice compares it with the model's other variants.
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
    """Return one unit for all times of a model: 1.2 ms and 640 µs are hard to compare."""
    measured = [report.measurement for report in reports if report.measurement is not None]
    sides = [side for one in measured for side in (one.tensorflow, one.openvino)]
    return words.unit_for(min((side.latency_median_us for side in sides), default=0))


def _rivals(contenders: Mapping[str, Measured], best: str) -> tuple[str, ...]:
    # `auto` and the precision that it chose are one IR with one measurement.
    others = {name: one for name, one in contenders.items() if one != contenders[best]}
    return tuple(name for name, one in others.items() if one.speedup.high >= contenders[best].speedup.low)


def _notes(rows: Sequence[Row]) -> tuple[str, ...]:
    """Return each reason once, in the reading order of the table."""
    reasons: list[str] = []
    for row in rows:
        sides = [f"{side}.{name}" for side in SIDES for name in (*SHOWN, row.metric)]
        reasons += [row.figures[path].reason for path in (*sides, *SHOWN_ONCE)]
        if row.noted:
            reasons.append(row.report.gate_text)
    return tuple(dict.fromkeys(filter(None, reasons)))
