"""The timeline: events as a builder tells them, in the terms of Chrome's trace format."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import pytest

from ovmake.cli.timeline import Recorded, Timeline
from ovmake.diagnostics import Diagnostic, OvmakeError
from ovmake.engine.events import ActionFinished, ActionStarted, BuildStarted, Event
from ovmake.engine.job import ResourceUsage
from tests.engine.small import action

CONVERT = action("convert m")
QUANTIZE = action("quantize m:int8")


def recorded(*heard: tuple[float, Event], until: float = 9.0) -> list[dict[str, Any]]:
    """Return the events of a timeline that begins at second 1."""
    given = Recorded(zero=1.0, process=77)
    for now, event in heard:
        given.hear(event, now)
    given.end(until)
    events = given.to_json()["traceEvents"]
    assert isinstance(events, list)
    return events


def check_form(events: list[dict[str, Any]]) -> None:
    """Assert what a viewer expects: known phases, times in order, and no two of a row at a time."""
    assert {"M", "X", "i"} >= {event["ph"] for event in events}
    named = {event["tid"] for event in events if event["ph"] == "M"}
    timed = [event for event in events if event["ph"] != "M"]
    assert {event["tid"] for event in timed} <= named
    assert [event["ts"] for event in timed] == sorted(event["ts"] for event in timed)
    assert all(isinstance(event["ts"], int) and event["ts"] >= 0 for event in events)
    rows: dict[int, list[Mapping[str, Any]]] = {}
    for event in timed:
        if event["ph"] == "X":
            assert event["dur"] >= 0
            rows.setdefault(event["tid"], []).append(event)
    for row in rows.values():
        for one, other in itertools.pairwise(row):
            assert one["ts"] + one["dur"] <= other["ts"]


def test_action_is_where_and_when_its_worker_had_it() -> None:
    effort = ResourceUsage(worker="openvino", pid=4711, started=2.0, peak_bytes=1000)

    events = recorded(
        (1.9, ActionStarted(action=CONVERT, reasons=("never built",))),
        (4.9, ActionFinished(action=CONVERT, status="ran", seconds=2.5, effort=effort)),
    )

    check_form(events)
    assert [
        {"name": "process_name", "ph": "M", "pid": 77, "tid": 0, "ts": 0, "args": {"name": "ovmake"}},
        {"name": "thread_name", "ph": "M", "pid": 77, "tid": 1, "ts": 0, "args": {"name": "openvino 4711"}},
        {
            "name": "convert m",
            "cat": "convert",
            "ph": "X",
            "pid": 77,
            "ts": 1_000_000,
            "dur": 2_500_000,
            "tid": 1,
            "args": {"status": "ran", "reasons": ["never built"], "peak_bytes": 1000},
        },
    ] == events


def test_jobs_of_one_worker_do_not_overlap_however_late_they_are_told() -> None:
    one = ResourceUsage(worker="openvino", pid=5, started=2.0)
    two = ResourceUsage(worker="openvino", pid=5, started=3.0000004)

    events = recorded(
        (2.0, ActionStarted(action=CONVERT, reasons=())),
        (3.0, ActionStarted(action=QUANTIZE, reasons=())),
        (3.5, ActionFinished(action=CONVERT, status="ran", seconds=1.0000003, effort=one)),
        (5.0, ActionFinished(action=QUANTIZE, status="ran", seconds=1.0, effort=two)),
    )

    check_form(events)
    assert ["convert m", "quantize m:int8"] == [event["name"] for event in events if event["ph"] == "X"]


def test_failure_says_why() -> None:
    wrong = Diagnostic(code="action-failed", message="convert m: it broke")

    events = recorded(
        (2.0, ActionStarted(action=CONVERT, reasons=())),
        (
            3.0,
            ActionFinished(
                action=CONVERT,
                status="failed",
                seconds=1.0,
                diagnostic=wrong,
                effort=ResourceUsage(worker="openvino", pid=5, started=2.0),
            ),
        ),
    )

    assert {"status": "failed", "reasons": [], "error": "convert m: it broke"} == events[-1]["args"]


def test_restored_action_is_an_instant() -> None:
    events = recorded((2.0, ActionFinished(action=CONVERT, status="restored", reasons=("`batch` changed: 1 → 2",))))

    check_form(events)
    assert ("i", 1_000_000, "t") == (events[-1]["ph"], events[-1]["ts"], events[-1]["s"])
    assert {"status": "restored", "reasons": ["`batch` changed: 1 → 2"]} == events[-1]["args"]


def test_what_was_interrupted_has_rows_of_its_own() -> None:
    events = recorded(
        (2.0, ActionStarted(action=CONVERT, reasons=())),
        (3.0, ActionStarted(action=QUANTIZE, reasons=())),
        until=5.0,
    )

    check_form(events)
    ran = [
        (event["name"], event["ts"], event["dur"], event["args"]["status"]) for event in events if event["ph"] == "X"
    ]
    assert [
        ("convert m", 1_000_000, 3_000_000, "interrupted"),
        ("quantize m:int8", 2_000_000, 2_000_000, "interrupted"),
    ] == ran


def test_skipped_and_planned_actions_are_not_in_it() -> None:
    events = recorded(
        (2.0, ActionFinished(action=CONVERT, status="skipped")),
        (2.0, ActionFinished(action=QUANTIZE, status="would-run")),
    )

    assert ["process_name"] == [event["name"] for event in events]


# the listener


class Heard:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.open = False

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    def __enter__(self) -> Self:
        self.open = True
        return self

    def __exit__(self, *_: object) -> None:
        self.open = False


@pytest.mark.parametrize("error", [None, KeyboardInterrupt(), ValueError()])
def test_file_is_written_however_the_build_ends(tmp_path: Path, error: BaseException | None) -> None:
    inner, file = Heard(), tmp_path / "timeline.json"
    clock = iter([1.0, 2.0, 3.0])

    try:
        with Timeline(inner, str(file), clock=lambda: next(clock)) as listener:
            assert inner.open
            listener(BuildStarted(targets=("m:fp32",)))
            if error:
                raise error
    except (KeyboardInterrupt, ValueError):
        pass

    assert ([BuildStarted(targets=("m:fp32",))], False) == (inner.events, inner.open)
    assert {"displayTimeUnit", "traceEvents"} == set(json.loads(file.read_text()))


def test_place_that_cannot_be_written_is_refused_before_the_build(tmp_path: Path) -> None:
    with pytest.raises(OvmakeError) as raised:
        Timeline(Heard(), str(tmp_path / "nowhere/timeline.json"))

    assert "cannot-write" == raised.value.diagnostics[0].code
