"""Two models of one source are followed back in step: constants may differ, Transposes move, quantization is new."""

from __future__ import annotations

from collections.abc import Sequence

from ovmake.workers.matching.graph_matching import Node, Order, Pair, Port, inverse, pairs, place_of, transposed

NHWC = (-1, 8, 8, 3)
NCHW = (-1, 3, 8, 8)
TO_NCHW = (0, 3, 1, 2)
TO_NHWC = (0, 2, 3, 1)


def chain(*operations: str | Node, shape: tuple[int, ...] = NCHW) -> list[Node]:
    """Return operations in a row; those given by type alone have `shape`."""
    nodes: list[Node] = []
    for place, operation in enumerate(operations):
        inputs: tuple[Port, ...] = ((place - 1, 0),) if place else ()
        if isinstance(operation, str):
            nodes.append(Node(type=operation, inputs=inputs, shapes=(shape,)))
        else:
            nodes.append(Node(type=operation.type, inputs=inputs, shapes=operation.shapes, order=operation.order))
    return nodes


def transpose(order: Order, shape: tuple[int, ...]) -> Node:
    """Return a Transpose."""
    return Node(type="Transpose", shapes=(shape,), order=order)


def found(first: Sequence[Node], second: Sequence[Node]) -> dict[int, tuple[int, Order]]:
    """Return the pairs of two models with one output, the last node."""
    ends = [((len(first) - 1, 0), (len(second) - 1, 0))]
    return {port[0]: (pair.port[0], pair.order) for port, pair in pairs(first, second, ends).items()}


def test_equal_models_pair_node_by_node() -> None:
    model = chain("Parameter", "Convolution", "Add", "Relu", "Result")

    assert {place: (place, ()) for place in range(5)} == found(model, model)


def test_quantization_is_stepped_over() -> None:
    plain = chain("Parameter", "Convolution", "Add", "Relu", "Result")
    quantized = chain("Parameter", "FakeQuantize", "Convolution", "Add", "Relu", "FakeQuantize", "Result")

    assert {0: (0, ()), 1: (2, ()), 2: (3, ()), 3: (4, ()), 4: (6, ())} == found(plain, quantized)


def test_what_the_other_lacks_has_no_pair_and_hides_nothing_before_it() -> None:
    padded = chain("Parameter", "Relu", "Pad", "Convolution", "Result")
    folded = chain("Parameter", "Relu", "Convolution", "Result")

    assert {0: (0, ()), 1: (1, ()), 3: (2, ()), 4: (3, ())} == found(padded, folded)


def test_a_transpose_that_moved_is_remembered() -> None:
    late = chain(
        Node(type="Parameter", shapes=(NHWC,)),
        Node(type="Multiply", shapes=(NHWC,)),
        transpose(TO_NCHW, NCHW),
        "Convolution",
        "Result",
    )
    early = chain(
        Node(type="Parameter", shapes=(NHWC,)),
        transpose(TO_NCHW, NCHW),
        "Multiply",
        "Convolution",
        "Result",
    )

    assert {0: (0, ()), 1: (2, TO_NCHW), 3: (3, ()), 4: (4, ())} == found(late, early)


def test_other_shapes_are_no_pair() -> None:
    first = chain("Parameter", Node(type="Relu", shapes=((-1, 3, 8, 8),)), "Result")
    second = chain("Parameter", Node(type="Relu", shapes=((-1, 3, 4, 4),)), "Result")

    assert 1 not in found(first, second)


def test_dimensions_of_size_1_may_stand_elsewhere() -> None:
    flat = chain("Parameter", Node(type="Pad", shapes=((-1, 9, 1),)), "Convolution", "Result")
    other = chain("Parameter", Node(type="Pad", shapes=((-1, 1, 9),)), "Convolution", "Result")

    paired = pairs(flat, other, [((3, 0), (3, 0))])

    assert Pair(port=(1, 0), loose=True) == paired[1, 0]
    assert place_of(flat, paired, (1, 0), (0, 2, 1)) is None


def test_two_ways_to_different_pairs_are_none() -> None:
    def diamond(left: Port, right: Port) -> list[Node]:
        return [
            Node(type="Parameter", shapes=(NCHW,)),
            Node(type="Relu", inputs=((0, 0),), shapes=(NCHW,)),
            Node(type="Relu", inputs=((0, 0),), shapes=(NCHW,)),
            Node(type="Add", inputs=(left, right), shapes=(NCHW,)),
            Node(type="Result", inputs=((3, 0),), shapes=(NCHW,)),
        ]

    same = found(diamond((1, 0), (1, 0)), diamond((1, 0), (2, 0)))

    assert 1 not in same
    assert (0, ()) == same[0]


def test_operands_in_their_places_tell_siblings_apart() -> None:
    siblings = [
        Node(type="Parameter", shapes=(NCHW,)),
        Node(type="Relu", inputs=((0, 0),), shapes=(NCHW,)),
        Node(type="Relu", inputs=((0, 0),), shapes=(NCHW,)),
        Node(type="Subtract", inputs=((2, 0), (1, 0)), shapes=(NCHW,)),
        Node(type="Result", inputs=((3, 0),), shapes=(NCHW,)),
    ]

    assert {place: (place, ()) for place in range(5)} == found(siblings, siblings)


def test_permutations_compose_and_are_undone() -> None:
    assert () == transposed(TO_NCHW, TO_NHWC)
    assert TO_NHWC == inverse(TO_NCHW)
    assert TO_NCHW == transposed((), TO_NCHW)


def test_a_tensor_is_found_with_what_its_value_needs_there() -> None:
    model = chain(Node(type="Parameter", shapes=(NHWC,)), "Multiply", transpose(TO_NHWC, NHWC), "Relu")
    known = {(1, 0): Pair(port=(2, 0), order=TO_NCHW)}

    assert Pair(port=(2, 0), order=TO_NHWC) == place_of(model, known, (1, 0), ())
    assert Pair(port=(2, 0), order=transposed(TO_NHWC, TO_NHWC)) == place_of(model, known, (2, 0), ())
    assert place_of(model, known, (3, 0), ()) is None
