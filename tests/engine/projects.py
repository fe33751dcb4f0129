"""Random repos with a history, and an account of them that owes nothing to the engine.

    histories()               a strategy: a random DAG of actions, and edits and builds in turn
    Project(nodes)            a fake repo with the sources of such a DAG: `edit`, `graph`, `build`
    project.expected(graph)   what a clean build would make, computed by plain recursion
    project.differences(...)  what is not as the last success left it, by looking at bytes, not at digests

Sources are few and their contents are drawn from a handful, so that going back to an earlier state happens by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from random import Random
from typing import Any

from hypothesis import strategies as st

from ovmake.contracts.values import JsonValue
from ovmake.engine.job import Failure, Job, Success
from ovmake.engine.remote import RemoteCache
from ovmake.engine.world import Options
from ovmake.graph.action import Action, Artifact, Graph, Input, Output, Source
from ovmake.graph.digest import of_bytes
from ovmake.graph.query import closure
from ovmake.store.cas import FOLDER as CAS
from ovmake.store.cas import Cas
from tests.engine.rebuilders import Engine
from tests.fakes import GATE, ROOT, Built, FakeRepo, artifact, counted, measured

# A kind decides the roles of its outputs, as rules do: two slots with equal action digests share results.
ROLES: Mapping[str, tuple[str, ...]] = {
    "mix": ("out",),
    "split": ("left", "right"),
    "lossy": ("out",),
    "lossy-split": ("left", "right"),
    "pack": ("copy", "note"),  # "copy" has the bytes of the first input
    "measure": ("figure",),  # exclusive, depends on the machine
    "calibrate": ("ranges",),  # depends on the instruction sets
    "refer": ("answer",),  # its sources count by what they compute
    GATE: ("verdict",),  # passes, is missed, or measures nothing: only in histories about that
}
KINDS = tuple(kind for kind in ROLES if kind != GATE)
HOUR = 3600
COPY = "in0"
FILES = ("models/a.pb", "data/c.npz")
FOLDER = "models/b"
SOURCES = (FILES[0], FOLDER, FILES[1])
CONTENTS = (b"a0", b"a1", b"b0", b"b11")
VALUES: tuple[JsonValue, ...] = (0, 1, True, 1.0, "1", None, ("a", "b"))
TOOLS = ("openvino", "nncf")
EDITS = (
    *["source"] * 4,
    *["param"] * 3,
    "touch",
    "rename-over",
    "folder-file",
    *["tool"] * 2,
    "code",
    *["environment"] * 2,
    "extra-input",
    "action",
    "clock",
    "delete-output",
    "edit-output",
    "delete-stored",
    "truncate-stored",
    "lose-database",
)
# A bit that flips on the disk shows nowhere until the file is read: neither in a dry run nor in a build that needs
# nothing of it. So histories hold it only where the law is about what a build makes.
ROT = "corrupt-stored"
# Edits of what goes in: undoing one brings back a state that was built before.
SOURCE_EDITS = ("source", "touch", "rename-over", "folder-file")
INPUT_EDITS = (*SOURCE_EDITS, "param", "tool", "code", "environment", "extra-input", "action", "clock")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """An action of a random DAG; numbers are places in `SOURCES` and in the list of nodes."""

    kind: str
    sources: tuple[int, ...]
    artifacts: tuple[tuple[int, str], ...]
    after: tuple[int, ...]
    params: int
    tools: tuple[str, ...]
    placed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """Something that happens to the repo between builds. `a` and `b` say to what and how, modulo what there is."""

    what: str
    a: int
    b: int
    tick: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Meddled:
    """Somebody saves a source of a node while its action runs: before it is read or after, a tick later or not."""

    node: int
    content: int
    before: bool
    tick: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A run of ovmake. `targets` and `failing` are numbers of nodes; the run is killed at step `kill`.

    `meddled`: while this node runs, one of its sources is written.
    """

    targets: tuple[int, ...]
    jobs: int
    seed: int
    failing: tuple[int, ...] = ()
    kill: int | None = None
    meddled: Meddled | None = None
    tick: bool = True

    @property
    def disturbed(self) -> bool:
        """Whether it may fail."""
        return bool(self.failing) or self.meddled is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A DAG and what happens to it."""

    nodes: tuple[Node, ...]
    steps: tuple[Edit | Build, ...]


# Strategies are made once: looking new ones over took hypothesis more than half of the laws' time.
SOME_SOURCES = st.lists(st.integers(0, len(SOURCES) - 1), max_size=2, unique=True)
ONE_SOURCE = st.integers(0, len(SOURCES) - 1)
SOME_TOOLS = st.sampled_from([(), TOOLS[:1], TOOLS])
TWO = st.integers(0, 2)
YES_OR_NO = st.booleans()


@cache
def one_of(*values: object) -> st.SearchStrategy[Any]:
    """Draw one of some values."""
    return st.sampled_from(values)


@cache
def some_of(values: tuple[object, ...], least: int, most: int) -> st.SearchStrategy[list[Any]]:
    """Draw some of different values."""
    return st.lists(st.sampled_from(values), min_size=least, max_size=most, unique=True)


@st.composite
def dags(draw: st.DrawFn, kinds: tuple[str, ...] = KINDS) -> tuple[Node, ...]:
    """Draw the nodes of a DAG, each after what it reads."""
    nodes: list[Node] = []
    for _ in range(draw(st.integers(1, 6))):
        nodes.append(_node(draw, nodes, kinds))
    return tuple(nodes)


def _node(draw: st.DrawFn, before: list[Node], kinds: tuple[str, ...]) -> Node:
    kind = draw(one_of(*(kind for kind in kinds if kind != "pack" or before)))
    made = tuple((number, role) for number, node in enumerate(before) for role in ROLES[node.kind])
    artifacts: list[tuple[int, str]] = []
    if made:
        artifacts = draw(some_of(made, int(kind == "pack"), 3))
    sources = draw(SOME_SOURCES)
    if kind == "refer":
        sources = [draw(ONE_SOURCE)]
    return Node(
        kind=kind,
        sources=tuple(sources),
        artifacts=tuple(artifacts),
        after=tuple(draw(some_of(tuple(range(len(before))), 0, 1))) if before else (),
        params=draw(TWO),
        tools=draw(SOME_TOOLS),
        placed=kind == "pack" or draw(YES_OR_NO),
    )


@cache
def edits(what: tuple[str, ...] = EDITS) -> st.SearchStrategy[Edit]:
    """Draw an edit."""
    return st.builds(
        Edit,
        what=st.sampled_from(what),
        a=st.integers(0, 5),
        b=st.integers(0, 6),
        tick=st.booleans(),
    )


MEDDLED = st.builds(
    Meddled, node=st.integers(0, 5), content=st.integers(0, 2), before=st.booleans(), tick=st.booleans()
)


@cache
def builds(*, failures: bool = False, kills: bool = False, meddled: bool = False) -> st.SearchStrategy[Build]:
    """Draw a build of some targets."""
    numbers = st.lists(st.integers(0, 5), max_size=2).map(tuple)
    return st.builds(
        Build,
        targets=numbers,
        jobs=st.integers(1, 3),
        seed=st.integers(0, 99),
        failing=numbers if failures else st.just(()),
        kill=st.none() | st.integers(1, 60) if kills else st.none(),
        meddled=st.none() | st.none() | st.none() | MEDDLED if meddled else st.none(),
        tick=st.booleans(),
    )


@st.composite
def histories(
    draw: st.DrawFn,
    *,
    failures: bool = False,
    kills: bool = False,
    meddled: bool = False,
    rot: bool = False,
    gates: bool = False,
) -> History:
    """Draw a DAG, and several builds with up to three edits before each."""
    steps: list[Edit | Build] = []
    for _ in range(draw(st.integers(2, 4))):
        steps += draw(st.lists(edits((*EDITS, ROT, ROT) if rot else EDITS), max_size=3))
        steps.append(draw(builds(failures=failures, kills=kills, meddled=meddled)))
    return History(nodes=draw(dags((*KINDS, *[GATE] * 5) if gates else KINDS)), steps=tuple(steps))


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What an action's last success saw and made, in bytes."""

    facts: Mapping[tuple[str, str], object]
    outputs: Mapping[str, bytes]


Difference = tuple[str, str]


class Project:
    """A repo with the sources of a DAG, and notes about what was built in it."""

    def __init__(self, nodes: tuple[Node, ...], engine: Engine, root: str = ROOT) -> None:
        self.nodes = nodes
        self.engine = engine
        self.repo = FakeRepo(disk_of=engine.disk_of, root=root)
        self.settings: dict[tuple[int, int], JsonValue] = {}
        self.unset: set[tuple[int, int]] = set()
        self.extra: set[int] = set()
        self.absent: set[int] = set()
        self.remembered: dict[str, Remembered] = {}
        self._moved = ""
        self._late: set[str] = set()
        for path in FILES:
            self.repo.disk.put(path, CONTENTS[0])
        self.repo.disk.put(f"{FOLDER}/saved_model.pb", CONTENTS[0])

    # the graph

    def graph(self, shuffle: int = 0) -> Graph:
        """Return the DAG with the settings as they are; `shuffle` draws another order that puts needs first."""
        there = self._there()
        actions = [self._action(number) for number in there]
        random = Random(shuffle)  # noqa: S311
        ordered: dict[str, Action] = {}
        while len(ordered) < len(actions):
            ready = [one for one in actions if one.name not in ordered and set(one.needs) <= set(ordered)]
            chosen = random.choice(ready) if shuffle else ready[0]
            ordered[chosen.name] = chosen
        return Graph(actions=ordered, targets={f"t{number}": self._name(number) for number in there})

    def _there(self) -> list[int]:
        """Return the nodes that were not taken out of the graph, nor anything that they need."""
        there: list[int] = []
        for number, node in enumerate(self.nodes):
            needs = {*(other for other, _ in node.artifacts), *node.after}
            if number not in self.absent and needs <= set(there):
                there.append(number)
        return there

    def _action(self, number: int) -> Action:
        node = self.nodes[number]
        inputs = [
            Input(role=f"in{at}", origin=Artifact(self._name(other), role))
            for at, (other, role) in enumerate(node.artifacts)
        ]
        inputs += [
            Input(role=f"source{at}", origin=Source(SOURCES[source]), by_computation=node.kind == "refer")
            for at, source in enumerate(node.sources)
        ]
        if number in self.extra:
            inputs.append(Input(role="extra", origin=Source(SOURCES[number % len(SOURCES)])))
        params = {
            f"p{at}": self.settings.get((number, at), 0) for at in range(node.params) if (number, at) not in self.unset
        }
        return Action(
            kind=node.kind,
            subject=f"n{number}",
            worker="openvino",
            tools=node.tools,
            params=params,
            inputs=tuple(inputs),
            environment={"measure": ("machine",), "calibrate": ("isa",)}.get(node.kind, ()),  # type: ignore[arg-type]
            outputs=tuple(
                Output(
                    role=role,
                    place=f"build/n{number}/{role}" if node.placed else None,
                    copy_of=COPY if role == "copy" else None,
                )
                for role in ROLES[node.kind]
            ),
            after=tuple(self._name(other) for other in node.after),
            exclusive=node.kind == "measure",
        )

    def _name(self, number: int) -> str:
        return f"{self.nodes[number].kind} n{number}"

    # what happens to the repo

    def edit(self, edit: Edit) -> None:
        """Do what `edit` says; one that finds nothing to work on does nothing."""
        if edit.tick:
            self.repo.disk.tick()
        getattr(self, f"_edit_{edit.what.replace('-', '_')}")(edit.a, edit.b)

    def _edit_source(self, a: int, b: int) -> None:
        path = (*FILES, f"{FOLDER}/saved_model.pb")[a % 3]
        self.repo.disk.put(path, CONTENTS[b % len(CONTENTS)])

    def _edit_touch(self, a: int, _: int) -> None:
        self.repo.disk.touch((*FILES, f"{FOLDER}/saved_model.pb")[a % 3])

    def _edit_rename_over(self, a: int, b: int) -> None:
        self.repo.disk.rename_over((*FILES, f"{FOLDER}/saved_model.pb")[a % 3], CONTENTS[b % len(CONTENTS)])

    def _edit_clock(self, a: int, _: int) -> None:
        self.repo.disk.jump(HOUR if a % 2 else -HOUR)

    def _edit_action(self, a: int, _: int) -> None:
        self.absent ^= {a % len(self.nodes)}

    def _edit_folder_file(self, a: int, b: int) -> None:
        path = f"{FOLDER}/assets/{a % 2}.txt"
        if path in self.repo.disk.files:
            self.repo.disk.take_away(path)
        else:
            self.repo.disk.put(path, CONTENTS[b % len(CONTENTS)])

    def _edit_param(self, a: int, b: int) -> None:
        at = (a % len(self.nodes), b % 2)
        self.unset.discard(at)
        if b == len(VALUES) - 1:
            self.unset.add(at)
        else:
            self.settings[at] = VALUES[(a + b) % len(VALUES)]

    def _edit_tool(self, a: int, b: int) -> None:
        self.repo.versions[TOOLS[a % len(TOOLS)]] = str(1 + b % 2)

    def _edit_code(self, a: int, b: int) -> None:
        self.repo.versions[f"rooms of {self.nodes[a % len(self.nodes)].kind}"] = str(1 + b % 2)

    def _edit_environment(self, a: int, b: int) -> None:
        self.repo.environments[("isa", "machine")[a % 2]] = str(1 + b % 2)

    def _edit_extra_input(self, a: int, _: int) -> None:
        self.extra ^= {a % len(self.nodes)}

    def _edit_delete_output(self, a: int, b: int) -> None:
        if (path := _pick(sorted(self.repo.disk.under("build")), a + b)) is not None:
            self.repo.disk.take_away(f"build/{path}")

    def _edit_edit_output(self, a: int, b: int) -> None:
        if (path := _pick(sorted(self.repo.disk.under("build")), a + b)) is not None:
            data = self.repo.disk.files[f"build/{path}"].data
            self.repo.disk.put(f"build/{path}", data[:-1] + b"!")

    def _edit_delete_stored(self, a: int, b: int) -> None:
        if (path := _pick(sorted(self.repo.disk.under(CAS)), a + b)) is not None:
            self.repo.disk.take_away(f"{CAS}/{path}")

    def _edit_truncate_stored(self, a: int, b: int) -> None:
        if (path := _pick(sorted(self.repo.disk.under(CAS)), a + b)) is not None:
            data = self.repo.disk.files[f"{CAS}/{path}"].data
            self.repo.disk.put(f"{CAS}/{path}", data[:-1])

    def _edit_corrupt_stored(self, a: int, b: int) -> None:
        if (path := _pick(sorted(self.repo.disk.under(CAS)), a + b)) is not None:
            file = self.repo.disk.files[f"{CAS}/{path}"]
            self.repo.disk.files[f"{CAS}/{path}"] = replace(file, data=bytes([file.data[0] ^ 1]) + file.data[1:])

    def _edit_lose_database(self, a: int, _: int) -> None:
        if a == 0:
            self.repo.lose_database()
            self.remembered.clear()

    def build(
        self,
        build: Build,
        *,
        shuffle: int = 0,
        choose: Callable[[int], int] = lambda _: 0,
        dry_run: bool = False,
        remote: RemoteCache | None = None,
    ) -> Built:
        """Run ovmake.

        Raises:
            Killed: at step `build.kill`.
        """
        if build.tick:
            self.repo.disk.tick()
        self._moved, self._late = "", set()
        graph = self.graph(shuffle)
        targets = [name for name in graph.targets if int(name[1:]) in build.targets]
        return self.repo.build(
            graph,
            *targets,
            options=Options(jobs=build.jobs, keep_going=build.seed % 2 == 0, dry_run=dry_run),
            rebuilder=self.engine.rebuilder,
            tool=self.engine.tool,
            choose=choose,
            failing=self.failing(build),
            during=lambda job: self._meddle(build.meddled, job),
            before_reading=build.meddled is not None and build.meddled.before,
            burns_at=build.kill,
            remote=remote,
        )

    def failing(self, build: Build) -> list[str]:
        """Return the names of the actions that fail in a build."""
        return [self._name(number) for number in build.failing if number < len(self.nodes)]

    def _meddle(self, meddled: Meddled | None, job: Job) -> None:
        """An action runs: write its source if it is the one for that. The bytes are always others than before."""
        if meddled is not None and job.action.subject == f"n{meddled.node}" and self.nodes[meddled.node].sources:
            if meddled.tick:
                self.repo.disk.tick()
            self._moved = SOURCES[self.nodes[meddled.node].sources[0]]
            path = f"{FOLDER}/saved_model.pb" if self._moved == FOLDER else self._moved
            others = [data for data in CONTENTS if data != self.repo.disk.files[path].data]
            self.repo.disk.put(path, others[meddled.content])
        if self._moved:
            self._late.add(job.action.name)

    def loses(self, build: Build, action: Action) -> bool:
        """Whether an action that failed in the last build measured nothing, or what was written while it did."""
        moved = action.name in self._late and Source(self._moved) in {given.origin for given in action.inputs}
        return moved or action.name in self.failing(build)

    # the account

    def expected(self, graph: Graph) -> dict[tuple[str, str], bytes]:
        """Return what a clean build makes, by action and role."""
        made: dict[tuple[str, str], bytes] = {}
        for action in graph.actions.values():
            inputs = self._inputs(action, made)
            for output in action.outputs:
                made[action.name, output.role] = (
                    inputs[output.copy_of]
                    if output.copy_of
                    else artifact(
                        action,
                        output.role,
                        tools=self._tools(action) | self._code(action),
                        environment=self._environment(action),
                        inputs=inputs,
                    )
                )
        return made

    def figures(self, graph: Graph, made: Mapping[tuple[str, str], bytes]) -> dict[str, Mapping[str, JsonValue]]:
        """Return what a clean measurement of the present inputs finds, by gate."""
        gates = [action for action in graph.actions.values() if action.kind == GATE]
        return {action.name: self._measured(action, made).facts for action in gates}

    def _measured(self, action: Action, made: Mapping[tuple[str, str], bytes]) -> Success | Failure:
        tools, environment = self._tools(action) | self._code(action), self._environment(action)
        return measured(action, tools=tools, environment=environment, inputs=self._inputs(action, made))

    def facts(self, action: Action, made: Mapping[tuple[str, str], bytes]) -> dict[Difference, object]:
        """Return everything the action depends on, under the kind and the name that a reason would give it."""
        inputs = self._inputs(action, made)
        named = {
            given.role: f"the computation of {path}" if given.by_computation else path
            for given in action.inputs
            for path in [str(getattr(given.origin, "path", given.origin))]
        }
        facts: dict[Difference, object] = {("param", name): repr(value) for name, value in action.settings.items()}
        facts |= {("tool", name): version for name, version in self._tools(action).items()}
        facts |= {("code", room): digest for room, digest in self._code(action).items()}
        facts |= {("environment", name): value for name, value in self._environment(action).items()}
        # Two inputs may come from one source: the role tells them apart here, though not in a reason.
        facts |= {("input", f"{role}\0{named[role]}"): data for role, data in inputs.items()}
        return facts

    def differences(self, action: Action, made: Mapping[tuple[str, str], bytes]) -> set[Difference]:
        """Return what is not as the action's last success saw and left it: the reasons there should be."""
        last = self.remembered.get(action.name)
        if last is None:
            return {("never-built", "")}
        facts = self.facts(action, made)
        names = {*facts, *last.facts}
        missing = object()
        changed = {name for name in names if facts.get(name, missing) != last.facts.get(name, missing)}
        found = {(kind, name.rpartition("\0")[2]) for kind, name in changed}
        return found | {what for output in action.outputs if (what := self._damage(action, output, last))}

    def _damage(self, action: Action, output: Output, last: Remembered) -> Difference | None:
        data = last.outputs[output.role]
        there = None if output.place is None else self.repo.disk.files.get(output.place)
        if output.place is not None and there is None:
            return ("output-missing", output.place)
        if output.place is not None and there is not None and there.data != data:
            return ("output-edited", output.place)
        return None if self.stored(data) else ("output-missing", f"`{output.role}` of {action.name}")

    def stored(self, data: bytes) -> bool:
        """Whether the CAS has these bytes."""
        there = self.repo.disk.files.get(Cas(self.repo.disk).path(of_bytes(data)))
        return there is not None and there.data == data

    def successes(self, graph: Graph) -> dict[str, Remembered]:
        """Return what there will be to remember of each action that succeeds with the inputs as they are now."""
        made = self.expected(graph)
        return {
            name: Remembered(
                facts=self.facts(action, made),
                outputs={output.role: made[name, output.role] for output in action.outputs},
            )
            for name, action in graph.actions.items()
        }

    def note(self, built: Built, successes: Mapping[str, Remembered]) -> None:
        """Remember what succeeded; `successes` were taken before the build, in which a source may have changed."""
        for name, done in built.actions.items():
            if done.status in {"ran", "restored"}:
                self.remembered[name] = successes[name]

    def published(self, action: Action) -> dict[str, bytes]:
        """Return what stands where the action publishes, by place."""
        places = [output.place for output in action.outputs if output.place is not None]
        return {place: self.repo.disk.files[place].data for place in places if place in self.repo.disk.files}

    def due(self, action: Action, made: Mapping[tuple[str, str], bytes]) -> dict[str, bytes]:
        """Return what should stand there."""
        return {output.place: made[action.name, output.role] for output in action.outputs if output.place is not None}

    def needed(self, graph: Graph, built: Built) -> list[Action]:
        """Return the actions of the targets that are well."""
        well = [name for name, status in built.outcome.targets.items() if status in {"fresh", "built"}]
        return closure(graph, [graph.targets[name] for name in well])

    def _inputs(self, action: Action, made: Mapping[tuple[str, str], bytes]) -> dict[str, bytes]:
        return {
            given.role: made[given.origin.action, given.origin.role]
            if isinstance(given.origin, Artifact)
            else counted(self.repo.disk, given.origin.path, by_computation=given.by_computation)
            for given in action.inputs
        }

    def _tools(self, action: Action) -> dict[str, str]:
        return {tool: self.repo.version(tool) for tool in action.tools}

    def _code(self, action: Action) -> dict[str, str]:
        return self.repo.code(action.worker, action.kind)

    def _environment(self, action: Action) -> dict[str, str]:
        return {name: self.repo.environment(name) for name in action.environment}


def _pick(paths: list[str], number: int) -> str | None:
    return paths[number % len(paths)] if paths else None


def all_of(build: Build) -> Build:
    """Return the same build of every target, undisturbed."""
    return replace(build, targets=(), failing=(), kill=None, meddled=None)


@dataclass(slots=True)
class Inputs:
    """A copy of everything that goes into a project's builds, to return to."""

    files: dict[str, bytes]
    settings: dict[tuple[int, int], JsonValue] = field(default_factory=dict)
    unset: set[tuple[int, int]] = field(default_factory=set)
    extra: set[int] = field(default_factory=set)
    absent: set[int] = field(default_factory=set)
    versions: dict[str, str] = field(default_factory=dict)
    environments: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, project: Project) -> Inputs:
        """Take the copy."""
        files = {
            path: file.data for path, file in project.repo.disk.files.items() if path.startswith(("models/", "data/"))
        }
        return cls(
            files,
            dict(project.settings),
            set(project.unset),
            set(project.extra),
            set(project.absent),
            dict(project.repo.versions),
            dict(project.repo.environments),
        )

    def put_back(self, project: Project) -> None:
        """Make the project's inputs what they were."""
        for folder in ("models", "data"):
            project.repo.disk.take_away(folder)
        for path, data in self.files.items():
            project.repo.disk.put(path, data)
        project.settings, project.unset = dict(self.settings), set(self.unset)
        project.extra, project.absent = set(self.extra), set(self.absent)
        project.repo.versions, project.repo.environments = dict(self.versions), dict(self.environments)
