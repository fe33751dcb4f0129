"""check-samples, check-calibration: quick checks that find errors in a dataset before any long action.

    check_validation    the gate's dataset: shapes, types, labels. Before *reference* and *quantize*
    check_calibration   the calibration samples: usable for INT8, and not the gate's samples. Before *quantize*

These are separate actions. Later actions wait for them and do not depend on them: a new validation set, which
*quantize* never reads, must not run it again. See NOTES.md.
"""

from __future__ import annotations

from ovmake.contracts.params.evaluation import CheckCalibrationParams, CheckSamplesParams
from ovmake.graph.action import Action, Artifact, Input, Output
from ovmake.graph.lower import Lowering
from ovmake.ovfile.schema.datasets import Dataset
from ovmake.ovfile.spec import Target
from ovmake.ovfile.words import SEED
from ovmake.rules.settings import (
    dataset_inputs,
    dataset_params,
    dataset_tools,
    metric_inputs,
    metric_params,
    metric_tools,
    model_params,
    sample_params,
    validation_set,
)


def check_validation(lowering: Lowering, target: Target, converted: Action) -> tuple[str, ...]:
    """Add the checks of the target's validation set, if it has one; return the names of actions to wait for.

    There is one check per metric that any precision computes on it. All precisions wait for all checks: if each waited
    for its own, each would need a reference of its own.
    """
    dataset = validation_set(dict(lowering.ovfile.datasets), target)
    if dataset is None:
        return ()
    # The candidates of `auto` count too: the Ovfile does not list them as targets, and they may have different metrics.
    every = (one for listed in lowering.ovfile.targets for one in (listed, *listed.candidates))
    checks = ((_check(dataset, other, converted), other.name) for other in every if _is_alike(target, other))
    return tuple(dict.fromkeys(lowering.add(action, otherwise=name).name for action, name in checks))


def _is_alike(target: Target, other: Target) -> bool:
    """Whether the gates of two targets use the same samples and the same conversion."""
    return _judged(target) == _judged(other) and model_params(target) == model_params(other)


def _judged(target: Target) -> tuple[object, ...]:
    dataset = target.accuracy.dataset if target.accuracy else None
    return target.family, dataset, target.kind, target.signature, target.tags, target.allow_ops


def _check(dataset: Dataset, target: Target, converted: Action) -> Action:
    labels = target.accuracy is not None and target.accuracy.uses_labels
    return Action(
        kind="check-samples",
        subject=target.family,
        worker="openvino",
        tools=("numpy", *dataset_tools(dataset), *metric_tools(target)),
        params=CheckSamplesParams(samples=sample_params(dataset, labels=labels), metric=metric_params(target)),
        inputs=(
            Input(role="interface", origin=Artifact(converted.name, "interface")),
            *dataset_inputs(dataset),
            *metric_inputs(target),
        ),
        outputs=(Output(role="checked"),),
        at=target.at,
        origins=target.origins,
    )


def check_calibration(lowering: Lowering, target: Target, converted: Action) -> Action | None:
    """Add the check of the target's calibration samples against the gate's; None if it needs no calibration."""
    validation = validation_set(dict(lowering.ovfile.datasets), target)
    settings = target.quantization
    if settings is None:
        return None
    calibration = lowering.ovfile.datasets[settings.calibration]
    # An explicit number of samples is required; with the default, fewer are accepted.
    asked = target.origins.get("samples")
    action = Action(
        kind="check-calibration",
        subject=target.name,
        worker="openvino",
        tools=("numpy", *dataset_tools(calibration, validation)),
        params=CheckCalibrationParams(
            samples=settings.samples,
            samples_written=asked is not None,
            calibration=calibration.name,
            dataset=dataset_params(calibration, labels=False),
            max_overlap=calibration.max_overlap if validation else 0,
            validated_by=validation.name if validation else None,
            validation=dataset_params(validation, labels=False) if validation else None,
            seed=SEED,
        ),
        inputs=(
            Input(role="interface", origin=Artifact(converted.name, "interface")),
            *dataset_inputs(calibration),
            *dataset_inputs(validation, role="validation"),
        ),
        outputs=(Output(role="checked"), Output(role="passed")),
        at=target.at,
        origins=target.origins if asked is None else {**target.origins, "samples-written": asked},
    )
    return lowering.add(action)


def calibrated_inputs(lowering: Lowering, target: Target) -> tuple[Input, ...]:
    """Return the warnings about the target's calibration samples, as inputs of actions that advise; may be empty."""
    name = f"check-calibration {target.name}"
    return (Input(role="calibrated", origin=Artifact(name, "checked")),) if name in lowering.actions else ()
