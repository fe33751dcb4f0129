"""A repo with its Ovfile, opened for one command.

    with open_session(where, wait=...) as session:
        graph = session.graph(measure=False)
        outcome = session.execute(graph, targets, options, emit)

Reads the Ovfile once, at the start; takes the lock; opens the database; ends all workers on the way out, whatever
happened.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ovmake import stamp
from ovmake.diagnostics import Diagnostic, OvmakeError, Span, render
from ovmake.engine.events import Event
from ovmake.engine.executor import Executor, Outcome
from ovmake.engine.job import Completion, Job, Runner
from ovmake.engine.keep import LOGS
from ovmake.engine.world import STATE, Options, World
from ovmake.graph.action import Graph
from ovmake.graph.query import matching, select
from ovmake.ovfile.parse import span_of
from ovmake.ovfile.spec import KeyPath, Limits, Ovfile
from ovmake.repo import Where, build_graph, read_ovfile, really_inside, refuse_user_code
from ovmake.rules import build_target, debug_target, measure_target
from ovmake.store.database import Database, set_aside, torn
from ovmake.store.disk import RealDisk
from ovmake.store.lock import hold
from ovmake.store.processes import available_bytes, installed_bytes
from ovmake.store.toolchain import Toolchain

NO_LIMITS = Limits()


class TornStateError(OvmakeError):
    """The state database could not be read any further. It was set aside: the same command begins anew."""


@dataclass(slots=True, kw_only=True)
class Session:
    """An open repo. With `known`, the stamp of an earlier build, only what that says nothing of is in `ovfile`."""

    where: Where
    text: str
    ovfile: Ovfile
    ovfile_state: stamp.State
    disk: RealDisk
    database: Database
    runner: Runner
    toolchain: Toolchain
    inside: Callable[[str], bool]
    known: stamp.Stamp | None = None
    _spans: dict[KeyPath, Span | None] = field(default_factory=dict)

    def graph(self, *, measure: bool) -> Graph:
        """Return the action graph of all targets, with the measurements or without."""
        return build_graph(self.ovfile, self.where.root, measure_target if measure else build_target)

    def debug_graph(self) -> Graph:
        """Return the action graph that compares all targets' layers with TensorFlow's."""
        return build_graph(self.ovfile, self.where.root, debug_target)

    def execute(self, graph: Graph, targets: Sequence[str], options: Options, emit: Callable[[Event], None]) -> Outcome:
        """Build targets of `graph`."""
        return self.executor(graph, options, emit).build(targets)

    def executor(self, graph: Graph, options: Options, emit: Callable[[Event], None]) -> Executor:
        """Return what builds `graph`."""
        return Executor(graph, self.world(emit), options)

    def world(self, emit: Callable[[Event], None]) -> World:
        """Return what the engine works with in this repo."""
        return World(
            disk=self.disk,
            database=self.database,
            runner=self.runner,
            version=self.toolchain.version,
            environment=self.toolchain.environment,
            emit=emit,
            absolute=self.disk.absolute,
            fingerprint=_fingerprint,
            inside=self.inside,
            memory_bytes=available_bytes,
            locate=self.locate,
            span=self.span,
        )

    def elsewhere(self, asked: Sequence[str]) -> int:
        """Return how many of the targets that the words mean (none: all) are known to be fresh, and not in `ovfile`."""
        named = None if self.known is None else self.known.named(asked)
        here = {target.model for target in self.ovfile.targets}
        return sum(len(targets) for model, targets in (named or {}).items() if model in set(self.ovfile.models) - here)

    def select(self, graph: Graph, asked: Sequence[str]) -> list[str]:
        """Return the targets of `graph` that the words mean; none means all.

        Raises:
            OvmakeError: for every word that names nothing.
        """
        if self.known is None or not asked:
            return select(graph, asked)
        return matching(graph, asked)

    def span(self, at: KeyPath) -> Span | None:
        """Return where a key path stands in the Ovfile."""
        if at not in self._spans:
            self._spans[at] = span_of(at, self.text, self.where.file)
        return self._spans[at]

    def locate(self, at: KeyPath) -> str:
        """Return "Ovfile:14"."""
        span = self.span(at)
        return f"{span.file}:{span.line}" if span else ""


def _fingerprint(path: str) -> str:
    """Return what the SavedModel or frozen graph at `path` computes, as a digest."""
    from ovmake.workers.fingerprint import fingerprint  # noqa: PLC0415 - only where a source has changed

    return fingerprint(Path(path)).sha256


class RunnerWhenNeeded:
    """A `WorkerRunner` that is not even imported until the first job: a no-op build has no use for its 30 ms."""

    def __init__(self, *, logs: Path, written: Limits, asked: Limits) -> None:
        self._logs = logs
        self._written = written
        self._asked = asked
        self._runner: Runner | None = None

    def start(self, job: Job) -> None:
        """See `ovmake.engine.job.Runner`."""
        if self._runner is None:
            from ovmake.engine.allowance import allowed  # noqa: PLC0415
            from ovmake.engine.runner import WorkerRunner  # noqa: PLC0415

            allowance = allowed(self._written, self._asked, installed_bytes())
            self._runner = WorkerRunner(logs=self._logs, allowance=allowance)
        self._runner.start(job)

    def wait(self) -> Completion:
        """See `ovmake.engine.job.Runner`."""
        if self._runner is None:
            raise AssertionError("there is nothing to wait for before the first job")
        return self._runner.wait()

    def close(self) -> None:
        """See `ovmake.engine.job.Runner`. The next job finds new workers."""
        if self._runner is not None:
            self._runner.close()
            self._runner = None


@contextlib.contextmanager
def open_session(
    where: Where,
    *,
    wait: bool,
    tell: Callable[[str], None],
    user_code: bool = True,
    known: stamp.Stamp | None = None,
    asked: Sequence[str] = (),
    limits: Limits = NO_LIMITS,
) -> Iterator[Session]:
    """Open the repo for one command. `tell` gets warnings and the wait for another ovmake.

    With `known`, the session is about the targets that the words `asked` mean and that the stamp does not vouch for.
    `limits` are those of the command line, which win over the Ovfile's.

    Raises:
        OvmakeError: the Ovfile is wrong, or names functions of the user's and `user_code` is False; or the repo is
            locked and `wait` is False.
        TornStateError: while the session was open, the database turned out to be torn.
    """
    read = read_ovfile(where, known, asked)
    if not user_code:
        refuse_user_code(read.ovfile, read.text, where.file)
    for found in read.ovfile.warnings:
        tell(render(found))
    state = where.root / STATE
    with _held(state, wait=wait, tell=tell):
        database, warning = Database.open(state / "state.db")
        if warning:
            tell(warning)
            stamp.forget(str(where.root))
            read = read_ovfile(where)  # all of it: without its traces, no model is known
        runner = RunnerWhenNeeded(logs=where.root / LOGS, written=read.ovfile.limits, asked=limits)
        try:
            yield Session(
                where=where,
                text=read.text,
                ovfile=read.ovfile,
                ovfile_state=read.state,
                known=read.known,
                disk=RealDisk(where.root),
                database=database,
                runner=runner,
                toolchain=Toolchain(),
                inside=really_inside(where),
            )
        except sqlite3.DatabaseError as error:
            if not torn(error):
                raise
            runner.close()
            database.close()
            raise _lost(where.root, state / "state.db", error) from error
        finally:
            runner.close()
            database.close()


def _lost(root: Path, path: Path, error: sqlite3.DatabaseError) -> TornStateError:
    """Set a torn database aside."""
    stamp.forget(str(root))
    message = f"{path} was set aside as {set_aside(path)}, everything is looked at anew: {error}"
    return TornStateError(Diagnostic(code="state-torn", message=message, severity="warning"), exit_status=1)


@contextlib.contextmanager
def hold_outputs(where: Where, *, wait: bool, tell: Callable[[str], None]) -> Iterator[tuple[RealDisk, str, list[str]]]:
    """Hold the repo without the database, which a full disk does not let open: for `ovmake clean`, which frees space.

    Yields the disk, the build folder, and where outputs are published.

    Raises:
        OvmakeError: as `open_session`.
    """
    ovfile = read_ovfile(where).ovfile
    for found in ovfile.warnings:
        tell(render(found))
    graph = build_graph(ovfile, where.root, measure_target)
    places = [out.place for action in graph.actions.values() for out in action.outputs if out.place]
    with _held(where.root / STATE, wait=wait, tell=tell):
        yield RealDisk(where.root), ovfile.build_dir, places


@contextlib.contextmanager
def _held(state: Path, *, wait: bool, tell: Callable[[str], None]) -> Iterator[None]:
    """Hold the repo, with its state folder made: again, if `clean --all` was what was waited for."""
    _make_state_folder(state)
    with hold(state, wait=wait, waiting=tell):
        _make_state_folder(state)
        yield


def _make_state_folder(state: Path) -> None:
    """Make `.ovmake/`, invisible to git, for it is a cache; also where a killed run only began to."""
    ignored = state / ".gitignore"
    if not ignored.is_file() or not ignored.stat().st_size:
        try:
            state.mkdir(exist_ok=True)
            ignored.write_text("*\n")
        except OSError as error:
            message = f"cannot make {state}: {error.strerror}"
            raise OvmakeError(Diagnostic(code="cannot-write", message=message), exit_status=1) from None
