"""An action fails: what stays, what is skipped, what is remembered, and what the next build does."""

from __future__ import annotations

import pytest

from ovmake.contracts.values import JsonValue
from ovmake.diagnostics import Diagnostic
from ovmake.engine.events import ActionFinished, BuildFinished, TargetFinished
from ovmake.engine.job import Job
from ovmake.engine.world import Options
from ovmake.graph.action import Graph
from tests.engine.small import action, graph, repo
from tests.fakes import Built, FakeRepo, Killed, Tool

KEEP_GOING = Options(keep_going=True)
PLAN = graph(
    action("convert m", "models/m.pb"),
    action("publish m", "convert m", place="build/m/m.xml"),
    action("publish n", "models/m.pb", place="build/n/n.xml"),
)


def diagnostic(built: Built, name: str) -> Diagnostic:
    found = built.actions[name].diagnostic
    assert found is not None
    return found


def edited(there: FakeRepo, data: bytes = b"b0") -> FakeRepo:
    there.disk.tick()
    there.disk.put("models/m.pb", data)
    return there


def test_a_failed_action_leaves_the_last_good_output() -> None:
    there = repo()
    there.build(PLAN)
    published = there.disk.under("build/m")

    built = edited(there).build(PLAN, options=KEEP_GOING, failing=["convert m"])

    assert built.statuses == {"convert m": "failed", "publish m": "skipped", "publish n": "ran"}
    assert there.disk.under("build/m") == published


def test_a_failure_carries_the_runners_words() -> None:
    built = repo().build(PLAN, failing=["convert m"])

    assert diagnostic(built, "convert m") == Diagnostic(code="fake-failure", message="convert m: it was told to fail")


def test_without_keep_going_nothing_more_starts() -> None:
    built = repo().build(PLAN, failing=["convert m"])

    assert built.ran == ["convert m"]
    assert built.outcome.targets == {"convert m": "failed", "publish m": "failed", "publish n": "skipped"}


def test_what_runs_beside_a_failure_is_kept() -> None:
    there = repo()
    plan = graph(action("convert m", "models/m.pb"), action("convert n", "models/m.pb", params={"n": 1}))
    built = there.build(plan, options=Options(jobs=2), failing=["convert m"])

    assert built.statuses == {"convert m": "failed", "convert n": "ran"}
    assert there.build(plan).ran == ["convert m"]


def test_a_failure_is_not_cached() -> None:
    there = repo()
    there.build(PLAN, failing=["convert m"])

    assert there.build(PLAN).statuses == {"convert m": "ran", "publish m": "ran", "publish n": "ran"}


def test_a_failure_forgets_no_success() -> None:
    there = repo()
    there.build(PLAN)
    edited(there).build(PLAN, options=KEEP_GOING, failing=["convert m"])

    built = edited(there, b"a0").build(PLAN)

    assert built.statuses == {"convert m": "fresh", "publish m": "fresh", "publish n": "restored"}


def test_every_action_is_told_of_once_and_the_build_last() -> None:
    built = repo().build(PLAN, options=KEEP_GOING, failing=["convert m"])

    finished = [(event.action.name, event.status) for event in built.events if isinstance(event, ActionFinished)]
    assert finished == [("convert m", "failed"), ("publish m", "skipped"), ("publish n", "ran")]
    targets = [(event.target, event.status) for event in built.events if isinstance(event, TargetFinished)]
    assert targets == [("convert m", "failed"), ("publish m", "failed"), ("publish n", "built")]
    last = built.events[-1]
    assert isinstance(last, BuildFinished)
    assert (last.exit_status, last.ran, last.restored) == (1, 1, 0)


def test_the_facts_of_a_failure_reach_the_target() -> None:
    facts: dict[str, dict[str, JsonValue]] = {"convert m": {"gate": "missed", "drop": 0.5}}
    built = repo().build(PLAN, "publish m", failing=["convert m"], facts=facts)

    (target,) = [event for event in built.events if isinstance(event, TargetFinished)]
    assert (target.gate, target.drop) == ("missed", 0.5)


def test_source_that_changes_while_an_action_reads_it_fails_and_records_nothing() -> None:
    there = repo()

    def save_again(job: Job) -> None:
        if job.action.name == "convert m":
            there.disk.tick()
            there.disk.put("models/m.pb", b"b0")

    built = there.build(PLAN, "publish m", during=save_again)

    assert diagnostic(built, "convert m").code == "source-changed"
    assert diagnostic(built, "convert m").message == "convert m: `models/m.pb` changed while it was being read"
    assert there.database.traces() == {}
    assert there.disk.under("build") == {}


def test_gate_whose_source_changes_is_not_taken_at_its_word() -> None:
    there = repo()

    def save_again(_: Job) -> None:
        there.disk.tick()
        there.disk.put("models/m.pb", b"b0")

    passes = Tool(says=lambda _, __: {"gate": "passed", "drop": 0.0})
    built = there.build(graph(action("gate m", "models/m.pb")), during=save_again, tool=passes)

    assert "source-changed" == diagnostic(built, "gate m").code
    (target,) = [event for event in built.events if isinstance(event, TargetFinished)]
    assert (None, None) == (target.gate, target.drop)


def test_tool_that_fails_on_a_source_that_changes_is_quoted_and_not_blamed() -> None:
    there = repo()

    built = there.build(PLAN, "publish n", during=lambda _: there.disk.take_away("models"), before_reading=True)

    expected = Diagnostic(
        code="source-changed",
        message="publish n: `models/m.pb` changed while it was being read",
        notes=("there is no file models/m.pb",),
        help="run ovmake build again",
    )
    assert expected == diagnostic(built, "publish n")


def test_after_such_a_failure_the_next_build_is_right() -> None:
    there = repo()
    there.build(PLAN, during=lambda _: there.disk.put("models/m.pb", b"b0"))
    there.disk.tick()
    built = there.build(PLAN)

    clean = repo({"models/m.pb": b"b0"})
    clean.build(PLAN)
    assert built.outcome.exit_status == 0
    assert there.disk.under("build") == clean.disk.under("build")


def test_source_that_changes_within_a_tick_of_the_clock_is_noticed_too() -> None:
    # The same size, inode and time as when its digest was taken: only reading it again tells.
    there = FakeRepo()
    there.disk.put("models/m.pb", b"a0")

    built = there.build(PLAN, "publish m", during=lambda _: there.disk.put("models/m.pb", b"b0"))

    assert built.statuses["convert m"] == "failed"
    assert there.database.traces() == {}


def test_file_added_to_a_folder_while_it_is_read_is_noticed() -> None:
    there = repo({"models/m.pb/saved_model.pb": b"a0"})

    built = there.build(PLAN, "publish m", during=lambda _: there.disk.put("models/m.pb/assets/new", b""))

    assert diagnostic(built, "convert m").code == "source-changed"


def test_source_that_goes_while_it_is_read_is_noticed() -> None:
    there = repo()

    built = there.build(PLAN, "publish m", during=lambda _: there.disk.take_away("models"))

    assert diagnostic(built, "convert m").code == "source-changed"


def test_full_disk_fails_the_action_and_leaves_what_was_published() -> None:
    there = repo()
    there.build(PLAN)
    published = there.disk.under("build")
    edited(there).disk.full = True

    built = there.build(PLAN)

    assert diagnostic(built, "convert m").code == "cannot-write"
    assert "No space left on device" in diagnostic(built, "convert m").message
    assert there.disk.under("build") == published


def test_disk_that_fills_while_an_action_runs_is_not_cached() -> None:
    there = repo()

    def fill(_: Job) -> None:
        there.disk.full = True

    built = there.build(PLAN, "publish n", during=fill)
    assert diagnostic(built, "publish n").message.endswith("cannot store the result: No space left on device: build/n")
    there.disk.full = False

    assert there.build(PLAN, "publish n").ran == ["publish n"]


def test_result_that_cannot_be_read_back_fails_the_action() -> None:
    there = repo()

    def hide_result(job: Job) -> None:
        there.disk.unreadable.update(map(there.relative, job.outputs.values()))

    built = there.build(PLAN, "publish n", during=hide_result)

    assert built.statuses == {"publish n": "failed"}


def test_killed_run_leaves_scratch_that_the_next_one_removes() -> None:
    there = repo()
    for burns_at in range(1, 100):
        try:
            there.build(PLAN, "publish n", burns_at=burns_at)
        except Killed:
            continue
        break

    assert there.build(PLAN).outcome.exit_status == 0
    assert there.disk.under(".ovmake/tmp") == {}


@pytest.mark.parametrize("force", [frozenset(), frozenset({"convert"})])
def test_failure_under_force_is_a_failure(force: frozenset[str]) -> None:
    built = repo().build(PLAN, options=Options(forced=force), failing=["convert m"])

    assert built.outcome.exit_status == 1


def test_path_that_leaves_the_repo_by_a_link_fails_before_it_is_run() -> None:
    there = repo()
    there.outside.add("models/m.pb")

    built = there.build(PLAN)

    assert (built.ran, diagnostic(built, "convert m").code) == ([], "path-outside")


def test_folder_that_holds_a_link_out_of_the_repo_fails_and_names_the_link() -> None:
    there = repo({"models/m/saved_model.pb": b"a", "models/m/variables/data": b"b"})
    there.disk.leaving.add("models/m/variables/data")

    built = there.build(graph(action("convert m", "models/m")))

    assert diagnostic(built, "convert m") == Diagnostic(
        code="path-outside",
        message="convert m: `models/m/variables/data` is a link that leaves the repo",
        help="run ovmake with --allow-outside if you trust it",
    )
    assert built.ran == []


def test_gate_that_is_missed_is_told_and_not_another_of_the_target_that_passed() -> None:
    gates = graph(action("gate m", "models/m.pb"), action("gate n", "models/m.pb", params={"n": 1}))
    plan = Graph(
        actions={**gates.actions, "publish m": action("publish m", "gate m", "gate n")}, targets={"m": "publish m"}
    )
    facts: dict[str, dict[str, JsonValue]] = {
        "gate m": {"gate": "missed", "drop": 0.5},
        "gate n": {"gate": "passed", "drop": 0.0},
    }

    built = repo().build(plan, options=KEEP_GOING, facts=facts, failing=["gate m"])

    (target,) = [event for event in built.events if isinstance(event, TargetFinished)]
    assert ("failed", "missed", 0.5) == (target.status, target.gate, target.drop)
