"""Charts of a model as Vega-Lite specifications, drawn as inline SVG.

    charts_of(section) -> tuple[Chart, ...]     pure: titles, captions, descriptions and specifications
    draw(chart) -> str                          an <svg>; the first takes a third of a second, each further one 25 ms

Vega draws without a browser (`vl-convert`), so charts need no JavaScript and can be printed. Colours are variables of
the page (`var(--accent)`), so charts follow light and dark. Every mark has its figures as `aria-label`, and as <title>,
which browsers show under the pointer.

Rule: names come from users. They are data of a specification and never part of an expression. Long names are cut in
labels, and shown whole under the pointer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ovmake.commands.report import words
from ovmake.commands.report.facts.measurement import Measured
from ovmake.commands.report.tables import Row, Section
from ovmake.contracts.files.measurement import SideFigures

# Wide enough to read, narrow enough for a phone of 390 px with the page's margins.
PLOT = 250
LABELS = 84
MOST_LAYERS = 8
# The names of points that are closer, as a share of the chart, would overlap.
CLOSE = 0.04
TENSORFLOW = "TensorFlow"
QUARTILES = (5, 25, 50, 75, 95)

ACCENT, REFERENCE, INK, QUIET, RULE = (f"var(--{name})" for name in ("accent", "reference", "ink", "quiet", "rule"))

Datum = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart: title, caption, a description for screen readers, and specification."""

    title: str
    caption: str
    description: str
    specification: Mapping[str, Any]


def charts_of(section: Section) -> tuple[Chart, ...]:
    """Return the charts of a model that have figures."""
    measured = [(row, row.report.measurement) for row in section.rows if row.report.measurement is not None]
    best = section.best or (measured[0][0] if measured else None)
    found = (_front(section), _latencies(measured), _memory(measured), _layers(best))
    return tuple(chart for chart in found if chart is not None)


def draw(chart: Chart) -> str:
    """Return the chart as an SVG element, without a namespace and without an id."""
    # 80 MB: only loaded for a report.
    import vl_convert  # noqa: PLC0415

    svg = vl_convert.vegalite_to_svg(dict(chart.specification))
    svg = re.sub(r' xmlns(:xlink)?="[^"]*"| version="[^"]*"', "", svg, count=3)
    svg = svg.replace("<svg ", '<svg aria-hidden="true" ', 1)
    return _titled(svg)


def _titled(svg: str) -> str:
    """Give every labelled mark a <title>: browsers show it under the pointer, without a script."""
    return re.sub(
        r'<(path|line|text)((?:\s[a-z-]+="[^"]*")*?) aria-label="([^"]*)"((?:\s[a-z-]+="[^"]*")*)\s*/>',
        r'<\1\2 data-figures="\3"\4><title>\3</title></\1>',
        svg,
    )


# ----------------------------------------------------------------------------------------------------------------------
# what is drawn


def _front(section: Section) -> Chart | None:
    """Accuracy against speed, with the Pareto front."""
    points = [_point(row) for row in section.rows]
    known = [point for point in points if point is not None]
    if not known:
        return None
    reference = known[0]["reference"]
    unit = str(known[0]["unit"])
    start = {"name": TENSORFLOW, "x": 1.0, "low": 1.0, "high": 1.0, "y": reference, "tensorflow": True}
    start["tip"] = f"{TENSORFLOW}: {words.score(unit, float(str(reference)))}"
    scale = 100 if unit == words.SHARE else 1
    better = bool(known[0]["higher"])
    values: list[dict[str, Any]] = [{**point, "y": point["y"] * scale} for point in (start, *known)]
    front = sorted(_unbeaten(values, better=better), key=lambda point: point["x"])
    metric = section.rows[0].metric
    axis = f"{metric}, %" if scale != 1 else metric
    y = {"field": "y", "type": "quantitative", "title": axis, "scale": {"zero": False, "padding": 14}}
    x = {"field": "x", "type": "quantitative", "title": "times as fast as TensorFlow", "scale": {"padding": 14}}
    return Chart(
        title="Accuracy and speed",
        caption="The dashed line joins the points that no other point beats in both. The line through a point is the "
        f"range of its speed-up. {'Higher' if better else 'Lower'} {metric} is better.",
        description=". ".join(str(point["tip"]) for point in values),
        specification=_specification(
            PLOT - 40,
            {"height": 190},
            [
                _layer(
                    {
                        "type": "line",
                        "interpolate": "step-before" if better else "step-after",
                        "color": QUIET,
                        "strokeDash": [3, 3],
                    },
                    {"x": x, "y": y},
                    front,
                ),
                _layer(
                    {"type": "rule", "color": QUIET},
                    {"x": {**x, "field": "low"}, "x2": {"field": "high"}, "y": y},
                    values,
                ),
                _layer(
                    {"type": "point", "filled": True, "size": 90, "opacity": 1},
                    {"x": x, "y": y, "color": _by_side(), "description": {"field": "tip"}},
                    values,
                ),
                _layer(
                    {"type": "text", "dy": -12, "color": INK, "limit": 90},
                    {"x": x, "y": y, "text": {"field": "name"}},
                    _named_together(values),
                ),
            ],
        ),
    )


def _point(row: Row) -> dict[str, Any] | None:
    measured, evaluated = row.report.measurement, row.report.evaluation
    score = row.figures[f"openvino.{row.metric}"].value
    reference = row.figures[f"tensorflow.{row.metric}"].value
    if measured is None or evaluated is None or score is None or reference is None:
        return None
    score_text = row.figures[f"openvino.{row.metric}"].text
    return {
        "name": row.report.precision,
        "x": measured.speedup.median,
        "low": measured.speedup.low,
        "high": measured.speedup.high,
        "y": score,
        "reference": reference,
        "unit": evaluated.unit,
        "higher": evaluated.higher_is_better,
        "tip": f"{row.report.name}: {_speedup(measured)}, {score_text}",
    }


def _unbeaten(points: Sequence[dict[str, Any]], *, better: bool) -> list[dict[str, Any]]:
    """Return the Pareto front: the points that no other equals in both and beats in one."""
    sign = 1 if better else -1

    def beats(one: dict[str, Any], other: dict[str, Any]) -> bool:
        ahead = (one["x"] - other["x"], sign * (one["y"] - other["y"]))
        return bool(min(ahead) >= 0 and max(ahead) > 0)

    return [point for point in points if not any(beats(other, point) for other in points)]


def _named_together(points: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the points; overlapping ones, such as `auto` and the precision it chose, get one joint name."""
    left, least = max(point["high"] for point in points), max(abs(point["y"]) for point in points)
    found: list[dict[str, Any]] = []
    for point in points:
        near = [
            one
            for one in found
            if abs(one["x"] - point["x"]) < CLOSE * left and abs(one["y"] - point["y"]) < CLOSE * CLOSE * least
        ]
        if near:
            near[0]["name"] += f", {point['name']}"
        else:
            found.append(dict(point))
    return found


def _speedup(measured: Measured) -> str:
    held = ", ".join(
        (f"{words.ratio(measured.speedup.low)} to {words.times(measured.speedup.high)}", *words.doubts(measured))
    )
    return f"{words.times(measured.speedup.median)} as fast as TensorFlow ({held})"


def _latencies(measured: Sequence[tuple[Row, Measured]]) -> Chart | None:
    """The distribution of inference times."""
    sides = [(name, side, unit) for name, side, unit in _by_row(measured) if side.quantiles_us]
    if not sides:
        return None
    unit = words.unit_for(min(side.latency_median_us for _, side, _ in sides))
    values = [_spread(name, side, unit) for name, side, _ in sides]
    x = {"type": "quantitative", "scale": {"type": "log", "nice": False}, "title": f"time per inference, {unit}"}
    return Chart(
        title="Latency",
        caption="The bar covers half of all inferences, the line nine in ten. The mark is the median. The scale is "
        "logarithmic. Shorter is better.",
        description=". ".join(str(value["tip"]) for value in values),
        specification=_specification(
            PLOT,
            {"height": {"step": 34}},
            [
                _layer(
                    {"type": "rule", "color": QUIET},
                    {"x": {**x, "field": "p5"}, "x2": {"field": "p95"}, "y": _rows()},
                    values,
                ),
                _layer(
                    {"type": "bar", "height": 12},
                    {
                        "x": {**x, "field": "p25"},
                        "x2": {"field": "p75"},
                        "y": _rows(),
                        "color": _by_side(),
                        "description": {"field": "tip"},
                    },
                    values,
                ),
                _layer(
                    {"type": "tick", "thickness": 2, "size": 20, "color": INK},
                    {"x": {**x, "field": "p50"}, "y": _rows(), "description": {"field": "tip"}},
                    values,
                ),
            ],
        ),
    )


def _spread(name: str, side: SideFigures, unit: str) -> dict[str, Any]:
    scale = words.UNITS_US[unit]
    at = {f"p{percent}": max(side.quantiles_us[percent] / scale, 1e-9) for percent in QUARTILES}
    low, high = words.duration(side.quantiles_us[5], unit), words.duration(side.quantiles_us[95], unit)
    tip = f"{name}: median {words.duration(side.latency_median_us, unit)}, nine in ten {low} to {high}"
    return {"row": name, "tensorflow": name == TENSORFLOW, "tip": tip, **at}


def _memory(measured: Sequence[tuple[Row, Measured]]) -> Chart | None:
    """The memory of a process with the model, and the part that importing the framework takes."""
    values: list[dict[str, Any]] = []
    for name, side, _ in _by_row(measured):
        if side.peak_memory_bytes is None or side.import_memory_bytes is None:
            continue
        alone = min(side.import_memory_bytes, side.peak_memory_bytes)
        tip = f"{name}: {words.size(side.peak_memory_bytes)}, of which the import alone {words.size(alone)}"
        parts = {"the import alone": alone, "loading and running": side.peak_memory_bytes - alone}
        values += [
            {"row": name, "part": part, "mb": size / 1e6, "tensorflow": name == TENSORFLOW, "tip": tip}
            for part, size in parts.items()
        ]
    if not values:
        return None
    return Chart(
        title="Peak memory",
        caption="Of a new process that loads the model and runs it. The pale part is for importing the framework.",
        description=". ".join(dict.fromkeys(str(value["tip"]) for value in values)),
        specification=_specification(
            PLOT,
            {"height": {"step": 26}},
            [
                _layer(
                    {"type": "bar", "height": 12},
                    {
                        "x": {"field": "mb", "type": "quantitative", "title": "MB"},
                        "y": _rows(),
                        "color": _by_side(),
                        "opacity": {
                            "condition": {"test": "datum.part == 'the import alone'", "value": 0.45},
                            "value": 1,
                        },
                        "order": {"field": "part", "sort": "descending"},
                        "description": {"field": "tip"},
                    },
                    values,
                ),
            ],
        ),
    )


def _layers(row: Row | None) -> Chart | None:
    """The slowest layers of one target."""
    measured = row.report.measurement if row else None
    if row is None or measured is None or not measured.layers:
        return None
    total = sum(layer.us for layer in measured.layers) or 1.0
    slowest = sorted(measured.layers, key=lambda layer: -layer.us)[:MOST_LAYERS]
    values = [
        {
            # Layers may share a name, so the number makes each row unique.
            "row": f"{place} {layer.name}",
            "us": layer.us,
            "moves": layer.moves,
            "tip": f"{layer.name} ({layer.type}, {words.precision(layer.precision)}): "
            f"{words.duration(layer.us, 'µs')}, {words.part(layer.us / total)} of all layers",
        }
        for place, layer in enumerate(slowest, 1)
    ]
    rows = _rows()
    rows["axis"] = {**rows["axis"], "labelLimit": 130}
    return Chart(
        title=f"Slowest layers of {row.report.precision}",
        caption=f"{len(slowest)} of {len(measured.layers)} layers as the runtime executes them. Profiling adds to each "
        "time. Grey layers compute nothing: they move or convert data.",
        description=". ".join(str(value["tip"]) for value in values),
        specification=_specification(
            PLOT - 60,
            {"height": {"step": 22}},
            [
                _layer(
                    {"type": "bar", "height": 11},
                    {
                        "x": {"field": "us", "type": "quantitative", "title": "µs per inference"},
                        "y": rows,
                        "color": {"condition": {"test": "datum.moves", "value": REFERENCE}, "value": ACCENT},
                        "description": {"field": "tip"},
                    },
                    values,
                ),
            ],
        ),
    )


# ----------------------------------------------------------------------------------------------------------------------
# the parts of specifications


def _by_row(measured: Sequence[tuple[Row, Measured]]) -> list[tuple[str, SideFigures, str]]:
    """Return TensorFlow as measured with the first target, and the IR of every target."""
    if not measured:
        return []
    first = [(TENSORFLOW, measured[0][1].tensorflow, "")]
    return first + [(row.report.precision, one.openvino, "") for row, one in measured]


def _rows() -> dict[str, Any]:
    axis = {"labelLimit": LABELS, "domain": False, "ticks": False, "labelPadding": 6}
    return {"field": "row", "type": "nominal", "sort": None, "title": None, "axis": axis}


def _by_side() -> dict[str, Any]:
    return {"condition": {"test": "datum.tensorflow", "value": REFERENCE}, "value": ACCENT}


def _layer(mark: Mapping[str, Any], encoding: Mapping[str, Any], values: Sequence[Datum]) -> dict[str, Any]:
    # A mark without figures is an ornament.
    described = "description" in encoding
    return {"mark": {**mark, "aria": described}, "encoding": encoding, "data": {"values": list(values)}}


def _specification(width: int, height: Mapping[str, Any], layers: Sequence[Datum]) -> dict[str, Any]:
    axis = {
        "labelColor": QUIET,
        "titleColor": QUIET,
        "gridColor": RULE,
        "domainColor": RULE,
        "tickColor": RULE,
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
        "tickCount": 4,
        "aria": False,
    }
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": width,
        **height,
        "background": None,
        "padding": 2,
        "layer": list(layers),
        "resolve": {"scale": {"color": "independent"}},
        "config": {
            "font": "inherit",
            "axis": axis,
            "view": {"stroke": None},
            "text": {"fontSize": 11},
            "legend": {"disable": True},
        },
    }
