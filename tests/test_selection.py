"""What a user may call a target: the graph's answer and the stamp's are the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from ovmake import ledger
from ovmake.diagnostics import OvmakeError
from ovmake.graph.action import Graph
from ovmake.graph.query import select
from ovmake.names import DATABASE, STAMP
from ovmake.project import stamp
from ovmake.seal import keep_key

MODELS = ("m", "m2")
TARGETS = ["m:fp32", "m:int8", "m@thumb:fp32", "m2:fp32"]
GRAPH = Graph(actions={}, targets=dict.fromkeys(TARGETS, ""))


@pytest.fixture
def stamped(tmp_path: Path) -> stamp.Stamp:
    """A stamp of nothing but these targets."""
    (tmp_path / ".ovmake").mkdir()
    (tmp_path / DATABASE).touch()
    models: dict[str, tuple[list[str], ledger.Files | None]] = {
        model: ([name for name in TARGETS if name.startswith((f"{model}:", f"{model}@"))], {}) for model in MODELS
    }
    (tmp_path / "Ovfile").touch()
    state = ledger.state_of(str(tmp_path / "Ovfile"))
    looked_ns = ledger.after_a_tick()
    ovfile = ("Ovfile", state, "", looked_ns)
    data = stamp.encoded(
        key="k", secret=keep_key()[0], ovfile=ovfile, shared={}, models=models, looked_ns=looked_ns, around={}
    )
    assert data is not None
    (tmp_path / STAMP).write_bytes(data)
    found = stamp.look(str(tmp_path), "k")
    assert found is not None
    return found


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
def test_words_mean_the_same_targets_to_graph_and_stamp(
    asked: list[str], expected: list[str], stamped: stamp.Stamp
) -> None:
    assert expected == select(GRAPH, asked)
    assert len(expected) == stamped.fresh(asked)


@pytest.mark.parametrize("word", ["thumb", "@thumb", "m@thumb:int8", "m:"])
def test_word_that_means_nothing_is_refused(word: str, stamped: stamp.Stamp) -> None:
    with pytest.raises(OvmakeError, match="unknown target"):
        select(GRAPH, [word])

    assert stamped.fresh([word]) is None
