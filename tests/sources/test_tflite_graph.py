"""Wires of .tflite files that were made to do harm: few bytes, and no end to what they say."""

from __future__ import annotations

import struct

import pytest

from ovmake.errors import ActionError
from ovmake.sources.tflite_graph import ops_of_tflite

MODEL_FIELDS, GRAPH_FIELDS, TENSOR_FIELDS = 3, 4, 4


class Builder:
    """Writes a FlatBuffer from its end: what is referred to is written before what refers to it, and lies behind it."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.size = 0

    def add(self, data: bytes) -> int:
        """Put bytes before those that are there; return their place, counted from the end."""
        data += bytes(-len(data) % 4)
        self.parts.insert(0, data)
        self.size += len(data)
        return self.size

    def text(self, words: bytes) -> int:
        return self.add(struct.pack("<I", len(words)) + words)

    def integers(self, numbers: list[int]) -> int:
        return self.add(struct.pack(f"<I{len(numbers)}i", len(numbers), *numbers))

    def tables(self, places: list[int]) -> int:
        end = self.size + 4 * len(places)
        offsets = [end - 4 * number - place for number, place in enumerate(places)]
        return self.add(struct.pack(f"<I{len(places)}I", len(places), *offsets))

    def table(self, count: int, **fields: int) -> int:
        """Write a table of so many fields, those given by number: `_2=place`."""
        there = {int(name[1:]): place for name, place in fields.items()}
        order = sorted(there)
        top = self.size + 4 * len(order)
        body = b"".join(struct.pack("<I", top - 4 * at - there[number]) for at, number in enumerate(order))
        entries = [4 + 4 * order.index(number) if number in there else 0 for number in range(count)]
        vtable = struct.pack(f"<HH{count}H", 4 + 2 * count, 4 + len(body), *entries)
        vtable += bytes(-len(vtable) % 4)
        table = self.add(struct.pack("<i", len(vtable)) + body)
        self.add(vtable)
        return table

    def whole(self, root: int) -> bytes:
        return struct.pack("<I", self.size + 8 - root) + b"TFL3" + b"".join(self.parts)


def model(names: list[int], builder: Builder) -> bytes:
    """Return a model with a tensor for each place of a name; equal places are the same tensor."""
    tensors = {name: builder.table(TENSOR_FIELDS, _3=name) for name in dict.fromkeys(names)}
    graph = builder.table(GRAPH_FIELDS, _0=builder.tables([tensors[name] for name in names]))
    return builder.whole(builder.table(MODEL_FIELDS, _2=builder.tables([graph])))


def test_tensors_are_read() -> None:
    builder = Builder()

    found = ops_of_tflite(model([builder.text(b"a"), builder.text(b"b/c")], builder))

    assert [("a", "Const"), ("b/c", "Const")] == [(op.name, op.type) for op in found.ops]


def test_tensors_may_share_a_name_a_few_times() -> None:
    builder = Builder()

    assert 50 == len(ops_of_tflite(model([builder.text(b"weights")] * 50, builder)).ops)


def test_tables_that_share_without_end_are_refused() -> None:
    builder = Builder()
    data = model([builder.text(b"n" * 10_000)] * 10_000, builder)
    assert len(data) < 60_000

    with pytest.raises(ActionError, match=r"`m.tflite` cannot be read: its tables share their contents") as caught:
        ops_of_tflite(data, "`m.tflite`")

    assert "cannot-convert" == caught.value.code


def test_file_without_a_graph_says_so() -> None:
    builder = Builder()
    data = builder.whole(builder.table(MODEL_FIELDS, _2=builder.tables([])))

    with pytest.raises(ActionError, match=r"the .tflite file cannot be read: it has no graph"):
        ops_of_tflite(data)


def with_operators(*operators: tuple[list[int], list[int]], names: list[bytes], custom: bytes = b"") -> bytes:
    """Return a model with operators of one code, by the numbers of the tensors that they take and give."""
    builder = Builder()
    tensors = [builder.table(TENSOR_FIELDS, _3=builder.text(name)) for name in names]
    made = [builder.table(3, _1=builder.integers(taken), _2=builder.integers(given)) for taken, given in operators]
    code = builder.table(4, **({"_1": builder.text(custom)} if custom else {}))
    graph = builder.table(
        GRAPH_FIELDS,
        _0=builder.tables(tensors),
        _1=builder.integers([0]),
        _2=builder.integers([len(names) - 1]),
        _3=builder.tables(made),
    )
    return builder.whole(builder.table(MODEL_FIELDS, _1=builder.tables([code]), _2=builder.tables([graph])))


def test_operator_that_gives_nothing_is_read() -> None:
    """ASSIGN_VARIABLE, of models that keep a state."""
    found = ops_of_tflite(with_operators(([0], []), ([0], [1]), names=[b"x", b"y"], custom=b"Mine"))

    assert ["x", "y"] == [op.name for op in found.ops]
    assert ({"y": "Mine"}, ("Mine",)) == (found.kinds, found.silent)


def test_outputs_that_are_left_out_are_none() -> None:
    found = ops_of_tflite(with_operators(([0, -1], [-1, 1, -1]), names=[b"x", b"y"]))

    assert [("y", ("x:0",))] == [(op.name, op.inputs) for op in found.ops if op.type == "Operator"]
    assert {"x": "x:0"} == found.inputs
    assert {"y": "y:0"} == found.outputs


def test_name_may_be_of_any_bytes() -> None:
    found = ops_of_tflite(with_operators(([0], [1]), names=[b"x", b"y\xff\xfe"]))

    assert {"y\ufffd\ufffd": "y\ufffd\ufffd:0"} == found.outputs
