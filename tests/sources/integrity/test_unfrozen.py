"""Variables without values are found in a graph, whatever TensorFlow wrote it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ovmake.sources.integrity.unfrozen import handles_of, not_frozen, variables_of
from tests.graphdefs import FLOAT, dense, graph_def, message, node

RESOURCE = message((6, 20))


@pytest.mark.parametrize("op", ["Variable", "VariableV2", "AutoReloadVariable", "VarHandleOp"])
def test_variable_is_found(op: str) -> None:
    graph = graph_def(node("x", "Placeholder", dtype=FLOAT), node("scope/v", op), node("y", "Identity", "scope/v"))

    assert (("scope/v",), ()) == (variables_of(graph), handles_of(graph))


def test_captured_handle_is_found() -> None:
    graph = graph_def(node("x", "Placeholder", dtype=FLOAT), node("captured", "Placeholder", dtype=RESOURCE))

    assert (("captured",), ("captured",)) == (variables_of(graph), handles_of(graph))


def test_frozen_graph_has_none() -> None:
    assert () == variables_of(dense([[1.0, 2.0]])) == variables_of(graph_def(node("x", "Placeholder")))


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        (("v",), "it has the variable `v` without a value"),
        (("v", "w"), "it has the variables `v` and `w` without values"),
        (("v", "w", "u"), "it has the variables `v` and 2 more without values"),
    ],
)
def test_variables_are_named(variables: tuple[str, ...], told: str) -> None:
    assert f"`g.pb` is a graph that was not frozen: {told}" == not_frozen(Path("a/g.pb"), variables).message
