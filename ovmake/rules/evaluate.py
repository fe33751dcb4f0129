"""evaluate: run an IR on the samples of the reference, and measure its differences.

It only measures; the gate decides. So `max-drop` is no param here, and a new value runs no inference again.
"""

from __future__ import annotations

from ovmake.contracts.params.evaluation import EvaluateParams
from ovmake.graph.action import Action, Artifact, Input, Output
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import Target
from ovmake.rules.settings import (
    dataset_inputs,
    dataset_tools,
    device_params,
    ir_inputs,
    judging_params,
    judging_set,
    metric_inputs,
    metric_params,
    metric_tools,
)


def evaluate(lowering: Lowering, target: Target, *, converted: Action, ir: Action, expected: Action) -> Action:
    """Add the comparison of `ir` with TensorFlow's outputs."""
    return lowering.add(evaluation_of(lowering, target, converted=converted, ir=ir, expected=expected))


def evaluation_of(lowering: Lowering, target: Target, *, converted: Action, ir: Action, expected: Action) -> Action:
    """Return the action that compares `ir` with TensorFlow's outputs; it is not added to the graph."""
    datasets = dict(lowering.ovfile.datasets)
    dataset = judging_set(datasets, target)
    labels = target.accuracy is not None and target.accuracy.uses_labels
    return Action(
        kind="evaluate",
        subject=target.name,
        worker="openvino",
        tools=("openvino", "numpy", *dataset_tools(dataset), *metric_tools(target)),
        params=EvaluateParams(
            samples=judging_params(datasets, target, labels=labels),
            metric=metric_params(target),
            device=device_params(target),
        ),
        inputs=(
            *ir_inputs(ir.name),
            Input(role="interface", origin=Artifact(converted.name, "interface")),
            Input(role="expected", origin=Artifact(expected.name, "outputs")),
            *(Input(role=role, origin=Artifact(expected.name, role)) for role in ("truth", "plan", "facts")),
            *dataset_inputs(dataset),
            *metric_inputs(target),
        ),
        environment=("isa",),
        outputs=(Output(role="evaluation"),),
        at=target.at,
        origins=target.origins,
    )
