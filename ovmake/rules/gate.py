"""gate: compare an evaluation's figures with the accuracy that the Ovfile promises.

    gate(lowering, target, evaluation, searched=...) -> Action
    judge(lowering, target, evaluation) -> Action     the verdict as data, for a candidate of `auto`
    promise_of(target) -> PromiseParams               the promise, for all actions that compare figures with it

A failed gate fails its target before publishing; so the last good IR stays in the build folder. The action runs
in-process: it only compares numbers (`ovmake.verdicts`).
"""

from __future__ import annotations

from dataclasses import replace

from ovmake.contracts.params.promise import GateParams, PromiseParams, Tolerance
from ovmake.graph.action import Action, Artifact, Input, Output
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import Accuracy, Target
from ovmake.ovfile.words import DEFAULT_COSINE, DEFAULT_MAX_ERROR
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
        # For INT8 without a search, the error suggests `on-drop = "mixed"`.
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
    """Return the target's requirement on accuracy."""
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
    """Return the agreement required of an IR compiled without properties, if it differs from the Ovfile's.

    If the default execution is bf16, the default of a bf16 target applies, unless the Ovfile has a setting.
    """
    cosine, error = accuracy.cosine, accuracy.max_error
    return Tolerance(
        cosine=None if cosine is None or "cosine" in accuracy.given else min(cosine, DEFAULT_COSINE["bf16"]),
        max_error=None if error is None or "max-error" in accuracy.given else max(error, DEFAULT_MAX_ERROR["bf16"]),
    )


def _needs_real_data(target: Target) -> bool:
    """Whether synthetic inputs cannot decide: the ranges of INT8 were calibrated for real data."""
    accuracy = target.accuracy
    return target.quantization is not None and accuracy is not None and not (accuracy.dataset or accuracy.noise)
