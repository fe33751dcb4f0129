"""What earlier runs say of an action: its own last one, else those of its kind, else nothing."""

from __future__ import annotations

import pytest

from ovmake.engine.forecasting.costs import SAMPLE, Cost, costs_of
from ovmake.engine.world import Options
from ovmake.graph.trace import Seen, Trace
from tests.engine.small import action, graph, repo


def trace(seconds: float, peak_bytes: int | None = None) -> str:
    seen = Seen(kind="any", tools={}, params={}, environment={}, inputs={})
    return Trace(seen=seen, outputs={}, facts={}, seconds=seconds, peak_bytes=peak_bytes).to_json()


def test_own_last_run_says_it() -> None:
    traces = {"convert m": trace(2.0, 700), "convert n": trace(9.0, 900)}

    assert {"convert m": Cost(seconds=2.0, memory_bytes=700)} == costs_of([action("convert m")], traces)


def test_what_never_ran_takes_the_median_time_and_the_largest_memory_of_its_kind() -> None:
    traces = {
        "convert a": trace(1.0, 300),
        "convert b": trace(2.0, 900),
        "convert c": trace(30.0),
        "quantize a": trace(100.0, 5000),
    }

    assert {"convert m": Cost(seconds=2.0, memory_bytes=900)} == costs_of([action("convert m")], traces)


def test_of_a_kind_that_never_ran_nothing_is_known() -> None:
    costs = costs_of([action("convert m"), action("converted m")], {"convert a": trace(1.0)})

    assert {"convert m": Cost(seconds=1.0), "converted m": Cost()} == costs


def test_memory_that_was_not_measured_is_not_guessed_for_an_action_that_ran() -> None:
    traces = {"convert m": trace(1.0), "convert n": trace(1.0, 900)}

    assert {"convert m": Cost(seconds=1.0)} == costs_of([action("convert m")], traces)


@pytest.mark.parametrize("count", [SAMPLE - 1, SAMPLE, SAMPLE + 1, 10 * SAMPLE])
def test_of_many_of_a_kind_a_sample_is_read(count: int) -> None:
    # Of 640 every tenth is read: those in between, which would be another median, are not looked at.
    traces = {f"convert m{number}": trace(number) for number in range(count)}
    traces |= {f"convert m{number}": trace(9999) for number in range(1, count) if count == 10 * SAMPLE and number % 10}

    cost = costs_of([action("convert new")], traces)["convert new"]

    assert cost.seconds is not None
    assert abs(cost.seconds - count / 2) <= 5


@pytest.mark.parametrize("damaged", ["torn", "{}", "[]", '{"seconds": null}'])
def test_damaged_trace_says_nothing(damaged: str) -> None:
    traces = {"convert m": damaged, "convert n": trace(3.0), "quantize m": damaged}

    costs = costs_of([action("convert m"), action("quantize m")], traces)

    assert {"convert m": Cost(seconds=3.0), "quantize m": Cost()} == costs


def test_trace_of_an_older_version_has_no_peak() -> None:
    text = trace(1.5)

    assert "peak_bytes" not in text
    assert (1.5, None) == (Trace.from_json(text).seconds, Trace.from_json(text).peak_bytes)


def test_trace_keeps_the_peak() -> None:
    assert 12345 == Trace.from_json(trace(1.5, 12345)).peak_bytes


def test_restored_result_keeps_what_it_took() -> None:
    made = repo()
    plans = [graph(action("convert m", "models/m.pb", params={"n": number})) for number in (1, 2)]
    made.build(plans[0])
    made.build(plans[1])

    built = made.build(plans[0])

    assert {"convert m": "restored"} == built.statuses
    assert 1.0 == Trace.from_json(made.database.traces()["convert m"]).seconds


def test_job_is_told_what_its_worker_needed_the_last_time() -> None:
    plan = graph(action("convert m", "models/m.pb"))
    needed: list[int | None] = []
    made = repo()

    for _ in range(2):
        made.build(
            plan,
            options=Options(forced=frozenset({"convert"})),
            peak_bytes=700,
            during=lambda job: needed.append(job.memory_bytes),
        )

    assert [None, 700] == needed
