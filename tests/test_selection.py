"""What a user may call a target: the graph's answer and the stamp's are the same."""

from __future__ import annotations

import pytest

from ovmake import stamp
from ovmake.diagnostics import OvmakeError
from ovmake.graph.action import Graph
from ovmake.graph.query import select

TARGETS = ["m:fp32", "m:int8", "m@thumb:fp32", "m2:fp32"]
GRAPH = Graph(actions={}, targets=dict.fromkeys(TARGETS, ""))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ([], TARGETS),
        (["m"], ["m:fp32", "m:int8", "m@thumb:fp32"]),
        (["m@thumb"], ["m@thumb:fp32"]),
        (["m@thumb:fp32", "m2"], ["m@thumb:fp32", "m2:fp32"]),
        (["m:int8"], ["m:int8"]),
    ],
)
def test_words_mean_the_same_targets_to_graph_and_stamp(asked: list[str], expected: list[str]) -> None:
    assert expected == select(GRAPH, asked)
    assert len(expected) == stamp._count(TARGETS, asked)


@pytest.mark.parametrize("word", ["thumb", "@thumb", "m@thumb:int8", "m:"])
def test_word_that_means_nothing_is_refused(word: str) -> None:
    with pytest.raises(OvmakeError, match="unknown target"):
        select(GRAPH, [word])

    assert stamp._count(TARGETS, [word]) is None
