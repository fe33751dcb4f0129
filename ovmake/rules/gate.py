"""gate: compare an evaluation's figures with what the Ovfile promises.

    gate(lowering, target, evaluation, searched=...) -> Action
    judge(lowering, target, evaluation) -> Action     the same as data, for a candidate of `auto`
    promise_params(target) -> params of whoever asks whether the promise is kept

A missed gate fails its target before anything is published, so the last good IR stays where it was. The action runs in
the ovmake process: it compares two numbers (`ovmake.verdicts`).
"""

from __future__ import annotations

from dataclasses import replace

from ovmake.contracts.values import JsonValue
from ovmake.graph.action import Action, Artifact, Input, Output, Param
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import Accuracy, Target
from ovmake.ovfile.words import DEFAULT_COSINE, DEFAULT_MAX_ERROR
from ovmake.rules.check_samples import calibrated_inputs
from ovmake.rules.settings import search_inputs


def gate(lowering: Lowering, target: Target, evaluation: Action, *, searched: Action | None) -> Action:
    """Add the gate over `evaluation`; where it is missed, it tells what `searched` tried to keep it.

    It also repeats what is odd about the samples that calibrated: no layer has to be given back for those.
    """
    judged = Input(role="evaluation", origin=Artifact(evaluation.name, "evaluation"))
    return lowering.add(_gate(target, judged, *search_inputs(searched), *calibrated_inputs(lowering, target)))


def judge(lowering: Lowering, target: Target, evaluation: Action) -> Action:
    """Add the judgement of a candidate: the gate's, but one that misses it is only not chosen, and nothing fails.

    `kept` is the answer alone, so that a promise which is kept as before runs no measurement again.
    """
    action = _gate(target, Input(role="evaluation", origin=Artifact(evaluation.name, "evaluation")))
    return lowering.add(replace(action, kind="judge", outputs=(Output(role="verdict"), Output(role="kept"))))


def _gate(target: Target, *inputs: Input) -> Action:
    return Action(
        kind="gate",
        subject=target.name,
        worker="here",
        params=(*promise_params(target), *_remedy(target)),
        inputs=inputs,
        outputs=(Output(role="verdict"),),
        at=target.at,
        origins=target.origins,
    )


def _remedy(target: Target) -> tuple[Param, ...]:
    """Return what a missed gate may advise: there is more to do for INT8 than to promise less."""
    settings = target.quantization
    return (Param(name="on-drop", value="fail"),) if settings and settings.control is None else ()


def promise_params(target: Target) -> tuple[Param, ...]:
    """Return what the target promises, as `ovmake.verdicts.decide` reads it."""
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
    """Return the agreement that is asked of an IR compiled without properties, where it is not that of the Ovfile.

    What is executed in bf16 by default is held to what a target in bf16 is, unless the Ovfile says more.
    """
    cosine, error = accuracy.cosine, accuracy.max_error
    named: list[tuple[str, JsonValue]] = []
    if cosine is not None and "cosine" not in accuracy.given:
        named.append(("accuracy.default.cosine", min(cosine, DEFAULT_COSINE["bf16"])))
    if error is not None and "max-error" not in accuracy.given:
        named.append(("accuracy.default.max-error", max(error, DEFAULT_MAX_ERROR["bf16"])))
    return named


def _needs_real_data(target: Target) -> bool:
    """Whether made-up inputs say nothing: the ranges of INT8 were chosen for real ones."""
    accuracy = target.accuracy
    return target.quantization is not None and accuracy is not None and not (accuracy.dataset or accuracy.noise)
