"""The laws of the engine, on random graphs, edits and builds.

    correct       what is published is what a clean build publishes
    minimal       an action runs for a real difference only; a second build does nothing; A -> B -> A runs nothing
    cut_off       an action whose inputs kept their bytes is fresh, whatever ran before it
    explained     a dry run says what a build then does, for the reasons that there are
    crash_safe    after a kill at any step nothing published is a mixture, and the next build is correct
    order_free    jobs, order of completion and order in the graph change no published byte

A law is a function of a history and a rebuilder. It must hold with `staleness.decide`, and hypothesis must find a
history that breaks it for each wrong rebuilder it is named with. `OVMAKE_LONG=1` tries 1,000 histories per law.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from ovmake.engine.staleness import Rebuilder, decide
from ovmake.graph.action import Artifact, Graph
from tests.engine.projects import (
    INPUT_EDITS,
    Build,
    Difference,
    Edit,
    History,
    Inputs,
    Project,
    all_of,
    builds,
    dags,
    edits,
    histories,
)
from tests.engine.rebuilders import WRONG
from tests.fakes import Built, FakeDisk, Fuse, Killed, TrustingDisk

LONG = bool(os.environ.get("OVMAKE_LONG"))
QUIET = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)
HOLDS = settings(max_examples=1_000 if LONG else 50, deadline=None, suppress_health_check=QUIET)
# A counterexample has to be found, and need not be small. Derandomized: whether it is found is no matter of luck.
FOUND = settings(
    max_examples=5_000,
    deadline=None,
    suppress_health_check=QUIET,
    phases=[Phase.generate],
    database=None,
    derandomize=True,
)
PLAIN = Build(targets=(), jobs=1, seed=0)

# Random examples, which hypothesis' own mark does not reach: they are inside of the tests.
pytestmark = pytest.mark.unmeasured

Law = Callable[[History, Rebuilder], None]


def play(history: History, rebuilder: Rebuilder) -> Project:
    """Return the project after the whole history."""
    project = Project(history.nodes)
    for step in history.steps:
        if isinstance(step, Edit):
            project.edit(step)
        else:
            _build(project, step, rebuilder)
    return project


def _build(project: Project, step: Build, rebuilder: Rebuilder) -> tuple[Built, Graph]:
    graph = project.graph()
    built = project.build(step, rebuilder)
    project.note(built, graph)
    return built, graph


# the laws


def correct(history: History, rebuilder: Rebuilder, disk_of: Callable[[Fuse], FakeDisk] = FakeDisk) -> None:
    """After every build, what the targets that are well publish is what a clean build makes of the same inputs."""
    project = Project(history.nodes, disk_of)
    for step in history.steps:
        if isinstance(step, Edit):
            project.edit(step)
            continue
        built, graph = _build(project, step, rebuilder)
        assert step.failing or built.outcome.exit_status == 0
        assert_published(project, graph, built)
    final, graph = _build(project, all_of(PLAIN), rebuilder)
    clean = Project(history.nodes)
    Inputs.of(project).put_back(clean)
    assert clean.build(PLAIN, decide).outcome.exit_status == final.outcome.exit_status == 0
    for action in graph.actions.values():
        assert project.published(action) == clean.published(action)


def assert_published(project: Project, graph: Graph, built: Built) -> None:
    made = project.expected(graph)
    for action in project.needed(graph, built):
        assert project.published(action) == project.due(action, made), action.name


def minimal(history: History, rebuilder: Rebuilder) -> None:
    """What runs or is restored has a real difference; a build after a build does nothing; going back runs nothing."""
    project = Project(history.nodes)
    for step in history.steps:
        if isinstance(step, Edit):
            project.edit(step)
            continue
        graph = project.graph()
        made = project.expected(graph)
        stale = {action.name for action in graph.actions.values() if project.differences(action, made)}
        built, _ = _build(project, step, rebuilder)
        assert {name for name, status in built.statuses.items() if status in {"ran", "restored"}} <= stale
        again, _ = _build(project, replace(step, failing=()), rebuilder)
        known = {name for name, status in built.statuses.items() if status in {"ran", "restored", "fresh"}}
        assert known <= {name for name, status in again.statuses.items() if status == "fresh"}
        assert not known & set(again.ran)
    assert_return_runs_nothing(project, history, rebuilder)


def assert_return_runs_nothing(project: Project, history: History, rebuilder: Rebuilder) -> None:
    """Build, make the history's edits of inputs once more, build, undo them, build."""
    _build(project, PLAIN, rebuilder)
    before = Inputs.of(project)
    published = project.repo.disk.under("build")
    for step in history.steps:
        if isinstance(step, Edit) and step.what in INPUT_EDITS:
            project.edit(step)
    _build(project, PLAIN, rebuilder)
    before.put_back(project)
    back, _ = _build(project, PLAIN, rebuilder)
    assert back.ran == []
    assert project.repo.disk.under("build") == published


def cut_off(history: History, rebuilder: Rebuilder) -> None:
    """An action whose inputs have the bytes that it saw last is fresh, also if what made them ran again."""
    project = Project(history.nodes)
    for step in history.steps:
        if isinstance(step, Edit):
            project.edit(step)
            continue
        graph = project.graph()
        made = project.expected(graph)
        same = {action.name for action in graph.actions.values() if not project.differences(action, made)}
        built, _ = _build(project, step, rebuilder)
        considered = {name for name, status in built.statuses.items() if status != "skipped"}
        assert {built.statuses[name] for name in same & considered} <= {"fresh"}


def explained(history: History, rebuilder: Rebuilder) -> None:
    """A dry run and a build agree with each other, and their reasons with the differences that there are."""
    project = Project(history.nodes)
    for drawn in history.steps:
        if isinstance(drawn, Edit):
            project.edit(drawn)
            continue
        step = replace(drawn, failing=())
        graph = project.graph()
        made = project.expected(graph)
        real = {name: project.differences(action, made) for name, action in graph.actions.items()}
        dry = project.build(step, rebuilder, dry_run=True)
        assert dry.ran == []
        built, _ = _build(project, step, rebuilder)
        for name, foreseen in dry.statuses.items():
            became = built.statuses[name]
            lost = {reason for reason in real[name] if mended_by_another(reason, graph, project, built)}
            assert became in FOLLOWS[foreseen] | ({"fresh"} if real[name] == lost else set()), (name, foreseen)
            assert reasons(dry, name) <= real[name]
            assert reasons(built, name) | lost == real[name] | lost, name
            # Nothing before it is in doubt: then the dry run has all the reasons already.
            assert pending(dry, name) or reasons(dry, name) == real[name]


FOLLOWS = {
    "fresh": {"fresh"},
    "would-restore": {"restored"},
    "would-run": {"ran", "restored"},
    "may-run": {"ran", "restored", "fresh"},
}


def reasons(built: Built, name: str) -> set[Difference]:
    """Return the reasons of an action that are certain."""
    decision = built.actions[name].decision
    assert decision is not None
    return {(reason.kind, reason.name) for reason in decision.reasons if reason.kind != "pending"}


def pending(built: Built, name: str) -> bool:
    """Whether an input of the action was not known."""
    seen = built.actions[name].seen
    return seen is not None and not seen.known


def mended_by_another(reason: Difference, graph: Graph, project: Project, built: Built) -> bool:
    """Whether stored bytes that were gone came back before the action was looked at: another action makes the same."""
    kind, name = reason
    made = project.expected(graph)
    ran = [action for action in graph.actions.values() if built.statuses.get(action.name) == "ran"]
    again = {made[action.name, output.role] for action in ran for output in action.outputs}
    named = {str(Artifact(action, role)): data for (action, role), data in made.items()}
    return kind == "output-missing" and named.get(name) in again


def crash_safe(history: History, rebuilder: Rebuilder, disk_of: Callable[[Fuse], FakeDisk] = FakeDisk) -> None:
    """Killed at any step, what an action publishes is all old, all new or not there; then a build is correct."""
    project = Project(history.nodes, disk_of)
    for step in history.steps:
        if isinstance(step, Edit):
            project.edit(step)
            continue
        graph = project.graph()
        made = project.expected(graph)
        before = {name: project.published(action) for name, action in graph.actions.items()}
        try:
            built = project.build(step, rebuilder)
        except Killed:
            for name, action in graph.actions.items():
                assert project.published(action) in (before[name], project.due(action, made), {})
        else:
            assert_published(project, graph, built)
    built = project.build(all_of(PLAIN), rebuilder)
    assert built.outcome.exit_status == 0
    assert_published(project, project.graph(), built)


def order_free(history: History, rebuilder: Rebuilder) -> None:
    """The same history, with other numbers of jobs and in other orders, publishes the same bytes."""
    plain, other = Project(history.nodes), Project(history.nodes)
    for step in history.steps:
        if isinstance(step, Edit):
            plain.edit(step)
            other.edit(step)
            continue
        random = Random(step.seed)  # noqa: S311
        plain.build(replace(step, jobs=1), rebuilder)
        other.build(step, rebuilder, shuffle=1 + step.seed, choose=random.randrange)
        assert plain.repo.disk.under("build") == other.repo.disk.under("build")


LAWS: dict[str, tuple[Law, st.SearchStrategy[History], tuple[str, ...]]] = {
    "correct": (
        correct,
        histories(failures=True, rot=True),
        (
            "ignores inputs",
            "ignores the first input",
            "ignores params",
            "ignores tools",
            "ignores outputs",
            "by size",
        ),
    ),
    "minimal": (minimal, histories(failures=True), ("always", "never cuts off")),
    "cut off": (cut_off, histories(failures=True), ("always", "never cuts off")),
    "explained": (
        explained,
        histories(),
        ("ignores the environment", "ignores edited outputs", "vague", "moody", "always"),
    ),
    "crash-safe": (crash_safe, histories(kills=True, rot=True), ("ignores edited outputs", "ignores params")),
    "order-free": (order_free, histories(), ("moody",)),
}


@pytest.mark.parametrize("name", LAWS)
def test_law_holds(name: str) -> None:
    law, strategy, _ = LAWS[name]

    @HOLDS
    @given(strategy)
    def holds(history: History) -> None:
        law(history, decide)

    holds()


@pytest.mark.parametrize(("name", "wrong"), [(name, wrong) for name, (_, _, all_) in LAWS.items() for wrong in all_])
def test_law_tells_a_wrong_rebuilder(name: str, wrong: str) -> None:
    law, strategy, _ = LAWS[name]

    def broken(history: History) -> bool:
        try:
            law(history, WRONG[wrong]())
        except AssertionError:
            return True
        return False

    # Raises NoSuchExample where every history keeps the law.
    find(strategy, broken, settings=FOUND)


@pytest.mark.parametrize(("law", "strategy"), [(correct, histories(rot=True)), (crash_safe, histories(rot=True))])
def test_law_tells_an_engine_that_trusts_what_is_stored(
    law: Callable[..., None], strategy: st.SearchStrategy[History]
) -> None:
    def broken(history: History) -> bool:
        try:
            law(history, decide, TrustingDisk)
        except AssertionError:
            return True
        return False

    find(strategy, broken, settings=FOUND)


# What the laws would hold for if it never happened.


def test_histories_hold_early_cutoffs() -> None:
    def cut(history: History) -> bool:
        project = Project(history.nodes)
        for step in history.steps:
            if isinstance(step, Edit):
                project.edit(step)
                continue
            built, graph = _build(project, step, decide)
            done = built.statuses
            if any(
                done.get(name) == "fresh" and any(done[need] == "ran" for need in action.needs)
                for name, action in graph.actions.items()
            ):
                return True
        return False

    find(histories(), cut, settings=FOUND)


def test_histories_hold_kills_after_publishing() -> None:
    def torn(history: History) -> bool:
        project = Project(history.nodes)
        for step in history.steps:
            if isinstance(step, Edit):
                project.edit(step)
                continue
            before = project.repo.disk.under("build")
            try:
                project.build(step, decide)
            except Killed:
                if before and project.repo.disk.under("build") != before:
                    return True
        return False

    find(histories(kills=True), torn, settings=FOUND)


@HOLDS
@given(dags(), st.lists(edits(INPUT_EDITS), max_size=3), builds())
def test_first_build_is_what_plain_recursion_computes(
    nodes: tuple[object, ...], changes: list[Edit], build: Build
) -> None:
    project = Project(nodes)  # type: ignore[arg-type]
    for change in changes:
        project.edit(change)
    built = project.build(build, decide)
    assert set(built.statuses.values()) <= {"ran", "restored"}
    assert_published(project, project.graph(), built)
