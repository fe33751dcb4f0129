"""A repo on a real disk, with a real database, whose actions are hashes: what files and SQLite do, in milliseconds.

    RealRepo(root)                 `root` is the Ovfile's folder
    repo.put("models/m.pb", b"a")  what a user does
    repo.build(graph) -> Built     one run of ovmake: the database is opened for it and closed again
    build(root)                    the same of an Ovfile, through a session

What actions make is that of `fakes.artifact`. `noise` is added to the outputs of the actions it names, anew each time.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ovmake.engine.events import Event
from ovmake.engine.executor import Executor, Outcome
from ovmake.engine.job import Completion, Failure, Job, Success
from ovmake.engine.remote import Answer
from ovmake.engine.world import Options, World
from ovmake.graph.action import Graph
from ovmake.project.opening import open_session
from ovmake.project.repo import Where
from ovmake.seal import keep_key
from ovmake.store.cas import Cas
from ovmake.store.database import Database
from ovmake.store.files.disk import RealDisk
from tests.fakes import artifact

REPEATED = 1_000  # some 30 kB: more than what btrfs keeps within its own tree

_COUNTER = itertools.count()


@dataclass(slots=True, kw_only=True)
class WritingRunner:
    """Runs a job when it is waited for. `ran` are names in order; `journals` makes each job note that it ran."""

    noise: frozenset[str] = frozenset()
    ran: list[str] = field(default_factory=list)
    _jobs: list[Job] = field(default_factory=list)

    def start(self, job: Job) -> None:
        """See `Runner`."""
        self.ran.append(job.action.name)
        self._jobs.append(job)

    def post(self, answer: Answer) -> None:
        """See `Runner`: these builds have no remote cache."""
        raise AssertionError(answer)

    def wait(self) -> Completion:
        """See `Runner`."""
        job = self._jobs.pop(0)
        return Completion(job=job, result=self._run(job), seconds=1.0)

    def close(self) -> None:
        """See `Runner`."""
        self._jobs.clear()

    def _run(self, job: Job) -> Success | Failure:
        inputs = {role: _content(Path(path)) for role, path in job.inputs.items()}
        environment: dict[str, str] = {str(name): "1" for name in job.action.environment}
        for role, path in job.outputs.items():
            data = artifact(job.action, role, tools=job.tools, environment=environment, inputs=inputs) * REPEATED
            noise = b"\nline 2: %d" % next(_COUNTER) if job.action.name in self.noise else b""
            Path(path).write_bytes(data + noise)
        if job.journal:
            Path(job.journal).write_text("it ran\n")
        Path(job.log).parent.mkdir(exist_ok=True)
        Path(job.log).write_text("it ran\n")
        return Success(facts={})


def _content(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b"".join(one.read_bytes() for one in sorted(path.rglob("*.*")))


def published(root: Path) -> dict[str, bytes]:
    """Return every file under build/."""
    top = root / "build"
    return {str(path.relative_to(top)): path.read_bytes() for path in sorted(top.rglob("*")) if path.is_file()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What a run did; `warning` is what was said about the database."""

    outcome: Outcome
    ran: list[str]
    warning: str

    @property
    def statuses(self) -> dict[str, str]:
        """Each action's status in one word."""
        return {name: done.status for name, done in self.outcome.actions.items()}


def build(root: Path) -> tuple[Outcome, list[str]]:
    """Build all targets of the Ovfile in `root`; return the outcome and what ran."""
    runner = WritingRunner()
    with open_session(Where(folder=root), wait=False, tell=lambda _: None) as session:
        session.runner = runner
        graph = session.graph(measure=False)
        outcome = session.execute(graph, list(graph.targets), Options(), lambda _: None)
    return outcome, runner.ran


def environment() -> dict[str, str]:
    """Return the environment for the command: the checkout first."""
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "COLUMNS": "120"}


def ovmake(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command in `root`; it must not need a worker."""
    return subprocess.run(
        [sys.executable, "-m", "ovmake", *words],
        cwd=root,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@dataclass(frozen=True, slots=True)
class RealRepo:
    """A folder with sources and what was built from them."""

    root: Path
    allow_outside: bool = False

    @property
    def disk(self) -> RealDisk:
        """The disk it is on."""
        return RealDisk(self.root, follow_folders=self.allow_outside)

    @property
    def cas(self) -> Cas:
        """The store."""
        return Cas(self.disk)

    def put(self, path: str, data: bytes) -> None:
        """Write a source in place."""
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_bytes(data)

    @contextlib.contextmanager
    def database(self) -> Iterator[Database]:
        """Open the database, as a command does."""
        database, _ = Database.open(self.root / ".ovmake/state.db", keep_key()[0])
        try:
            yield database
        finally:
            database.close()

    def world(self, database: Database, runner: WritingRunner, events: list[Event]) -> World:
        """Return the world of a command."""
        return World(
            disk=self.disk,
            database=database,
            runner=runner,
            version=lambda _: "1",
            environment=lambda _: "1",
            emit=events.append,
            absolute=self.disk.absolute,
        )

    def build(self, graph: Graph, *, options: Options | None = None, noise: frozenset[str] = frozenset()) -> Built:
        """Run ovmake once, for all targets."""
        runner = WritingRunner(noise=noise)
        database, warning = Database.open(self.root / ".ovmake/state.db", keep_key()[0])
        try:
            executor = Executor(graph, self.world(database, runner, []), options or Options())
            outcome = executor.build(tuple(graph.targets))
        finally:
            database.close()
        return Built(outcome=outcome, ran=runner.ran, warning=warning)

    def published(self) -> dict[str, bytes]:
        """Return every file under build/."""
        return published(self.root)

    def stored(self) -> dict[str, bytes]:
        """Return every file of the store, by its sha-256."""
        top = self.root / ".ovmake/cas"
        return {path.parent.name + path.name: path.read_bytes() for path in sorted(top.glob("*/*"))}
