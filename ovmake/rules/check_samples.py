"""check-samples, check-calibration: what is wrong with a dataset is found before anything long begins, at little cost.

    check_validation    the gate's dataset: shapes, types, labels. Before *reference* and *quantize*
    check_calibration   samples that can calibrate INT8, none of which judges it, too. Before *quantize*

These are actions of their own, which others wait for without depending on them: *quantize* must not run again because a
validation set, which it never sees, has changed. See NOTES.md.
"""

from __future__ import annotations

from ovmake.graph.action import Action, Artifact, Input, Output, Param
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import SEED, Dataset, Target
from ovmake.rules.settings import (
    dataset_inputs,
    dataset_params,
    dataset_tools,
    metric_inputs,
    metric_params,
    metric_tools,
    model_params,
    validation_set,
)


def check_validation(lowering: Lowering, target: Target, converted: Action) -> tuple[str, ...]:
    """Add the checks of the target's validation set, if it has one; return what to wait for.

    One for each metric that some precision counts on it. All precisions wait for all of them: were each to wait for its
    own, there would be a reference for each.
    """
    dataset = validation_set(dict(lowering.ovfile.datasets), target)
    if dataset is None:
        return ()
    # Of `auto`, the candidates count too: they are no targets of the Ovfile, and may have metrics of their own.
    every = (one for listed in lowering.ovfile.targets for one in (listed, *listed.candidates))
    checks: dict[Action, str] = {}
    for other in every:
        if _is_alike(target, other):
            checks.setdefault(_check(dataset, other, converted), other.name)
    return tuple(lowering.add(action, otherwise=name).name for action, name in checks.items())


def _is_alike(target: Target, other: Target) -> bool:
    """Whether two targets judge the same samples of the same conversion."""
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
        params=(*dataset_params(dataset, labels=labels), *metric_params(target)),
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
    """Add the look at the target's calibration samples, beside those that judge it; None where nothing calibrates."""
    validation = validation_set(dict(lowering.ovfile.datasets), target)
    settings = target.quantization
    if settings is None:
        return None
    calibration = lowering.ovfile.datasets[settings.calibration]
    # Whoever says how many wants so many; of the default, fewer will do.
    asked = target.origins.get("samples")
    named = [
        Param(name="samples", value=settings.samples),
        *(() if asked is None else (Param(name="samples-written", value=True),)),
        Param(name="calibration", value=calibration.name),
        *dataset_params(calibration, labels=False),
        *_judging_params(calibration, validation),
        Param(name="seed", value=SEED),
    ]
    action = Action(
        kind="check-calibration",
        subject=target.name,
        worker="openvino",
        tools=("numpy", *dataset_tools(calibration, validation)),
        params=tuple(dict.fromkeys(named)),
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


def _judging_params(calibration: Dataset, validation: Dataset | None) -> tuple[Param, ...]:
    """Return what says which samples judge, and how many of them may calibrate as well."""
    if validation is None:
        return ()
    allowed = calibration.max_overlap
    return (
        Param(name="accuracy.dataset", value=validation.name),
        *((Param(name="dataset.max-overlap", value=allowed),) if allowed else ()),
        *dataset_params(validation, labels=False, role="validation"),
    )


def calibrated_inputs(lowering: Lowering, target: Target) -> tuple[Input, ...]:
    """Return what was found odd about the target's calibration samples, for whoever advises; none without any."""
    name = f"check-calibration {target.name}"
    return (Input(role="calibrated", origin=Artifact(name, "checked")),) if name in lowering.actions else ()
