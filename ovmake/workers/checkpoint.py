"""Read a TensorFlow checkpoint (a "tensor bundle") without TensorFlow.

    checkpoint = Checkpoint(folder / "variables" / "variables")
    checkpoint.digest("conv/kernel")
    Variables(prefix, meta_graph, graph).value(node)   # of a variable's node in the main graph

`PREFIX.index` is a LevelDB table, key -> BundleEntryProto; `PREFIX.data-00000-of-00001` holds
the values' bytes, one after the other. Sources: tensorflow/core/util/tensor_bundle/,
tensorflow/core/protobuf/tensor_bundle.proto, and LevelDB's doc/table_format.md.

Rule 1: values are hashed from the file in pieces and never held whole.
Rule 2: what TensorFlow's own writer does not make (compressed index blocks, big-endian data) is
        a CheckpointError, and so are sliced (partitioned) variables.

Checksums (crc32c) are not verified: in plain Python they would cost seconds per 100 MB, and a
flipped bit changes the digest in any case.

Which variable gets which value is read off the graph's own restore op (SaverDef.restore_op_name),
TF1 and TF2 alike: RestoreV2 -> AssignVariableOp. Beside it, and instead of it where it forgets a
variable, stands what tf.saved_model.load does: function -> bound objects -> checkpoint keys.
(tf.saved_model.save of a Keras 3 model makes a restore op that restores copies only; TF1's loader
fails on it.) Names will not do: a model loaded and saved again has two objects `probs/kernel`.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ovmake.workers.graphdef import Body, Graph, Interpreter, Node, Returned, UnfollowableError, split
from ovmake.workers.wire import Message, WireError, text, varint

VARIABLES = frozenset({"VarHandleOp", "Variable", "VariableV2"})

_FOOTER_BYTES = 48
_MAGIC = 0xDB4775248B80FB57
_TRAILER_BYTES = 5  # compression type, crc32c
_RESTART_BYTES = 4  # an offset in a block, and their count after the last
_CHECKSUM_BYTES = 4
_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
_SLICES = 7  # field of a BundleEntryProto
_PIECE_BYTES = 1 << 20


class CheckpointError(ValueError):
    """The checkpoint cannot be read, or does not hold what was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    dtype: int
    shape: bytes  # TensorShapeProto
    shard: int
    offset: int
    size_bytes: int


class Checkpoint:
    """The values under one prefix. The index is read at once, the values when asked for."""

    def __init__(self, prefix: Path) -> None:
        """Read the index.

        Raises:
            CheckpointError: no index, or not one.
        """
        self._prefix = prefix
        self._digests: dict[str, bytes] = {}
        try:
            table = dict(_table(memoryview(Path(f"{prefix}.index").read_bytes())))
            header = Message(table.pop(b"", memoryview(b"")))
            if header.integer(2) != 0:
                raise CheckpointError("checkpoint is big-endian")
            self._shards = header.integer(1)
            self._entries = {bytes(key).decode(): value for key, value in table.items()}
        except OSError as error:
            raise CheckpointError(f"checkpoint has no index: {error.strerror}") from error
        except (WireError, UnicodeDecodeError) as error:
            raise CheckpointError(f"checkpoint index is malformed: {error}") from error

    def digest(self, key: str) -> bytes:
        """Return sha-256 over dtype, shape and bytes of the value at `key`.

        Raises:
            CheckpointError: no such key, a sliced variable, or the data file ends early.
        """
        if key not in self._digests:
            entry = self._entry(key)
            hasher = hashlib.sha256(f"{entry.dtype},{len(entry.shape)}:".encode() + entry.shape)
            for piece in self._pieces(key, entry):
                hasher.update(piece)
            self._digests[key] = hasher.digest()
        return self._digests[key]

    def text(self, key: str) -> memoryview:
        """Return the one string at `key`: its length, a checksum of that, its bytes."""
        whole = memoryview(b"".join(self._pieces(key, self._entry(key))))
        size, at = varint(whole, 0)
        if at + _CHECKSUM_BYTES + size != len(whole):
            raise CheckpointError(f"checkpoint entry `{key}` is not one string")
        return whole[at + _CHECKSUM_BYTES :]

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def _entry(self, key: str) -> _Entry:
        if key not in self._entries:
            raise CheckpointError(f"checkpoint has no entry `{key}`")
        try:
            message = Message(self._entries[key], range(1, 8))
            if _SLICES in message:
                raise CheckpointError(f"checkpoint entry `{key}` is stored in slices")
            return _Entry(
                dtype=message.integer(1),
                shape=bytes(message.view(2)),
                shard=message.integer(3),
                offset=message.integer(4),
                size_bytes=message.integer(5),
            )
        except WireError as error:
            raise CheckpointError(f"checkpoint entry `{key}` is malformed: {error}") from error

    def _pieces(self, key: str, entry: _Entry) -> Iterator[bytes]:
        path = Path(f"{self._prefix}.data-{entry.shard:05d}-of-{self._shards:05d}")
        try:
            with path.open("rb") as file:
                if entry.offset + entry.size_bytes > path.stat().st_size:
                    raise CheckpointError(f"`{path.name}` ends before the value of `{key}`")
                file.seek(entry.offset)
                left = entry.size_bytes
                while left and (piece := file.read(min(left, _PIECE_BYTES))):
                    left -= len(piece)
                    yield piece
        except OSError as error:
            raise CheckpointError(f"cannot read `{path.name}`: {error.strerror}") from error


def _table(view: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Yield the pairs of a LevelDB table: footer -> index block -> data blocks."""
    footer = view[-_FOOTER_BYTES:]
    if len(footer) < _FOOTER_BYTES or int.from_bytes(footer[-8:], "little") != _MAGIC:
        raise WireError("no table footer")
    _, at = _handle(footer, 0)  # the meta-index, which TensorFlow leaves empty
    index, _ = _handle(footer, at)
    for _, handle in _block(view, *index):
        yield from _block(view, *_handle(handle, 0)[0])


def _handle(view: memoryview, at: int) -> tuple[tuple[int, int], int]:
    offset, at = varint(view, at)
    size, at = varint(view, at)
    return (offset, size), at


def _block(view: memoryview, offset: int, size: int) -> Iterator[tuple[bytes, memoryview]]:
    """Yield the pairs of one block; a key shares a prefix with the key before it."""
    if size < _RESTART_BYTES or offset + size + _TRAILER_BYTES > len(view):
        raise WireError("a block past the end of the file")
    if view[offset + size] != 0:
        raise WireError("a compressed block")
    block = view[offset : offset + size]
    end = size - _RESTART_BYTES * (1 + int.from_bytes(block[-_RESTART_BYTES:], "little"))
    at, key = 0, b""
    while at < end:
        shared, at = varint(block, at)
        unshared, at = varint(block, at)
        length, at = varint(block, at)
        if shared > len(key) or at + unshared + length > end:
            raise WireError("a table entry past its block")
        key = key[:shared] + bytes(block[at : at + unshared])
        at += unshared + length
        yield key, block[at - length : at]


# What flows through a restore op: PREFIX, ("variable", node), ("strings", ...), ("tensors", key ...)
# for a RestoreV2 node, ("restored", key) for one of its outputs.
_Flow = tuple[str, ...]
_PREFIX: _Flow = ("prefix",)
_OTHER: _Flow = ("other",)


class _Restore(Interpreter[_Flow]):
    """Follow the restore op. `keys` has every variable that it sets once, straight from the checkpoint."""

    def __init__(self, graph: Graph, saver: Message) -> None:
        super().__init__(graph)
        self.keys: dict[str, str] = {}
        self._unclear: set[str] = set()
        if saver.text(3):
            fed = {split(saver.text(1), main=True): _PREFIX}
            self.run(graph.main, graph.main.order([saver.text(3)], fed), fed)
        for name in self._unclear:
            self.keys.pop(name, None)

    def meaning(
        self, body: Body, node: Node, inputs: tuple[_Flow, ...], controls: tuple[_Flow, ...]
    ) -> _Flow | Returned[_Flow]:
        """Say what flows through one node of the restore op."""
        del controls
        if node.op in VARIABLES and body is self.graph.main:
            return Returned((("variable", node.name),))
        if node.op == "Identity":
            return Returned(inputs)
        if node.op == "Const":
            return Returned((("strings", *_strings(node)),))
        if node.op == "RestoreV2" and len(inputs) == 3:  # noqa: PLR2004 - prefix, names, slices
            whole = inputs[2][0] == "strings" and not any(inputs[2][1:])
            names = inputs[1][1:] if inputs[1][0] == "strings" else ()
            return ("tensors", *names) if inputs[0] == _PREFIX and whole else _OTHER
        self._assign(node, inputs)
        return _OTHER

    def port(self, meaning: _Flow, label: str) -> _Flow:
        """Return the key of a RestoreV2's output."""
        place = label.removeprefix("tensors:")
        if meaning[0] != "tensors" or not place.isdecimal():
            return _OTHER
        if int(place) + 1 >= len(meaning):
            raise UnfollowableError(f"the checkpoint's restore op has no output {place}")
        return ("restored", meaning[int(place) + 1])

    def _assign(self, node: Node, inputs: tuple[_Flow, ...]) -> None:
        """Note what `node` does to the variables that flow into it."""
        for flow in inputs:
            if flow[0] != "variable":
                continue
            plain = node.op in {"Assign", "AssignVariableOp"} and inputs[0] == flow
            value = inputs[1] if len(inputs) > 1 else _OTHER
            if not plain or value[0] != "restored" or self.keys.setdefault(flow[1], value[1]) != value[1]:
                self._unclear.add(flow[1])


def _strings(node: Node) -> list[str]:
    """Return the strings of a Const (AttrValue.tensor -> TensorProto.string_val)."""
    return Message(Message(node.attributes.get("value", memoryview(b""))).view(8)).texts(8)


class Variables:
    """The checkpoint's value of each variable in a SavedModel's main graph."""

    def __init__(self, prefix: Path, meta: Message, graph: Graph) -> None:
        self._prefix = prefix
        self._opened: Checkpoint | None = None
        self._objects = meta.message(7)
        self._graph = graph
        self._restored = _Restore(graph, meta.message(3)).keys
        self._bound: dict[str, set[str]] | None = None
        self._sharers = Counter(_resource(node) for node in graph.main if node.op in VARIABLES)

    def value(self, node: Node) -> bytes:
        """Return the digest of the value that variable `node` has once the model is loaded.

        Raises:
            CheckpointError, UnfollowableError: it has none, or it is not certain which.
        """
        # Two nodes of one name are one variable to the TF1 loader: the last value restored wins.
        if self._sharers[_resource(node)] > 1:
            raise UnfollowableError(f"variable `{_resource(node)[1]}` stands for two nodes")
        if self._opened is None:
            self._opened = Checkpoint(self._prefix)
            self._bound = _bound_keys(self._graph, self._objects, self._opened)
        keys = set((self._bound or {}).get(node.name, ()))
        if node.name in self._restored:
            keys.add(self._restored[node.name])
        values = {self._opened.digest(key) for key in keys}
        if len(values) != 1:
            found = f"{len(values)} checkpoint entries that differ" if values else "no checkpoint entry"
            raise UnfollowableError(f"variable `{node.name}` has {found}")
        return values.pop()


def _bound_keys(graph: Graph, objects: Message, checkpoint: Checkpoint) -> dict[str, set[str]]:
    """Return variable node -> checkpoint keys, as tf.saved_model.load binds them.

    A function's last inputs are its bound inputs, which are objects (SavedConcreteFunction);
    objects are numbered alike in the model and in the checkpoint (TrackableObjectGraph).
    """
    functions = {name: _integers(Message(view).views(2)) for name, view in objects.entries(2).items()}
    keys: dict[str, set[str]] = {}
    if not functions or _OBJECT_GRAPH not in checkpoint:
        return keys
    tracked = Message(checkpoint.text(_OBJECT_GRAPH)).messages(1)
    for node in graph.main:
        bound = functions.get(graph.called(node) or "", [])
        if len(bound) > len(node.inputs):
            raise UnfollowableError(f"function of node `{node.name}` binds more than its inputs")
        for (name, _), number in zip(node.inputs[len(node.inputs) - len(bound) :], bound, strict=True):
            if graph.main.node(name).op in VARIABLES and number < len(tracked):
                attributes = tracked[number].messages(2)
                keys.setdefault(name, set()).update(a.text(3) for a in attributes if a.text(1) == "VARIABLE_VALUE")
    return keys


def _integers(packed: list[memoryview]) -> list[int]:
    found = []
    for view in packed:
        at = 0
        while at < len(view):
            number, at = varint(view, at)
            found.append(number)
    return found


def _resource(node: Node) -> tuple[str, str]:
    container, name = (_string(node.attributes.get(key)) for key in ("container", "shared_name"))
    return container, name or node.name


def _string(attribute: memoryview | None) -> str:
    return text(Message(attribute).view(2)) if attribute is not None else ""
