"""evaluate: run an IR on the samples that the reference saw, and say by how much it differs.

It measures; whether that is good enough is the gate's question. So `max-drop` is no param here, and changing it runs no
inference again.
"""

from __future__ import annotations

from ovmake.graph.action import Action, Artifact, Input, Output, Param
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import Target
from ovmake.rules.settings import dataset_inputs, dataset_params, device_params, ir_inputs, validation_set


def evaluate(lowering: Lowering, target: Target, *, converted: Action, ir: Action, expected: Action) -> Action:
    """Add the comparison of `ir` with TensorFlow's outputs."""
    dataset = validation_set(dict(lowering.ovfile.datasets), target)
    metric = target.accuracy.metric if target.accuracy else None
    return lowering.add(
        Action(
            kind="evaluate",
            subject=target.name,
            worker="openvino",
            tools=("openvino", "numpy"),
            params=(
                *dataset_params(dataset, labels=metric is not None),
                *((Param(name="accuracy.metric", value=metric),) if metric else ()),
                *device_params(target),
            ),
            inputs=(
                *ir_inputs(ir.name),
                Input(role="interface", origin=Artifact(converted.name, "interface")),
                Input(role="expected", origin=Artifact(expected.name, "outputs")),
                Input(role="facts", origin=Artifact(expected.name, "facts")),
                *dataset_inputs(dataset),
            ),
            environment=("isa",),
            outputs=(Output(role="evaluation"),),
            at=target.at,
            origins=target.origins,
        ),
    )
