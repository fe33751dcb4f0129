"""The eight laws, on random graphs, edits and builds.

    correct       what is published is what a clean build publishes
    minimal       an action runs for a real difference only; a second build does nothing; A -> B -> A runs nothing
    cut_off       an action whose inputs kept their bytes is fresh, whatever ran before it
    explained     a dry run says what a build then does, for the reasons that there are
    crash_safe    after a kill at any step nothing published is a mixture, and the next build is correct
    order_free    jobs, order of completion and order in the graph change no published byte
    reproducible  another root and another past change no published byte and no action digest; a moved repo is fresh
    honest        what is told of a gate is what a measurement of the present inputs finds, or nothing

A law is a function of a history and an engine. It must hold for the right one, and hypothesis must find a history that
breaks it for each wrong one it is named with. `OVMAKE_LONG=1` tries 1,000 histories per law.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from ovmake.contracts.values import JsonValue
from ovmake.engine.events import TargetFinished
from ovmake.graph.action import Artifact, Graph
from ovmake.graph.query import closure
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
from tests.engine.rebuilders import WRONG, Engine
from tests.examples import tries
from tests.fakes import ROOT, Built, Killed

QUIET = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)
HOLDS = settings(max_examples=tries(daily=15, ci=50, long=1_000), deadline=None, suppress_health_check=QUIET)
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

RIGHT = Engine()

Law = Callable[[History, Engine], None]
Made = Mapping[tuple[str, str], bytes]


def play(project: Project, steps: Sequence[Edit | Build]) -> Project:
    """Return the project after all of this happened to it."""
    for step in steps:
        if isinstance(step, Edit):
            project.edit(step)
        else:
            _build(project, step)
    return project


def _build(project: Project, step: Build) -> tuple[Built, Graph]:
    graph = project.graph()
    successes = project.successes(graph)
    built = project.build(step)
    project.note(built, successes)
    return built, graph


# the laws


def correct(history: History, engine: Engine) -> None:
    """After every build, what the targets that are well publish is what a clean build makes of the same inputs."""
    project = Project(history.nodes, engine)
    for step in history.steps:
        if isinstance(step, Edit):
            project.edit(step)
            continue
        made = project.expected(project.graph())
        built, graph = _build(project, step)
        assert step.disturbed or built.outcome.exit_status == 0
        assert_published(project, graph, built, made)
    final, graph = _build(project, all_of(PLAIN))
    clean = Project(history.nodes, RIGHT)
    Inputs.of(project).put_back(clean)
    assert clean.build(PLAIN).outcome.exit_status == final.outcome.exit_status == 0
    for action in graph.actions.values():
        assert project.published(action) == clean.published(action)


def assert_published(project: Project, graph: Graph, built: Built, made: Made) -> None:
    for action in project.needed(graph, built):
        assert project.published(action) == project.due(action, made), action.name


def minimal(history: History, engine: Engine) -> None:
    """What runs or is restored has a real difference; a build after a build does nothing; going back runs nothing."""
    project = Project(history.nodes, engine)
    for step in history.steps:
        if isinstance(step, Edit):
            project.edit(step)
            continue
        graph = project.graph()
        made = project.expected(graph)
        stale = {action.name for action in graph.actions.values() if project.differences(action, made)}
        built, _ = _build(project, step)
        assert {name for name, status in built.statuses.items() if status in {"ran", "restored"}} <= stale
        again, _ = _build(project, replace(step, failing=()))
        known = {name for name, status in built.statuses.items() if status in {"ran", "restored", "fresh"}}
        assert known <= {name for name, status in again.statuses.items() if status == "fresh"}
        assert not known & set(again.ran)
    assert_return_runs_nothing(project, history)


def assert_return_runs_nothing(project: Project, history: History) -> None:
    """Build, make the history's edits of inputs once more, build, undo them, build."""
    _, graph = _build(project, PLAIN)
    before = Inputs.of(project)
    published = [project.published(action) for action in graph.actions.values()]
    for step in history.steps:
        if isinstance(step, Edit) and step.what in INPUT_EDITS:
            project.edit(step)
    _build(project, PLAIN)
    before.put_back(project)
    back, graph = _build(project, PLAIN)
    assert back.ran == []
    assert [project.published(action) for action in graph.actions.values()] == published


def cut_off(history: History, engine: Engine) -> None:
    """An action whose inputs have the bytes that it saw last is fresh, also if what made them ran again."""
    project = Project(history.nodes, engine)
    for step in history.steps:
        if isinstance(step, Edit):
            project.edit(step)
            continue
        graph = project.graph()
        made = project.expected(graph)
        same = {action.name for action in graph.actions.values() if not project.differences(action, made)}
        built, _ = _build(project, step)
        considered = {name for name, status in built.statuses.items() if status != "skipped"}
        assert {built.statuses[name] for name in same & considered} <= {"fresh"}


def explained(history: History, engine: Engine) -> None:
    """A dry run and a build agree with each other, and their reasons with the differences that there are."""
    project = Project(history.nodes, engine)
    for drawn in history.steps:
        if isinstance(drawn, Edit):
            project.edit(drawn)
            continue
        step = replace(drawn, failing=())
        graph = project.graph()
        made = project.expected(graph)
        real = {name: project.differences(action, made) for name, action in graph.actions.items()}
        before = dict(project.repo.disk.files), project.repo.database.traces(), project.repo.database.failures()
        dry = project.build(step, dry_run=True)
        assert dry.ran == []
        assert before == (project.repo.disk.files, project.repo.database.traces(), project.repo.database.failures())
        built, _ = _build(project, step)
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


def crash_safe(history: History, engine: Engine) -> None:
    """Killed at any step, what an action publishes is all old, all new or not there; then a build is correct."""
    project = Project(history.nodes, engine)
    for step in history.steps:
        if isinstance(step, Edit):
            project.edit(step)
            continue
        graph = project.graph()
        made = project.expected(graph)
        before = {name: project.published(action) for name, action in graph.actions.items()}
        try:
            built = project.build(step)
        except Killed:
            for name, action in graph.actions.items():
                assert project.published(action) in (before[name], project.due(action, made), {})
        else:
            assert_published(project, graph, built, made)
    built = project.build(all_of(PLAIN))
    assert built.outcome.exit_status == 0
    assert_published(project, project.graph(), built, project.expected(project.graph()))


def order_free(history: History, engine: Engine) -> None:
    """The same history, with other numbers of jobs and in other orders, publishes the same bytes."""
    plain, other = Project(history.nodes, engine), Project(history.nodes, engine)
    for step in history.steps:
        if isinstance(step, Edit):
            plain.edit(step)
            other.edit(step)
            continue
        random = Random(step.seed)  # noqa: S311
        plain.build(replace(step, jobs=1))
        other.build(step, shuffle=1 + step.seed, choose=random.randrange)
        assert plain.repo.disk.under("build") == other.repo.disk.under("build")


def reproducible(history: History, engine: Engine) -> None:
    """Two repos at different places, with different pasts and the same inputs now, hold the same bytes and keys."""
    here = play(Project(history.nodes, engine, ROOT), history.steps)
    there = play(Project(history.nodes, engine, OTHER_ROOT), history.steps[::-1])
    Inputs.of(here).put_back(there)
    built, other = here.build(PLAIN), there.build(PLAIN)
    assert built.outcome.exit_status == other.outcome.exit_status == 0
    for action in here.graph().actions.values():
        assert here.published(action) == there.published(action)
    assert digests(built) == digests(other)
    assert all(project.repo.root not in project.repo.written_down() for project in (here, there))
    assert_moved_is_fresh(here)


OTHER_ROOT = "/srv/build 42/a clone"


def digests(built: Built) -> dict[str, str]:
    """Return the action digests."""
    return {name: done.seen.digest for name, done in built.actions.items() if done.seen is not None}


def assert_moved_is_fresh(project: Project) -> None:
    """The folder is moved with its state; then it is copied, and every file is a new one."""
    project.repo.root = OTHER_ROOT
    moved = project.build(PLAIN)
    for path in project.repo.disk.files:
        project.repo.disk.touch(path)
    copied = project.build(PLAIN)
    assert {*moved.statuses.values(), *copied.statuses.values()} <= {"fresh"}


def honest(history: History, engine: Engine) -> None:
    """Every gate told of is what a clean measurement finds now; what does not pass is not published."""
    project = Project(history.nodes, engine)
    for step in history.steps:
        if isinstance(step, Edit):
            project.edit(step)
            continue
        graph = project.graph()
        figures = project.figures(graph, project.expected(graph))
        assert_told(project.build(replace(step, kill=None), dry_run=True), graph, figures, lost=set())
        before = {name: project.published(action) for name, action in graph.actions.items()}
        try:
            built = project.build(step)
        except Killed:
            continue
        lost = {name for name in figures if project.loses(step, graph.actions[name])}
        assert_told(built, graph, figures, lost)
        unchanged = [name for name, status in built.statuses.items() if status not in {"ran", "restored"}]
        assert all(project.published(graph.actions[name]) == before[name] for name in unchanged)


def assert_told(built: Built, graph: Graph, figures: Figures, lost: set[str]) -> None:
    """What is told of a target is what its gates found; of several the last, or the last that failed.

    A gate that failed has measured and does not pass, unless it is one of the `lost`: then nothing is known of it.
    """
    of = built.statuses
    known = {name for name in figures if of.get(name) in KNOWN or (of.get(name) == "failed" and name not in lost)}
    for event in built.events:
        if isinstance(event, TargetFinished):
            chain = [action.name for action in closure(graph, [graph.targets[event.target]])]
            gates = sorted((name for name in chain if name in known), key=lambda name: of[name] == "failed")
            found = figures[gates[-1]] if gates else {}
            told = (event.gate, event.drop, event.interval, event.decided)
            assert told == tuple(found.get(name) for name in ("gate", "drop", "interval", "decided"))


Figures = Mapping[str, Mapping[str, JsonValue]]
# What becomes of an action of which it is known what it found, besides of one that failed.
KNOWN = {"ran", "restored", "fresh", "would-restore"}


LAWS: dict[str, tuple[Law, st.SearchStrategy[History], tuple[str, ...]]] = {
    "correct": (
        correct,
        histories(failures=True, meddled=True, rot=True),
        (
            "ignores inputs",
            "ignores the first input",
            "ignores params",
            "ignores tools",
            "ignores outputs",
            "by size",
            "trusts what is stored",
        ),
    ),
    "minimal": (minimal, histories(failures=True), ("always", "never cuts off")),
    "cut off": (cut_off, histories(failures=True), ("always", "never cuts off")),
    "explained": (
        explained,
        histories(),
        ("ignores the environment", "ignores edited outputs", "vague", "moody", "always"),
    ),
    "crash-safe": (
        crash_safe,
        histories(kills=True, rot=True),
        ("ignores edited outputs", "ignores params", "trusts what is stored"),
    ),
    "order-free": (order_free, histories(), ("moody",)),
    "reproducible": (
        reproducible,
        histories(),
        ("writes a path", "writes a counter", "computes a path", "ignores tools", "always"),
    ),
    "honest": (
        honest,
        histories(failures=True, kills=True, meddled=True, gates=True),
        ("ignores inputs", "ignores params", "ignores tools", "measures once", "passes what it misses"),
    ),
}


@pytest.mark.parametrize("name", LAWS)
def test_law_holds(name: str) -> None:
    law, strategy, _ = LAWS[name]

    @HOLDS
    @given(strategy)
    def holds(history: History) -> None:
        law(history, RIGHT)

    holds()


@pytest.mark.parametrize(("name", "wrong"), [(name, wrong) for name, (_, _, all_) in LAWS.items() for wrong in all_])
def test_law_tells_a_wrong_engine(name: str, wrong: str) -> None:
    law, strategy, _ = LAWS[name]

    def broken(history: History) -> bool:
        try:
            law(history, WRONG[wrong]())
        except AssertionError:
            return True
        return False

    # Raises NoSuchExample where every history keeps the law.
    find(strategy, broken, settings=FOUND)


# What the laws would hold for if it never happened.


def test_histories_hold_early_cutoffs() -> None:
    def cut(history: History) -> bool:
        project = Project(history.nodes, RIGHT)
        for step in history.steps:
            if isinstance(step, Edit):
                project.edit(step)
                continue
            built, graph = _build(project, step)
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
        project = Project(history.nodes, RIGHT)
        for step in history.steps:
            if isinstance(step, Edit):
                project.edit(step)
                continue
            before = project.repo.disk.under("build")
            try:
                project.build(step)
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
    project = Project(nodes, RIGHT)  # type: ignore[arg-type]
    for change in changes:
        project.edit(change)
    built = project.build(build)
    assert set(built.statuses.values()) <= {"ran", "restored"}
    assert_published(project, project.graph(), built, project.expected(project.graph()))
