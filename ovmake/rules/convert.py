"""convert: a TensorFlow source, or its frozen graph, to the canonical FP32 IR. All precisions of a model share it.

The `interface` output is a small JSON: names, shapes and types of inputs and outputs, and what is done to inputs inside
the IR. What depends on the interface only is untouched when the weights change.

TensorFlow is an optional tool here: where OpenVINO's own reader fails on a source, the action has TensorFlow freeze it
and tries again.
"""

from __future__ import annotations

from ovmake.contracts.params.model import ConvertParams
from ovmake.contracts.params.source import SourceParams
from ovmake.graph.action import Action, Output
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import Target
from ovmake.rules.settings import form_of, frozen_inputs, model_params, source_inputs, source_params


def convert(lowering: Lowering, target: Target, frozen: Action | None) -> Action:
    """Add the conversion of the target's source, or of the graph that `frozen` makes of it."""
    form = form_of(lowering, target)
    action = Action(
        kind="convert",
        subject=target.family,
        worker="openvino",
        tools=("openvino", "numpy"),
        optional_tools=("tensorflow",) if frozen is None else (),
        params=ConvertParams(
            source=source_params(target, form.kind) if frozen is None else SourceParams(), model=model_params(target)
        ),
        inputs=frozen_inputs(frozen) if frozen else source_inputs(target, form),
        outputs=(Output(role="xml"), Output(role="bin"), Output(role="interface")),
        at=target.at,
        origins=target.origins,
    )
    return lowering.add(action, otherwise=target.name)
