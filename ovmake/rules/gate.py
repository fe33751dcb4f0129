"""gate: compare an evaluation's figures with what the Ovfile promises.

    gate(lowering, target, evaluation) -> Action
    decide(evaluation, params) -> Verdict

A missed gate fails its target before anything is published, so the last good IR stays where it was. The action runs in
the ovmake process: it compares two numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ovmake.graph.action import Action, Artifact, Input, JsonValue, Output, Param
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import Target

GateResult = Literal["passed", "missed", "not-measured"]


def gate(lowering: Lowering, target: Target, evaluation: Action) -> Action:
    """Add the gate over `evaluation`."""
    accuracy = target.accuracy
    if accuracy is None:
        raise AssertionError(f"{target.name} has no gate")
    params = []
    if accuracy.max_drop is not None:
        params.append(Param(name="accuracy.max-drop", value=accuracy.max_drop.written))
    if accuracy.cosine is not None:
        params.append(Param(name="accuracy.agreement.cosine", value=accuracy.cosine))
    return lowering.add(
        Action(
            kind="gate",
            subject=target.name,
            worker="here",
            params=tuple(params),
            inputs=(Input(role="evaluation", origin=Artifact(evaluation.name, "evaluation")),),
            outputs=(Output(role="verdict"),),
            at=target.at,
            origins=target.origins,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether the promise is kept. `text` gives the figures; `drop` is in metric units, None without a metric."""

    result: GateResult
    text: str
    drop: float | None


def accuracy_drop(reference: float, candidate: float, *, relative: bool) -> float:
    """Return how much worse `candidate` is than `reference`.

    Both are the same higher-is-better metric on the same samples. Absolute: metric units (0.01 = one point of top-1).
    Relative: fraction of `reference`. Negative when the candidate is better, so `drop <= max_drop` still holds.

    Raises:
        ValueError: relative with `reference == 0`; such metrics need an absolute drop.
    """
    if not relative:
        return reference - candidate
    if reference == 0:
        raise ValueError("a relative drop needs a reference metric other than 0")
    return (reference - candidate) / abs(reference)


def decide(evaluation: Mapping[str, object], params: Mapping[str, JsonValue]) -> Verdict:
    """Return the verdict over an evaluation (see `workers.evaluate`) under the gate's params.

    The result is *missed* when any promise is broken or a figure is not finite, for a NaN keeps no promise.
    """
    texts: list[str] = []
    kept = True
    drop = None
    if (promise := params.get("accuracy.max-drop")) is not None:
        metric = evaluation.get("metric")
        if not isinstance(metric, dict):
            return Verdict(result="not-measured", text="the evaluation holds no metric", drop=None)
        drop, ok, text = _check_drop(metric, str(promise))
        kept, texts = kept and ok, [text]
    if isinstance(least := params.get("accuracy.agreement.cosine"), int | float):
        ok, text = _check_cosine(evaluation, least)
        kept, texts = kept and ok, [*texts, text]
    return Verdict(result="passed" if kept else "missed", text="; ".join(texts), drop=drop)


def _check_drop(metric: Mapping[str, object], promise: str) -> tuple[float | None, bool, str]:
    reference, candidate = _number(metric.get("reference")), _number(metric.get("candidate"))
    relative = promise.endswith("%")
    bound = float(promise.removesuffix("%")) / (100 if relative else 1)
    scores = f"{metric.get('name')} {reference:.4f} in TensorFlow, {candidate:.4f} in the IR"
    if relative and reference == 0:
        return None, False, f"{scores}: no relative drop from 0, give `max-drop` as a number"
    drop = accuracy_drop(reference, candidate, relative=relative)
    absolute = reference - candidate
    # Counts over counts: 0.8934 - 0.8834 is 0.010000000000000009 in binary, and one image more or less is the truth.
    ok = math.isfinite(drop) and drop <= bound + 1e-9
    shown = f"{drop * 100:.2f}%" if relative else f"{drop:.4f}"
    return (absolute if math.isfinite(absolute) else None), ok, f"{scores}: drop {shown}, allowed {promise}"


def _check_cosine(evaluation: Mapping[str, object], least: float) -> tuple[bool, str]:
    outputs = evaluation.get("outputs")
    figures = outputs if isinstance(outputs, list) else []
    worst = min((_number(output.get("cosine")) for output in figures), default=math.nan, key=_nan_first)
    same_nan = all(output.get("nan_mismatch", 0) == 0 for output in figures)
    ok = same_nan and worst >= least
    return ok, f"cosine {worst:.6f} with TensorFlow's outputs, at least {least:g} wanted"


def _nan_first(value: float) -> float:
    return -math.inf if math.isnan(value) else value


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else math.nan
