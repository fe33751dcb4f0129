"""The speed check: warn if an IR of reduced precision is slower than the FP32 one, and say why.

    compare_speed(lowering, target, ...) -> Action     times both, interleaved, for a second or two
    check_speed(lowering, target, compared) -> Action  judges the figures (`ovmake.verdicts.speed`)

The check is advice: it comes after publishing. If a machine cannot run it, the IR stays published. No published file
depends on it, so the record is the same on every machine. As for the gate, measuring and judging are two actions.

The FP32 IR also represents the FP16 one: ovmake compiles with the f32 hint, so both run the same kernels on the same
numbers, and only the file is smaller.
"""

from __future__ import annotations

from ovmake.contracts.params.data import SampleParams
from ovmake.contracts.params.judging import CheckSpeedParams
from ovmake.contracts.params.measurement import CompareSpeedParams
from ovmake.graph.action import Action, Artifact, Input, Output
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import Target
from ovmake.ovfile.words import SEED
from ovmake.rules.settings import device_params, ir_inputs, plan_inputs

# Precisions whose purpose is speed. The purpose of fp16 is a smaller file.
REDUCED = ("int8", "int8-weights", "int4-weights")


def compare_speed(lowering: Lowering, target: Target, *, ir: Action, converted: Action, after: Action) -> Action:
    """Add the timing of `ir` and the FP32 IR of `converted`, after `after`."""
    floats = {given.role: given.origin for given in ir_inputs(converted.name)}
    return lowering.add(
        Action(
            kind="compare-speed",
            subject=target.name,
            worker="bench",
            tools=("openvino", "numpy"),
            params=CompareSpeedParams(device=device_params(target), samples=SampleParams(seed=SEED)),
            inputs=(
                *ir_inputs(ir.name),
                *(Input(role=f"fp32.{role}", origin=origin) for role, origin in floats.items()),
                Input(role="interface", origin=Artifact(converted.name, "interface")),
                *plan_inputs(lowering, target),
            ),
            environment=("machine",),
            outputs=(Output(role="comparison"),),
            after=(after.name,),
            exclusive=True,
            advisory=True,
            at=target.at,
            origins=target.origins,
        ),
    )


def check_speed(lowering: Lowering, target: Target, compared: Action) -> Action:
    """Add the verdict on the figures of `compared`."""
    return lowering.add(
        Action(
            kind="check-speed",
            subject=target.name,
            worker="in-process",
            params=CheckSpeedParams(precision=target.precision),
            inputs=(Input(role="comparison", origin=Artifact(compared.name, "comparison")),),
            outputs=(Output(role="speed"),),
            advisory=True,
            at=target.at,
            origins=target.origins,
        ),
    )
