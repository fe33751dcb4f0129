"""A line per target: fresh, stale, failed, never built."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from ovmake.contracts.values import JsonValue
from ovmake.diagnostics import OvmakeError
from ovmake.engine.events import Event
from ovmake.engine.executor import Outcome
from ovmake.engine.outcomes.status import StatusLine, statuses
from ovmake.engine.world import Options
from ovmake.graph.action import Graph
from tests.engine.small import action, repo
from tests.fakes import FakeRepo


def plan(batch: int = 1, promise: float = 0.01) -> Graph:
    convert = action("convert m", "models/m.pb", params={"batch": batch})
    gate = action("gate m:int8", "convert m", params={"max-drop": promise})
    actions = (convert, action("publish m:fp32", "convert m", place="build/m/fp32/m.xml"), gate)
    targets = {"m:fp32": "publish m:fp32", "m:int8": "gate m:int8"}
    return Graph(actions={one.name: one for one in actions}, targets=targets)


def status(there: FakeRepo, graph: Graph, *asked: str) -> list[StatusLine]:
    def execute(graph: Graph, targets: Sequence[str], options: Options, emit: Callable[[Event], None]) -> Outcome:
        built = there.build(graph, *targets, options=options)
        for event in built.events:
            emit(event)
        return built.outcome

    return list(statuses(graph, there.database, execute, asked))


def words(there: FakeRepo, graph: Graph) -> dict[str, str]:
    return {line.target: line.status for line in status(there, graph)}


def test_nothing_was_built() -> None:
    assert words(repo(), plan()) == {"m:fp32": "never built", "m:int8": "never built"}


def test_everything_is_fresh() -> None:
    there = repo()
    there.build(plan())

    assert words(there, plan()) == {"m:fp32": "fresh", "m:int8": "fresh"}


def test_one_target_of_two_was_built() -> None:
    there = repo()
    there.build(plan(), "m:fp32")

    assert words(there, plan()) == {"m:fp32": "fresh", "m:int8": "never built"}


def test_edit_makes_targets_stale() -> None:
    there = repo()
    there.build(plan())

    assert words(there, plan(batch=4)) == {"m:fp32": "stale", "m:int8": "stale"}
    assert words(there, plan(promise=0.02)) == {"m:fp32": "fresh", "m:int8": "stale"}


def test_state_that_can_be_restored_is_stale_until_it_is() -> None:
    there = repo()
    there.build(plan())
    there.build(plan(batch=4))

    assert words(there, plan()) == {"m:fp32": "stale", "m:int8": "stale"}


SCORES = ("accuracy", "share", 0.872, 0.87)


def test_fresh_target_says_what_it_scores() -> None:
    there = repo()
    facts: dict[str, dict[str, JsonValue]] = {
        "publish m:fp32": {"gate": "passed", "drop": 0.002, "scores": SCORES},
        "gate m:int8": {"gate": "not-measured", "drop": None},
    }
    there.build(plan(), facts=facts)

    assert status(there, plan()) == [
        StatusLine(target="m:fp32", status="fresh", message="accuracy 87.20 % → 87.00 %, drop 0.0020"),
        StatusLine(target="m:int8", status="fresh"),
    ]


@pytest.mark.parametrize("scores", [None, ("accuracy", "share", 0.872), ("accuracy", "share", "0.872", 0.87), 3])
def test_scores_that_are_none_are_not_told(scores: JsonValue) -> None:
    there = repo()
    there.build(plan(), facts={"gate m:int8": {"drop": 0.002, "scores": scores}})

    assert {""} == {line.message for line in status(there, plan())}


def test_failed_target_says_why() -> None:
    there = repo()
    there.build(plan(), options=Options(keep_going=True), failing=["gate m:int8"])

    assert status(there, plan()) == [
        StatusLine(target="m:fp32", status="fresh"),
        StatusLine(target="m:int8", status="failed", message="gate m:int8: it was told to fail"),
    ]


def test_failure_of_a_shared_action_is_told_of_every_target() -> None:
    there = repo()
    there.build(plan(), failing=["convert m"])

    assert words(there, plan()) == {"m:fp32": "failed", "m:int8": "failed"}


def test_failure_is_old_news_once_something_changed() -> None:
    there = repo()
    there.build(plan(), options=Options(keep_going=True), failing=["gate m:int8"])

    assert words(there, plan(promise=0.5)) == {"m:fp32": "fresh", "m:int8": "never built"}


def test_failure_after_a_success_is_stale_once_something_changed() -> None:
    there = repo()
    there.build(plan())
    there.build(plan(promise=0.0), options=Options(keep_going=True), failing=["gate m:int8"])

    assert words(there, plan(promise=0.0)) == {"m:fp32": "fresh", "m:int8": "failed"}
    assert words(there, plan(promise=0.02)) == {"m:fp32": "fresh", "m:int8": "stale"}


def test_going_back_from_a_failure_is_fresh() -> None:
    there = repo()
    there.build(plan())
    there.build(plan(promise=0.0), options=Options(keep_going=True), failing=["gate m:int8"])

    assert words(there, plan()) == {"m:fp32": "fresh", "m:int8": "fresh"}


def test_success_ends_a_failure() -> None:
    there = repo()
    there.build(plan(), failing=["convert m"])
    there.build(plan())

    assert words(there, plan()) == {"m:fp32": "fresh", "m:int8": "fresh"}


def test_missing_source_is_a_failure_before_any_build() -> None:
    line, _ = status(repo({"README.md": b""}), plan())

    assert line == StatusLine(target="m:fp32", status="failed", message="convert m: there is no `models/m.pb`")


def test_status_runs_and_writes_nothing() -> None:
    there = repo()
    files = dict(there.disk.files)

    status(there, plan())

    assert (there.disk.files, there.database.traces()) == (files, {})


def test_asked_targets_come_in_the_order_of_the_ovfile() -> None:
    lines = status(repo(), plan(), "m:int8", "m:fp32")

    assert [line.target for line in lines] == ["m:fp32", "m:int8"]


def test_unknown_target_is_an_error() -> None:
    with pytest.raises(OvmakeError, match="unknown target `m:int9`"):
        status(repo(), plan(), "m:int9")
