"""freeze: TensorFlow makes a graph without variables of a source that OpenVINO cannot read as it is.

That is: Keras files and TF1 checkpoints; a SavedModel of which another signature or other tags are wanted, which
OpenVINO's reader does not know; and a SavedModel that is to be cut, whose layers are inside functions until they are
inlined. Everything else is converted without a TensorFlow process.

`graph` is the frozen GraphDef, `names` a small JSON: which of its tensors the inputs and outputs are.
"""

from __future__ import annotations

from ovmake.graph.action import Action, Output
from ovmake.graph.lower import Lowering, SourceForm
from ovmake.ovfile.spec import Target
from ovmake.ovfile.words import DEFAULT_SIGNATURE, DEFAULT_TAGS
from ovmake.rules.settings import DEFAULT_KIND, form_of, source_inputs, source_params

WITHOUT_GRAPH = "tflite"
ALWAYS = ("keras", "keras-h5", "checkpoint")


def freeze(lowering: Lowering, target: Target, *, always: bool = False) -> Action | None:
    """Add the freezing of the target's source, if it is needed, or `always` where it has a graph."""
    form = form_of(lowering, target)
    if not (_is_needed(target, form) or (always and form.kind != WITHOUT_GRAPH)):
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
        return form.kind in ALWAYS
    as_it_is = target.signature == DEFAULT_SIGNATURE and target.tags == DEFAULT_TAGS
    return not as_it_is or bool(target.cut.inputs or target.cut.outputs)
