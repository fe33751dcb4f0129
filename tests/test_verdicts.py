"""The verdict on a target depends on its source and its settings, and on nothing that was built before.

On the actions that an Ovfile really becomes, with frameworks in a few lines: sources of which some are damaged, some
compute what others compute, and some something else under the same fingerprint. Histories save sources over each other,
build some targets in some order, collect garbage, lose the database or all of the state. Whatever happened, a target is
built if TensorFlow loads its source and its IR computes what TensorFlow does, and fails if not.

Two rules that are wrong on purpose must break the law: a fingerprint alone, as it was once; and a load without answers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from ovmake.commands.gc.command import collect
from ovmake.commands.gc.plan import Limits
from ovmake.engine.executor import Executor
from ovmake.engine.job import Failure, Job, Success
from ovmake.engine.world import Options, World
from ovmake.graph.action import Action, Graph
from ovmake.graph.lower import SourceForm, lower
from ovmake.ovfile.parse import parse
from ovmake.rules import build_target
from tests.examples import tries
from tests.fakes import FakeRepo, FakeRunner

pytestmark = pytest.mark.unmeasured

QUIET = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)
HOLDS = settings(max_examples=tries(daily=40, ci=150, long=2_000), deadline=None, suppress_health_check=QUIET)
FOUND = settings(
    max_examples=5_000,
    deadline=None,
    suppress_health_check=QUIET,
    phases=[Phase.generate],
    database=None,
    derandomize=True,
)

KINDS = {"models/a": "saved-model", "models/b": "frozen-graph", "models/c": "saved-model", "models/d": "keras"}
OVFILE = """
[datasets.val]
path = "val.npz"
[defaults]
precisions = ["fp32", "fp16"]
[models.a]
source = "models/a"
accuracy.dataset = "val"
[models.b]
source = "models/b"
accuracy.dataset = "val"
[models.c]
source = "models/c"
[models.c.variants.scored]
accuracy.dataset = "val"
[models.c.variants.cut]
cut.outputs = ["pool"]
[models.d]
source = "models/d"
accuracy.dataset = "val"
"""
GRAPH = lower(parse(OVFILE), build_target, {path: SourceForm(kind=kind) for path, kind in KINDS.items()})
PATHS = {name: next(path for path in KINDS if path.endswith(name[0])) for name in GRAPH.targets}


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What a source is, for both frameworks. `spelling` makes it other bytes of the same.

    `followed` is what a fingerprint sees of what it computes, `hidden` what it overlooks. OpenVINO converts it, rightly
    unless it is `misread`, also where TensorFlow does not load it.
    """

    loads: bool
    followed: int
    hidden: int
    misread: bool
    spelling: int

    @property
    def good(self) -> bool:
        """Whether its targets are to be published."""
        return self.loads and not self.misread

    def to_bytes(self) -> bytes:
        """Return the file."""
        return json.dumps([self.loads, self.followed, self.hidden, self.misread, self.spelling]).encode()

    @classmethod
    def read(cls, data: bytes) -> Model:
        """Read what `to_bytes` wrote."""
        loads, followed, hidden, misread, spelling = json.loads(data)
        return cls(loads=loads, followed=followed, hidden=hidden, misread=misread, spelling=spelling)


MODELS = st.builds(
    Model,
    loads=st.sampled_from([True, True, False]),
    followed=st.integers(0, 1),
    hidden=st.sampled_from([0, 0, 1]),
    misread=st.sampled_from([False, False, True]),
    spelling=st.integers(0, 1),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something that happens: sources are saved, by path; then `what`, a build of these targets or a loss."""

    saved: Mapping[str, Model]
    what: str
    targets: tuple[str, ...] = ()
    jobs: int = 1
    seed: int = 0


STEPS = st.lists(
    st.builds(
        Step,
        saved=st.dictionaries(st.sampled_from(sorted(KINDS)), MODELS, max_size=2),
        what=st.sampled_from(["build"] * 6 + ["gc", "lose-database", "lose-all"]),
        targets=st.lists(st.sampled_from(sorted(GRAPH.targets)), max_size=3, unique=True).map(tuple),
        jobs=st.integers(1, 3),
        seed=st.integers(0, 9),
    ),
    min_size=1,
    max_size=5,
)
FIRST = st.fixed_dictionaries(dict.fromkeys(KINDS, MODELS))


class Frameworks(FakeRunner):
    """Does what the workers do, in a few bytes."""

    def _run(self, job: Job) -> Success | Failure:
        read = {role: self.disk.files[self.relative(path)].data for role, path in job.inputs.items()}
        found = read.get("source") or read.get("graph")
        model = None if found is None else Model.read(found)
        if model is not None and job.action.worker == "tensorflow" and not model.loads:
            return Failure(code="tensorflow-cannot-load", message="damaged")
        if job.action.kind == "gate" and read["evaluation"] != b"alike":
            return Failure(code="gate-missed", message="it computes something else")
        for role, path in job.outputs.items():
            self.disk.put(self.relative(path), _made(job.action.kind, role, model, read))
        return Success()


def _made(kind: str, role: str, model: Model | None, read: Mapping[str, bytes]) -> bytes:
    """Return what an action writes; `model` is the source that it reads, or the graph that was frozen of it."""
    if model is None:
        if kind == "evaluate":
            return b"alike" if read["xml"] == read["expected"] else b"apart"
        return read.get(role) or f"{kind} {role} ".encode() + b",".join(read[one] for one in sorted(read))
    computes = f"{model.followed} {model.hidden}".encode()
    if kind == "freeze":
        return replace(model, spelling=0).to_bytes()
    if role == "interface":
        return b"shapes"
    return b"misread" if kind == "convert" and model.misread else computes


Rules = Callable[[Graph], Graph]


def right(graph: Graph) -> Graph:
    """Leave the graph as it is."""
    return graph


def fingerprint_alone(graph: Graph) -> Graph:
    """Count a source by its fingerprint, and load it only where something is computed anew."""

    def changed(action: Action) -> Action:
        inputs = tuple(
            replace(given, by_computation=given.role == "source" or given.by_computation)
            if action.kind == "reference" and "@cut" not in action.name
            else given
            for given in action.inputs
            if given.role != "answers"
        )
        return replace(action, inputs=inputs)

    kept = {name: changed(action) for name, action in graph.actions.items() if action.kind != "check-source"}
    return Graph(actions=kept, targets=graph.targets)


def answers_unread(graph: Graph) -> Graph:
    """Load every source, and share whatever the fingerprint says."""

    def changed(action: Action) -> Action:
        asked = tuple(name for name in action.made_by if name.startswith("check-source"))
        inputs = tuple(given for given in action.inputs if given.role != "answers")
        return replace(action, inputs=inputs, after=(*action.after, *asked))

    return Graph(actions={name: changed(one) for name, one in graph.actions.items()}, targets=graph.targets)


class Project:
    """A repo, and what is built in it."""

    def __init__(self, models: Mapping[str, Model], rules: Rules) -> None:
        self.graph = rules(GRAPH)
        self.repo = FakeRepo()
        self.models = dict(models)
        self.repo.disk.put("val.npz", b"samples")
        self.save(models)

    def save(self, models: Mapping[str, Model]) -> None:
        """Write sources."""
        self.models |= models
        for path, model in models.items():
            self.repo.disk.put(path, model.to_bytes())
        self.repo.disk.tick()

    def build(self, step: Step) -> tuple[dict[str, str], list[str]]:
        """Build, and return what became of the targets, and what ran."""
        repo = self.repo
        runner = Frameworks(
            disk=repo.disk,
            relative=repo.relative,
            fuse=repo.fuse,
            environment=repo.environment,
            code=repo.code,
            choose=Random(step.seed).randrange,  # noqa: S311
        )
        world = World(
            disk=repo.disk,
            database=repo.database,
            runner=runner,
            version=repo.version,
            environment=repo.environment,
            code=repo.code,
            emit=lambda _: None,
            absolute=repo.absolute,
            fingerprint=self.fingerprint,
        )
        options = Options(jobs=step.jobs, keep_going=True)
        outcome = Executor(self.graph, world, options).build(step.targets or tuple(self.graph.targets))
        return dict(outcome.targets), runner.ran

    def fingerprint(self, path: str) -> str:
        """Return what a source computes, as far as it can be followed in the files."""
        model = Model.read(self.repo.disk.files[self.repo.relative(path)].data)
        return f"{model.followed}".zfill(64)

    def lose(self, what: str) -> None:
        """Lose what was built."""
        if what == "gc":
            collect(self.graph.actions, self.repo.disk, self.repo.database, Limits(size_bytes=1), dry_run=False)
        else:
            self.repo.lose_database()
        if what == "lose-all":
            self.repo.disk.take_away(".ovmake")
            self.repo.disk.take_away("build")


def law(first: Mapping[str, Model], steps: list[Step], rules: Rules) -> None:
    """Every build, and one of all targets at the end, says of each target what its source says."""
    project = Project(first, rules)
    for step in [*steps, Step(saved={}, what="build")]:
        project.save(step.saved)
        if step.what != "build":
            project.lose(step.what)
            continue
        targets, _ = project.build(step)
        well = {name for name, status in targets.items() if status in {"built", "fresh"}}
        assert well == {name for name in targets if project.models[PATHS[name]].good}


@HOLDS
@given(FIRST, STEPS)
def test_verdict_depends_on_nothing_that_was_built_before(first: dict[str, Model], steps: list[Step]) -> None:
    law(first, steps, right)


@pytest.mark.parametrize("rules", [fingerprint_alone, answers_unread])
def test_law_tells_wrong_rules(rules: Rules) -> None:
    def broken(history: tuple[dict[str, Model], list[Step]]) -> bool:
        try:
            law(*history, rules)
        except AssertionError:
            return True
        return False

    find(st.tuples(FIRST, STEPS), broken, settings=FOUND)


def test_histories_hold_references_that_are_shared() -> None:
    """Without them the law would hold by itself."""

    def shared(history: tuple[dict[str, Model], list[Step]]) -> bool:
        first, steps = history
        project = Project(first, right)
        for step in steps:
            project.save(step.saved)
            if step.what == "build":
                _, ran = project.build(step)
                if (
                    any(name == "check-source a" for name in ran)
                    and "reference a" not in ran
                    and project.models["models/a"].good
                ):
                    return True
        return False

    find(st.tuples(FIRST, STEPS), shared, settings=FOUND)
