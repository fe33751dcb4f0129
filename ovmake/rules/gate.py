"""gate: compare an evaluation's figures with what the Ovfile promises.

    gate(lowering, target, evaluation, searched=...) -> Action
    judge(lowering, target, evaluation) -> Action     the same as data, for a candidate of `auto`
    promise_of(target) -> PromiseParams    for whoever asks whether the promise is kept

A missed gate fails its target before anything is published, so the last good IR stays where it was. The action runs in
the ovmake process: it compares two numbers (`ovmake.verdicts`).
"""

from __future__ import annotations

from dataclasses import replace

from ovmake.contracts.params.promise import GateParams, PromiseParams, Tolerance
from ovmake.graph.action import Action, Artifact, Input, Output
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import DEFAULT_COSINE, DEFAULT_MAX_ERROR, Accuracy, Target
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
        # There is more to do for INT8 than to promise less.
        params=GateParams(
            promise=promise_of(target),
            on_drop="fail" if target.quantization and target.quantization.control is None else None,
        ),
        inputs=inputs,
        outputs=(Output(role="verdict"),),
        at=target.at,
        origins=target.origins,
    )


def promise_of(target: Target) -> PromiseParams:
    """Return what the target promises."""
    accuracy = target.accuracy
    if accuracy is None:
        raise AssertionError(f"{target.name} has no gate")
    return PromiseParams(
        max_drop=accuracy.max_drop,
        agreement=Tolerance(cosine=accuracy.cosine, max_error=accuracy.max_error),
        neighbours=Tolerance(cosine=DEFAULT_COSINE.get(target.precision) if accuracy.cosine is None else None),
        default=_by_default(accuracy),
        promised=accuracy.promised,
        real_data=_needs_real_data(target),
    )


def _by_default(accuracy: Accuracy) -> Tolerance:
    """Return the agreement that is asked of an IR compiled without properties, where it is not that of the Ovfile.

    What is executed in bf16 by default is held to what a target in bf16 is, unless the Ovfile says more.
    """
    cosine, error = accuracy.cosine, accuracy.max_error
    return Tolerance(
        cosine=None if cosine is None or "cosine" in accuracy.given else min(cosine, DEFAULT_COSINE["bf16"]),
        max_error=None if error is None or "max-error" in accuracy.given else max(error, DEFAULT_MAX_ERROR["bf16"]),
    )


def _needs_real_data(target: Target) -> bool:
    """Whether made-up inputs say nothing: the ranges of INT8 were chosen for real ones."""
    accuracy = target.accuracy
    return target.quantization is not None and accuracy is not None and not (accuracy.dataset or accuracy.noise)
