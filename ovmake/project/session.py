"""A repo with its Ovfile, opened for one command.

    with open_session(where, wait=...) as session:          for what changes something
        graph = session.graph(measure=False)
        outcome = session.execute(graph, targets, options, emit)
    with look_session(where) as session:                    for what only looks

Reads the Ovfile once, at the start. `open_session` takes the lock, opens the database, and ends all workers on the way
out, whatever happened. `look_session` takes no lock and makes nothing, not even `.ovmake`: it works beside a build, and
where nothing can be written.
"""

from __future__ import annotations

import contextlib
import errno
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ovmake.diagnostics import Diagnostic, OvmakeError, Span, render
from ovmake.engine.events import Event
from ovmake.engine.executor import Executor, Outcome
from ovmake.engine.job import Completion, Job, Runner
from ovmake.engine.results import LOGS
from ovmake.engine.world import STATE, Options, World
from ovmake.graph.action import Graph
from ovmake.graph.query import matching, select
from ovmake.ovfile.parse import span_of
from ovmake.ovfile.schema.measuring import Limits
from ovmake.ovfile.spec import Ovfile
from ovmake.ovfile.words import KeyPath
from ovmake.project import stamp
from ovmake.project.repo import (
    Read,
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
from ovmake.store.files.beneath import Beneath
from ovmake.store.files.build_folder import check_build_folder
from ovmake.store.files.disk import RealDisk
from ovmake.store.files.tracked import tracked
from ovmake.store.formats import set_aside, torn
from ovmake.store.lock import hold, holder
from ovmake.store.processes import available_bytes, installed_bytes
from ovmake.store.toolchain import Toolchain

if TYPE_CHECKING:
    from ovmake.store.trusting import Trusted

NO_LIMITS = Limits()
DATABASE = "state.db"
IGNORED = f"{STATE}/.gitignore"


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
            nearby=self._nearby,
            memory_bytes=available_bytes,
            locate=self.locate,
            span=self.span,
        )

    def _nearby(self, path: str) -> str:
        from ovmake.store.files.nearby import nearby  # noqa: PLC0415 - only a path that leads nowhere needs it

        return nearby(str(self.where.root), path, self.inside)

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
    from ovmake.sources.fingerprint import fingerprint  # noqa: PLC0415 - only where a source has changed

    return fingerprint(Path(path)).sha256


def trust_state(session: Session) -> Trusted | None:
    """Take over the state that was set aside as another user's; None if there is none."""
    from ovmake.store.trusting import trust  # noqa: PLC0415 - no other command does

    session.disk.remove(stamp.PLACE)
    return trust(session.database, session.where.root / STATE / DATABASE, Cas(session.disk).holds)


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
            from ovmake.engine.resource_limits import allowed  # noqa: PLC0415
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
    allow_ops: bool = True,
    known: stamp.Stamp | None = None,
    asked: Sequence[str] = (),
    limits: Limits = NO_LIMITS,
) -> Iterator[Session]:
    """Open the repo for one command. `tell` gets warnings and the wait for another ovmake.

    With `known`, the session is about the targets that the words `asked` mean and that the stamp does not vouch for.
    `limits` are those of the command line, which win over the Ovfile's.

    Raises:
        OvmakeError: the Ovfile is wrong; or names functions of the user's and `user_code` is False, or operations and
            `allow_ops` is; or the repo is locked and `wait` is False.
        TornStateError: while the session was open, the database turned out to be torn.
    """
    read = read_ovfile(where, known, asked)
    _allow(where, read, user_code=user_code, allow_ops=allow_ops, tell=tell)
    refuse_tracked(where)
    state = where.root / STATE
    disk = _disk(where, read.ovfile.build_dir)
    _refuse_build_folder(where, disk, read)
    with hold_state(disk.ours, wait=wait, tell=tell):
        key, why = keep_key()
        database, warning = Database.open(state / DATABASE, key)
        if why:
            tell(f"what this run finds out is of no use to the next: {why}")
        if warning:
            tell(warning)
            disk.remove(stamp.PLACE)
            read = read_ovfile(where)  # all of it: without its traces, no model is known
        session = session_of(where, read, disk, database, limits)
        try:
            yield session
        except sqlite3.DatabaseError as error:
            if not torn(error):
                raise
            session.runner.close()
            database.close()
            disk.remove(stamp.PLACE)
            raise _lost(state / DATABASE, error) from error
        finally:
            session.runner.close()
            database.close()


@contextlib.contextmanager
def look_session(
    where: Where, *, tell: Callable[[str], None], user_code: bool = True, allow_ops: bool = True, blank: bool = False
) -> Iterator[Session]:
    """Open the repo for a command that only looks; nothing is written, and no lock is taken.

    With `blank`, whatever earlier runs found out counts as not there.

    Raises:
        OvmakeError: as `open_session`, but for the lock.
        TornStateError: the database turned out to be torn. With `blank` the same command works.
    """
    read = read_ovfile(where)
    _allow(where, read, user_code=user_code, allow_ops=allow_ops, tell=tell)
    refuse_tracked(where)
    disk = _disk(where, read.ovfile.build_dir)
    _refuse_build_folder(where, disk, read)
    path = where.root / STATE / DATABASE
    database, why = (Database.in_memory(), "") if blank else _seen(disk.ours, path)
    if why:
        tell(why)
    if number := holder(disk.ours, STATE):
        tell(f"another ovmake (process {number}) is at work in {where.root}; what it has not finished counts as stale")
    try:
        yield session_of(where, read, disk, database)
    except sqlite3.DatabaseError as error:
        if not torn(error):
            raise
        message = f"{path} counts as not there, and the next build sets it aside: {error}"
        warning = Diagnostic(code="state-torn", message=message, severity="warning")
        raise TornStateError(warning, exit_status=1) from error
    finally:
        database.close()


def _seen(ours: Beneath, path: Path) -> tuple[Database, str]:
    """Return what earlier runs found out, and why it counts as nothing."""
    from ovmake.store.observing import look  # noqa: PLC0415 - no build does, and it takes 5 ms

    try:
        ours.check(STATE)
    except PermissionError as error:
        return Database.in_memory(), f"{ours.root}/{STATE} counts as not there: {error.strerror}"
    return look(path, read_key())


def _allow(where: Where, read: Read, *, user_code: bool, allow_ops: bool, tell: Callable[[str], None]) -> None:
    """Refuse what the command line does not allow the Ovfile; tell its warnings."""
    if not user_code:
        refuse_user_code(read.ovfile, read.text, where.file)
    if not allow_ops:
        refuse_allowed_ops(read.ovfile, read.text, where.file)
    for found in read.ovfile.warnings:
        tell(render(found))


def _refuse_build_folder(where: Where, disk: RealDisk, read: Read) -> None:
    """Refuse a build folder that is none, or is a link.

    Raises:
        OvmakeError: it is.
    """
    folder, follow = read.ovfile.build_dir, where.allow_outside
    wrong = check_build_folder(disk.ours, folder, really_inside(where), follow=follow)
    if wrong is not None:
        span = span_of(("build-dir",), read.text, where.file)
        raise OvmakeError(replace(wrong, span=span), exit_status=1)


def session_of(where: Where, read: Read, disk: RealDisk, database: Database, asked: Limits = NO_LIMITS) -> Session:
    """Return a session of what was read and opened."""
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
    """Set a torn database aside."""
    message = f"{path} was set aside as {set_aside(path)}, everything is looked at anew: {error}"
    return TornStateError(Diagnostic(code="state-torn", message=message, severity="warning"), exit_status=1)


@contextlib.contextmanager
def hold_outputs(where: Where, *, wait: bool, tell: Callable[[str], None]) -> Iterator[tuple[RealDisk, str, list[str]]]:
    """Hold the repo without the database, which a full disk does not let open: for `ovmake clean`, which frees space.

    Yields the disk, the build folder, and where outputs are published.

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
    """Refuse a repo whose `.ovmake` git tracks: it came with the repo, and would go out with the next push.

    Raises:
        OvmakeError: git tracks a file of it.
    """
    below = where.root.relative_to(where.repo) / STATE
    if found := tracked(where.repo, f"{below}/"):
        message = f"git tracks `{found}`: what is in `{STATE}` is of one user's machine, and nobody else can believe it"
        hint = f"take it out of the repo: `git rm -r --cached {below}`, and commit"
        raise OvmakeError(Diagnostic(code="tracked-state", message=message, help=hint), exit_status=1)


def _disk(where: Where, build_dir: str) -> RealDisk:
    return RealDisk(where.root, (STATE, build_dir), inside=really_inside(where), follow_folders=where.allow_outside)


@contextlib.contextmanager
def hold_state(ours: Beneath, *, wait: bool, tell: Callable[[str], None]) -> Iterator[None]:
    """Hold the repo, with its state folder made: again, if `clean --all` was what was waited for."""
    _make_state_folder(ours)
    with hold(ours, STATE, wait=wait, waiting=tell):
        _make_state_folder(ours)
        yield


def _make_state_folder(ours: Beneath) -> None:
    """Make `.ovmake/`, invisible to git, for it is a cache; also where a killed run only began to.

    What is there already may have come with a cloned repo: it is looked at before anything is opened.
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
