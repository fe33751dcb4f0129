"""compress-weights: the canonical FP32 IR with weights in 8 or 4 bits, computed in floating point. It needs no data.

The action digest includes the instruction set: NNCF rounds weights with a model that OpenVINO compiles for this CPU.
"""

from __future__ import annotations

from ovmake.contracts.params.quantization import CompressWeightsParams
from ovmake.graph.action import Action, Artifact, Input, Output
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import Target
from ovmake.ovfile.words import SEED
from ovmake.rules.settings import ir_inputs, is_traced, tracing_inputs, tracing_params, weight_params


def compress_weights(lowering: Lowering, target: Target, converted: Action, frozen: Action | None) -> Action:
    """Add the compression of `converted`. `frozen` is the freezing of the source, for the names of layers."""
    settings = weight_params(target)
    if settings is None:
        raise AssertionError(f"{target.name} has no settings for weights")
    # Layers are found by running the model on a sample.
    seed = SEED if is_traced(target) else None
    interface = (Input(role="interface", origin=Artifact(converted.name, "interface")),) if is_traced(target) else ()
    return lowering.add(
        Action(
            kind="compress-weights",
            subject=target.name,
            worker="openvino",
            tools=("openvino", "nncf", "numpy"),
            params=CompressWeightsParams(weights=settings, traced=tracing_params(lowering, target, frozen), seed=seed),
            inputs=(*ir_inputs(converted.name), *interface, *tracing_inputs(lowering, target, frozen)),
            environment=("isa",),
            outputs=(Output(role="xml"), Output(role="bin")),
            at=target.at,
            origins=target.origins,
        ),
    )
