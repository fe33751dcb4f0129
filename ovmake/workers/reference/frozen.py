"""A TensorFlow source as one callable graph, with the IR's cut, shapes and constants, called in the fastest plain way.

    model = Frozen.load(request, interface, source)
    outputs = model(feed)                    name -> array, with the interface's names; the feed is already prepared

The variables of any source become constants (`any_source.py`). The part between the interface's tensors is then
imported into one ConcreteFunction: calling TensorFlow through a signature takes 1.5 times as long.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.core.framework.graph_pb2 import GraphDef

from ovmake.contracts.files.interface import Constant, Interface, Tensor
from ovmake.contracts.params.source import SourceParams
from ovmake.errors import ActionError, message_of
from ovmake.workers.inputs.perturbation import perturbed
from ovmake.workers.inputs.preparing import NUMPY_TYPES, Array, filled
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.loading.any_source import check_ops, load
from ovmake.workers.loading.graphs import NOT_COUNTED, Loaded, canonical, lookups, nodes, register
from ovmake.workers.loading.half_precision import computes_in, steps, widened, with_reduced_inputs

CANNOT_FREEZE = "cannot-freeze"
TABLES = (
    "use an uncut SavedModel with the signature `serving_default`: OpenVINO converts its tables of numbers; or cut the "
    "table off (`cut.inputs`)"
)
_ASSIGNS = re.compile(r"Assign(Add|Sub)?VariableOp|Resource(Scatter|Apply|StridedSliceAssign|SparseApply)\w*")
# The first operations of TF1 loops.
FRAMES = {"Enter", "RefEnter"}
# What computes a graph's outputs of its inputs, both in the order of the interface. A session's gives arrays.
Function = Callable[..., Sequence[tf.Tensor | Array]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """A callable graph. `operations` counts the computing ones, loop bodies once; `make` makes a new `function`.

    `true` is the same graph in FP32, if a part of it computes in half precision; `less` is the same graph with slightly
    smaller inputs of fake quantization (`half_precision.py`); None otherwise. `quanta` and `computes_in`: see
    `ReferenceModel`.
    """

    make: Callable[[], Function]
    function: Function
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    operations: int
    computes_in: str
    quanta: Mapping[str, float]
    true: Function | None
    less: Function | None

    @classmethod
    def load(cls, request: Request, interface: Interface, source: SourceParams) -> Frozen:
        """Load the source, or the frozen graph of it.

        Raises:
            ActionError: TensorFlow cannot load it, or cannot run this part of it with these shapes; or it needs lookup
                tables or variables (`cannot-freeze`).
        """
        loaded = loaded_of(request, source)
        graph = loaded.graph_def
        for node in graph.node:
            node.attr.pop("_output_shapes", None)  # an attribute that contradicts the IR's shapes
        starts = {tensor.name: _tensor(loaded.inputs, tensor) for tensor in interface.inputs}
        constants = {_tensor(loaded.inputs, constant): filled(constant) for constant in interface.constants}
        ends = {tensor.name: _tensor(loaded.outputs, tensor) for tensor in interface.outputs}
        part = _Part(starts=starts, constants=constants, ends=ends)
        is_cut = not {*starts.values(), *constants} <= {*loaded.inputs.values()}
        if is_cut and not any(node.op in FRAMES for node in graph.node):  # TF1 loops need their control edges
            graph = _cut_off(graph, {*starts.values(), *constants}, ends)
        between = _between(graph, starts, ends)
        _check_whole(between, {tensor.partition(":")[0] for tensor in (*starts.values(), *constants)})

        def make() -> Function:
            return _callable(graph, part, interface)

        half = computes_in(nodes(between))
        moved = with_reduced_inputs(graph)
        return cls(
            make=make,
            function=make(),
            inputs=tuple(starts),
            outputs=tuple(ends),
            operations=sum(node.op not in NOT_COUNTED for node in nodes(between)),
            computes_in=half,
            quanta=steps(between, ends),
            true=_true(graph, part, interface) if half else None,
            less=None if moved is None else _callable(moved, part, interface),
        )

    @property
    def in_integers(self) -> bool:
        """See `ReferenceModel`."""
        return False

    def again(self, feed: Mapping[str, Array]) -> dict[str, Array] | None:
        """See `ReferenceModel`."""
        moved = perturbed(feed)
        if self.less is not None:
            return self._run(self.less, moved or feed)
        return None if moved is None else self(moved)

    @property
    def truth_name(self) -> str:
        """See `ReferenceModel`."""
        return "" if self.true is None else "the same graph in f32"

    @property
    def truth_is_slow(self) -> bool:
        """See `ReferenceModel`."""
        return False

    def truth(self, feed: Mapping[str, Array]) -> dict[str, Array]:
        """See `ReferenceModel`."""
        if self.true is None:
            return self(feed)
        return self._run(self.true, {name: _wide(array) for name, array in feed.items()})

    def tensors(self, feed: Mapping[str, Array]) -> list[tf.Tensor]:
        """Return a feed as the function's arguments."""
        return [tf.constant(feed[name]) for name in self.inputs]

    def __call__(self, feed: Mapping[str, Array]) -> dict[str, Array]:
        """Run once."""
        return self._run(self.function, feed)

    def _run(self, function: Function, feed: Mapping[str, Array]) -> dict[str, Array]:
        results = function(*self.tensors(feed))
        return {name: _plain(np.asarray(result)) for name, result in zip(self.outputs, results, strict=True)}


def loaded_of(request: Request, source: SourceParams) -> Loaded:
    """Return the request's loaded source: its frozen graph if there is one."""
    if "graph" in request.inputs:
        frozen = read_frozen(Path(request.inputs["graph"]), Path(request.inputs["names"]))
        check_ops(Path(request.inputs["graph"]), frozen.graph_def, source.allowed)
        return frozen
    return load(
        Path(request.inputs["source"]),
        kind=source.kind,
        signature=source.signature,
        tags=source.tags,
        allowed=source.allowed,
    )


def read_frozen(graph: Path, names: Path) -> Loaded:
    """Read the files of *freeze*."""
    graph_def = tf.compat.v1.GraphDef()
    graph_def.ParseFromString(graph.read_bytes())
    register(graph_def)
    described = json.loads(names.read_bytes())
    return Loaded(
        graph_def=graph_def,
        inputs=described["inputs"],
        outputs=described["outputs"],
        signature=None,
        way=described["way"],
    )


def _check_whole(graph: GraphDef, fed: Collection[str]) -> None:
    """Refuse a graph that would fail only in a call: a lookup table without content, an assignment to a constant.

    `fed` are nodes that do not run, because their output is fed.
    """
    found = [name for name in lookups(graph) if name not in fed]
    if found:
        message = f"it has a lookup table (`{found[0]}`), which a frozen graph cannot contain"
        raise ActionError(CANNOT_FREEZE, message, setting="source", help=TABLES)
    assigned = [node.name for node in nodes(graph) if _ASSIGNS.fullmatch(node.op)]
    if assigned:
        message = f"it assigns variables (`{assigned[0]}`), which are constants in a frozen graph"
        raise ActionError(CANNOT_FREEZE, message, setting="source")


def _tensor(known: Mapping[str, str], tensor: Tensor | Constant) -> str:
    """Return the graph's tensor for a name of the interface: an input or output of the source, or a tensor's name.

    Raises:
        ActionError: it is neither.
    """
    name = tensor.source_name
    if name in known:
        return known[name]
    if ":" in name:
        return name
    listed = ", ".join(f"`{name}`" for name in known)
    message = f"TensorFlow's graph has no `{tensor.name}`, which the IR has: {listed}"
    raise ActionError("interface-mismatch", message, setting="source")


def _wide(array: Array) -> Array:
    return array.astype(np.float32) if array.dtype.name in {"float16", "bfloat16"} else array


def _plain(array: Array) -> Array:
    """Return bfloat16 as float32, because numpy has no bfloat16 and cannot store it."""
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """The part of a graph that runs: tensors by the interface's names, and tensors that are constants."""

    starts: Mapping[str, str]
    constants: Mapping[str, Array]
    ends: Mapping[str, str]


def _callable(graph: GraphDef, part: _Part, interface: Interface) -> Function:
    """Import the graph into a function that TensorFlow traces itself.

    Functions from `wrap_function(...).prune(...)` or `convert_variables_to_constants_v2` skip Grappler when called, so
    nothing is fused. On examples/fashion they took 9.2 ms, the signature 1.8 ms, this one 1.4 ms.
    """
    types = _types(graph, part.starts.values())
    specs = [
        tf.TensorSpec(
            [None if size == -1 else size for size in tensor.source_shape],
            types.get(part.starts[tensor.name]) or _dtype(tensor),
        )
        for tensor in interface.inputs
    ]

    def run(*tensors: tf.Tensor) -> list[tf.Tensor]:
        fed = dict(zip(part.starts.values(), tensors, strict=True))
        fed |= {tensor: tf.constant(value) for tensor, value in part.constants.items()}
        wanted = list(part.ends.values())
        ends: list[tf.Tensor] = tf.graph_util.import_graph_def(
            graph, input_map=fed, return_elements=wanted, name="model"
        )
        return ends

    try:
        if any(node.op in FRAMES for node in graph.node):
            return _session_callable(run, specs)
        traced: Function = tf.function(run, input_signature=specs, autograph=False).get_concrete_function()
    except (ValueError, KeyError, tf.errors.OpError) as error:
        message = f"TensorFlow cannot run this part of the graph: {message_of(error)}"
        raise ActionError("tensorflow-cannot-run", message, setting="source") from error
    return traced


def _true(graph: GraphDef, part: _Part, interface: Interface) -> Function | None:
    """Return the same part in FP32; None if that is invalid, as for a graph that reads the bits of a half."""
    wide = widened(graph)
    register(wide)
    constants = {tensor: _wide(value) for tensor, value in part.constants.items()}
    try:
        return _callable(wide, replace(part, constants=constants), interface)
    except ActionError:
        return None


def _session_callable(run: Function, specs: Sequence[tf.TensorSpec]) -> Function:
    """Return the graph as a callable of a TF1 session, which is as fast as a function.

    It is for TF1 loops, whose frames conflict with the control edges that a tf.function adds.
    """
    with tf.Graph().as_default() as owner:
        fed = [tf.compat.v1.placeholder(spec.dtype, spec.shape) for spec in specs]
        ends = run(*fed)
    threads = tf.config.threading.get_intra_op_parallelism_threads()
    session = tf.compat.v1.Session(graph=owner, config=tf.compat.v1.ConfigProto(intra_op_parallelism_threads=threads))
    call = session.make_callable(ends, feed_list=fed)
    return lambda *tensors: call(*(np.asarray(tensor) for tensor in tensors))


def _types(graph: GraphDef, tensors: Iterable[str]) -> dict[str, tf.DType]:
    """Return TensorFlow's types of the Placeholders among `tensors`; the interface may lack the type (bfloat16)."""
    wanted = {tensor.partition(":")[0]: tensor for tensor in tensors}
    return {
        wanted[node.name]: tf.as_dtype(node.attr["dtype"].type)
        for node in graph.node
        if node.name in wanted and node.op == "Placeholder"
    }


def _dtype(tensor: Tensor) -> tf.DType:
    kind = tensor.prepare.type if tensor.prepare else tensor.type
    return tf.as_dtype(NUMPY_TYPES[kind])


def _cut_off(graph: GraphDef, fed: Collection[str], ends: Mapping[str, str]) -> GraphDef:
    """Return only the part of a graph that computes `ends` from the fed tensors.

    TensorFlow runs every stateful op in a function, including table lookups. Nodes that only control edges need are
    removed too: they check the source's own inputs.
    """
    part = _between(graph, {tensor: tensor for tensor in fed}, ends, controls=False)
    taken = {canonical(spelt) for node in part.node for spelt in node.input} | {*ends.values()}
    taken = {tensor.partition(":")[0] for tensor in taken - {*fed}}
    whole = {tensor.partition(":")[0] for tensor in fed} - taken
    kept = {node.name for node in part.node} - {name for name in whole if not _is_input(graph, name)}
    cut = tf.compat.v1.GraphDef(library=graph.library, versions=graph.versions)
    for node in graph.node:
        if node.name in kept:
            copied = cut.node.add()
            copied.CopyFrom(node)
            copied.ClearField("input")
            copied.input.extend(one for one in node.input if not one.startswith("^") or one[1:] in kept)
    return cut


def _is_input(graph: GraphDef, name: str) -> bool:
    return any(node.name == name and node.op == "Placeholder" for node in graph.node)


def _between(graph: GraphDef, starts: Mapping[str, str], ends: Mapping[str, str], *, controls: bool = True) -> GraphDef:
    """Return the part of a graph from the start tensors to the end tensors."""
    by_name = {node.name: node for node in graph.node}
    before = {tensor.partition(":")[0] for tensor in starts.values()}
    todo = [tensor.partition(":")[0] for tensor in ends.values()]
    kept: set[str] = set()
    while todo:
        name = todo.pop()
        if name in kept or name not in by_name:
            continue
        kept.add(name)
        if name not in before:
            wanted = [spelt for spelt in by_name[name].input if controls or not spelt.startswith("^")]
            todo += [spelt.lstrip("^").partition(":")[0] for spelt in wanted]
    part = tf.compat.v1.GraphDef(library=graph.library)
    part.node.extend(node for name, node in by_name.items() if name in kept)
    return part
