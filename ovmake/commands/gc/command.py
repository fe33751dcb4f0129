"""`ovmake gc`: list the state, decide, and remove.

    collect(actions, disk, database, limits, dry_run=...) -> RemovalPlan

Rule: first remove the files that no row refers to; on a full disk this makes room for the rest. Then the rows, in one
transaction. Then the files that only these rows referred to. A kill at any moment leaves at most unreferenced files,
which the next gc removes. Removing files before their rows would leave rows without bytes. Builds check for the bytes,
so that would be safe; but for an instant a recorded result would be missing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from ovmake.commands import check
from ovmake.commands.gc.plan import File, Found, Limits, RemovalPlan, plan
from ovmake.engine.results import JOURNALS, LOGS, SCRATCH, journal_name, log_name
from ovmake.graph.action import Action
from ovmake.graph.trace import Trace
from ovmake.names import STAMP, STATE
from ovmake.project.session import Session
from ovmake.store.cas import FOLDER, Cas
from ovmake.store.database import Database, decoded
from ovmake.store.files.disk import Disk
from ovmake.store.formats import FOREIGN

# The logs of workers before their first job: one per kind of worker.
WORKER_LOG = "worker-"
SET_ASIDE = (".unreadable", f".{FOREIGN}")
SCRATCHES = (f"{STATE}/{SCRATCH}", check.SCRATCH)


def gc(session: Session, limits: Limits, *, dry_run: bool) -> RemovalPlan:
    """Remove unreferenced files, and results over the limits; with `dry_run` only return the plan."""
    # The actions of all commands: build, report, debug.
    graphs = (session.graph(measure=False), session.graph(measure=True), session.debug_graph())
    actions = {name: action for graph in graphs for name, action in graph.actions.items()}
    if not dry_run:
        session.disk.remove(STAMP)
    return collect(actions, session.disk, session.database, limits, dry_run=dry_run)


def collect(
    actions: Mapping[str, Action], disk: Disk, database: Database, limits: Limits, *, dry_run: bool
) -> RemovalPlan:
    """List, decide and remove. `actions` are those of the current graphs, by name."""
    planned = plan(_look(actions, disk, database), limits)
    if dry_run or planned.empty:
        return planned
    for file in (file for why, files in planned.files.items() if why != "unused" for file in files):
        disk.remove(file.path)
    for folder in SCRATCHES:
        disk.remove(folder)
    database.drop(results=planned.results, traces=planned.traces, failures=planned.failures, files=planned.gone_files)
    for file in planned.files["unused"]:
        disk.remove(file.path)
    database.compact()
    return planned


def _look(actions: Mapping[str, Action], disk: Disk, database: Database) -> Found:
    traces = {name: decoded(body) for name, body in database.traces().items()}
    results = list(database.results())
    works = {trace.seen.digest: trace for trace in [*traces.values(), *(result.trace for result in results)]}
    cas = Cas(disk)
    steering = {action.kind: action.journal for action in actions.values() if action.journal is not None}
    logs = _named(disk, LOGS)
    return Found(
        actions=actions,
        stored=list(_files(disk, FOLDER)),
        scratch=[file for folder in SCRATCHES for file in _files(disk, folder)],
        journals=_named(disk, f"{STATE}/{JOURNALS}"),
        logs={name: file for name, file in logs.items() if not name.startswith(WORKER_LOG)},
        set_aside=[file for file in _files(disk, STATE) if _is_set_aside(file.path)],
        results=results,
        traces=traces,
        failures=list(database.failures()),
        gone_files=[path for path in database.files() if _is_gone(disk, path)],
        places={
            digest: {cas.path(output): output.size_bytes for output in trace.outputs.values()}
            for digest, trace in works.items()
        },
        journal_of={digest: _journal(trace, steering, database) for digest, trace in works.items()},
        log_names=frozenset(log_name(name) for name in actions),
        now_s=int(time.time()),
    )


def _journal(trace: Trace, steering: Mapping[str, tuple[str, ...]], database: Database) -> str:
    kind = trace.seen.kind
    return journal_name(trace.seen, steering[kind], database) if kind in steering else ""


def _files(disk: Disk, folder: str) -> Iterator[File]:
    """Yield the files below a folder, which need not exist."""
    if disk.stat(folder) is not None:
        for name, stat in sorted(disk.walk(folder).items()):
            yield File(path=f"{folder}/{name}", size_bytes=stat.size_bytes, changed_s=stat.mtime_ns // 10**9)


def _named(disk: Disk, folder: str) -> dict[str, File]:
    """Return the files of a folder by name."""
    return {file.path.removeprefix(f"{folder}/"): file for file in _files(disk, folder)}


def _is_set_aside(path: str) -> bool:
    """Whether it is an unreadable database that was set aside, or its log. Databases of different formats stay."""
    return path.count("/") == 1 and path.removesuffix("-wal").endswith(SET_ASIDE)


def _is_gone(disk: Disk, path: str) -> bool:
    try:
        return disk.stat(path) is None
    except OSError:  # it may exist in an unreadable folder
        return False
