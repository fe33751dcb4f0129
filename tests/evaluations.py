"""Evaluations to judge: what is left out of one has plain values, so that a test names what it is about.

an_output(max_abs=0.1)             one output's figures; a NaN is null, as in the file
a_metric(reference=0.9, ...)       the scores, an accuracy
an_evaluation(an_output(), metric=..., samples=...)
neighbours_of({...})               one output in batches of 1 and 64
a_search(int8=27, layers=64)
a_verdict("missed", "drop 0.2", 0.2)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ovmake.contracts.codec import decode, encode
from ovmake.contracts.files.evaluation import Evaluation, Metric, Neighbours, OutputFigures
from ovmake.contracts.files.search import Search
from ovmake.contracts.files.verdict import GateResult, Verdict

OUTPUT: Mapping[str, object] = {
    "name": "y",
    "scale": 2.0,
    "max_abs": 1e-6,
    "mean_abs": 1e-7,
    "max_rel": None,
    "cosine": 1.0,
    "snr_db": None,
    "argmax": None,
    "nonfinite_expected": 0,
    "nonfinite_actual": 0,
    "nan_mismatch": 0,
    "elements": 64,
}
METRIC: Mapping[str, object] = {
    "name": "accuracy",
    "unit": "share",
    "higher_is_better": True,
    "reference": None,
    "candidate": None,
    "step": None,
}
EVALUATION: Mapping[str, object] = {
    "samples": 200,
    "inputs": {"from": "dataset"},
    "operations": {"tensorflow": 3, "openvino": 2},
    "executed": {"f32": 2},
    "layers": [],
    "weights": {"f32": 16},
    "compile_properties": {"INFERENCE_PRECISION_HINT": "f32"},
}
SAME: Mapping[str, object] = {
    "name": "y",
    "scale": 2.0,
    "max_abs": 0.0,
    "cosine": 1.0,
    "own_max_abs": 0.0,
    "own_cosine": 1.0,
}
SEARCH: Mapping[str, object] = {
    "layers": 64,
    "int8": 64,
    "reverted": [],
    "worst": [],
    "trials": [],
    "kept": False,
    "hopeless": False,
    "ended": "",
    "inferences": 0,
}


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same with null for what is no finite number."""
    return {name: None if isinstance(one, float) and not math.isfinite(one) else one for name, one in values.items()}


def an_output(**figures: Any) -> OutputFigures:
    """Return figures of an output. One with a `quantum` is of a source that computes in integers."""
    integers = {"in_integers": True} if "quantum" in figures else {}
    return decode(OutputFigures, {**OUTPUT, **integers, **plain(figures)}, "output")


def a_metric(**figures: Any) -> Metric:
    """Return scores. A `chance` without a hint has none."""
    chance = figures.get("chance")
    told = {} if chance is None else {"chance": {"hint": "", "above_high": chance["above_low"], **chance}}
    return decode(Metric, {**METRIC, **plain(figures), **told}, "metric")


def an_evaluation(
    *outputs: OutputFigures, metric: Metric | None = None, unsteady: tuple[str, ...] = (), **more: Any
) -> Evaluation:
    """Return an evaluation of these outputs. `not_measured` says that nothing could be compared."""
    samples = more.get("samples", EVALUATION["samples"])
    figures = {"samples": samples, "outputs": encode(outputs), "metric": encode(metric), "unsteady": unsteady}
    compared = {} if "not_measured" in more else {"figures": figures}
    return decode(Evaluation, {**EVALUATION, **compared, **more}, "evaluation")


def neighbours_of(output: Mapping[str, object], **more: Any) -> Neighbours:
    """Return an output that was run in batches of 1 and 64."""
    body = {"sizes": [1, 64], "samples": 8, "outputs": [{**SAME, **output}], **more}
    return decode(Neighbours, body, "neighbours")


def a_search(**more: Any) -> Search:
    """Return a search that tried nothing."""
    return decode(Search, {**SEARCH, **more}, "search")


def a_verdict(result: GateResult, text: str = "", drop: float | None = None, **more: Any) -> Verdict:
    """Return what a gate says, without an interval."""
    return Verdict(**{"result": result, "text": text, "drop": drop, "interval": None, **more})
