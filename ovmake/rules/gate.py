"""gate: compare an evaluation's figures with what the Ovfile promises.

    gate(lowering, target, evaluation, searched=...) -> Action
    judge(lowering, target, evaluation) -> Action     the same as data, for a candidate of `auto`
    promise_params(target) -> params of whoever asks whether the promise is kept

A missed gate fails its target before anything is published, so the last good IR stays where it was. The action runs in
the ovmake process: it compares two numbers (`ovmake.promise`).
"""

from __future__ import annotations

from dataclasses import replace

from ovmake.graph.action import Action, Artifact, Input, JsonValue, Output, Param
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import Target
from ovmake.rules.settings import search_inputs


def gate(lowering: Lowering, target: Target, evaluation: Action, *, searched: Action | None) -> Action:
    """Add the gate over `evaluation`; where it is missed, it tells what `searched` tried to keep it."""
    judged = Input(role="evaluation", origin=Artifact(evaluation.name, "evaluation"))
    return lowering.add(_gate(target, judged, *search_inputs(searched)))


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
    """Return what the target promises, as `ovmake.promise.decide` reads it."""
    accuracy = target.accuracy
    if accuracy is None:
        raise AssertionError(f"{target.name} has no gate")
    named: list[tuple[str, JsonValue]] = [
        ("accuracy.max-drop", accuracy.max_drop.written if accuracy.max_drop else None),
        ("accuracy.agreement.cosine", accuracy.cosine),
        ("accuracy.agreement.max-error", accuracy.max_error),
        ("accuracy.promised", accuracy.promised or None),
    ]
    return tuple(Param(name=name, value=value) for name, value in named if value is not None)
