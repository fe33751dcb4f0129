"""Fingerprint the computation of a TensorFlow model, independent of how its files spell it.

    fingerprint(Path("models/digits")) -> Fingerprint(sha256=..., kind="computation", note="")

Exporting a model twice gives different bytes: function names carry counters, nodes and checkpoint
keys move (tensorflow#54067). Equal fingerprints mean that TensorFlow computes the same function
from the same weights. Re-exports of one model have equal fingerprints; for other models, equal
computations may still have different fingerprints.

SavedModel: a Merkle digest, from the signature's outputs back to its inputs, of ops, attributes
and the variables' values. Calls are inlined; nodes' and functions' names do not count. No node
may write state or draw random numbers, so order and sharing do not matter: control edges drop
out, and two nodes that compute the same value count as one. Besides the outputs, every check
(Assert, CheckNumerics) counts: it may stop one model where another continues.

Frozen .pb: it carries no op definitions, so its ops are unknown. Its structure counts exactly:
control edges, and which consumers share a node. Only the names of inner nodes do not count.

Rule 1: never guess. A lookup table, a random number, a TF1 while loop or a corrupt file gives kind
        "bytes": the digest of all files, and a note that says why.
Rule 2: standard library only, except the checksums of a checkpoint. This runs where TensorFlow must not be imported.
Rule 3: a damaged file never gets the fingerprint of a sound one. Checksums, sizes, types and shapes of the whole
        checkpoint are verified, also of values that no output needs. This module knows neither TensorFlow's op
        registry nor everything that its loader refuses, so a source is loaded once before a result is shared by its
        fingerprint (`rules/check_source.py`).

Names of inner nodes are not in the digest: a setting that names an inner node (a cut, an ignored
layer) must depend on the bytes instead.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ovmake.sources.checkpoint import VARIABLES, CheckpointError, Variables
from ovmake.sources.graphdef import Body, Edge, Graph, Interpreter, Node, Returned, UnfollowableError, counted, split
from ovmake.sources.ops import CHECKS, READERS, pure_ops
from ovmake.sources.protobuf import Message, ProtobufError

_UNIDENTIFYING = frozenset({"allowed_devices", "container", "debug_name", "shared_name"})
_PLACEHOLDER, _FUNCTION, _FUNCTIONS = 9, 10, 9  # fields of an AttrValue; the last one is a field of its list


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """`sha256`: lowercase hex. `kind`: "computation" (equal across exports) or "bytes".

    `note`: for "bytes", why the graph could not be followed; else "".
    """

    sha256: str
    kind: str
    note: str


def fingerprint(
    source: Path,
    *,
    signature: str = "serving_default",
    tags: tuple[str, ...] = ("serve",),
) -> Fingerprint:
    """Fingerprint what `signature` of the SavedModel folder or frozen .pb `source` computes.

    Raises:
        OSError: `source` cannot be read. A source that can be read but not followed gets the digest of
            its bytes.
    """
    try:
        digest = _saved_model(source, signature, tags) if source.is_dir() else _frozen(source)
    except (UnfollowableError, ProtobufError, CheckpointError) as error:
        return Fingerprint(sha256=bytes_digest(source).hex(), kind="bytes", note=str(error))
    return Fingerprint(sha256=digest.hex(), kind="computation", note="")


def _combine(kind: str, *parts: bytes) -> bytes:
    """Return sha-256 over `parts`, each with its length before it, so that none runs into the next."""
    hasher = hashlib.sha256(kind.encode() + b"\0")
    for part in parts:
        hasher.update(b"%d:" % len(part))
        hasher.update(part)
    return hasher.digest()


class _Digester(Interpreter[bytes]):
    """The common part of both digests: attributes, and functions that are not inlined."""

    def __init__(self, graph: Graph) -> None:
        super().__init__(graph)
        self._attribute_digests: dict[Node, bytes] = {}
        self.runs_functions: set[Node] = set()
        self._closed: dict[str, bytes] = {}

    def port(self, meaning: bytes, label: str) -> bytes:
        return _combine("port", meaning, label.encode())

    def attributes(self, node: Node) -> bytes:
        """Return the digest of a node's attributes. It is made once, however often the function is inlined."""
        if node not in self._attribute_digests:
            self._attribute_digests[node] = self._mapping(node.attributes)
            if any(_functions(Message(view)) for view in node.attributes.values()):
                self.runs_functions.add(node)
        return self._attribute_digests[node]

    def _mapping(self, attributes: Mapping[str, memoryview]) -> bytes:
        parts = (part for name in sorted(attributes) for part in (name.encode(), self._value(attributes[name])))
        return _combine("attributes", *parts)

    def _value(self, view: memoryview) -> bytes:
        """Return the digest of an AttrValue; a function in it counts by its body."""
        message = Message(view, range(1, 11))
        if _PLACEHOLDER in message:
            raise UnfollowableError("an attribute that the function's caller fills in")
        functions = _functions(message)
        if functions:
            return _combine("functions", *[self._named(function) for function in functions])
        return _combine("value", hashlib.sha256(view).digest())

    def _named(self, function: Message) -> bytes:
        if counted(function.entries(2)):
            raise UnfollowableError(f"function `{function.text(1)}` is called with attributes")
        return self.closed(function.text(1))

    def closed(self, name: str) -> bytes:
        """Return the digest of library function `name` by itself, its arguments by position."""
        if name not in self._closed:
            outer, self.effects = self.effects, set()
            body = self.graph.function(name)
            inputs = tuple([_combine("argument", b"%d" % place) for place in range(len(body.arguments))])
            self._closed[name] = _combine("body", self._mapping(body.attributes), *self.closing(name, inputs))
            self.effects = outer
        return self._closed[name]

    def closing(self, name: str, inputs: tuple[bytes, ...]) -> list[bytes]:
        """Return the digests that count when function `name` is called with `inputs`."""
        raise NotImplementedError


def _functions(attribute: Message) -> list[Message]:
    """Return the NameAttrLists in an AttrValue."""
    return attribute.messages(_FUNCTION) + attribute.message(1).messages(_FUNCTIONS)


class _Computation(_Digester):
    """A SavedModel's graph as an expression over the signature's inputs and the variables' values."""

    def __init__(self, graph: Graph, *, pure: frozenset[str], variables: Variables, assets: set[str]) -> None:
        super().__init__(graph)
        self._pure = pure
        self._variables = variables
        self._assets = assets

    def meaning(
        self, body: Body, node: Node, inputs: tuple[bytes, ...], controls: tuple[bytes, ...]
    ) -> bytes | Returned[bytes]:
        del controls
        main = body is self.graph.main
        if node.op == "Identity" and node.attributes.keys() <= {"T"}:
            return Returned(inputs)
        if main and node.op in VARIABLES:
            return Returned((self._variable(node),))
        if main and node.name in self._assets:
            raise UnfollowableError(f"node `{node.name}` is the path of an asset")
        known = node.op in self._pure or node.op in READERS or node.op in CHECKS
        if node.op in self.graph or not known:
            raise UnfollowableError(f"`{node.op}` (node `{node.name}`) has a state, or is an unknown operation")
        digest = _combine("node", node.op.encode(), self.attributes(node), *inputs)
        if node.op in CHECKS:
            # The first input decides whether it stops. The rest is the message, which names nodes.
            self.effects.add(_combine("check", node.op.encode(), *inputs[:1]))
        elif node in self.runs_functions:
            # TF2 puts an Assert into a branch of an If that only control edges lead to.
            self.effects.add(digest)
        return digest

    def _variable(self, node: Node) -> bytes:
        kept = {name: view for name, view in node.attributes.items() if name not in _UNIDENTIFYING}
        return _combine("variable", node.op.encode(), self._mapping(kept), self._variables.value(node))

    def closing(self, name: str, inputs: tuple[bytes, ...]) -> list[bytes]:
        returned = self.call(name, inputs)
        return [*returned.outputs, b"checks", *sorted(returned.effects)]


class _Structure(_Digester):
    """A frozen graph as it is, except the names of inner nodes."""

    inlines = False

    def __init__(self, graph: Graph) -> None:
        super().__init__(graph)
        self._twins: Counter[bytes] = Counter()

    def meaning(self, body: Body, node: Node, inputs: tuple[bytes, ...], controls: tuple[bytes, ...]) -> bytes:
        del body
        if not node.op or node.op in VARIABLES or node.op == "SymbolicGradient":
            raise UnfollowableError(f"`{node.op}` (node `{node.name}`) is not followed in a frozen graph")
        # The op may be the name of a function: TensorFlow's oldest way to call one.
        op = self.closed(node.op) if node.op in self.graph else node.op.encode()
        named = node.name.encode() if node.op.startswith("Placeholder") else b""
        digest = _combine("node", op, named, self.attributes(node), *inputs, b"after", *sorted(controls))
        # Two equal nodes differ from one node with two consumers: r - r is 0 for a random r, r - s is not.
        # The structure fixes the order of the nodes, so the n-th twin is the same in every spelling.
        self._twins[digest] += 1
        return _combine("twin", digest, b"%d" % self._twins[digest])

    def closing(self, name: str, inputs: tuple[bytes, ...]) -> list[bytes]:
        outer, self._twins = self._twins, Counter()
        outputs, values = self.enter(name, inputs)
        self._twins = outer
        body = self.graph.function(name)
        controls = sorted(values.node(inner) for inner in body.controls)
        nodes = sorted(values.node(inner) for inner in values.nodes)
        return [b"%d" % body.stateful, *outputs, b"controls", *controls, b"nodes", *nodes]


def _frozen(source: Path) -> bytes:
    graph = Graph(memoryview(source.read_bytes()))
    nodes = list(graph.main)
    if not nodes:
        raise UnfollowableError("a graph without nodes")
    consumed = {edge[0] for node in nodes for edge in node.inputs}.union(*[node.controls for node in nodes])
    terminals = sorted(node.name for node in nodes if node.name not in consumed)
    # All nodes are roots, so that a cycle that no terminal needs is found too.
    order = graph.main.order([*terminals, *[node.name for node in nodes]], {})
    values = _Structure(graph).run(graph.main, order, {})
    parts = [part for name in terminals for part in (name.encode(), values.node(name))]
    return _combine("frozen", graph.versions, *parts)


def _saved_model(folder: Path, signature: str, tags: tuple[str, ...]) -> bytes:
    meta = _meta_graph(folder, tags)
    graph = Graph(meta.view(2))
    signatures = meta.entries(5)
    if signature not in signatures:
        raise UnfollowableError(f"no signature `{signature}`")
    _check_initializers(graph, meta)
    digester = _Computation(
        graph,
        pure=pure_ops(meta.message(1).message(2)),
        variables=Variables(folder / "variables" / "variables", meta, graph),
        assets={split(asset.message(1).text(1))[0] for asset in meta.messages(6)},
    )
    return _signature(digester, Message(signatures[signature], range(1, 4)))


def _meta_graph(folder: Path, tags: tuple[str, ...]) -> Message:
    try:
        content = memoryview((folder / "saved_model.pb").read_bytes())
    except OSError as error:
        raise UnfollowableError(f"`saved_model.pb`: {error.strerror}") from error
    if (folder / "saved_model.cpb").exists():
        raise UnfollowableError("`saved_model.cpb` takes precedence over `saved_model.pb`")
    found = [meta for meta in Message(content).messages(2) if set(meta.message(1).texts(4)) == set(tags)]
    if len(found) != 1:
        raise UnfollowableError(f"{len(found)} graphs tagged `{'`, `'.join(tags)}`")
    return found[0]


def _check_initializers(graph: Graph, meta: Message) -> None:
    """Refuse a model that runs an op after its variables are restored: the op might set them again."""
    roots = []
    initializer = meta.entries(5).get("__saved_model_init_op")
    if initializer is not None:
        outputs = Message(initializer).entries(2).values()
        roots += [split(Message(info).text(1))[0] for info in outputs]
    collections = meta.entries(4)
    for name in ("saved_model_main_op", "legacy_init_op"):
        if name in collections:
            roots += [split(node)[0] for node in Message(collections[name], (1,)).message(1).texts(1)]
    for node in graph.main.order(roots, {}):
        if graph.main.node(node).op != "NoOp":
            raise UnfollowableError(f"`{graph.main.node(node).op}` (node `{node}`) runs when the model is loaded")


def _signature(digester: _Computation, signature: Message) -> bytes:
    main = digester.graph.main
    inputs: list[bytes] = []
    fed: dict[Edge, bytes] = {}
    for key, info in sorted(signature.entries(1).items()):
        edge, kind = _tensor(info)
        if edge in fed:
            raise UnfollowableError(f"two inputs are the same tensor `{edge[0]}`")
        node = main.node(edge[0])
        fed[edge] = _combine("input", key.encode(), node.op.encode(), digester.attributes(node))
        inputs += [key.encode(), kind]
    wanted = {key: _tensor(info)[0] for key, info in sorted(signature.entries(2).items())}
    roots = [edge[0] for edge in wanted.values() if edge not in fed]
    values = digester.run(main, main.order(roots, fed), fed)
    outputs = [part for key, edge in wanted.items() for part in (key.encode(), values.read(edge))]
    return _combine(
        "savedmodel",
        digester.graph.versions,
        _combine("inputs", *inputs),
        _combine("outputs", *outputs),
        _combine("checks", *sorted(digester.effects)),
    )


def _tensor(info: memoryview) -> tuple[Edge, bytes]:
    """Return the tensor of a TensorInfo, and its type and shape as bytes."""
    message = Message(info, (1, 2, 3))  # sparse and composite tensors have other fields
    return split(message.text(1), main=True), _combine("type", b"%d" % message.integer(2), bytes(message.view(3)))


def bytes_digest(source: Path) -> bytes:
    """Return the digest of a file, or of a folder's files: their paths within it and their bytes."""
    if not source.is_dir():
        return _combine("file", _file_digest(source))
    parts = (part for name, path in sorted(_files(source)) for part in (os.fsencode(name), _file_digest(path)))
    return _combine("folder", *parts)


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield (path within the folder, path) of the regular files.

    Links are followed, as TensorFlow follows them, except into a folder that contains them.
    """
    for current, folders, names in os.walk(folder, followlinks=True):
        here = Path(current).resolve()
        folders[:] = [name for name in folders if not here.is_relative_to((here / name).resolve())]
        paths = (Path(current, name) for name in names)
        yield from ((path.relative_to(folder).as_posix(), path) for path in paths if path.is_file())


def _file_digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
