"""Open a repo for one command.

    with open_session(where, wait=...) as session:          for commands that change files
    with read_session(where) as session:                    for commands that only read
    with hold_outputs(where, wait=...) as (disk, build_dir, outputs):    for `ovmake clean`, which needs no database

Each reads the Ovfile once, at the start. `open_session` takes the lock, opens the database, and always ends all workers
at the end. `read_session` takes no lock and creates no file, not even `.ovmake`: it works during a build, and in a
read-only checkout.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ovmake.diagnostics import Diagnostic, OvmakeError, render
from ovmake.names import DATABASE, STAMP, STATE
from ovmake.ovfile.parse import span_of
from ovmake.ovfile.schema.measuring import Limits
from ovmake.project import stamp
from ovmake.project.remote import AS_WRITTEN, RemoteRequest, remote_of
from ovmake.project.repo import (
    LoadedOvfile,
    Where,
    build_graph,
    read_ovfile,
    really_inside,
    refuse_allowed_ops,
    refuse_user_code,
)
from ovmake.project.session import NO_LIMITS, Session, TornStateError, session_of
from ovmake.project.state_folder import hold_state, refuse_tracked
from ovmake.rules import measure_target
from ovmake.seal import keep_key, read_key
from ovmake.store.database import Database
from ovmake.store.files.build_folder import check_build_folder
from ovmake.store.files.disk import RealDisk
from ovmake.store.files.own_folders import OwnFolders
from ovmake.store.formats import set_aside, torn
from ovmake.store.lock import holder


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
    remote: RemoteRequest = AS_WRITTEN,
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
        session.remote = remote_of(read.ovfile.cache, where.root, remote, tell)
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
            if session.remote is not None:
                session.remote.close()
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


def _lost(path: Path, error: sqlite3.DatabaseError) -> TornStateError:
    """Set a corrupt database aside; return the error."""
    message = f"{path} was set aside as {set_aside(path)}, everything is checked again: {error}"
    return TornStateError(Diagnostic(code="state-torn", message=message, severity="warning"), exit_status=1)


def _disk(where: Where, build_dir: str) -> RealDisk:
    return RealDisk(where.root, (STATE, build_dir), inside=really_inside(where), follow_folders=where.allow_outside)
