"""Load TF1 models: the .meta file of a checkpoint, and frozen graphs.

    load_checkpoint(source, signature, allowed) -> Loaded
    load_frozen_graph(source, allowed) -> Loaded

Neither file states its inputs and outputs, unless the .meta file has signatures. So they are derived:

A frozen graph's inputs are its Placeholders. Its outputs are the tensors without a consumer, if they depend on nothing
but constants and inputs.

Before TensorFlow imports a graph, it is screened (`screen.py`), and a checkpoint's graph is pruned (`pruning.py`).

A checkpoint's graph is mostly for training, so more rules are needed:

- Inputs are the Placeholders; without any, the outputs of the input pipeline's iterator.
- A *label* is an input that is never combined with a weight, in a graph that has gradients. Tensors that depend on a
  label (loss, accuracy), and ops that only prepare for these (ArgMax), are for training. So are gradients, optimizers,
  summaries, assertions, and saving. All of these are left out.
- Outputs are the final tensors of the rest that depend on an input.

If several tensors remain, all of them are outputs: `cut.outputs` in the Ovfile picks one. A loss without a label, such
as an autoencoder's, remains too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.framework.graph_pb2 import GraphDef
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef, SignatureDef

from ovmake.contracts.params.source import DEFAULT_SIGNATURE
from ovmake.diagnostics import did_you_mean
from ovmake.errors import ActionError
from ovmake.sources.integrity import stateful
from ovmake.sources.protobuf import ProtobufError
from ovmake.sources.recognise import companions
from ovmake.sources.screening.allowed_ops import refusal_reason
from ovmake.sources.screening.bodies import Bodies
from ovmake.sources.screening.screen import pruned, refuse, screen, unreadable
from ovmake.workers.loading.graphs import Loaded, tidy, user_name
from ovmake.workers.loading.pruning import prune
from ovmake.workers.loading.sessions import Tensors, frozen_session, tensors_of

_Proto = TypeVar("_Proto", GraphDef, MetaGraphDef)
_PLACEHOLDERS = {"Placeholder", "PlaceholderV2"}
_PIPELINE = re.compile(r"IteratorGetNext.*|Queue\w*Dequeue\w*")
_VARIABLES = {"Variable", "VariableV2", "AutoReloadVariable", "VarHandleOp", "VarHandlesOp"}
# Ops that train, watch or save, by the beginning or end of their names.
_TRAINING = re.compile(
    r"(Resource|Sparse|ResourceSparse)?Apply.*|Assign.*|(Resource)?Scatter(Add|Sub|Update|Mul|Div|Min|Max)"
    r"|Save.*|Restore.*|MergeV2Checkpoints|.*Summary(V2)?|NoOp|Assert|Print(V2)?|Queue.*Enqueue.*"
)
_FOR_METRICS = {"ArgMax", "Cast", "Round", "TopKV2"}
# Scopes that tf.gradients and tf.debugging make: `gradients/…`, `training/Adam/gradients_1/…`, `assert_equal/…`.
_GRADIENTS = re.compile(r"(^|/)gradients(_\d+)?/")
_ASIDE = re.compile(r"(^|/)(gradients(_\d+)?/|assert_\w*/|Assert(_\d+)?/)")


def load_frozen_graph(source: Path, allowed: frozenset[str]) -> Loaded:
    """Load a frozen .pb.

    Raises:
        ActionError: it is damaged, or has side effects.
    """
    graph_def = _parsed(source, tf.compat.v1.GraphDef())
    screen(source, "frozen-graph", allowed)
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(graph_def, name="")
    operations = graph.get_operations()
    inputs = {op.name: op.outputs[0].name for op in operations if op.type in _PLACEHOLDERS}
    ends = [op for op in operations if op.type not in {*_PLACEHOLDERS, "Const"} and not any(_takers(op))]
    outputs = {user_name(tensor.name): tensor.name for op in ends for tensor in op.outputs}
    return Loaded(
        graph_def=tidy(graph_def, inputs.values(), outputs.values()),
        inputs=inputs,
        outputs=outputs,
        signature=None,
        way="as it is",
    )


def load_checkpoint(source: Path, signature: str, allowed: frozenset[str]) -> Loaded:
    """Load the graph of X.meta with the variables of X.index and X.data-….

    Raises:
        ActionError: a file is missing or damaged, loading it would have side effects, or nothing in the graph looks
            like an output.
    """
    meta_graph = _parsed(source, tf.compat.v1.MetaGraphDef())
    screen(source, "checkpoint", allowed)
    removed = _pruned(source, meta_graph, allowed)
    prefix = source.with_name(source.name.removesuffix(".meta"))
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        saver = tf.compat.v1.train.import_meta_graph(meta_graph, clear_devices=True)
        if saver is not None:
            _check_data(source)
            saver.restore(session, str(prefix))
        chosen = _signature(meta_graph, signature)
        inputs, outputs = tensors_of(chosen, graph) if chosen else inference(graph, removed)
        bodies = Bodies(memoryview(graph.as_graph_def().SerializeToString()))
        stateful.refuse(source, stateful.remembered(bodies, [tensor.name for tensor in outputs.values()]))
        return frozen_session(session, inputs, outputs, way="TF1 checkpoint")


def _pruned(source: Path, meta_graph: MetaGraphDef, allowed: frozenset[str]) -> tuple[str, ...]:
    """Remove the training part; return the removed operations.

    Raises:
        ActionError: the rest would be a different model, or would still have side effects.
    """
    try:
        removed, needed = prune(meta_graph, allowed)
        refuse(source, source.name, needed)
        refuse(source, source.name, pruned(memoryview(meta_graph.SerializeToString()), allowed))
    except ProtobufError as error:
        raise unreadable(source, error) from error
    return removed


def _parsed(source: Path, proto: _Proto) -> _Proto:
    try:
        proto.ParseFromString(source.read_bytes())
    except DecodeError as error:
        message = f"TensorFlow cannot read `{source.name}`: {error}"
        hint = "the file is damaged or truncated: copy or download it again"
        raise ActionError("tensorflow-cannot-load", message, setting="source", help=hint) from error
    return proto


def _check_data(source: Path) -> None:
    """Name the missing files; TensorFlow would name only the prefix."""
    stem = source.name.removesuffix(".meta")
    names = [path.name for path in companions(source)]
    if stem in names or (f"{stem}.index" in names and any(".data-" in name for name in names)):
        return
    missing = f"`{stem}.data-…`" if f"{stem}.index" in names else f"`{stem}.index`"
    message = f"`{source.name}` is the graph of a checkpoint, and its variables are missing: no {missing} beside it"
    hint = f"copy `{stem}.index` and `{stem}.data-…` into the same folder"
    raise ActionError("tensorflow-cannot-load", message, setting="source", help=hint)


def _signature(meta_graph: MetaGraphDef, signature: str) -> SignatureDef | None:
    """Return the requested signature; None if none was requested and the graph has none."""
    known = sorted(meta_graph.signature_def)
    if signature in known:
        return meta_graph.signature_def[signature]
    if signature == DEFAULT_SIGNATURE:
        return None
    listed = ", ".join(f"`{name}`" for name in known) or "none"
    message = f"the checkpoint has no signature `{signature}`; it has {listed}"
    raise ActionError("unknown-signature", message, setting="signature", help=did_you_mean(signature, known))


# the inference part of a training graph


@dataclass(frozen=True, slots=True)
class _Flow:
    """Reachability in a graph, without the training part."""

    graph: tf.Graph

    def ahead(self, tensors: Iterable[tf.Tensor]) -> set[tf.Operation]:
        """Return the operations that depend on these tensors."""
        stack = [op for tensor in tensors for op in tensor.consumers()]
        found: set[tf.Operation] = set()
        while stack:
            op = stack.pop()
            if op not in found and not _trains(op):
                found.add(op)
                stack += _takers(op)
        return found

    def sources(self) -> list[tf.Tensor]:
        """Return the tensors that are fed, or that come from an input pipeline."""
        operations = [op for op in self.graph.get_operations() if not _trains(op)]
        for fits in (_is_placeholder, _is_pipeline, _is_default):
            if found := [tensor for op in operations if fits(op) for tensor in op.outputs if self.ahead([tensor])]:
                return found
        return []


def inference(graph: tf.Graph, removed: tuple[str, ...] = ()) -> tuple[Tensors, Tensors]:
    """Return the inputs and outputs of the inference part."""
    flow = _Flow(graph)
    sources = flow.sources()
    labels = _labels(flow, sources)
    inputs = [tensor for tensor in sources if not any(tensor is label for label in labels)]
    aside = flow.ahead(labels)
    live = flow.ahead(inputs) - aside
    ends = [op for op in graph.get_operations() if op in live and op.outputs and not live & set(_takers(op))]
    if not ends:
        message = (
            "nothing in the checkpoint's graph looks like an output: no operation computes something from an input"
        )
        hint = "export a SavedModel from the code that made the checkpoint"
        listed = ", ".join(f"{op} {refusal_reason(op, {})}" for op in removed)
        notes = (f"nodes that need one of these operations were left out: {listed}",) if removed else ()
        raise ActionError("no-outputs", message, setting="source", help=hint, notes=notes)
    outputs = dict.fromkeys(tensor for op in ends for tensor in _measured(op, live))
    return _by_name(inputs), _by_name(outputs)


def _measured(end: tf.Operation, live: set[tf.Operation]) -> list[tf.Tensor]:
    """Return the outputs of a final op; if it only prepares for a metric, such as ArgMax for accuracy, its inputs.

    A tensor that not even a metric consumes is an output of its own.
    """
    while end.type in _FOR_METRICS and _takers(end):
        made_of = [tensor for tensor in end.inputs if tensor.op in live]
        if not made_of:
            break
        end = made_of[0].op
    return list(end.outputs)


def _labels(flow: _Flow, sources: list[tf.Tensor]) -> list[tf.Tensor]:
    """Return the sources that are never combined with a weight: no op that depends on them also reads a variable.

    Scalars do not count as weights: a regularization loss is added to the loss of the labels.
    """
    if not any(_GRADIENTS.search(op.name) for op in flow.graph.get_operations()):
        return []
    fed = flow.ahead(sources)
    variables = [tensor for op in flow.graph.get_operations() if op.type in _VARIABLES for tensor in op.outputs]
    weights = {tensor.ref() for op in flow.ahead(variables) - fed for tensor in op.outputs} | {
        tensor.ref() for tensor in variables
    }
    layers = {op for op in fed if any(tensor.ref() in weights and _is_weight(tensor) for tensor in op.inputs)}
    labels = [tensor for tensor in sources if not flow.ahead([tensor]) & layers]
    return labels if len(labels) < len(sources) else []


def _is_weight(tensor: tf.Tensor) -> bool:
    return bool(tensor.dtype == tf.resource or tensor.shape.rank != 0)


def _is_placeholder(op: tf.Operation) -> bool:
    return op.type in _PLACEHOLDERS


def _is_pipeline(op: tf.Operation) -> bool:
    return _PIPELINE.fullmatch(op.type) is not None


def _is_default(op: tf.Operation) -> bool:
    return bool(op.type == "PlaceholderWithDefault" and op.outputs[0].shape.rank != 0)


def _trains(op: tf.Operation) -> bool:
    return bool(_TRAINING.fullmatch(op.type) or _ASIDE.search(op.name))


def _takers(op: tf.Operation) -> list[tf.Operation]:
    return [taker for tensor in op.outputs for taker in tensor.consumers()]


def _by_name(tensors: Iterable[tf.Tensor]) -> Tensors:
    return {user_name(tensor.name): tensor for tensor in tensors}
