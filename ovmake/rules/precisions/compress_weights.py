"""compress-weights: the canonical FP32 IR with its weights in 8 or 4 bits, computed with in floating point. No data.

The action digest names the instruction set: NNCF rounds weights in a model that OpenVINO compiles for this machine.
"""

from __future__ import annotations

from ovmake.graph.action import Action, Artifact, Input, Output, Param
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import Target
from ovmake.ovfile.words import SEED
from ovmake.rules.settings import ir_inputs, is_traced, tracing_inputs, tracing_params, weight_params


def compress_weights(lowering: Lowering, target: Target, converted: Action, frozen: Action | None) -> Action:
    """Add the compression of `converted`. `frozen` is the freezing of the source, for the names of layers."""
    # To find layers, the model is run on a sample.
    sample = (Param(name="seed", value=SEED),) if is_traced(target) else ()
    interface = (Input(role="interface", origin=Artifact(converted.name, "interface")),) if is_traced(target) else ()
    return lowering.add(
        Action(
            kind="compress-weights",
            subject=target.name,
            worker="openvino",
            tools=("openvino", "nncf", "numpy"),
            params=(*weight_params(target), *tracing_params(lowering, target, frozen), *sample),
            inputs=(*ir_inputs(converted.name), *interface, *tracing_inputs(lowering, target, frozen)),
            environment=("isa",),
            outputs=(Output(role="xml"), Output(role="bin")),
            at=target.at,
            origins=target.origins,
        ),
    )
