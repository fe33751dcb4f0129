"""How far a build is: counts of what runs, time that earlier runs tell, and nothing that is not known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ovmake.engine.events import ActionProgressed, BuildProgressed
from ovmake.engine.forecasting.costs import Cost
from ovmake.engine.forecasting.forecast import Forecast
from ovmake.engine.job import Progress, ignore_progress
from ovmake.engine.runner import WorkerRunner
from ovmake.engine.world import Options
from ovmake.graph.action import Action
from tests.engine.small import action, graph, repo
from tests.engine.test_runner import job, stop_worker

HERE = replace(action("gate m", "c m"), worker="in-process")
ACTIONS = (action("a m"), action("b m", "a m"), action("c m", "b m"), HERE)


def costs(**seconds: float) -> dict[str, Cost]:
    return {one.name: Cost(seconds=seconds.get(one.kind), memory_bytes=1) for one in ACTIONS}


def forecast(built: str = "", **seconds: float) -> Forecast:
    return Forecast(ACTIONS, costs(**seconds), built=[f"{kind} m" for kind in built.split()], jobs=1, clock=lambda: 0.0)


def test_all_is_to_be_done() -> None:
    found = forecast(a=2, b=3, c=5).look(0.0)

    assert BuildProgressed(done=0, of=3, seconds_left=10.0) == found


def test_what_runs_counts_less_the_time_that_it_ran() -> None:
    watched = forecast(a=2, b=3, c=5)
    watched.begin("a m", 10.0)

    assert BuildProgressed(done=0, of=3, seconds_left=8.5) == watched.look(11.5)
    # One that takes longer than it did takes no less than nothing.
    assert BuildProgressed(done=0, of=3, seconds_left=8.0) == watched.look(99.0)


def test_what_is_done_counts_and_what_was_fresh_does_not() -> None:
    watched = forecast(a=2, b=3, c=5)
    watched.begin("a m", 0.0)
    watched.end("a m", fresh=False)
    watched.end("b m", fresh=True)
    watched.end("gate m", fresh=True)  # of this process: it was not counted

    assert BuildProgressed(done=1, of=2, seconds_left=5.0) == watched.look(2.0)


def test_what_is_done_again_counts_once() -> None:
    watched = forecast(a=2, b=3, c=5)
    for _ in range(2):
        watched.begin("a m", 0.0)
        watched.end("a m", fresh=False)

    assert BuildProgressed(done=1, of=3, seconds_left=8.0) == watched.look(2.0)


def test_what_never_ran_is_counted_and_not_guessed() -> None:
    assert BuildProgressed(done=0, of=3, seconds_left=2.0, unknown=2) == forecast(a=2).look(0.0)
    assert BuildProgressed(done=0, of=3) == forecast().look(0.0)
    begun = forecast()
    begun.begin("a m", 0.0)
    assert BuildProgressed(done=0, of=3) == begun.look(5.0)


def test_what_may_turn_out_to_be_fresh_makes_it_the_most() -> None:
    watched = forecast(built="a c", a=2, b=3, c=5)

    assert BuildProgressed(done=0, of=3, seconds_left=10.0, most=True) == watched.look(0.0)
    watched.end("c m", fresh=True)
    watched.begin("a m", 0.0)  # it runs: that is decided
    assert BuildProgressed(done=0, of=2, seconds_left=5.0) == watched.look(0.0)


def test_a_look_that_takes_long_is_taken_seldom() -> None:
    times: Iterator[float] = iter((0.0, 0.1, 0.0, 0.1))
    watched = Forecast(ACTIONS, costs(a=2, b=3, c=5), built=(), jobs=1, clock=lambda: next(times))

    seen = [watched.look(now) is not None for now in (0.0, 4.9, 5.1, 6.0)]

    assert [True, False, True, False] == seen


# through a build

PLAN = graph(
    action("convert n", "models/n.pb"),
    action("convert m", "models/m.pb"),
    action("quantize m", "convert m"),
    action("evaluate m", "quantize m"),
)
WATCHED = Options(progress=True)


def how_far(events: list[object]) -> list[tuple[int, int, bool]]:
    return [(one.done, one.of, one.most) for one in events if isinstance(one, BuildProgressed)]


def test_build_tells_how_far_it_is_whenever_it_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ovmake.engine.forecasting.forecast.SHARE", 0)
    made = repo({"models/m.pb": b"m", "models/n.pb": b"n"})

    first = made.build(PLAN, options=WATCHED)
    made.disk.put("models/m.pb", b"other")
    second = made.build(PLAN, options=WATCHED)
    third = made.build(PLAN, options=WATCHED)

    assert [(0, 4, False), (1, 4, False), (2, 4, False), (3, 4, False)] == how_far(list(first.events))
    # `convert n` is fresh; what comes after `convert m` may be.
    assert [(0, 3, True), (1, 3, True), (2, 3, False)] == how_far(list(second.events))
    assert [] == how_far(list(third.events))


def test_failures_and_what_they_skip_are_done_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ovmake.engine.forecasting.forecast.SHARE", 0)
    made = repo({"models/m.pb": b"m", "models/n.pb": b"n"})

    plan = graph(
        action("convert m", "models/m.pb"), action("quantize m", "convert m"), action("convert n", "models/n.pb")
    )

    built = made.build(plan, options=replace(WATCHED, keep_going=True), failing={"convert m"})

    assert (2, 3) in [(done, of) for done, of, _ in how_far(list(built.events))]


def test_nobody_is_told_who_does_not_watch() -> None:
    tellers: list[object] = []
    made = repo()

    built = made.build(graph(action("convert m", "models/m.pb")), during=lambda one: tellers.append(one.tell))

    assert [] == how_far(list(built.events))
    assert [ignore_progress] == tellers


def test_what_a_worker_says_of_an_action_is_told() -> None:
    said = Progress(done=160, of=5000, unit="samples")
    made = repo()

    built = made.build(graph(action("convert m", "models/m.pb")), options=WATCHED, during=lambda one: one.tell(said))

    (told,) = [event for event in built.events if isinstance(event, ActionProgressed)]
    assert ("convert m", said) == (told.action.name, told.progress)


# what a worker writes down


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[Callable[[bytes], list[Progress]]]:
    """Say what is told of a job while its worker hangs and this is in its folder."""
    runners: list[WorkerRunner] = []

    def hear(written: bytes) -> list[Progress]:
        told: list[Progress] = []
        runner = WorkerRunner(logs=tmp_path)
        runners.append(runner)
        runner.start(replace(job(tmp_path), tell=told.append))
        (busy,) = runner._busy.values()
        stop_worker(runner, "m")
        busy.job = replace(busy.job, folder=str(tmp_path))
        (tmp_path / "progress").write_bytes(written)
        runner._look()
        runner._look()
        return told

    yield hear
    for runner in runners:
        runner.close()


@pytest.mark.parametrize(
    ("written", "progress"),
    [
        (b"160 5000 samples   \n", Progress(done=160, of=5000, unit="samples")),
        (b"7 - samples loaded", Progress(done=7, of=None, unit="samples loaded")),
    ],
)
def test_count_in_the_folder_is_told_once(
    written: bytes, progress: Progress, heard: Callable[[bytes], list[Progress]]
) -> None:
    assert [progress] == heard(written)


@pytest.mark.parametrize(
    "written",
    [
        b"",
        b"160",
        b"160 5000",
        b"x y samples",
        b"-1 5 samples",
        b"9 5 samples",
        b"1 99999999999999999999 samples",
        b"1 2 \x1b[31mred",
        b"1 2 " + b"long" * 30,
        b"1 2 one two three four",
        "1 2 \u00fcbel".encode(),
    ],
)
def test_what_is_no_count_is_passed_over(written: bytes, heard: Callable[[bytes], list[Progress]]) -> None:
    assert [] == heard(written)


def test_link_in_the_place_of_a_count_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("1 2 samples\n")
    (tmp_path / "progress").symlink_to(tmp_path / "elsewhere")
    told: list[Progress] = []
    runner = WorkerRunner(logs=tmp_path)
    try:
        runner.start(replace(job(tmp_path), tell=told.append))
        (busy,) = runner._busy.values()
        busy.job = replace(busy.job, folder=str(tmp_path))
        runner._look()
    finally:
        runner.close()

    assert [] == told


def test_public_forms() -> None:
    named: Action = action("reference m")

    assert ActionProgressed(action=named, progress=Progress(done=1, of=None, unit="samples loaded")).to_json() == {
        "event": "action-progressed",
        "action": "reference",
        "target": "m",
        "done": 1,
        "of": None,
        "unit": "samples loaded",
    }
    assert BuildProgressed(done=1, of=2).to_json() == {"event": "build-progressed", "done": 1, "of": 2}
    assert BuildProgressed(done=1, of=2, seconds_left=1.23456, unknown=1, most=True).to_json() == {
        "event": "build-progressed",
        "done": 1,
        "of": 2,
        "seconds_left": 1.235,
        "unknown": 1,
        "at_most": True,
    }
