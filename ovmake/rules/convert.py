"""convert: a TensorFlow source, or its frozen graph, to the canonical FP32 IR. All precisions of a model share it.

The `interface` output is a small JSON: names, shapes and types of inputs and outputs, and the preprocessing inside the
IR. Actions that depend only on the interface stay fresh when the weights change.

TensorFlow is an optional tool here: if OpenVINO's own reader fails on a source, TensorFlow freezes it, and the action
tries again.
"""

from __future__ import annotations

from ovmake.contracts.params.model import ConvertParams
from ovmake.contracts.params.source import SourceParams
from ovmake.graph.action import Action, Output
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import Target
from ovmake.rules.settings import form_of, frozen_inputs, model_params, source_inputs, source_params


def convert(lowering: Lowering, target: Target, frozen: Action | None) -> Action:
    """Add the conversion of the target's source, or of the graph from `frozen`."""
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
