"""Which action is next: states, jobs, exclusive actions, what a failure stops, critical path first, memory."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Mapping
from dataclasses import replace

import hypothesis
import pytest
from hypothesis import strategies as st

from ovmake.engine.forecasting.costs import Cost
from ovmake.engine.scheduler import TRANSITIONS, Scheduler, State
from ovmake.engine.world import Options
from ovmake.graph.action import Action
from tests.engine.small import action, graph, repo

Reach = Callable[[Scheduler], object]


def scheduler(*actions: Action, jobs: int = 1, keep_going: bool = False) -> Scheduler:
    return Scheduler(actions, jobs=jobs, keep_going=keep_going)


def take(given: Scheduler) -> str:
    taken = given.next()
    assert taken is not None
    return taken.name


def start(given: Scheduler) -> str:
    name = take(given)
    given.start(name)
    return name


def fetch(given: Scheduler) -> str:
    name = take(given)
    given.fetch(name)
    return name


def done(given: Scheduler) -> None:
    given.finish(take(given), ok=True)


# For every transition of the table: an action, and calls of the scheduler's methods of which the last makes it happen.
WAYS: dict[tuple[State, State], tuple[str, list[Reach]]] = {
    (State.WAITING, State.READY): ("b m", [lambda s: s.finish(start(s), ok=True)]),
    (State.WAITING, State.SKIPPED): ("b m", [lambda s: s.finish(start(s), ok=False)]),
    (State.READY, State.TAKEN): ("a m", [take]),
    (State.READY, State.SKIPPED): ("a m", [lambda s: s.left_over()]),
    (State.TAKEN, State.READY): ("a m", [take, lambda s: s.put_back("a m")]),
    (State.TAKEN, State.FETCHING): ("a m", [take, lambda s: s.fetch("a m")]),
    (State.FETCHING, State.READY): ("a m", [fetch, lambda s: s.put_back("a m")]),
    (State.FETCHING, State.SUCCEEDED): ("a m", [fetch, lambda s: s.finish("a m", ok=True)]),
    (State.FETCHING, State.FAILED): ("a m", [fetch, lambda s: s.finish("a m", ok=False)]),
    (State.TAKEN, State.RUNNING): ("a m", [take, lambda s: s.start("a m")]),
    (State.TAKEN, State.SUCCEEDED): ("a m", [take, lambda s: s.finish("a m", ok=True)]),
    (State.TAKEN, State.FAILED): ("a m", [take, lambda s: s.finish("a m", ok=False)]),
    (State.RUNNING, State.SUCCEEDED): ("a m", [start, lambda s: s.finish("a m", ok=True)]),
    (State.RUNNING, State.FAILED): ("a m", [start, lambda s: s.finish("a m", ok=False)]),
    (State.SUCCEEDED, State.READY): ("a m", [done, take, lambda s: s.again(["a m"], before="b m")]),
    (State.SUCCEEDED, State.WAITING): ("b m", [done, done, take, lambda s: s.again(["a m", "b m"], before="c m")]),
    (State.TAKEN, State.WAITING): ("b m", [done, take, lambda s: s.again(["a m"], before="b m")]),
    (State.READY, State.WAITING): ("d m", [done, take, lambda s: s.again(["a m"], before="b m")]),
}


def test_every_transition_of_the_table_has_a_way() -> None:
    assert set(WAYS) == {(before, after) for before, reached in TRANSITIONS.items() for after in reached}


@pytest.mark.parametrize(("before", "after"), WAYS, ids=lambda state: str(state.name))
def test_transition_happens(before: State, after: State) -> None:
    name, calls = WAYS[before, after]
    given = scheduler(action("a m"), action("b m", "a m"), action("c m", "a m", "b m"), action("d m", "a m"))
    for call in calls[:-1]:
        call(given)
    assert given.state(name) is before

    calls[-1](given)

    assert given.state(name) is after


@pytest.mark.parametrize(
    ("before", "after"),
    [pair for pair in itertools.product(State, State) if pair not in WAYS],
    ids=lambda state: str(state.name),
)
def test_no_other_transition_is_possible(before: State, after: State) -> None:
    given = scheduler(action("a m"))
    given._states["a m"] = before

    with pytest.raises(AssertionError, match=f"`a m` cannot go from {before.name} to {after.name}"):
        given._move("a m", after)


def test_what_is_fetched_takes_no_place_among_the_jobs() -> None:
    given = scheduler(action("a m"), action("b m"), action("c m"), jobs=1)

    assert ["a m", "b m", "c m", None] == [fetch(given), fetch(given), start(given), given.next()]
    assert given.running


def test_a_measurement_waits_for_what_is_fetched() -> None:
    given = scheduler(action("a m"), action("b m", exclusive=True), jobs=2)
    fetch(given)

    assert given.next() is None
    given.finish("a m", ok=True)
    assert "b m" == take(given)


def test_ready_actions_come_in_the_order_of_the_graph() -> None:
    given = scheduler(action("c m"), action("a m"), action("b m"), jobs=3)

    assert [start(given), start(given), start(given), given.next()] == ["c m", "a m", "b m", None]


def test_an_action_that_became_ready_late_keeps_its_place() -> None:
    given = scheduler(action("a m"), action("b m", "a m"), action("c m"), action("d m"))
    given.finish(start(given), ok=True)

    assert [take(given), take(given), take(given)] == ["b m", "c m", "d m"]


def test_what_is_done_again_comes_before_all_that_has_not_begun() -> None:
    given = scheduler(*(action(name, *reads) for name, reads in CHAIN), jobs=2)
    done(given)
    running = start(given)
    taken = take(given)

    given.again(["a m"], before=taken)

    assert (running, taken) == ("b m", "c m")
    assert (start(given), given.next()) == ("a m", None)
    given.finish("b m", ok=True)
    assert given.next() is None
    given.finish("a m", ok=True)
    assert [start(given), start(given), given.next()] == ["c m", "d m", None]


CHAIN = (("a m", ()), ("b m", ("a m",)), ("c m", ("a m",)), ("d m", ("a m",)))


def test_what_cannot_be_done_again_is_a_failure_of_all_that_waits_for_it() -> None:
    given = scheduler(*(action(name, *reads) for name, reads in CHAIN), keep_going=True)
    done(given)
    done(given)
    given.again(["a m"], before=take(given))

    skipped = given.finish(start(given), ok=False)

    assert [one.name for one in skipped] == ["c m", "d m"]
    assert given.state("b m") is State.SUCCEEDED
    assert given.next() is None


def test_no_more_run_than_there_are_jobs() -> None:
    given = scheduler(action("a m"), action("b m"), action("c m"), jobs=2)
    names = [start(given), start(given)]
    assert given.next() is None

    given.finish(names[1], ok=True)

    assert start(given) == "c m"


def test_what_is_decided_without_running_takes_up_no_job() -> None:
    given = scheduler(action("a m"), action("b m"), jobs=1)
    given.finish(take(given), ok=True)

    assert take(given) == "b m"


def test_exclusive_action_waits_until_nothing_runs() -> None:
    given = scheduler(action("a m"), action("measure m", exclusive=True), action("b m"), jobs=3)
    running = [start(given), start(given)]
    assert running == ["a m", "b m"]
    assert given.next() is None

    given.finish("a m", ok=True)
    assert given.next() is None
    given.finish("b m", ok=True)

    assert start(given) == "measure m"


def test_exclusive_action_comes_after_all_that_can_run_without_it() -> None:
    given = scheduler(action("measure m", exclusive=True), action("a m"), action("b m", "a m"), jobs=3)
    assert start(given) == "a m"
    assert given.next() is None
    given.finish("a m", ok=True)
    assert start(given) == "b m"
    given.finish("b m", ok=True)

    assert start(given) == "measure m"


def test_two_exclusive_actions_take_turns() -> None:
    given = scheduler(action("measure m", exclusive=True), action("measure n", exclusive=True), jobs=3)
    first = start(given)
    assert given.next() is None
    given.finish(first, ok=True)

    assert (first, start(given)) == ("measure m", "measure n")


def test_the_order_of_the_graph_holds_past_an_exclusive_action() -> None:
    # `c` becomes ready before `b`, and both while the exclusive one, which is first, cannot be had.
    given = scheduler(
        action("x m"),
        action("y m"),
        action("z m"),
        action("measure m", exclusive=True),
        action("b m", "y m"),
        action("c m", "x m"),
        jobs=3,
    )
    running = [start(given), start(given), start(given)]
    assert running == ["x m", "y m", "z m"]
    given.finish("x m", ok=True)
    given.finish("y m", ok=True)

    assert [start(given), start(given)] == ["b m", "c m"]


def test_a_failure_stops_everything_that_did_not_start() -> None:
    given = scheduler(action("a m"), action("b m", "a m"), action("c m"), action("d m"), jobs=2)
    assert [start(given), start(given)] == ["a m", "c m"]

    skipped = given.finish("a m", ok=False)

    assert [one.name for one in skipped] == ["b m"]
    assert given.next() is None
    assert given.running
    assert given.finish("c m", ok=True) == []
    assert [one.name for one in given.left_over()] == ["d m"]


def test_keep_going_skips_only_what_needs_the_failed_action() -> None:
    given = scheduler(
        action("a m"),
        action("b m", "a m"),
        action("c m", "b m"),
        action("d m", after=("a m",)),
        action("e m"),
        action("f m", "e m"),
        keep_going=True,
    )

    skipped = given.finish(start(given), ok=False)

    assert [one.name for one in skipped] == ["b m", "c m", "d m"]
    assert start(given) == "e m"
    given.finish("e m", ok=True)
    assert start(given) == "f m"
    given.finish("f m", ok=True)
    assert given.left_over() == []


def test_an_action_with_two_failed_needs_is_skipped_once() -> None:
    given = scheduler(action("a m"), action("b m"), action("c m", "a m", "b m"), jobs=2, keep_going=True)
    start(given)
    start(given)

    first, second = given.finish("a m", ok=False), given.finish("b m", ok=False)

    assert ([one.name for one in first], second) == (["c m"], [])


def test_an_action_waits_for_all_that_it_needs() -> None:
    given = scheduler(action("a m"), action("b m"), action("c m", "a m", "b m"), jobs=2)
    start(given)
    start(given)
    given.finish("b m", ok=True)
    assert given.state("c m") is State.WAITING

    given.finish("a m", ok=True)

    assert given.state("c m") is State.READY


# costs


def weighed(
    *actions: Action, seconds: Mapping[str, float], jobs: int = 1, needed: Mapping[str, int] | None = None
) -> Scheduler:
    """Return a scheduler that knows what actions take: seconds, and bytes of the ten there are."""
    given = scheduler(*actions, jobs=jobs)
    needs = needed or {}
    costs = {one.name: Cost(seconds=seconds.get(one.name), memory_bytes=needs.get(one.name)) for one in actions}
    given.weigh(costs, 10 if needed else None)
    return given


def test_start_of_the_longest_way_comes_first() -> None:
    # `b` is shorter than `c`, and what waits for it is not.
    given = weighed(
        action("a m"),
        action("b m"),
        action("c m"),
        action("d m", "b m"),
        seconds={"a m": 1, "b m": 2, "c m": 5, "d m": 9},
    )

    assert ["b m", "c m", "a m"] == [take(given), take(given), take(given)]


def test_of_several_consumers_the_longest_way_counts_and_not_the_sum() -> None:
    given = weighed(
        action("a m"),
        action("b m"),
        action("c m", "a m"),
        action("d m", "a m"),
        action("e m", "b m"),
        seconds={"a m": 1, "b m": 1, "c m": 4, "d m": 4, "e m": 5},
    )

    assert "b m" == take(given)


def test_equally_long_ways_come_in_the_order_of_the_graph() -> None:
    given = weighed(action("c m"), action("a m"), action("b m"), seconds={"a m": 1, "b m": 1, "c m": 1})

    assert ["c m", "a m", "b m"] == [take(given), take(given), take(given)]


def test_what_is_not_known_comes_late() -> None:
    given = weighed(action("a m"), action("b m"), seconds={"b m": 0.1})

    assert ["b m", "a m"] == [take(given), take(given)]


def test_costs_that_become_known_late_count_for_what_is_ready_already() -> None:
    alone = (action("measure m", exclusive=True), action("measure n", exclusive=True))
    given = scheduler(action("a m"), action("b m"), *alone)
    first = take(given)
    costs = {"a m": Cost(seconds=1), "b m": Cost(seconds=2), "measure m": Cost(seconds=1), "measure n": Cost(seconds=2)}

    given.weigh(costs, None)
    given.put_back(first)

    assert ("a m", ["b m", "a m", "measure n", "measure m"]) == (first, [take(given) for _ in range(4)])


def test_two_that_do_not_fit_together_take_turns() -> None:
    given = weighed(action("a m"), action("b m"), seconds={}, jobs=2, needed={"a m": 6, "b m": 5})
    assert ("a m", None) == (start(given), given.next())

    given.finish("a m", ok=True)

    assert "b m" == start(given)


def test_two_that_just_fit_run_side_by_side() -> None:
    given = weighed(action("a m"), action("b m"), seconds={}, jobs=2, needed={"a m": 6, "b m": 4})

    assert ["a m", "b m"] == [start(given), start(given)]


def test_a_small_one_passes_a_large_one_that_does_not_fit() -> None:
    given = weighed(
        action("a m"),
        action("b m"),
        action("c m"),
        seconds={"a m": 9, "b m": 8, "c m": 1},
        jobs=2,
        needed={"a m": 6, "b m": 5, "c m": 4},
    )
    assert ["a m", "c m"] == [start(given), start(given)]

    given.finish("c m", ok=True)
    assert given.next() is None
    given.finish("a m", ok=True)

    assert "b m" == start(given)


def test_one_that_never_fits_runs_alone() -> None:
    given = weighed(action("a m"), action("b m"), seconds={"a m": 9}, jobs=2, needed={"a m": 11, "b m": 1})

    assert ("a m", None) == (start(given), given.next())


def test_what_is_not_known_fits() -> None:
    given = weighed(action("a m"), action("b m"), seconds={"a m": 1}, jobs=2, needed={"a m": 10})

    assert ["a m", "b m"] == [start(given), start(given)]


@st.composite
def plans(draw: st.DrawFn) -> tuple[list[Action], dict[str, Cost]]:
    """Return actions of which each needs some before it, and what they take."""
    actions: list[Action] = []
    for number in range(draw(st.integers(1, 8))):
        needs = draw(st.sets(st.sampled_from(actions).map(lambda one: one.name), max_size=3)) if actions else ()
        actions.append(action(f"a {number}", *sorted(needs), exclusive=draw(st.booleans())))
    seconds, memory = st.none() | st.floats(0, 9), st.none() | st.integers(0, 12)
    costs = {one.name: Cost(seconds=draw(seconds), memory_bytes=draw(memory)) for one in actions}
    return actions, costs


@hypothesis.given(plans(), st.integers(1, 4), st.randoms(use_true_random=False))
def test_any_plan_comes_to_its_end_within_jobs_and_memory(
    plan: tuple[list[Action], dict[str, Cost]], jobs: int, chance: random.Random
) -> None:
    actions, costs = plan
    given = scheduler(*actions, jobs=jobs)
    given.weigh(costs, 10)
    done: list[str] = []
    running: list[Action] = []

    while len(done) < len(actions):
        while (taken := given.next()) is not None:
            assert set(taken.needs) <= set(done)
            given.start(taken.name)
            running.append(taken)
            assert len(running) <= jobs
            assert len(running) == 1 or not any(one.exclusive for one in running)
            assert len(running) == 1 or sum(costs[one.name].memory_bytes or 0 for one in running) <= 10
        ended = running.pop(chance.randrange(len(running)))
        given.finish(ended.name, ok=True)
        done.append(ended.name)

    assert sorted(one.name for one in actions) == sorted(done)


# the same through a build


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_a_build_runs_as_many_actions_side_by_side_as_it_has_jobs(jobs: int) -> None:
    plan = graph(*(action(f"convert m{number}", "models/m.pb", params={"n": number}) for number in range(6)))

    built = repo().build(plan, options=Options(jobs=jobs))

    assert built.runner.most == jobs


def test_a_build_measures_alone() -> None:
    plan = graph(
        action("convert m", params={"n": 1}),
        action("convert n", params={"n": 2}),
        action("measure m", "convert m", exclusive=True),
        action("measure n", "convert n", exclusive=True),
        action("quantize m", "convert m"),
        action("quantize n", "convert n"),
    )

    built = repo().build(plan, options=Options(jobs=4))

    beside = built.runner.beside
    assert beside["convert n"] == ("convert m",)
    assert [beside["measure m"], beside["measure n"]] == [(), ()]
    assert not [name for name, others in beside.items() if any(other.startswith("measure") for other in others)]


def test_a_second_build_starts_with_the_longest_way() -> None:
    # Every action of the fake runner takes a second.
    plan = graph(
        action("convert m", "models/m.pb", params={"n": 1}),
        action("convert n", "models/m.pb", params={"n": 2}),
        action("quantize n", "convert n"),
    )
    made = repo()
    first = made.build(plan)
    forced = Options(forced=frozenset({"convert", "quantize"}))

    second = made.build(plan, options=forced)

    assert ["convert m", "convert n", "quantize n"] == first.ran
    assert ["convert n", "convert m", "quantize n"] == second.ran


def test_a_build_in_which_nothing_is_stale_reads_no_costs() -> None:
    plan = graph(action("convert m", "models/m.pb"))
    made = repo()
    made.build(plan)
    asked: list[str] = []

    def memory_bytes() -> int | None:
        asked.append("memory")
        return None

    built = made.build(plan, memory_bytes=memory_bytes)

    assert ({"convert m": "fresh"}, []) == (built.statuses, asked)


@pytest.mark.parametrize(("memory", "most"), [(100, 1), (119, 1), (120, 2), (None, 2)])
def test_a_second_build_runs_side_by_side_what_fits_into_memory(memory: int | None, most: int) -> None:
    plan = graph(*(action(f"quantize m{number}", "models/m.pb", params={"n": number}) for number in range(3)))
    made = repo()
    first = made.build(plan, options=Options(jobs=2), peak_bytes=60, memory_bytes=lambda: memory)

    second = made.build(
        plan, options=Options(jobs=2, forced=frozenset({"quantize"})), peak_bytes=60, memory_bytes=lambda: memory
    )

    assert (2, most) == (first.runner.most, second.runner.most)


def test_what_only_waited_for_advice_runs_without_it() -> None:
    """A device that this machine lacks is not measured; what is required of the others is judged all the same."""
    advice = replace(action("advise m", "a m"), advisory=True)
    reads = replace(action("repeat m", "advise m"), advisory=True)
    waits = action("judge m", "a m", after=("repeat m", "advise m"))
    given = scheduler(action("a m"), advice, reads, waits)
    done(given)

    skipped = given.finish(take(given), ok=False)

    assert ["repeat m"] == [one.name for one in skipped]
    assert "judge m" == take(given)


def test_what_reads_advice_that_failed_is_skipped() -> None:
    advice = replace(action("advise m", "a m"), advisory=True)
    given = scheduler(action("a m"), advice, action("judge m", "advise m"), keep_going=True)
    done(given)

    skipped = given.finish(take(given), ok=False)

    assert ["judge m"] == [one.name for one in skipped]
