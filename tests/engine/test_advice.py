"""Advice: a warning that comes with a success, and advisory actions, with which nothing else fails."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ovmake.contracts.problem import ActionProblem
from ovmake.contracts.values import JsonValue
from ovmake.engine.events import ActionFinished, TargetFinished
from ovmake.engine.outcomes.status import NOTE, StatusLine, statuses
from ovmake.engine.world import Options
from ovmake.graph.action import Graph
from tests.engine.small import action, repo
from tests.fakes import Built, FakeRepo

COMPLAINT = ActionProblem(code="slow", message="it is slow", notes=("a", "b"), help="run", setting="speed-check")
OTHER = ActionProblem(code="odd", message="it is odd")
FACTS: dict[str, JsonValue] = {**ActionProblem.as_facts(COMPLAINT, OTHER), NOTE: "slow"}


def plan() -> Graph:
    """Return two targets; the first has a check after it, in two actions."""
    publish = action("publish m", "models/m.pb", place="build/m/m.xml")
    compare = replace(action("compare m", "models/m.pb", after=("publish m",)), advisory=True)
    check = replace(action("check m", "compare m"), advisory=True)
    other = action("publish n", "models/m.pb", place="build/n/n.xml", params={"n": 1})
    actions = {one.name: one for one in (publish, compare, check, other)}
    return Graph(actions=actions, targets={"m": "check m", "n": "publish n"})


def finished(built: Built, name: str) -> ActionFinished:
    (event,) = [one for one in built.events if isinstance(one, ActionFinished) and one.action.name == name]
    return event


def test_a_failed_check_is_a_warning_and_its_target_is_built() -> None:
    built = repo().build(plan(), failing=["compare m"])

    assert {"m": "built", "n": "built"} == built.outcome.targets
    assert 0 == built.outcome.exit_status
    complaint = finished(built, "compare m").diagnostic
    assert complaint is not None
    assert "warning" == complaint.severity


def test_a_failed_check_stops_no_build() -> None:
    built = repo().build(plan(), options=Options(keep_going=False), failing=["compare m"])

    assert "ran" == built.statuses["publish n"]
    assert "skipped" == built.statuses["check m"]


def test_a_failed_check_is_made_again_and_is_no_reason_to_publish_again() -> None:
    there = repo()
    there.build(plan(), failing=["compare m"])

    built = there.build(plan())

    assert ["compare m", "check m"] == built.ran


def test_a_target_that_fails_fails_as_ever() -> None:
    built = repo().build(plan(), options=Options(keep_going=True), failing=["publish m"])

    assert {"m": "failed", "n": "built"} == built.outcome.targets
    assert 1 == built.outcome.exit_status
    assert "skipped" == built.statuses["compare m"]


@pytest.mark.parametrize("failing", [(), ("compare m",)])
def test_status_says_nothing_of_a_failed_check(failing: tuple[str, ...]) -> None:
    there = repo()
    there.build(plan(), failing=failing)

    (line,) = lines(there, "m")

    assert ("fresh" if not failing else "stale", "") == (line.status, line.message)


def lines(there: FakeRepo, *asked: str) -> list[StatusLine]:
    return list(statuses(plan(), there.database, lambda g, t, o, _: there.build(g, *t, options=o).outcome, asked))


def test_a_warning_comes_with_a_run_and_with_a_restore_and_not_with_a_look() -> None:
    there = repo()
    facts = {"check m": FACTS}
    first = there.build(plan(), facts=facts)
    second = there.build(plan(), facts=facts)
    there.disk.put("models/m.pb", b"a1")
    there.disk.tick()
    there.build(plan(), facts=facts)
    there.disk.put("models/m.pb", b"a0")
    there.disk.tick()
    back = there.build(plan(), facts=facts)

    assert "restored" == finished(back, "check m").status
    for built in (first, back):
        warning, other = finished(built, "check m").warnings
        assert ("warning", "slow", "check m: it is slow") == (warning.severity, warning.code, warning.message)
        assert (("a", "b"), "run") == (warning.notes, warning.help)
        assert ("warning", "odd", "check m: it is odd") == (other.severity, other.code, other.message)
    assert [] == [one for one in second.events if isinstance(one, ActionFinished)]


def test_warnings_are_in_the_public_event_and_the_first_also_alone_as_it_was_before_there_were_several() -> None:
    built = repo().build(plan(), facts={"check m": FACTS})

    body = finished(built, "check m").to_json()
    told = body["warnings"]
    assert isinstance(told, list)
    first, second = told
    assert (body["warning"], "warning", "slow") == (first, first["severity"], first["code"])
    assert ("warning", "odd") == (second["severity"], second["code"])
    assert not {"warning", "warnings"} & set(finished(built, "compare m").to_json())


def test_a_malformed_warning_is_a_bug_of_ovmake() -> None:
    with pytest.raises(TypeError, match="not a warning"):
        ActionProblem.of_facts({"warnings": ("slow",)})


def test_status_repeats_what_is_notable_of_a_fresh_target() -> None:
    there = repo()
    there.build(plan(), facts={"check m": FACTS})

    assert [StatusLine(target="m", status="fresh", message="slow")] == lines(there, "m")


def test_what_auto_chose_is_told_with_the_target() -> None:
    built = repo().build(plan(), facts={"publish n": {"gate": "passed", "drop": 0.1, "chosen": "int8"}})

    told = {one.target: one for one in built.events if isinstance(one, TargetFinished)}
    assert (None, "int8") == (told["m"].chosen, told["n"].chosen)
    assert "int8" == told["n"].to_json()["chosen"]
    assert "chosen" not in told["m"].to_json()


def test_why_a_gate_was_not_measured_is_told_with_the_target_also_when_nothing_runs() -> None:
    facts: dict[str, JsonValue] = {"gate": "not-measured", "drop": None, "why": "nothing to compare"}
    fake = repo()

    for status in ("built", "fresh"):
        events = fake.build(plan(), facts={"publish m": facts}).events
        told = {one.target: (one.status, one.gate, one.why) for one in events if isinstance(one, TargetFinished)}

        assert (status, "not-measured", "nothing to compare") == told["m"]
        assert (status, None, None) == told["n"]
