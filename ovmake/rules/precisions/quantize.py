"""quantize: the canonical FP32 IR to INT8 by post-training quantization on a calibration set.

The action digest includes the instruction set: calibration runs the float model, and a different instruction set may
round the ranges of activations differently.
"""

from __future__ import annotations

from ovmake.contracts.params.quantization import QuantizeParams
from ovmake.graph.action import Action, Artifact, Input, Output
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import Target
from ovmake.ovfile.words import SEED
from ovmake.rules.check_samples import check_calibration, check_validation
from ovmake.rules.settings import (
    dataset_inputs,
    dataset_params,
    dataset_tools,
    ir_inputs,
    quantization_params,
    tracing_inputs,
    tracing_params,
)


def quantize(lowering: Lowering, target: Target, converted: Action, frozen: Action | None) -> Action:
    """Add the quantization of `converted`. `frozen` is the freezing of the source, for the names of layers."""
    settings, options = target.quantization, quantization_params(target)
    if settings is None or options is None:
        raise AssertionError(f"{target.name} has no quantization settings")
    calibration = lowering.ovfile.datasets[settings.calibration]
    checked = check_calibration(lowering, target, converted)
    if checked is None:
        raise AssertionError(f"{target.name} has quantization settings and no calibration samples")
    # The loader's samples must be those that were checked. Files cannot change during a build, so they need no check.
    passed = (Input(role="passed", origin=Artifact(checked.name, "passed")),) if calibration.function else ()
    return lowering.add(
        Action(
            kind="quantize",
            subject=target.name,
            worker="openvino",
            tools=("openvino", "nncf", "numpy", *dataset_tools(calibration)),
            params=QuantizeParams(
                quantization=options,
                traced=tracing_params(lowering, target, frozen),
                dataset=dataset_params(calibration, labels=False),
                # If the file has more samples, a seeded shuffle selects some: the seed changes the result.
                seed=SEED,
            ),
            inputs=(
                *ir_inputs(converted.name),
                Input(role="interface", origin=Artifact(converted.name, "interface")),
                *tracing_inputs(lowering, target, frozen),
                *dataset_inputs(calibration),
                *passed,
            ),
            environment=("isa",),
            outputs=(Output(role="xml"), Output(role="bin")),
            after=(*check_validation(lowering, target, converted), checked.name),
            at=target.at,
            origins=target.origins,
        ),
    )
