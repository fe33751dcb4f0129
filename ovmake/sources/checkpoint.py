"""Read a TensorFlow checkpoint (a "tensor bundle") without TensorFlow.

    checkpoint = Checkpoint(folder / "variables" / "variables")
    checkpoint.digest("conv/kernel")
    Variables(prefix, meta_graph, graph).value(node)   # the value of a variable's node in the main graph

`PREFIX.index` is a table (`leveldb.py`), key -> BundleEntryProto; `PREFIX.data-00000-of-00001`
holds the values' bytes, one after the other. Sources: tensorflow/core/util/tensor_bundle/ and
tensorflow/core/protobuf/tensor_bundle.proto.

Rule 1: values are hashed from the file in pieces. No value is held whole, and each byte is read once.
Rule 2: a form that TensorFlow's own writer never makes (compressed index blocks, big-endian data) is
        a CheckpointError, and so are sliced (partitioned) variables and variables of strings.
Rule 3: every entry is verified as TensorFlow verifies it, even an unused one: its checksum, and
        its size against dtype and shape. This makes the fingerprint of a 100 MB checkpoint 6 %
        slower. Without a compiled crc32c it is a CheckpointError.

The graph's own restore op (SaverDef.restore_op_name) says which variable gets which value, in TF1
and TF2: RestoreV2 -> AssignVariableOp. A variable that the restore op leaves out is found as
tf.saved_model.load finds it: function -> bound objects -> checkpoint keys.
(tf.saved_model.save of a Keras 3 model makes a restore op that restores copies only; TF1's loader
fails on it.) Names are ambiguous: a model that was loaded and saved again has two objects `probs/kernel`.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ovmake.sources.graphdef import Body, Graph, Interpreter, Node, Returned, UnfollowableError, split
from ovmake.sources.leveldb import DamagedTableError, SlowChecksumError, crc32c, masked, table
from ovmake.sources.protobuf import Message, ProtobufError, text, varint

VARIABLES = frozenset({"VarHandleOp", "Variable", "VariableV2"})

_CHECKSUM_BYTES = 4
_VERSION = 1  # of the format; a header may require a later reader
_DT_STRING = 7
# DataType -> bytes of an element. Types that are not listed (variants, resources, four bits) are not followed.
_SIZES = {
    1: 4, 2: 8, 3: 4, 4: 1, 5: 2, 6: 1, 8: 8, 9: 8, 10: 1, 11: 1, 12: 1, 13: 4, 14: 2, 15: 2, 16: 2, 17: 2, 18: 16,
    19: 2, 22: 4, 23: 8, 24: 1, 25: 1,
}  # fmt: skip
_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
_SLICES = 7  # field of a BundleEntryProto
_PIECE_BYTES = 1 << 20


class CheckpointError(ValueError):
    """The checkpoint cannot be read, or lacks the value that was asked for."""


class DamagedError(CheckpointError):
    """A file of the checkpoint was altered after it was written. The message begins with the file's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    dtype: int
    shape: bytes  # TensorShapeProto
    shard: int
    offset: int
    size_bytes: int
    checksum: int  # masked crc32c


class Checkpoint:
    """The values under one prefix. All are read and verified when it is opened."""

    def __init__(self, prefix: Path) -> None:
        """Read the index and hash the values.

        Raises:
            CheckpointError: the index is missing or malformed; a value contradicts the index, or has an unknown type.
        """
        self._prefix = prefix
        self._digests: dict[str, bytes] = {}
        try:
            entries = dict(table(memoryview(Path(f"{prefix}.index").read_bytes())))
            self._shards = _shards(Message(entries.pop(b"", memoryview(b"")), (1, 2, 3)))
            self._entries = {key.decode(): value for key, value in entries.items()}
        except OSError as error:
            raise CheckpointError(f"checkpoint has no index: {error.strerror}") from error
        except DamagedTableError as error:
            raise DamagedError(f"`{prefix.name}.index` has {error}") from error
        except (ProtobufError, UnicodeDecodeError) as error:
            raise CheckpointError(f"`{prefix.name}.index` is malformed: {error}") from error
        except SlowChecksumError as error:
            raise CheckpointError(f"the checkpoint cannot be verified: {error}") from error
        for key in self._entries:
            self._digests[key] = self._verified(key, self._entry(key))

    def digest(self, key: str) -> bytes:
        """Return sha-256 over dtype, shape and bytes of the value at `key`.

        Raises:
            CheckpointError: no such key, or its value holds strings.
        """
        if self._entry(key).dtype == _DT_STRING:
            raise CheckpointError(f"checkpoint entry `{key}` holds strings")
        return self._digests[key]

    def text(self, key: str) -> memoryview:
        """Return the one string at `key`."""
        lengths, strings = self._strings(key, self._entry(key))
        if len(lengths) != 1:
            raise CheckpointError(f"checkpoint entry `{key}` is not one string")
        return strings

    def _verified(self, key: str, entry: _Entry) -> bytes:
        """Return the digest of an entry after checking it against the index."""
        hasher = hashlib.sha256(f"{entry.dtype},{len(entry.shape)}:".encode() + entry.shape)
        if entry.dtype == _DT_STRING:
            self._strings(key, entry)
            return hasher.digest()
        if entry.dtype not in _SIZES:
            raise CheckpointError(f"checkpoint entry `{key}` has type {entry.dtype}")
        if entry.size_bytes != _SIZES[entry.dtype] * _elements(key, entry):
            wrong = "states a size that contradicts the type and shape of a value"
            raise DamagedError(f"`{self._prefix.name}.index` {wrong}: `{key}`")
        crc = 0
        for piece in self._pieces(key, entry):
            hasher.update(piece)
            crc = crc32c(piece, crc)
        self._check(key, entry, crc)
        return hasher.digest()

    def _strings(self, key: str, entry: _Entry) -> tuple[list[int], memoryview]:
        """Return the lengths of an entry's strings, and all their bytes: varints, a checksum of the lengths, bytes.

        Both checksums take a length as four bytes, or as eight if it needs them.
        """
        whole, at = memoryview(b"".join(self._pieces(key, entry))), 0
        lengths: list[int] = []
        for _ in range(_elements(key, entry)):
            length, at = varint(whole, at)
            lengths.append(length)
        stored, strings = bytes(whole[at : at + _CHECKSUM_BYTES]), whole[at + _CHECKSUM_BYTES :]
        if sum(lengths) != len(strings):
            raise DamagedError(f"`{self._data(entry).name}` has strings whose lengths contradict the index: `{key}`")
        crc = crc32c(b"".join(length.to_bytes(4 if length < 1 << 32 else 8, "little") for length in lengths))
        if masked(crc).to_bytes(4, "little") != stored:
            raise DamagedError(f"`{self._data(entry).name}` has a value that does not match its checksum: `{key}`")
        self._check(key, entry, crc32c(bytes(strings), crc32c(stored, crc)))
        return lengths, strings

    def _check(self, key: str, entry: _Entry, crc: int) -> None:
        if masked(crc) != entry.checksum:
            raise DamagedError(f"`{self._data(entry).name}` has a value that does not match its checksum: `{key}`")

    def _data(self, entry: _Entry) -> Path:
        return Path(f"{self._prefix}.data-{entry.shard:05d}-of-{self._shards:05d}")

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
                checksum=int.from_bytes(message.view(6), "little"),
            )
        except ProtobufError as error:
            raise CheckpointError(f"checkpoint entry `{key}` is malformed: {error}") from error

    def _pieces(self, key: str, entry: _Entry) -> Iterator[bytes]:
        path = self._data(entry)
        try:
            with path.open("rb") as file:
                if entry.offset + entry.size_bytes > path.stat().st_size:
                    raise DamagedError(f"`{path.name}` ends before the value of `{key}`")
                file.seek(entry.offset)
                left = entry.size_bytes
                while left and (piece := file.read(min(left, _PIECE_BYTES))):
                    left -= len(piece)
                    yield piece
        except OSError as error:
            raise CheckpointError(f"cannot read `{path.name}`: {error.strerror}") from error


def _shards(header: Message) -> int:
    """Return the number of data files that a BundleHeaderProto states."""
    version = header.message(3, (1, 2, 3))
    if header.integer(2) != 0:
        raise CheckpointError("checkpoint is big-endian")
    if version.integer(2) > _VERSION or 3 in version:  # noqa: PLR2004 - min_consumer, bad_consumers
        raise CheckpointError("checkpoint requires a later reader")
    return header.integer(1)


def _elements(key: str, entry: _Entry) -> int:
    """Return the number of elements of an entry's TensorShapeProto."""
    shape = Message(memoryview(entry.shape), (2,))
    sizes = [dimension.integer(1) for dimension in shape.messages(2)]
    if any(size > entry.size_bytes for size in sizes):  # negative ones too, as varints; an empty tensor may be of any
        raise CheckpointError(f"the size of checkpoint entry `{key}` contradicts its type and shape")
    return math.prod(sizes)


# What flows through a restore op: PREFIX, ("variable", node), ("strings", ...), ("tensors", key ...)
# for a RestoreV2 node, ("restored", key) for one of its outputs.
_Flow = tuple[str, ...]
_PREFIX: _Flow = ("prefix",)
_OTHER: _Flow = ("other",)


class _Restore(Interpreter[_Flow]):
    """Follow the restore op. `keys` has every variable that it sets once and directly from the checkpoint."""

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
        """Return what flows through one node of the restore op."""
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
        """Record what `node` assigns to the variables that flow into it."""
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
            CheckpointError, UnfollowableError: it has no value, or several are possible.
        """
        # To the TF1 loader, two nodes with one name are one variable: the last value restored wins.
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
    functions = {name: integers(Message(view).views(2)) for name, view in objects.entries(2).items()}
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


def integers(packed: list[memoryview]) -> list[int]:
    """Return a packed field of integers."""
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
