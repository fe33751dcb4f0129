"""Reasons in words, as `build --explain`, `build -n` and `explain` print them."""

from __future__ import annotations

import pytest

from ovmake.engine.events import ActionFinished, ActionStarted
from ovmake.engine.explain import in_words
from ovmake.engine.staleness import Reason
from ovmake.engine.world import Options
from ovmake.ovfile.spec import KeyPath
from ovmake.terminal import lines_of
from tests.engine.small import action, graph, repo
from tests.fakes import FakeRepo

BATCH = action("convert m", params={"batch": 4})


def locate(at: KeyPath) -> str:
    return "Ovfile:14" if at == ("models", "m", "batch") else ""


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (Reason(kind="never-built"), "never built"),
        (Reason(kind="forced"), "asked for by --force"),
        (Reason(kind="input", name="models/m.pb", old="a1", new="b2"), "models/m.pb changed: a1 → b2"),
        (Reason(kind="input", name="data/val.npz", old="absent", new="b2"), "data/val.npz changed: absent → b2"),
        (Reason(kind="param", name="batch", old="1", new="4"), "`batch` changed: 1 → 4  Ovfile:14"),
        (Reason(kind="param", name="seed", old="0", new="1"), "`seed` changed: 0 → 1"),
        (Reason(kind="param", name="batch", old="4", new="not set"), "`batch` changed: 4 → not set  Ovfile:14"),
        (Reason(kind="param", name="preset", old='"mixed"', new="not set"), '`preset` changed: "mixed" → not set'),
        (Reason(kind="tool", name="openvino", old='"2026.4.1"', new='"2026.5"'), "`openvino` 2026.4.1 → 2026.5"),
        (Reason(kind="environment", name="isa", old='"avx2"', new='"amx"'), "isa changed: avx2 → amx"),
        (Reason(kind="output-missing", name="build/m/m.xml"), "build/m/m.xml is missing"),
        (Reason(kind="output-edited", name="build/m/m.xml"), "build/m/m.xml is not what was published"),
        (Reason(kind="pending", name="`xml` of convert m"), "`xml` of convert m may change"),
    ],
)
def test_reason_in_words(reason: Reason, expected: str) -> None:
    assert in_words(reason, BATCH, locate) == expected


def test_setting_without_a_place_in_the_ovfile_is_named_alone() -> None:
    reason = Reason(kind="param", name="batch", old="1", new="4")

    assert in_words(reason, BATCH, lambda _: "") == "`batch` changed: 1 → 4"


def plan(batch: int = 1) -> tuple[FakeRepo, list[str]]:
    """Build, edit, and return what a dry run says."""
    there = repo()
    quantize = action("quantize m", "convert m", place="build/m/m.xml", tools=("nncf",))
    there.build(graph(action("convert m", "models/m.pb", params={"batch": 1}), quantize))
    there.versions["nncf"] = "3.5"
    there.disk.take_away("build")
    now = graph(action("convert m", "models/m.pb", params={"batch": batch}), quantize)
    dry = there.build(now, options=Options(dry_run=True))
    return there, [line for event in dry.events for line in lines_of(event, explain=True)]


def test_dry_run_tells_every_reason_of_every_action() -> None:
    _, lines = plan(batch=4)

    assert lines == [
        "convert m: would run",
        "    `batch` changed: 1 → 4",
        "quantize m: would run",
        "    `out` of convert m may change",
        "    `nncf` 1 → 3.5",
        "    build/m/m.xml is missing",
    ]


def test_dry_run_is_silent_about_what_is_fresh() -> None:
    _, lines = plan(batch=1)

    assert lines == ["quantize m: would run", "    `nncf` 1 → 3.5", "    build/m/m.xml is missing"]


def test_what_may_turn_out_to_be_fresh_says_so() -> None:
    there = repo()
    quantize = action("quantize m", "convert m")
    there.build(graph(action("convert m", "models/m.pb"), quantize))
    now = graph(action("convert m", "models/m.pb", params={"batch": 4}), quantize)

    dry = there.build(now, options=Options(dry_run=True))

    assert dry.statuses == {"convert m": "would-run", "quantize m": "may-run"}
    assert dry.outcome.targets == {"convert m": "stale", "quantize m": "stale"}


def test_build_gives_the_reasons_of_the_dry_run_before_it() -> None:
    there = repo()
    one = graph(action("convert m", "models/m.pb", params={"batch": 1}))
    four = graph(action("convert m", "models/m.pb", params={"batch": 4}))
    there.build(one)

    (foreseen,) = [
        event.reasons
        for event in there.build(four, options=Options(dry_run=True)).events
        if isinstance(event, ActionFinished)
    ]
    (given,) = [event.reasons for event in there.build(four).events if isinstance(event, ActionStarted)]

    assert foreseen == given == ("`batch` changed: 1 → 4",)


def test_restored_action_gives_its_reasons_too() -> None:
    there = repo()
    one = graph(action("convert m", "models/m.pb", params={"batch": 1}))
    four = graph(action("convert m", "models/m.pb", params={"batch": 4}))
    there.build(one)
    there.build(four)

    (finished,) = [event for event in there.build(one).events if isinstance(event, ActionFinished)]

    assert (finished.status, finished.reasons) == ("restored", ("`batch` changed: 4 → 1",))


def test_force_is_a_reason_beside_the_others() -> None:
    there = repo()
    one = graph(action("convert m", "models/m.pb"))
    there.build(one)

    built = there.build(one, options=Options(forced=frozenset({"convert"})))

    (started,) = [event for event in built.events if isinstance(event, ActionStarted)]
    assert started.reasons == ("asked for by --force",)


def test_dry_run_changes_nothing() -> None:
    there, _ = plan(batch=4)
    files = dict(there.disk.files)
    traces = there.database.traces()
    now = graph(action("convert m", "models/m.pb", params={"batch": 4}))

    dry = there.build(now, options=Options(dry_run=True))

    assert dry.ran == []
    assert there.disk.files == files
    assert there.database.traces() == traces
