"""compare-layers: every layer of the source in TensorFlow and in the target's IR. Part of `ovmake debug`.

It does not depend on the gate, because users debug IRs that failed it. The tolerance is no param: the action stores all
figures, and the command compares them with the tolerance.
"""

from __future__ import annotations

from ovmake.contracts.params.evaluation import CompareLayersParams
from ovmake.contracts.params.model import ConvertParams
from ovmake.graph.action import Action, Artifact, Input, Output
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import Target
from ovmake.rules.settings import (
    dataset_inputs,
    dataset_tools,
    execute_in,
    ir_inputs,
    judging_params,
    judging_set,
    model_params,
    tensorflow_inputs,
    tensorflow_params,
)

# Enough samples to find a wrong layer, and few enough to compute the values of all layers twice.
SAMPLES = 4


def compare_layers(
    lowering: Lowering, target: Target, *, converted: Action, ir: Action, frozen: Action | None
) -> Action:
    """Add the comparison of the layers of `ir` with those of the graph in `frozen`, or of a .tflite."""
    datasets = dict(lowering.ovfile.datasets)
    dataset = judging_set(datasets, target)
    return lowering.add(
        Action(
            kind="compare-layers",
            subject=target.name,
            worker="openvino",
            tools=("openvino", "tensorflow", "numpy", *dataset_tools(dataset)),
            params=CompareLayersParams(
                converted=ConvertParams(source=tensorflow_params(lowering, target, frozen), model=model_params(target)),
                execute_in=execute_in(target),
                given=judging_params(datasets, target, labels=False),
                count=SAMPLES,
            ),
            inputs=(
                *ir_inputs(ir.name),
                Input(role="interface", origin=Artifact(converted.name, "interface")),
                *tensorflow_inputs(lowering, target, frozen),
                *dataset_inputs(dataset),
            ),
            environment=("isa",),
            outputs=(Output(role="layers"),),
            at=target.at,
            origins=target.origins,
        ),
    )
