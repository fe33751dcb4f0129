"""name-layers: the source's names beside the IR's, for the layers that *control* gave back or found to disturb most.

The search knows operations of the IR (`convolution.18`), whoever reads of it the layers of the source (`conv2d_3`). To
match them takes a second conversion and the source's bytes, so that it is no part of *control*: a re-export of the
same weights searches nothing again.

The source is frozen within the action, where it is not frozen anyway, and only if there is something to name. As an
action of the graph, the freezing would run for a search that gave nothing back too, and where it fails, the target
would fail for want of a name.
"""

from __future__ import annotations

from ovmake.graph.action import Action, Artifact, Input, Output, Param
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import Target
from ovmake.ovfile.words import SEED
from ovmake.rules.freeze import WITHOUT_GRAPH
from ovmake.rules.settings import form_of, frozen_inputs, ir_inputs, model_params, source_inputs, tensorflow_params


def name_layers(
    lowering: Lowering, target: Target, *, converted: Action, controlled: Action, frozen: Action | None
) -> Action:
    """Add the naming of the layers in the `search` of `controlled`; its own output is that with names."""
    form = form_of(lowering, target)
    return lowering.add(
        Action(
            kind="name-layers",
            subject=target.name,
            worker="openvino",
            tools=("openvino", "numpy"),
            optional_tools=() if frozen or form.kind == WITHOUT_GRAPH else ("tensorflow",),
            params=(
                *tensorflow_params(lowering, target, frozen),
                *model_params(target),
                # Of inputs that are made up.
                Param(name="seed", value=SEED),
            ),
            inputs=(
                *ir_inputs(converted.name),
                Input(role="interface", origin=Artifact(converted.name, "interface")),
                Input(role="search", origin=Artifact(controlled.name, "search")),
                *(frozen_inputs(frozen) if frozen else source_inputs(target, form)),
            ),
            # Places are found by values, which are compared with a tolerance.
            environment=("isa",),
            outputs=(Output(role="search"),),
            at=target.at,
            origins=target.origins,
        ),
    )
