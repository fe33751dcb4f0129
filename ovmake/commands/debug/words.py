"""Findings as text, and as public JSON. Pure.

lines(findings, everything=False) -> list of lines
to_json(findings) -> dict                              versioned: keys are added, never renamed
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ovmake.commands.debug.findings import FORMAT, ComparedLayer, Figures, Findings, Tolerance
from ovmake.diagnostics import harmless

SHOWN = 10
_COLUMNS = ("layer", "operation", "shape", "SNR", "own SNR", "max abs")
_LEFT = 3  # columns that hold words
_WIDEST = 40


def lines(findings: Findings, *, everything: bool = False) -> list[str]:
    """Return the answer, the worst layers (or all, in the order of computation), and the number of matched layers."""
    chosen = list(findings.layers) if everything else findings.worst()[:SHOWN]
    table = _table([list(_COLUMNS), *(_row(findings, layer) for layer in chosen)])
    noun = "sample" if findings.samples == 1 else "samples"
    heading = "all layers, in the order of computation" if everything else "the worst layers"
    shown = [f"{heading}, on {findings.samples} {noun}:", *(f"  {line}" for line in table)] if chosen else []
    return [_answer(findings), *_most(findings), *shown, *_counts(findings)]


def _answer(findings: Findings) -> str:
    first, tolerance = findings.first, findings.tolerance
    if first is None or first.figures is None:
        if not findings.count("matched"):
            return f"{findings.target}: not compared, because no layer was found in the IR"
        return f"{findings.target}: no layer differs from TensorFlow's by more than {_tolerance(tolerance)}"
    figures = first.figures
    told = [f"SNR {_decibels(figures.snr_db)}", f"max abs {figures.max_abs:.3g}"]
    told.append(f"cosine {figures.cosine:.6f}" if tolerance.kind == "cosine" else f"{figures.error:.2e} of its scale")
    if figures.nan_mismatch:
        told.append(f"{figures.nan_mismatch} elements NaN or infinite on one side")
    return (
        f"{findings.target}: the first layer that differs from TensorFlow's is {_named(findings, first)}: "
        f"{', '.join(told)}; tolerance {_tolerance(tolerance)}"
    )


def _named(findings: Findings, layer: ComparedLayer) -> str:
    """Return a layer with its operation, and the layers that the IR folds into it."""
    folded = [f"`{inner.name}` ({inner.operation})" for inner in findings.folded_into(layer)]
    inside = f" with {', '.join(folded)} folded into it" if folded else ""
    return harmless(f"`{layer.name}` ({layer.operation}){inside}")


def _most(findings: Findings) -> list[str]:
    """Return the layer that adds most noise, if the answer does not name it. It matters if all layers add some."""
    layer = findings.most_of_its_own()
    own = None if layer is None else findings.own_db(layer)
    if layer is None or own is None or layer == findings.first or findings.tolerance.kind != "cosine":
        return []
    return [f"most noise is added by {_named(findings, layer)}: own SNR {_decibels(own)}"]


def _tolerance(tolerance: Tolerance) -> str:
    if tolerance.kind == "cosine":
        return f"cosine {tolerance.value:g} ({tolerance.source})"
    return f"{tolerance.value:g} of its scale ({tolerance.source})"


def _counts(findings: Findings) -> list[str]:
    matched, folded, unmatched = (findings.count(state) for state in ("matched", "folded", "unmatched"))
    told = [f"{matched} of {len(findings.layers)} layers matched"]
    if folded:
        told.append(f"{folded} folded into later ones")
    if unmatched:
        told.append(f"{unmatched} not matched")
    reasons: dict[str, list[str]] = {}
    for layer in findings.layers:
        if layer.state == "unmatched":
            reasons.setdefault(layer.why, []).append(layer.name)
    return ["; ".join(told), *(harmless(f"  {why}: {', '.join(names[:SHOWN])}") for why, names in reasons.items())]


def _row(findings: Findings, layer: ComparedLayer) -> list[str]:
    name = ("* " if findings.leaves(layer) else "") + layer.name
    folded = [inner.operation for inner in findings.folded_into(layer)] if layer.figures is not None else []
    words = [harmless(_short(word)) for word in (name, ", ".join([*folded, layer.operation]))]
    if layer.figures is None:
        return [*words, layer.state]
    own = findings.own_db(layer)
    figures = [_decibels(layer.figures.snr_db), _own(own), f"{layer.figures.max_abs:.3g}"]
    return [*words, str(list(layer.shape)), *figures]


def _own(value: float | None) -> str:
    if value is None:
        return "unknown"
    return "adds none" if math.isinf(value) else _decibels(value)


def _decibels(value: float) -> str:
    if math.isnan(value):
        return "unknown"
    if math.isinf(value):
        return "equal" if value > 0 else "no signal"
    return f"{value:.1f} dB"


def _short(text: str) -> str:
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


def _table(rows: Sequence[list[str]]) -> list[str]:
    widths = [max((len(row[place]) for row in rows if place < len(row)), default=0) for place in range(len(_COLUMNS))]
    return [
        "  ".join(
            cell.ljust(widths[place]) if place < _LEFT else cell.rjust(widths[place]) for place, cell in enumerate(row)
        ).rstrip()
        for row in rows
    ]


def to_json(findings: Findings) -> dict[str, object]:
    """Return the public form."""
    first, tolerance = findings.first, findings.tolerance
    return {
        "format": FORMAT,
        "target": findings.target,
        "samples": findings.samples,
        "tolerance": {"kind": tolerance.kind, "value": tolerance.value, "source": tolerance.source},
        "first": first.name if first else None,
        "matched": findings.count("matched"),
        "folded": findings.count("folded"),
        "unmatched": findings.count("unmatched"),
        "layers": [_layer_json(findings, layer) for layer in findings.layers],
    }


def _layer_json(findings: Findings, layer: ComparedLayer) -> dict[str, object]:
    known: dict[str, object] = {
        "layer": layer.name,
        "operation": layer.operation,
        "tensor": layer.tensor,
        "state": layer.state,
    }
    if layer.figures is None:
        return {**known, "why": layer.why}
    return {
        **known,
        "counterpart": layer.counterpart,
        "folded_into_it": [inner.name for inner in findings.folded_into(layer)],
        "shape": list(layer.shape),
        "leaves": findings.leaves(layer),
        **_figures_json(layer.figures),
        "own_snr_db": _finite(findings.own_db(layer)),
    }


def _figures_json(figures: Figures) -> dict[str, object]:
    numbers = {"snr_db": figures.snr_db, "max_abs": figures.max_abs, "scale": figures.scale, "cosine": figures.cosine}
    return {**{key: _finite(value) for key, value in numbers.items()}, "nan_mismatch": figures.nan_mismatch}


def _finite(value: float | None) -> float | None:
    """Return a value for JSON: None for an infinite ratio (the two are equal) and for an unknown one."""
    return value if value is not None and math.isfinite(value) else None
