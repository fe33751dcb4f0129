"""What an action sees: sources that count by what they compute, and tools that are not there."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from pathlib import Path

from ovmake.diagnostics import Diagnostic, OvmakeError
from ovmake.engine.executor import Executor
from ovmake.engine.world import Options
from ovmake.graph.action import Action, Graph
from ovmake.ledger import state_of
from ovmake.store.cas import Cas
from tests.engine.small import action, graph, repo
from tests.fakes import Built, FakeRepo, Tool, computed
from tests.real import RealRepo, WritingRunner

A0 = computed(b"a0")
SAME = next(data for data in (b"b%d" % number for number in range(99)) if computed(data) == A0)
OTHER = next(data for data in (b"b%d" % number for number in range(99)) if computed(data) != A0)


def refer() -> Action:
    """Return an action whose source counts by what it computes."""
    plain = action("refer m", "models/m.pb")
    return replace(plain, inputs=tuple(replace(given, by_computation=True) for given in plain.inputs))


PLAN = graph(refer())


def saved(there: FakeRepo, data: bytes) -> FakeRepo:
    there.disk.tick()
    there.disk.put("models/m.pb", data)
    there.disk.tick()
    return there


def test_other_bytes_that_compute_the_same_are_fresh() -> None:
    there = repo()
    there.build(PLAN)

    assert "fresh" == saved(there, SAME).build(PLAN).statuses["refer m"]


def test_source_that_computes_something_else_runs_and_the_reason_says_so() -> None:
    there = repo()
    there.build(PLAN)

    built = saved(there, OTHER).build(PLAN)

    decision = built.actions["refer m"].decision
    assert decision is not None
    assert [("input", "the computation of models/m.pb")] == [(reason.kind, reason.name) for reason in decision.reasons]


def test_fingerprint_is_taken_once_for_each_state_of_the_bytes() -> None:
    there, taken = repo(), []

    def note(path: str, found: str) -> str:
        taken.append(path)
        return found

    for data in (b"a0", b"a0", SAME, b"a0"):
        saved(there, data).build(PLAN, tool=Tool(computes=note))

    assert [there.absolute("models/m.pb")] * 2 == taken


def test_source_that_changes_while_its_fingerprint_is_taken_fails_its_action_and_is_looked_at_anew() -> None:
    there = repo()

    def save_again(_: str, found: str) -> str:
        saved(there, OTHER)
        return found

    failed, built = there.build(PLAN, tool=Tool(computes=save_again)), there.build(PLAN)

    expected = Diagnostic(
        code="source-changed",
        message="refer m: `models/m.pb` changed while it was being read",
        help="run ovmake build again",
    )
    assert expected == failed.actions["refer m"].diagnostic
    assert "ran" == built.statuses["refer m"]
    assert "fresh" == there.build(PLAN).statuses["refer m"]


@dataclass(slots=True, kw_only=True)
class Bare(FakeRepo):
    """A repo on a machine that lacks a tool."""

    lacks: str

    def version(self, tool: str) -> str:
        if tool == self.lacks:
            hint = "pip install ovmake[cpu]"
            raise OvmakeError(Diagnostic(code="tool-missing", message=f"`{tool}` is not installed", help=hint))
        return FakeRepo.version(self, tool)


def built_without(tool: str, plan: Graph) -> Built:
    there = Bare(lacks=tool)
    there.disk.put("models/m.pb", b"a0")
    return there.build(plan)


def test_action_whose_tool_is_not_installed_says_who_needs_it() -> None:
    built = built_without("tensorflow", graph(action("refer m", "models/m.pb", tools=("tensorflow",))))

    expected = Diagnostic(
        code="tool-missing", message="refer m: `tensorflow` is not installed", help="pip install ovmake[cpu]"
    )
    assert expected == built.actions["refer m"].diagnostic


def test_optional_tool_that_is_not_installed_is_noted_so_that_installing_it_is_a_reason() -> None:
    plan = graph(replace(action("convert m", "models/m.pb"), optional_tools=("tensorflow",)))

    seen = built_without("tensorflow", plan).actions["convert m"].seen

    assert seen is not None
    assert {"tensorflow": "not installed"} == seen.tools


def test_ledger_has_every_source_published_file_and_folder_of_the_store_as_it_was(tmp_path: Path) -> None:
    there = RealRepo(tmp_path)
    there.put("models/m.pb", b"m")
    there.put("models/folder/a.txt", b"a")
    made = graph(
        action("convert m", "models/m.pb", "models/folder"), action("publish m", "convert m", place="build/m/m.xml")
    )
    there.build(made)
    with there.database() as database:
        executor = Executor(made, there.world(database, WritingRunner(), []), Options())
        executor.build(tuple(made.targets))

        found = {name: executor.looked_at(one) for name, one in made.actions.items()}
        traces = {name: database.trace(name) for name in made.actions}

    stored = {
        name: set(map(Cas(there.disk).folder, trace.outputs.values()))
        for name, trace in traces.items()
        if trace is not None
    }
    assert {"models/m.pb", "models/folder", "models/folder/a.txt"} | stored["convert m"] == set(found["convert m"])
    assert {"build/m/m.xml"} | stored["publish m"] == set(found["publish m"])
    for looked_at in found.values():
        assert {path: state_of(str(tmp_path / path)) for path in looked_at} == looked_at


def test_folder_of_the_store_that_two_actions_need_is_in_the_ledger_of_both(tmp_path: Path) -> None:
    there = RealRepo(tmp_path)
    # "lossy" makes one of two results, so two of these three make the same.
    for name in "abc":
        there.put(f"models/{name}.pb", name.encode())
    made = graph(*(action(f"lossy {name}", f"models/{name}.pb") for name in "abc"))
    there.build(made)
    with there.database() as database:
        executor = Executor(made, there.world(database, WritingRunner(), []), Options())
        executor.build(tuple(made.targets))

        found = [set(executor.looked_at(one)) for one in made.actions.values()]

    assert any(one & other for one, other in itertools.combinations(found, 2))
