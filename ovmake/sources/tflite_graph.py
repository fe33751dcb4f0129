"""Read the dataflow of a .tflite file as that of a TensorFlow graph, so that the same code finds layers in both.

    flat = ops_of_tflite(path.read_bytes())
    flat.ops         an `Op` per operator, named after its first output; a Placeholder per input, a Const per weight
    flat.kinds       operator name -> its kind, if known: "Betainc" of a custom operator, "VAR_HANDLE"
    flat.spelling    tensors in GraphDef's spelling ("conv/Relu:0") -> as the file has them ("conv/Relu")

TFLite is a FlatBuffer (schema: tensorflow/compiler/mlir/lite/schema/schema.fbs). The few fields that describe the
dataflow are read here: the frameworks, which know the rest, run in other processes. Standard library only.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ovmake.errors import ActionError
from ovmake.sources.dataflow import Op

# Indexes of fields in their tables, by the schema.
_CODES, _SUBGRAPHS, _SIGNATURES = 1, 2, 7
_OLD_BUILTIN, _CUSTOM_CODE, _BUILTIN = 0, 1, 3  # of an OperatorCode: a byte, a string, an integer
_SIGNATURE_INPUTS, _SIGNATURE_OUTPUTS, _SIGNATURE_KEY, _SIGNATURE_SUBGRAPH = 0, 1, 2, 4
_MAPPED_NAME, _MAPPED_TENSOR = 0, 1
_TENSORS, _INPUTS, _OUTPUTS, _OPERATORS = 0, 1, 2, 3
_TENSOR_NAME = 3
_OPERATOR_CODE, _OPERATOR_INPUTS, _OPERATOR_OUTPUTS = 0, 1, 2
# Operators on state that outlives a call, or that is filled before the first.
RESOURCES = {
    129: "CALL_ONCE", 136: "HASHTABLE", 137: "HASHTABLE_FIND", 138: "HASHTABLE_IMPORT", 139: "HASHTABLE_SIZE",
    142: "VAR_HANDLE", 143: "READ_VARIABLE", 144: "ASSIGN_VARIABLE",
}  # fmt: skip
OPERATOR = "Operator"  # operator types are numbers
# Writers may let a few tables share strings and vectors.
SHARED, SMALL_BYTES = 4, 1 << 20
_NO_TENSOR = -1  # an optional input that is left out


@dataclass(frozen=True, slots=True, kw_only=True)
class TfliteGraph:
    """The main subgraph. `inputs` and `outputs` are the model's: names to tensors in GraphDef's spelling.

    `kinds` has custom operators by their code, and the operators in `RESOURCES`. Operators without outputs have no
    name; `silent` has their kinds. `signatures` are all signatures of the file, with the number of their graph: 0 is
    the main one. `half_numbered`: of the two fields that state an operation's code, the file fills one only, and
    OpenVINO reads the other. Names are those of the signature, else the tensors' own, without `:0`.
    """

    ops: tuple[Op, ...]
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    spelling: Mapping[str, str]
    kinds: Mapping[str, str]
    silent: tuple[str, ...]
    signatures: Mapping[str, int] = field(default_factory=dict)
    half_numbered: bool = False


def ops_of_tflite(data: bytes, shown: str = "the .tflite file") -> TfliteGraph:
    """Return the dataflow of a TFLite model.

    Raises:
        ActionError: the file is truncated or is not a FlatBuffer. `refusing_tflite` then asks TFLite itself.
    """
    try:
        return _flat(data)
    except (struct.error, IndexError, ValueError, KeyError, StopIteration) as error:
        message = f"{shown} cannot be read: {_words(error)}"
        raise ActionError("cannot-convert", message, setting="source") from error


def _words(error: Exception) -> str:
    match error:
        case KeyError():
            return f"it refers to a missing tensor {error}"
        case StopIteration():
            return "it has no graph"
    return str(error)


def _flat(data: bytes) -> TfliteGraph:
    root = Table.root(data)
    graph = next(root.tables(_SUBGRAPHS))
    names = [_text(tensor, _TENSOR_NAME) for tensor in graph.tables(_TENSORS)]
    inputs, outputs = graph.integers(_INPUTS), graph.integers(_OUTPUTS)
    known = [_kind(code) for code in root.tables(_CODES)]
    operators = [_operator(op, known) for op in graph.tables(_OPERATORS)]
    spelt: dict[int, str] = {tensor: f"{names[tensor]}:0" for tensor in range(len(names))}
    for _, _, made in operators:
        spelt |= {tensor: f"{names[made[0]]}:{place}" for place, tensor in enumerate(made)}
    computed = {tensor for _, _, made in operators for tensor in made}
    ops = [Op(name=names[tensor], type="Placeholder") for tensor in inputs]
    ops += [Op(name=names[t], type="Const") for t in range(len(names)) if t not in computed | set(inputs)]
    ops += [
        Op(name=names[made[0]], type=OPERATOR, inputs=tuple(spelt[tensor] for tensor in taken))
        for _, taken, made in operators
        if made
    ]
    return TfliteGraph(
        ops=tuple(ops),
        inputs=_named(inputs, _signature(root, _SIGNATURE_INPUTS), names, spelt),
        outputs=_named(outputs, _signature(root, _SIGNATURE_OUTPUTS), names, spelt),
        spelling={spelling: names[tensor] for tensor, spelling in spelt.items()},
        kinds={names[made[0]]: kind for kind, _, made in operators if made and kind},
        silent=tuple(kind for kind, _, made in operators if not made),
        signatures={_text(one, _SIGNATURE_KEY): one.number(_SIGNATURE_SUBGRAPH) for one in root.tables(_SIGNATURES)},
        half_numbered=any(0 == code.byte(_OLD_BUILTIN) < code.number(_BUILTIN) for code in root.tables(_CODES)),
    )


def _text(table: Table, place: int) -> str:
    """Return a name; TFLite accepts any bytes."""
    return table.content(place).decode(errors="replace")


def _kind(code: Table) -> str:
    """Return the kind of an operator code; "" for the many that need no name here."""
    builtin = max(code.number(_BUILTIN), code.byte(_OLD_BUILTIN))
    return _text(code, _CUSTOM_CODE) or RESOURCES.get(builtin, "")


def _operator(operator: Table, kinds: Sequence[str]) -> tuple[str, list[int], list[int]]:
    """Return kind, inputs and outputs of an operator. It may have no output: ASSIGN_VARIABLE."""
    taken, made = operator.integers(_OPERATOR_INPUTS), operator.integers(_OPERATOR_OUTPUTS)
    kind = kinds[operator.number(_OPERATOR_CODE)] if kinds else ""
    return kind, [tensor for tensor in taken if tensor != _NO_TENSOR], [one for one in made if one != _NO_TENSOR]


def _signature(root: Table, side: int) -> dict[int, str]:
    """Return the tensor names of the main subgraph's signature; nothing unless it has exactly one."""
    signatures = [found for found in root.tables(_SIGNATURES) if found.number(_SIGNATURE_SUBGRAPH) == 0]
    if len(signatures) != 1:
        return {}
    return {entry.number(_MAPPED_TENSOR): entry.text(_MAPPED_NAME) for entry in signatures[0].tables(side)}


def _named(
    tensors: Sequence[int], signature: Mapping[int, str], names: Sequence[str], spelt: Mapping[int, str]
) -> dict[str, str]:
    """Return name -> tensor in the model's order, with the names that a user writes."""
    known = signature if set(signature) == set(tensors) else {}
    return {known.get(tensor, names[tensor].removesuffix(":0")): spelt[tensor] for tensor in tensors}


def _offset(data: bytes, at: int) -> int:
    """Return the target of the offset stored at `at`."""
    return at + int(struct.unpack_from("<I", data, at)[0])


@dataclass(slots=True)
class _Budget:
    """How many bytes of vectors and strings may still be read: a million tables may share them."""

    left: int

    def take(self, count: int) -> None:
        """Subtract bytes that are about to be read."""
        self.left -= count
        if self.left < 0:
            raise ValueError("its tables share their contents without limit")


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a FlatBuffer. Its vtable locates the fields that are present."""

    data: bytes
    at: int
    budget: _Budget

    @classmethod
    def root(cls, data: bytes) -> Table:
        """Return the root table."""
        return cls(data, _offset(data, 0), _Budget(len(data) * SHARED + SMALL_BYTES))

    def _field(self, place: int) -> int:
        """Return the offset of a field, 0 if it is absent."""
        vtable = self.at - int(struct.unpack_from("<i", self.data, self.at)[0])
        size = int(struct.unpack_from("<H", self.data, vtable)[0])
        entry = 4 + 2 * place
        offset = int(struct.unpack_from("<H", self.data, vtable + entry)[0]) if entry < size else 0
        return self.at + offset if offset else 0

    def has(self, place: int) -> bool:
        """Whether a field is present."""
        return bool(self._field(place))

    def _vector(self, place: int) -> tuple[int, int]:
        """Return the offset of a vector's first element, and the number of elements."""
        field = self._field(place)
        if not field:
            return 0, 0
        start = _offset(self.data, field)
        return start + 4, int(struct.unpack_from("<I", self.data, start)[0])

    def tables(self, place: int) -> Iterator[Table]:
        """Yield the tables of a vector."""
        start, count = self._vector(place)
        for index in range(count):
            self.budget.take(4)
            yield Table(self.data, _offset(self.data, start + 4 * index), self.budget)

    def integers(self, place: int) -> tuple[int, ...]:
        """Return a vector of 32-bit integers."""
        start, count = self._vector(place)
        self.budget.take(4 * count)
        return struct.unpack_from(f"<{count}i", self.data, start) if count else ()

    def number(self, place: int) -> int:
        """Return a 32-bit integer, 0 if it is absent."""
        field = self._field(place)
        return int(struct.unpack_from("<I", self.data, field)[0]) if field else 0

    def byte(self, place: int) -> int:
        """Return an unsigned byte, 0 if it is absent."""
        field = self._field(place)
        return self.data[field] if field else 0

    def content(self, place: int) -> bytes:
        """Return a vector of bytes, empty if it is absent."""
        start, count = self._vector(place)
        self.budget.take(count)
        return self.data[start : start + count]

    def text(self, place: int) -> str:
        """Return a string, empty if it is absent."""
        return self.content(place).decode()
