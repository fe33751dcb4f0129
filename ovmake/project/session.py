"""A repo with its Ovfile and state, opened for one command.

    with open_session(where, wait=...) as session:          for commands that change files
        graph = session.graph(measure=False)
        outcome = session.execute(graph, targets, options, emit)
    with read_session(where) as session:                    for commands that only read

It reads the Ovfile once, at the start. `open_session` takes the lock, opens the database, and always ends all workers
at the end. `read_session` takes no lock and creates no file, not even `.ovmake`: it works during a build, and in a
read-only checkout.
"""

from __future__ import annotations

import contextlib
import errno
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ovmake import ledger
from ovmake.diagnostics import Diagnostic, OvmakeError, Span, render
from ovmake.engine.events import Event
from ovmake.engine.executor import Executor, Outcome
from ovmake.engine.job import Completion, Job, Runner
from ovmake.engine.results import LOGS
from ovmake.engine.world import Options, World
from ovmake.graph.action import Graph
from ovmake.graph.query import matching, select
from ovmake.names import DATABASE, STAMP, STATE
from ovmake.ovfile.parse import span_of
from ovmake.ovfile.schema.measuring import Limits
from ovmake.ovfile.spec import Ovfile
from ovmake.ovfile.words import KeyPath
from ovmake.project import stamp
from ovmake.project.repo import (
    LoadedOvfile,
    Where,
    build_graph,
    read_ovfile,
    really_inside,
    refuse_allowed_ops,
    refuse_user_code,
)
from ovmake.rules import build_target, debug_target, measure_target
from ovmake.seal import keep_key, read_key
from ovmake.store.cas import Cas
from ovmake.store.database import Database
from ovmake.store.files.build_folder import check_build_folder
from ovmake.store.files.disk import RealDisk
from ovmake.store.files.own_folders import OwnFolders
from ovmake.store.files.tracked import tracked
from ovmake.store.formats import set_aside, torn
from ovmake.store.lock import hold, holder
from ovmake.store.processes import available_bytes, installed_bytes
from ovmake.store.toolchain import Toolchain

if TYPE_CHECKING:
    from ovmake.store.trusting import Trusted

NO_LIMITS = Limits()
IGNORED = f"{STATE}/.gitignore"


class TornStateError(OvmakeError):
    """The state database turned out to be corrupt, and was set aside. The command can start again."""


@dataclass(slots=True, kw_only=True)
class Session:
    """An open repo. With `known`, the stamp of an earlier build, `ovfile` lacks the models that are fresh by it."""

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
    _spans: dict[KeyPath, Span | None] = field(default_factory=dict)

    def graph(self, *, measure: bool) -> Graph:
        """Return the action graph of all targets, with or without measurements."""
        return build_graph(self.ovfile, self.where.root, measure_target if measure else build_target)

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


class RunnerWhenNeeded:
    """A `WorkerRunner` that is imported with the first job: a no-op build saves 30 ms."""

    def __init__(self, *, logs: Path, written: Limits, asked: Limits) -> None:
        self._logs = logs
        self._written = written
        self._asked = asked
        self._runner: Runner | None = None

    def start(self, job: Job) -> None:
        """See `ovmake.engine.job.Runner`."""
        if self._runner is None:
            from ovmake.engine.resource_limits import allowed  # noqa: PLC0415
            from ovmake.engine.runner import WorkerRunner  # noqa: PLC0415

            allowance = allowed(self._written, self._asked, installed_bytes())
            self._runner = WorkerRunner(logs=self._logs, allowance=allowance)
        self._runner.start(job)

    def wait(self) -> Completion:
        """See `ovmake.engine.job.Runner`."""
        if self._runner is None:
            raise AssertionError("`wait` before the first job")
        return self._runner.wait()

    def close(self) -> None:
        """See `ovmake.engine.job.Runner`. The next job gets new workers."""
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
    allow_ops: bool = True,
    known: stamp.Stamp | None = None,
    asked: Sequence[str] = (),
    limits: Limits = NO_LIMITS,
) -> Iterator[Session]:
    """Open the repo for one command. `tell` gets warnings and the wait for another ovmake.

    With `known`, the session has only targets that match `asked` and that the stamp does not know to be fresh.
    `limits` are those of the command line; they override the Ovfile's.

    Raises:
        OvmakeError: the Ovfile has errors; or it names user functions and `user_code` is False; or it has `allow-ops`
            and `allow_ops` is False; or the repo is locked and `wait` is False.
        TornStateError: the database turned out to be corrupt while the session was open.
    """
    read = read_ovfile(where, known, asked)
    _allow(where, read, user_code=user_code, allow_ops=allow_ops, tell=tell)
    refuse_tracked(where)
    state = where.root / DATABASE
    disk = _disk(where, read.ovfile.build_dir)
    _refuse_build_folder(where, disk, read)
    with hold_state(disk.ours, wait=wait, tell=tell):
        key, why = keep_key()
        database, warning = Database.open(state, key)
        if why:
            tell(f"the next run cannot use the state of this one, and will start from nothing: {why}")
        if warning:
            tell(warning)
            disk.remove(STAMP)
            read = read_ovfile(where)  # all of it: without traces no model is known to be fresh
        session = session_of(where, read, disk, database, limits)
        try:
            yield session
        except sqlite3.DatabaseError as error:
            if not torn(error):
                raise
            session.runner.close()
            database.close()
            disk.remove(STAMP)
            raise _lost(state, error) from error
        finally:
            session.runner.close()
            database.close()


@contextlib.contextmanager
def read_session(
    where: Where, *, tell: Callable[[str], None], user_code: bool = True, allow_ops: bool = True, blank: bool = False
) -> Iterator[Session]:
    """Open the repo for a command that only reads; it writes no file and takes no lock.

    With `blank`, the state of earlier runs is ignored.

    Raises:
        OvmakeError: as `open_session`, except for the lock.
        TornStateError: the database turned out to be corrupt. With `blank` the same command works.
    """
    read = read_ovfile(where)
    _allow(where, read, user_code=user_code, allow_ops=allow_ops, tell=tell)
    refuse_tracked(where)
    disk = _disk(where, read.ovfile.build_dir)
    _refuse_build_folder(where, disk, read)
    path = where.root / DATABASE
    database, why = (Database.in_memory(), "") if blank else _seen(disk.ours, path)
    if why:
        tell(why)
    if number := holder(disk.ours, STATE):
        tell(f"another ovmake (process {number}) is running in {where.root}; its unfinished actions count as stale")
    try:
        yield session_of(where, read, disk, database)
    except sqlite3.DatabaseError as error:
        if not torn(error):
            raise
        message = f"{path} is ignored, and the next build sets it aside: {error}"
        warning = Diagnostic(code="state-torn", message=message, severity="warning")
        raise TornStateError(warning, exit_status=1) from error
    finally:
        database.close()


def _seen(ours: OwnFolders, path: Path) -> tuple[Database, str]:
    """Return the database of earlier runs, and why it is ignored ("": it is used)."""
    from ovmake.store.observing import open_read_only  # noqa: PLC0415 - no build does, and it takes 5 ms

    try:
        ours.check(STATE)
    except PermissionError as error:
        return Database.in_memory(), f"{ours.root}/{STATE} is ignored: {error.strerror}"
    return open_read_only(path, read_key())


def _allow(where: Where, read: LoadedOvfile, *, user_code: bool, allow_ops: bool, tell: Callable[[str], None]) -> None:
    """Refuse functions and operations that the command line does not allow; print the Ovfile's warnings."""
    if not user_code:
        refuse_user_code(read.ovfile, read.text, where.file)
    if not allow_ops:
        refuse_allowed_ops(read.ovfile, read.text, where.file)
    for found in read.ovfile.warnings:
        tell(render(found))


def _refuse_build_folder(where: Where, disk: RealDisk, read: LoadedOvfile) -> None:
    """Refuse a build folder that is a link, or not a folder.

    Raises:
        OvmakeError: it cannot be used.
    """
    folder, follow = read.ovfile.build_dir, where.allow_outside
    wrong = check_build_folder(disk.ours, folder, really_inside(where), follow=follow)
    if wrong is not None:
        span = span_of(("build-dir",), read.text, where.file)
        raise OvmakeError(replace(wrong, span=span), exit_status=1)


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


def _lost(path: Path, error: sqlite3.DatabaseError) -> TornStateError:
    """Set a corrupt database aside; return the error."""
    message = f"{path} was set aside as {set_aside(path)}, everything is checked again: {error}"
    return TornStateError(Diagnostic(code="state-torn", message=message, severity="warning"), exit_status=1)


@contextlib.contextmanager
def hold_outputs(where: Where, *, wait: bool, tell: Callable[[str], None]) -> Iterator[tuple[RealDisk, str, list[str]]]:
    """Hold the lock without opening the database: `ovmake clean` must work on a full disk, where SQLite cannot.

    Yields the disk, the build folder, and the paths of published outputs.

    Raises:
        OvmakeError: as `open_session`.
    """
    read = read_ovfile(where)
    ovfile = read.ovfile
    for found in ovfile.warnings:
        tell(render(found))
    graph = build_graph(ovfile, where.root, measure_target)
    places = [out.place for action in graph.actions.values() for out in action.outputs if out.place]
    disk = _disk(where, ovfile.build_dir)
    _refuse_build_folder(where, disk, read)
    with hold_state(disk.ours, wait=wait, tell=tell):
        yield disk, ovfile.build_dir, places


def refuse_tracked(where: Where) -> None:
    """Refuse a repo whose `.ovmake` git tracks: it came with the repo, and the next push would publish it.

    Raises:
        OvmakeError: git tracks a file of it.
    """
    below = where.root.relative_to(where.repo) / STATE
    if found := tracked(where.repo, f"{below}/"):
        message = f"git tracks `{found}`: `{STATE}` is the state of one user on one machine, and must not be shared"
        hint = f"remove it from git: `git rm -r --cached {below}`, and commit"
        raise OvmakeError(Diagnostic(code="tracked-state", message=message, help=hint), exit_status=1)


def _disk(where: Where, build_dir: str) -> RealDisk:
    return RealDisk(where.root, (STATE, build_dir), inside=really_inside(where), follow_folders=where.allow_outside)


@contextlib.contextmanager
def hold_state(ours: OwnFolders, *, wait: bool, tell: Callable[[str], None]) -> Iterator[None]:
    """Create the state folder and hold the lock; create it again if `clean --all` removed it while we waited."""
    _make_state_folder(ours)
    with hold(ours, STATE, wait=wait, waiting=tell):
        _make_state_folder(ours)
        yield


def _make_state_folder(ours: OwnFolders) -> None:
    """Create `.ovmake/` with a `.gitignore`, or complete one that a killed run began.

    An existing folder may have come with a cloned repo: it is checked before any file in it is opened.
    """
    ours.check(STATE)
    ignored = ours.stat(IGNORED)
    if ignored is None or not ignored.st_size:
        try:
            ours.replace(IGNORED, b"*\n")
        except OSError as error:
            message = f"cannot make {ours.root}/{STATE}: {error.strerror}"
            hint = "free space on that disk" if error.errno in {errno.ENOSPC, errno.EDQUOT} else ""
            raise OvmakeError(Diagnostic(code="cannot-write", message=message, help=hint), exit_status=1) from None
