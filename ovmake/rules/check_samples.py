"""check-samples, check-overlap: what is wrong with a dataset is found before anything long begins, and costs little.

    check_validation    the gate's dataset: shapes, types, labels. Before *reference* and *quantize*
    check_overlap       no sample both calibrates INT8 and judges it. Before *quantize*

These are actions of their own, which others wait for without depending on them: *quantize* must not run again because a
validation set, which it never sees, has changed. See DESIGN.
"""

from __future__ import annotations

from ovmake.graph.action import Action, Artifact, Input, Output, Param
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import SEED, Target
from ovmake.rules.settings import dataset_inputs, dataset_params, validation_set


def check_validation(lowering: Lowering, target: Target, converted: Action) -> tuple[str, ...]:
    """Add the check of the target's validation set, if it has one; return what to wait for."""
    dataset = validation_set(dict(lowering.ovfile.datasets), target)
    if dataset is None or target.accuracy is None:
        return ()
    # Those of all precisions, so that there is one check of a dataset, and one reference that waits for it.
    family = [other.accuracy for other in lowering.ovfile.targets if other.family == target.family and other.accuracy]
    metrics = sorted({other.metric for other in family if other.metric and other.dataset == dataset.name})
    action = Action(
        kind="check-samples",
        subject=target.family,
        worker="openvino",
        tools=("numpy",),
        params=(
            *dataset_params(dataset, labels=bool(metrics)),
            *((Param(name="accuracy.metric", value=tuple(metrics)),) if metrics else ()),
        ),
        inputs=(Input(role="interface", origin=Artifact(converted.name, "interface")), *dataset_inputs(dataset)),
        outputs=(Output(role="checked"),),
        at=target.at,
        origins=target.origins,
    )
    return (lowering.add(action, otherwise=target.name).name,)


def check_overlap(lowering: Lowering, target: Target, converted: Action) -> tuple[str, ...]:
    """Add the comparison of the target's calibration samples with those that judge it; return what to wait for."""
    validation = validation_set(dict(lowering.ovfile.datasets), target)
    settings = target.quantization
    if validation is None or settings is None:
        return ()
    calibration = lowering.ovfile.datasets[settings.calibration]
    named = [
        Param(name="samples", value=settings.samples),
        Param(name="calibration", value=calibration.name),
        Param(name="accuracy.dataset", value=validation.name),
        *((Param(name="dataset.max-overlap", value=calibration.max_overlap),) if calibration.max_overlap else ()),
        *dataset_params(calibration, labels=False),
        *dataset_params(validation, labels=False, role="validation"),
        Param(name="seed", value=SEED),
    ]
    action = Action(
        kind="check-overlap",
        subject=target.name,
        worker="openvino",
        tools=("numpy",),
        params=tuple(dict.fromkeys(named)),
        inputs=(
            Input(role="interface", origin=Artifact(converted.name, "interface")),
            *dataset_inputs(calibration),
            *dataset_inputs(validation, role="validation"),
        ),
        outputs=(Output(role="checked"),),
        at=target.at,
        origins=target.origins,
    )
    return (lowering.add(action).name,)
