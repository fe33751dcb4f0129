"""What a graph remembers: variables that it assigns and needs, wherever they go, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from ovmake.errors import ActionError
from ovmake.sources.integrity.stateful import of_signature, refuse, remembered
from ovmake.sources.screening.bodies import Bodies
from tests.graphdefs import graph_def, message, node
from tests.workers.metagraphs import entry, meta_graph, named, saved_model

V = node("v", "VarHandleOp")
W = node("w", "VarHandleOp")
X = node("x", "Placeholder")


def function(name: str, takes: tuple[str, ...], gives: str, *nodes: bytes) -> bytes:
    """Encode a FunctionDef of one result."""
    arguments = [(2, message((1, argument), (3, 1))) for argument in takes]
    return message(
        (1, message((1, name), *arguments, (3, message((1, "result"), (3, 1))))),
        *((3, one) for one in nodes),
        (4, entry("result", gives.encode())),
    )


def found(*nodes: bytes, functions: tuple[bytes, ...] = (), output: str = "y") -> list[str]:
    return remembered(Bodies(memoryview(graph_def(*nodes, functions=functions))), [f"{output}:0"])


@pytest.mark.parametrize("op", ["AssignVariableOp", "AssignAddVariableOp", "ResourceScatterNdUpdate", "Assign"])
def test_variable_that_is_assigned_and_read_is_remembered(op: str) -> None:
    nodes = (V, X, node("r", "ReadVariableOp", "v"), node("s", op, "v", "x"), node("y", "Add", "r", "x", "^s"))

    assert ["v"] == found(*nodes)


def test_assignment_that_nothing_asks_for_does_not_run() -> None:
    assert [] == found(
        V, X, node("r", "ReadVariableOp", "v"), node("s", "AssignVariableOp", "v", "x"), node("y", "Add", "r", "x")
    )


def test_counter_that_no_output_needs_is_nobodys_loss() -> None:
    nodes = (V, W, X, node("s", "AssignAddVariableOp", "v", "x"), node("r", "ReadVariableOp", "w"))

    assert [] == found(*nodes, node("y", "Mul", "x", "r", "^s"))


def test_variables_that_are_only_read_are_none() -> None:
    assert [] == found(V, X, node("r", "ReadVariableOp", "v"), node("y", "Mul", "x", "r"))


CALL = node("y", "StatefulPartitionedCall", "x", "v", "w", f=named("outer"))
OUTER = function(
    "outer", ("a", "b", "c"), "call:output:0", node("call", "PartitionedCall", "a", "b", "c", f=named("inner"))
)


def inner(assigned: str, read: str) -> bytes:
    """A function that assigns one of its arguments and gives what is read of another, in any order."""
    return function(
        "inner",
        ("a", "b", "c"),
        "sum:z:0",
        node("s", "AssignVariableOp", assigned, "a"),
        node("sum", "Add", "r:value:0", "a"),
        node("r", "ReadVariableOp", read),
    )


@pytest.mark.parametrize(("assigned", "read", "expected"), [("b", "b", ["v"]), ("c", "c", ["w"]), ("b", "c", [])])
def test_arguments_are_followed_into_functions(assigned: str, read: str, expected: list[str]) -> None:
    assert expected == found(V, W, X, CALL, functions=(OUTER, inner(assigned, read)))


def test_loop_hands_its_variables_on() -> None:
    body = function(
        "body", ("a", "b"), "r:value:0", node("s", "AssignVariableOp", "b", "a"), node("r", "ReadVariableOp", "b")
    )
    condition = function("condition", ("a", "b"), "a")
    loop = node("y", "While", "x", "v", cond=named("condition"), body=named("body"))

    assert ["v"] == found(V, X, loop, functions=(body, condition))


def test_assignment_in_a_branch_is_of_training() -> None:
    branch = function(
        "branch", ("a", "b"), "r:value:0", node("s", "AssignVariableOp", "b", "a"), node("r", "ReadVariableOp", "b")
    )
    other = function("other", ("a", "b"), "r:value:0", node("r", "ReadVariableOp", "b"))
    switch = node("y", "If", "x", "x", "v", then_branch=named("branch"), else_branch=named("other"))

    assert [] == found(V, X, switch, functions=(branch, other))


def test_seed_is_no_memory() -> None:
    nodes: tuple[bytes, ...] = (V, X, node("r", "ReadVariableOp", "v"), node("s", "AssignAddVariableOp", "v", "r"))
    nodes += (node("noise", "StatelessRandomNormalV2", "x", "r"), node("y", "Add", "x", "noise", "^s"))

    assert [] == found(*nodes)


def test_table_that_is_filled_while_it_runs_is_a_memory() -> None:
    nodes = (X, node("t", "MutableHashTableV2"), node("s", "LookupTableInsertV2", "t", "x", "x"))

    assert ["t"] == found(*nodes, node("y", "LookupTableFindV2", "t", "x", "x", "^s"))


def test_loop_of_tf1_and_function_that_calls_itself_have_an_end() -> None:
    again = function("again", ("a", "b"), "c:output:0", node("c", "PartitionedCall", "a", "b", f=named("again")))
    nodes = (
        V,
        X,
        node("m", "Merge", "x", "n"),
        node("n", "NextIteration", "m"),
        node("s", "AssignVariableOp", "v", "m"),
    )

    assert [] == found(*nodes, node("y", "PartitionedCall", "m", "v", "^s", f=named("again")), functions=(again,))


def test_whole_function_is_looked_at_with_its_captured_handles() -> None:
    nodes = (X, node("h", "Placeholder"), node("s", "AssignVariableOp", "h", "x"), node("y", "ReadVariableOp", "h"))
    bodies = Bodies(memoryview(graph_def(*nodes)))

    assert [["h"], [], []] == [
        remembered(bodies, ["y:0"], ["h"]),
        remembered(bodies, ["x:0"], ["h"]),
        remembered(bodies, ["y:0"]),
    ]


def test_signature_is_asked_and_the_model_refused(tmp_path: Path) -> None:
    nodes = (
        V,
        X,
        node("r", "ReadVariableOp", "v"),
        node("s", "AssignVariableOp", "v", "x"),
        node("y", "Add", "r", "x", "^s"),
    )
    given = {"serving_default": ("x", "y"), "other": ("x", "r")}
    (tmp_path / "saved_model.pb").write_bytes(saved_model(meta_graph(*nodes, saver=None, signatures=given)))

    assert ["v"] == of_signature(tmp_path, "serving_default", ("serve",))
    assert [] == of_signature(tmp_path, "other", ("serve",)) == of_signature(tmp_path, "third", ("serve",))
    assert [] == of_signature(tmp_path, "serving_default", ("gpu",))
    refuse(tmp_path, [])
    with pytest.raises(ActionError, match=r"assigns variables between calls \(`v` and 1 more\): the IR would forget"):
        refuse(tmp_path, ["v", "w"])


def test_long_graph_in_the_wrong_order_takes_no_time_to_speak_of() -> None:
    """Each node stands before what it takes: a walk from the top would need as many rounds as there are nodes."""
    chain = [node(f"n{number}", "Identity", f"n{number + 1}") for number in range(20_000)]
    last = node("n20000", "ReadVariableOp", "v")

    assert ["v"] == found(*chain, last, V, node("s", "AssignVariableOp", "v", "v"), node("y", "Identity", "n0", "^s"))
