"""convert: a TensorFlow source to the canonical FP32 IR. All precisions of a model share it.

The `interface` output is a small JSON: names, shapes and types of inputs and outputs, and the fingerprint of what the
source computes. What depends on the interface only is untouched when the weights' container changes and they do not.
"""

from __future__ import annotations

from ovmake.graph.action import Action, Input, Output, Source
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import Target
from ovmake.rules.settings import model_params


def convert(lowering: Lowering, target: Target) -> Action:
    """Add the conversion of the target's source."""
    action = Action(
        kind="convert",
        subject=target.model,
        worker="openvino",
        tools=("openvino", "numpy"),
        params=model_params(target),
        inputs=(Input(role="source", origin=Source(target.source), at=(*target.at, "source")),),
        outputs=(Output(role="xml"), Output(role="bin"), Output(role="interface")),
        at=target.at,
        origins=target.origins,
    )
    return lowering.add(action, otherwise=target.name)
