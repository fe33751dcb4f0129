"""How long a plan takes: by hand, against every order of events, and through a dry run."""

from __future__ import annotations

import pytest

from ovmake.engine.events import ActionFinished, BuildFinished
from ovmake.engine.forecasting.costs import Cost
from ovmake.engine.forecasting.estimate import NOTHING, Estimate, Plan, duration, estimate_build, in_words
from ovmake.engine.world import Options
from ovmake.graph.action import Action
from tests.engine.small import action, graph, repo

M = 1000


def plan(
    *actions: Action, certain: str = "", possible: str = "", seconds: dict[str, float], jobs: int = 1, memory: int = M
) -> Plan:
    """Return a plan. `certain` and `possible` are first words of names, with spaces between."""
    named = {one.name.partition(" ")[0]: one.name for one in actions}
    return Plan(
        actions=actions,
        certain=frozenset(named[word] for word in certain.split()),
        possible=frozenset(named[word] for word in possible.split()),
        costs={one.name: Cost(seconds=seconds.get(one.kind), memory_bytes=M // 2 + 1) for one in actions},
        jobs=jobs,
        memory_bytes=memory,
    )


def test_one_after_the_other_times_add_up() -> None:
    found = estimate_build(plan(action("a m"), action("b m"), certain="a b", seconds={"a": 2, "b": 3}))

    assert Estimate(low=5, high=5, unknown=0, actions=2) == found


def test_side_by_side_the_longest_way_counts() -> None:
    actions = (action("a m"), action("b m"), action("c m", "a m"))

    found = estimate_build(plan(*actions, certain="a b c", seconds={"a": 2, "b": 4, "c": 3}, jobs=2, memory=9 * M))

    assert 5 == found.high


def test_what_does_not_fit_in_memory_waits() -> None:
    found = estimate_build(plan(action("a m"), action("b m"), certain="a b", seconds={"a": 2, "b": 3}, jobs=2))

    assert 5 == found.high


def test_measurement_runs_alone() -> None:
    actions = (action("a m"), action("b m", exclusive=True))

    found = estimate_build(plan(*actions, certain="a b", seconds={"a": 2, "b": 3}, jobs=2, memory=9 * M))

    assert 5 == found.high


def test_fresh_actions_take_no_time() -> None:
    found = estimate_build(plan(action("a m"), action("b m", "a m"), certain="b", seconds={"a": 2, "b": 3}))

    assert Estimate(low=3, high=3, unknown=0, actions=1) == found


def test_what_may_run_counts_at_the_high_end() -> None:
    found = estimate_build(
        plan(action("a m"), action("b m", "a m"), certain="a", possible="b", seconds={"a": 3, "b": 9})
    )

    assert Estimate(low=3, high=12, unknown=0, actions=2) == found


def test_what_never_ran_is_counted_and_not_guessed() -> None:
    found = estimate_build(plan(action("a m"), action("b m"), action("c m"), certain="a b c", seconds={"a": 3}))

    assert Estimate(low=3, high=3, unknown=2, actions=3) == found


@pytest.mark.parametrize(
    ("low", "high", "unknown", "actions", "expected"),
    [
        (12, 12, 0, 3, "; about 12 s with -j 2, from earlier runs"),
        (3, 12, 0, 3, "; about 3 to 12 s with -j 2, from earlier runs"),
        (3, 4.2, 0, 3, "; about 3.0 to 4.2 s with -j 2, from earlier runs"),
        (40, 600, 0, 3, "; about 40 s to 10 min with -j 2, from earlier runs"),
        (12.1, 12.2, 0, 3, "; about 12 s with -j 2, from earlier runs"),
        (3, 12, 1, 3, "; at least 3.0 s with -j 2, from earlier runs; the time of 1 of 3 actions is unknown"),
        (0, 0, 0, 0, ""),
        (0, 0, 3, 3, "; the time is unknown before the first run"),
    ],
)
def test_estimate_in_words(*, low: float, high: float, unknown: int, actions: int, expected: str) -> None:
    assert expected == in_words(Estimate(low=low, high=high, unknown=unknown, actions=actions), 2)


def test_nobody_asked() -> None:
    assert "" == in_words(None, 2)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (119.4, "119 s"),
        (119.6, "2 min"),
        (3569, "59 min"),
        (3571, "1 h 0 min"),
        (7860, "2 h 11 min"),
    ],
)
def test_time_is_no_more_exact_than_it_is_known(seconds: float, expected: str) -> None:
    assert expected == duration(seconds)


# through a dry run

PLAN = graph(
    action("convert m", "models/m.pb"),
    action("quantize m", "convert m"),
    action("convert n", "models/n.pb"),
)


def test_dry_run_says_how_long_each_takes_and_all_of_them() -> None:
    made = repo({"models/m.pb": b"m", "models/n.pb": b"n"})
    made.build(PLAN)
    made.disk.put("models/m.pb", b"other")

    built = made.build(PLAN, options=Options(dry_run=True, estimate=True))

    planned = {e.action.name: (e.status, e.estimate_seconds) for e in built.events if isinstance(e, ActionFinished)}
    assert {"convert m": ("would-run", 1.0), "quantize m": ("may-run", 1.0)} == planned
    last = built.events[-1]
    assert isinstance(last, BuildFinished)
    assert Estimate(low=1.0, high=2.0, unknown=0, actions=2) == last.estimate
    assert ([1.0, 2.0], 0) == (last.to_json()["estimate_seconds"], last.to_json()["estimate_unknown"])


def test_other_dry_runs_say_nothing_of_it() -> None:
    made = repo({"models/m.pb": b"m", "models/n.pb": b"n"})

    built = made.build(PLAN, options=Options(dry_run=True))

    last = built.events[-1]
    assert isinstance(last, BuildFinished)
    assert None is last.estimate
    assert {None} == {e.estimate_seconds for e in built.events if isinstance(e, ActionFinished)}
    assert "estimate_seconds" not in last.to_json()


def test_real_build_of_the_plan_takes_what_was_foreseen() -> None:
    # Both play the same scheduler: where every action takes a second, jobs in a row are seconds.
    made = repo({"models/m.pb": b"m", "models/n.pb": b"n"})
    made.build(PLAN)
    forced = frozenset({"convert", "quantize"})

    foreseen = made.build(PLAN, options=Options(dry_run=True, estimate=True, forced=forced)).events[-1]
    built = made.build(PLAN, options=Options(forced=forced))

    assert isinstance(foreseen, BuildFinished)
    assert foreseen.estimate is not None
    assert len(built.ran) == foreseen.estimate.high == foreseen.estimate.low


def test_dry_run_in_which_nothing_would_run_takes_no_time() -> None:
    there = repo()
    plan = graph(action("convert m", "models/m.pb"))
    there.build(plan)

    *_, last = there.build(plan, options=Options(dry_run=True, estimate=True)).events

    assert isinstance(last, BuildFinished)
    assert NOTHING == last.estimate
