"""name-layers: the source's names of the layers that *control* reverted to float, or that have the largest error.

The search knows operations of the IR (`convolution.18`); users know the layers of the source (`conv2d_3`). Matching the
two needs a second conversion and the source's bytes. So it is a separate action: a re-export of the same weights does
not repeat the search of *control*.

If the source is not frozen yet, this action freezes it itself, and only if there are layers to name. As a separate
action, the freezing would run even if no layer was reverted; and if it failed, the target would fail only because of a
missing name.
"""

from __future__ import annotations

from ovmake.contracts.params.model import ConvertParams, NameLayersParams
from ovmake.graph.action import Action, Artifact, Input, Output
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import Target
from ovmake.ovfile.words import SEED
from ovmake.rules.freeze import has_graph
from ovmake.rules.settings import form_of, frozen_inputs, ir_inputs, model_params, source_inputs, tensorflow_params


def name_layers(
    lowering: Lowering, target: Target, *, converted: Action, controlled: Action, frozen: Action | None
) -> Action:
    """Add the naming of the layers in the `search` of `controlled`; the output is the same search with names."""
    form = form_of(lowering, target)
    return lowering.add(
        Action(
            kind="name-layers",
            subject=target.name,
            worker="openvino",
            tools=("openvino", "numpy"),
            optional_tools=() if frozen or not has_graph(form) else ("tensorflow",),
            params=NameLayersParams(
                converted=ConvertParams(source=tensorflow_params(lowering, target, frozen), model=model_params(target)),
                seed=SEED,
            ),
            inputs=(
                *ir_inputs(converted.name),
                Input(role="interface", origin=Artifact(converted.name, "interface")),
                Input(role="search", origin=Artifact(controlled.name, "search")),
                *(frozen_inputs(frozen) if frozen else source_inputs(target, form)),
            ),
            # Layers are located by their values, which are compared with a tolerance.
            environment=("isa",),
            outputs=(Output(role="search"),),
            at=target.at,
            origins=target.origins,
        ),
    )
