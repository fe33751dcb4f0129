"""compress-weights: the canonical FP32 IR with its weights in 8 or 4 bits, computed with in floating point. No data.

The action digest names the instruction set: NNCF rounds weights in a model that OpenVINO compiles for this machine.
"""

from __future__ import annotations

from ovmake.graph.action import Action, Artifact, Input, Output, Param
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import SEED, Target
from ovmake.rules.settings import ir_inputs, tensorflow_inputs, tracing_params, weight_params


def compress_weights(lowering: Lowering, target: Target, converted: Action, frozen: Action | None) -> Action:
    """Add the compression of `converted`. `frozen` is the freezing of the source, for the names of layers."""
    settings = target.weights
    if settings is None:
        raise AssertionError(f"{target.name} has no settings for its weights")
    params, inputs = weight_params(target), ir_inputs(converted.name)
    if settings.ignored.traced:
        params += (*tracing_params(lowering, target, frozen), Param(name="seed", value=SEED))
        inputs += (
            Input(role="interface", origin=Artifact(converted.name, "interface")),
            *tensorflow_inputs(lowering, target, frozen),
        )
    return lowering.add(
        Action(
            kind="compress-weights",
            subject=target.name,
            worker="openvino",
            tools=("openvino", "nncf", "numpy"),
            params=params,
            inputs=inputs,
            environment=("isa",),
            outputs=(Output(role="xml"), Output(role="bin")),
            at=target.at,
            origins=target.origins,
        ),
    )
