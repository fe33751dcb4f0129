"""The speed check: is an IR of reduced precision faster than the FP32 one? If it is slower, say so and why.

    compare_speed(lowering, target, ...) -> Action     times both, in turns, for a second or two
    check_speed(lowering, target, compared) -> Action  judges the figures
    judge(comparison, precision) -> Verdict            pure

The check is advice: it comes after publishing, and a machine that cannot make it takes no IR back. No published file
depends on it, so the record stays the same on every machine. Measuring and judging are two actions as in the gate.

The FP32 IR stands for the FP16 one too: ovmake compiles with the f32 hint, so both run the same kernels on the same
numbers, and only the file is smaller.
"""

from __future__ import annotations

from ovmake.graph.action import Action, Artifact, Input, Output, Param
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import Target
from ovmake.ovfile.words import SEED
from ovmake.rules.settings import device_params, ir_inputs, plan_inputs

# Precisions that are there to be faster than floating point. fp16 is there to be smaller.
REDUCED = ("int8", "int8-weights", "int4-weights")


def compare_speed(lowering: Lowering, target: Target, *, ir: Action, converted: Action, after: Action) -> Action:
    """Add the timing of `ir` beside the FP32 IR of `converted`, once `after` is done."""
    floats = {given.role: given.origin for given in ir_inputs(converted.name)}
    return lowering.add(
        Action(
            kind="compare-speed",
            subject=target.name,
            worker="bench",
            tools=("openvino", "numpy"),
            params=(Param(name="seed", value=SEED), *device_params(target)),
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
    """Add the judgement of what `compared` measured."""
    return lowering.add(
        Action(
            kind="check-speed",
            subject=target.name,
            worker="here",
            params=(Param(name="precision", value=target.precision),),
            inputs=(Input(role="comparison", origin=Artifact(compared.name, "comparison")),),
            outputs=(Output(role="speed"),),
            advisory=True,
            at=target.at,
            origins=target.origins,
        ),
    )
