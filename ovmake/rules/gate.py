"""gate: compare an evaluation's figures with what the Ovfile promises.

    gate(lowering, target, evaluation) -> Action
    promise_params(target) -> params of whoever asks whether the promise is kept

A missed gate fails its target before anything is published, so the last good IR stays where it was. The action runs in
the ovmake process: it compares two numbers (`ovmake.promise`).
"""

from __future__ import annotations

from ovmake.graph.action import Action, Artifact, Input, JsonValue, Output, Param
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import Target


def gate(lowering: Lowering, target: Target, evaluation: Action, *, search: Action | None = None) -> Action:
    """Add the gate over `evaluation`; where it is missed it tells what `search` found."""
    inputs = [Input(role="evaluation", origin=Artifact(evaluation.name, "evaluation"))]
    if search is not None:
        inputs.append(Input(role="search", origin=Artifact(search.name, "search")))
    return lowering.add(
        Action(
            kind="gate",
            subject=target.name,
            worker="here",
            params=promise_params(target),
            inputs=tuple(inputs),
            outputs=(Output(role="verdict"),),
            at=target.at,
            origins=target.origins,
        ),
    )


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
