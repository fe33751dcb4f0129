"""gate: compare an evaluation's figures with the accuracy that the Ovfile promises.

    gate(lowering, target, evaluation, searched=...) -> Action
    judge(lowering, target, evaluation) -> Action     the verdict as data, for a candidate of `auto`
    promise_params(target)                            the gate's settings, for all actions that decide by them

A failed gate fails its target before publishing; so the last good IR stays in the build folder. The action runs
in-process: it compares two numbers (`ovmake.verdicts`).
"""

from __future__ import annotations

from dataclasses import replace

from ovmake.contracts.values import JsonValue
from ovmake.graph.action import Action, Artifact, Input, Output, Param
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import DEFAULT_COSINE, DEFAULT_MAX_ERROR, Accuracy, Target
from ovmake.rules.check_samples import calibrated_inputs
from ovmake.rules.settings import search_inputs


def gate(lowering: Lowering, target: Target, evaluation: Action, *, searched: Action | None) -> Action:
    """Add the gate over `evaluation`. If it fails, its message includes the trials of `searched`.

    It also repeats the warnings about the calibration samples: their cure is better data, not layers in float.
    """
    judged = Input(role="evaluation", origin=Artifact(evaluation.name, "evaluation"))
    return lowering.add(_gate(target, judged, *search_inputs(searched), *calibrated_inputs(lowering, target)))


def judge(lowering: Lowering, target: Target, evaluation: Action) -> Action:
    """Add the verdict on a candidate: that of the gate, but a candidate that misses it is only excluded.

    The output `kept` is the bare answer: if it stays the same, no measurement runs again.
    """
    action = _gate(target, Input(role="evaluation", origin=Artifact(evaluation.name, "evaluation")))
    return lowering.add(replace(action, kind="judge", outputs=(Output(role="verdict"), Output(role="kept"))))


def _gate(target: Target, *inputs: Input) -> Action:
    return Action(
        kind="gate",
        subject=target.name,
        worker="in-process",
        params=(*promise_params(target), *_remedy(target)),
        inputs=inputs,
        outputs=(Output(role="verdict"),),
        at=target.at,
        origins=target.origins,
    )


def _remedy(target: Target) -> tuple[Param, ...]:
    """Return the params for the advice of a failed gate: INT8 has more remedies than a larger `max-drop`."""
    settings = target.quantization
    return (Param(name="on-drop", value="fail"),) if settings and settings.control is None else ()


def promise_params(target: Target) -> tuple[Param, ...]:
    """Return the gate's settings, as params that `ovmake.verdicts` reads."""
    accuracy = target.accuracy
    if accuracy is None:
        raise AssertionError(f"{target.name} has no gate")
    named: list[tuple[str, JsonValue]] = [
        ("accuracy.max-drop", accuracy.max_drop.written if accuracy.max_drop else None),
        ("accuracy.agreement.cosine", accuracy.cosine),
        ("accuracy.agreement.max-error", accuracy.max_error),
        ("accuracy.neighbours.cosine", DEFAULT_COSINE.get(target.precision) if accuracy.cosine is None else None),
        ("accuracy.promised", accuracy.promised or None),
        ("accuracy.real-data", _needs_real_data(target) or None),
    ]
    return tuple(Param(name=name, value=value) for name, value in (*named, *_by_default(accuracy)) if value is not None)


def _by_default(accuracy: Accuracy) -> list[tuple[str, JsonValue]]:
    """Return the agreement required of an IR compiled without properties, if it differs from the Ovfile's.

    If the default execution is bf16, the default of a bf16 target applies, unless the Ovfile has a setting.
    """
    cosine, error = accuracy.cosine, accuracy.max_error
    named: list[tuple[str, JsonValue]] = []
    if cosine is not None and "cosine" not in accuracy.given:
        named.append(("accuracy.default.cosine", min(cosine, DEFAULT_COSINE["bf16"])))
    if error is not None and "max-error" not in accuracy.given:
        named.append(("accuracy.default.max-error", max(error, DEFAULT_MAX_ERROR["bf16"])))
    return named


def _needs_real_data(target: Target) -> bool:
    """Whether synthetic inputs cannot decide: the ranges of INT8 were calibrated for real data."""
    accuracy = target.accuracy
    return target.quantization is not None and accuracy is not None and not (accuracy.dataset or accuracy.noise)
