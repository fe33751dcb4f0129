"""A repo with its Ovfile and state while a command has it open; opening.py opens it.

graph = session.graph(measure=False)
outcome = session.execute(graph, targets, options, emit)
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ovmake import ledger
from ovmake.diagnostics import OvmakeError, Span
from ovmake.engine.events import Event
from ovmake.engine.executor import Executor, Outcome
from ovmake.engine.job import Completion, Job
from ovmake.engine.remote import Answer, RemoteCache
from ovmake.engine.results import LOGS
from ovmake.engine.world import Options, Runner, World
from ovmake.graph.action import Graph
from ovmake.graph.query import matching, select
from ovmake.names import DATABASE, STAMP
from ovmake.ovfile.parse import span_of
from ovmake.ovfile.schema.measuring import Limits
from ovmake.ovfile.spec import Ovfile
from ovmake.ovfile.words import KeyPath
from ovmake.project import stamp
from ovmake.project.repo import (
    LoadedOvfile,
    Where,
    build_graph,
    really_inside,
)
from ovmake.rules import build_target, debug_target, measure_target
from ovmake.store.cas import Cas
from ovmake.store.database import Database
from ovmake.store.files.disk import RealDisk
from ovmake.store.processes import available_bytes, installed_bytes
from ovmake.store.toolchain import Toolchain

if TYPE_CHECKING:
    from ovmake.store.trusting import Trusted

NO_LIMITS = Limits()


class TornStateError(OvmakeError):
    """The state database turned out to be corrupt, and was set aside. The command can start again."""


@dataclass(slots=True, kw_only=True)
class Session:
    """An open repo. With `known`, the stamp of an earlier build, `ovfile` lacks the models that are fresh by it.

    `remote` is the cache that a team shares, None without one.
    """

    where: Where
    text: str
    ovfile: Ovfile
    ovfile_state: ledger.State
    disk: RealDisk
    database: Database
    runner: Runner
    toolchain: Toolchain
    inside: Callable[[str], bool]
    known: stamp.Stamp | None = None
    remote: RemoteCache | None = None
    _spans: dict[KeyPath, Span | None] = field(default_factory=dict)

    def graph(self, *, measure: bool) -> Graph:
        """Return the action graph of all targets, with or without measurements."""
        return build_graph(self.ovfile, self.where.root, measure_target if measure else build_target)

    def graph_to_run(self, *, measure: bool) -> Graph:
        """Return the same graph for a build: searches begin with the layers that the lock names."""
        graph = self.graph(measure=measure)
        if not any(action.kind == "control" for action in graph.actions.values()):
            return graph
        from ovmake.lockfile.file import read_lock  # noqa: PLC0415 - only a search needs it
        from ovmake.rules.replaying import with_replay  # noqa: PLC0415

        try:
            lock = read_lock(self.where.root, f"{self.where.ovfile.name}.lock")
        except OvmakeError:  # `ovmake lock` and --locked tell what is wrong with it
            return graph
        return graph if lock is None else with_replay(graph, {name: one.reverted for name, one in lock.targets.items()})

    def debug_graph(self) -> Graph:
        """Return the action graph of `ovmake debug`: it compares all targets' layers with TensorFlow's."""
        return build_graph(self.ovfile, self.where.root, debug_target)

    def execute(self, graph: Graph, targets: Sequence[str], options: Options, emit: Callable[[Event], None]) -> Outcome:
        """Build targets of `graph`."""
        return self.executor(graph, options, emit).build(targets)

    def executor(self, graph: Graph, options: Options, emit: Callable[[Event], None]) -> Executor:
        """Return the executor of `graph`."""
        return Executor(graph, self.world(emit), options)

    def world(self, emit: Callable[[Event], None]) -> World:
        """Return the engine's world for this repo."""
        return World(
            disk=self.disk,
            database=self.database,
            runner=self.runner,
            version=self.toolchain.version,
            environment=self.toolchain.environment,
            code=self.toolchain.code,
            emit=emit,
            absolute=self.disk.absolute,
            fingerprint=_fingerprint,
            inside=self.inside,
            nearby=self._nearby,
            memory_bytes=available_bytes,
            locate=self.locate,
            span=self.span,
            remote=self.remote,
        )

    def _nearby(self, path: str) -> str:
        from ovmake.store.files.nearby import nearby  # noqa: PLC0415 - only a path that leads nowhere needs it

        return nearby(str(self.where.root), path, self.inside)

    def elsewhere(self, asked: Sequence[str]) -> int:
        """Return how many targets that match the words (none: all) are known to be fresh, and missing from `ovfile`."""
        named = None if self.known is None else self.known.named(asked)
        here = {target.model for target in self.ovfile.targets}
        return sum(len(targets) for model, targets in (named or {}).items() if model in set(self.ovfile.models) - here)

    def select(self, graph: Graph, asked: Sequence[str]) -> list[str]:
        """Return the targets of `graph` that match the words; no words mean all.

        Raises:
            OvmakeError: for every word that matches no target.
        """
        if self.known is None or not asked:
            return select(graph, asked)
        return matching(graph, asked)

    def span(self, at: KeyPath) -> Span | None:
        """Return the span of a key path in the Ovfile."""
        if at not in self._spans:
            self._spans[at] = span_of(at, self.text, self.where.file)
        return self._spans[at]

    def locate(self, at: KeyPath) -> str:
        """Return "Ovfile:14"."""
        span = self.span(at)
        return f"{span.file}:{span.line}" if span else ""


def _fingerprint(path: str) -> str:
    """Return the fingerprint of the SavedModel or frozen graph at `path`: a digest of what it computes."""
    from ovmake.sources.fingerprint import fingerprint  # noqa: PLC0415 - only where a source has changed

    return fingerprint(Path(path)).sha256


def trust_state(session: Session) -> Trusted | None:
    """Import the state that was set aside as a different user's; None if there is none."""
    from ovmake.store.trusting import trust  # noqa: PLC0415 - no other command does

    session.disk.remove(STAMP)
    return trust(session.database, session.where.root / DATABASE, Cas(session.disk).holds)


def has_foreign_state(session: Session) -> bool:
    """Whether a state was set aside here as a different user's."""
    from ovmake.store.trusting import is_aside  # noqa: PLC0415 - no other command does

    return is_aside(session.where.root / DATABASE)


class RunnerWhenNeeded:
    """A `WorkerRunner` that is imported with the first job: a no-op build saves 30 ms."""

    def __init__(self, *, logs: Path, written: Limits, asked: Limits) -> None:
        self._logs = logs
        self._written = written
        self._asked = asked
        self._runner: Runner | None = None
        self._opening = threading.Lock()

    def _opened(self) -> Runner:
        with self._opening:  # a thread of the remote cache may be the first that needs it
            if self._runner is None:
                from ovmake.engine.resource_limits import allowed  # noqa: PLC0415
                from ovmake.engine.runner import WorkerRunner  # noqa: PLC0415

                allowance = allowed(self._written, self._asked, installed_bytes())
                self._runner = WorkerRunner(logs=self._logs, allowance=allowance)
            return self._runner

    def start(self, job: Job) -> None:
        """See `ovmake.engine.world.Runner`."""
        self._opened().start(job)

    def post(self, answer: Answer) -> None:
        """See `ovmake.engine.world.Runner`."""
        self._opened().post(answer)

    def wait(self) -> Completion | Answer:
        """See `ovmake.engine.world.Runner`."""
        return self._opened().wait()

    def close(self) -> None:
        """See `ovmake.engine.world.Runner`. The next job gets new workers."""
        if self._runner is not None:
            self._runner.close()
            self._runner = None


def session_of(
    where: Where, read: LoadedOvfile, disk: RealDisk, database: Database, asked: Limits = NO_LIMITS
) -> Session:
    """Return a session with the parts that were read and opened."""
    return Session(
        where=where,
        text=read.text,
        ovfile=read.ovfile,
        ovfile_state=read.state,
        known=read.known,
        disk=disk,
        database=database,
        runner=RunnerWhenNeeded(logs=where.root / LOGS, written=read.ovfile.limits, asked=asked),
        toolchain=Toolchain(),
        inside=really_inside(where),
    )
