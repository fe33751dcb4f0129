"""compress: the canonical FP32 IR with its weights rounded to FP16. No calibration, half the size.

It also makes the IR of bf16, which is the same; only the execution differs. For bf16 the runtime rounds the weights to
8 bits of precision when it compiles the IR. So the earlier rounding to FP16 (24 bits to 11) makes no visible difference
(examples/fashion: cosine 0.999985; from the FP32 IR it is 0.999988).
"""

from __future__ import annotations

from ovmake.graph.action import Action, Output
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import Target
from ovmake.rules.settings import ir_inputs


def compress(lowering: Lowering, target: Target, converted: Action) -> Action:
    """Add the compression of `converted`."""
    return lowering.add(
        Action(
            kind="compress",
            subject=target.name,
            worker="openvino",
            tools=("openvino",),
            inputs=ir_inputs(converted.name),
            outputs=(Output(role="xml"), Output(role="bin")),
            at=target.at,
            origins=target.origins,
        ),
    )
