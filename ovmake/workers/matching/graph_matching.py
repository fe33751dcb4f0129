"""Match tensors of two models that compute the same values. Pure.

    pairs(first, second, ends) -> {Port of first: Pair(port=Port of second, order=(0, 2, 3, 1))}

Both models came from one source and differ in details: one is quantized, constants are rounded, a Transpose is in a
different position. So both dataflows are followed backwards from the outputs, in parallel. Operations in the same
position are a pair if their kind and shape agree. Operations that only one side has are skipped.

Rule 1: only data inputs are followed. Constants are ignored: the user may be looking for a wrong one.
Rule 2: a Transpose is always skipped, and recorded: `order` is the permutation from the first's value to the second's,
        () for none.
Rule 3: if two paths lead to different pairs, the tensor has no pair.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

# A node by its index in the model's order, and one of its outputs.
Port = tuple[int, int]
Order = tuple[int, ...]
Shape = tuple[int, ...] | None  # -1: dynamic; None: of unknown rank

# How many consecutive operations may be skipped, on both sides together.
_REACH = 5
_RESHAPES = {"Reshape", "Squeeze", "Unsqueeze"}
# Elementwise operations: a Transpose may be before or after them.
_ELEMENTWISE = {
    *("Abs", "Add", "Ceiling", "Clamp", "Concat", "Convert", "Divide", "Elu", "Erf", "Exp", "FakeQuantize", "Floor"),
    *("Gelu", "HSigmoid", "HSwish", "LeakyRelu", "Log", "Maximum", "Minimum", "Mish", "Multiply", "Negative", "Pad"),
    *("Power", "PRelu", "Relu", "Round", "Sigmoid", "SoftPlus", "Sqrt", "SquaredDifference", "Subtract", "Swish"),
    "Tanh",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """An operation. `inputs` are its data inputs; `order` is the permutation of a Transpose with a constant order."""

    type: str
    inputs: tuple[Port, ...] = ()
    shapes: tuple[Shape, ...] = ()
    order: Order = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A tensor of the second model. Its value is the first's value, transposed by `order`.

    `loose`: its dimensions of size 1 may be in different positions.
    """

    port: Port
    order: Order = ()
    loose: bool = False


Nodes = Sequence[Node]


def pairs(first: Nodes, second: Nodes, ends: Iterable[tuple[Port, Port]]) -> dict[Port, Pair]:
    """Return the pairs found from `ends`, which are known pairs."""
    found: dict[Port, Pair] = {}
    doubtful: set[Port] = set()
    seen: set[tuple[Port, Pair]] = set()
    pending = [(port, Pair(port=other)) for port, other in ends]
    while pending:
        step = pending.pop()
        if step in seen:
            continue
        seen.add(step)
        met = _meeting(first, second, *step)
        if met is None:
            continue
        port, pair = met
        if found.setdefault(port, pair) != pair:
            doubtful.add(port)
            continue
        pending += _before(first[port[0]], second[pair.port[0]], pair.order)
    return {port: pair for port, pair in found.items() if port not in doubtful}


def transposed(order: Order, then: Order) -> Order:
    """Return the composition of two permutations, `order` first."""
    if not order or not then:
        return order or then
    both = tuple(order[axis] for axis in then)
    return () if both == tuple(range(len(both))) else both


def inverse(order: Order) -> Order:
    """Return the permutation that undoes `order`."""
    return tuple(order.index(axis) for axis in range(len(order)))


def _meeting(first: Nodes, second: Nodes, port: Port, pair: Pair) -> tuple[Port, Pair] | None:
    """Return the nearest two matching operations behind two tensors, with the fewest skipped operations first."""
    here, there = list(_way(first, port)), list(_way(second, pair.port))
    for total in range(_REACH + 1):
        for steps in range(total + 1):
            if steps >= len(here) or total - steps >= len(there):
                continue
            (one, moved), (other, moved_there) = here[steps], there[total - steps]
            # value = one's, moved; other's, moved_there = value, in the pair's order.
            order = transposed(transposed(moved, pair.order), inverse(moved_there))
            if _alike(first[one[0]], second[other[0]]) and one[1] == other[1]:
                shapes = first[one[0]].shapes[one[1]], second[other[0]].shapes[other[1]]
                if _fits(*shapes, order):
                    return one, Pair(port=other, order=order)
                if not order and _fits_loosely(*shapes):
                    return one, Pair(port=other, loose=True)
    return None


def _way(nodes: Nodes, port: Port) -> Iterator[tuple[Port, Order]]:
    """Yield a tensor and its predecessors along a chain of single data inputs, each with its transposition."""
    moved: Order = ()
    while True:
        node = nodes[port[0]]
        if node.order:
            moved = transposed(node.order, moved)
        else:
            yield port, moved
        if len(node.inputs) != 1 or (moved and node.type not in _ELEMENTWISE and not node.order):
            return
        port = node.inputs[0]


def _alike(one: Node, two: Node) -> bool:
    same_kind = one.type == two.type or {one.type, two.type} <= _RESHAPES
    return same_kind and len(one.inputs) == len(two.inputs)


def _fits(shape: Shape, other: Shape, order: Order) -> bool:
    if shape is None or other is None:
        return not order
    if len(shape) != len(other) or (order and len(order) != len(shape)):
        return False
    moved = [shape[axis] for axis in order] if order else shape
    return all(size in {-1, theirs} or theirs == -1 for size, theirs in zip(moved, other, strict=True))


def _fits_loosely(shape: Shape, other: Shape) -> bool:
    if shape is None or other is None:
        return False
    return [size for size in shape if size != 1] == [size for size in other if size != 1]


def _before(one: Node, two: Node, order: Order) -> Iterator[tuple[Port, Pair]]:
    if order and one.type not in _ELEMENTWISE:
        return
    for port, other in zip(one.inputs, two.inputs, strict=True):
        yield port, Pair(port=other, order=order)


def place_of(first: Nodes, paired: Mapping[Port, Pair], port: Port, order: Order) -> Pair | None:
    """Return the pair of a tensor. `order` transposes the first model's value, the pair's order the second's."""
    while first[port[0]].order:
        order = transposed(first[port[0]].order, order)
        port = first[port[0]].inputs[0]
    found = paired.get(port)
    if found is None or (found.loose and order):
        return None
    return Pair(port=found.port, order=transposed(inverse(found.order), order))
