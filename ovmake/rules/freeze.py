"""freeze: TensorFlow makes a graph without variables from a source that OpenVINO cannot read directly.

These sources are: Keras files and TF1 checkpoints; a SavedModel with a `signature` or `tags` setting, which OpenVINO's
reader does not support; and a SavedModel with a cut, because its layers are inside functions until they are inlined.
All other sources are converted without a TensorFlow process.

`graph` is the frozen GraphDef, `names` a small JSON with the tensors that are inputs and outputs.
"""

from __future__ import annotations

from ovmake.contracts.params.source import DEFAULT_KIND, DEFAULT_SIGNATURE, DEFAULT_TAGS
from ovmake.contracts.source_kinds import SOURCE_KINDS
from ovmake.graph.action import Action, Output
from ovmake.graph.lower import Lowering, SourceForm
from ovmake.ovfile.spec import Target
from ovmake.rules.settings import form_of, source_inputs, source_params


def freeze(lowering: Lowering, target: Target, *, always: bool = False) -> Action | None:
    """Add the freezing of the target's source if it is needed; with `always`, for every source that has a graph."""
    form = form_of(lowering, target)
    if not (_is_needed(target, form) or (always and has_graph(form))):
        return None
    action = Action(
        kind="freeze",
        subject=target.model,
        worker="tensorflow",
        tools=("tensorflow", "keras") if form.kind in {"keras", "keras-h5"} else ("tensorflow",),
        optional_tools=("tf-keras",) if form.kind == "keras-h5" else (),
        params=source_params(target, form.kind),
        inputs=source_inputs(target, form),
        outputs=(Output(role="graph"), Output(role="names")),
        at=target.home,
        origins=target.origins,
    )
    return lowering.add(action, otherwise=target.name)


def _is_needed(target: Target, form: SourceForm) -> bool:
    if form.kind != DEFAULT_KIND:
        return form.kind in SOURCE_KINDS and SOURCE_KINDS[form.kind].is_frozen_first
    as_it_is = target.signature == DEFAULT_SIGNATURE and target.tags == DEFAULT_TAGS
    return not as_it_is or bool(target.cut.inputs or target.cut.outputs)


def has_graph(form: SourceForm) -> bool:
    """Whether a source is a TensorFlow graph, or becomes one by freezing."""
    return form.kind not in SOURCE_KINDS or SOURCE_KINDS[form.kind].has_graph
