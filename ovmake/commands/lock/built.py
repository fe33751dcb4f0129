"""Make the blocks of the targets that are built and fresh, from the state of the last build.

    built(session, graph, targets) -> Built

A target counts as built if every action up to its *publish* is fresh. `ovmake status` also looks at advisory actions
and measurements. Nothing runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ovmake.contracts.codec import ContractError, from_bytes
from ovmake.contracts.files.record import Record
from ovmake.contracts.sharing.lock import Lock, LockedTarget
from ovmake.diagnostics import OvmakeError
from ovmake.engine.executor import Outcome
from ovmake.engine.world import Options
from ovmake.graph.action import Action, Graph
from ovmake.graph.digest import of_bytes
from ovmake.graph.query import closure
from ovmake.graph.trace import Seen, Trace
from ovmake.lockfile.inputs import publication
from ovmake.lockfile.making import counting, make
from ovmake.lockfile.present import PresentFiles, source_digests
from ovmake.lockfile.text import parse, render
from ovmake.project.session import Session
from ovmake.store.files.handles import ForeignEntryError

STALE = "not built, or stale"


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """The blocks of targets that are built and fresh; for each other target, why it has none."""

    blocks: Mapping[str, LockedTarget]
    others: Mapping[str, str]


class _NotBuiltError(Exception):
    """A target that cannot be locked; the message says why."""


def built(session: Session, graph: Graph, targets: Sequence[str], files: PresentFiles) -> Built:
    """Return the blocks of the targets that are built and fresh."""
    outcome = session.execute(graph, targets, Options(dry_run=True, keep_going=True), lambda _: None)
    blocks: dict[str, LockedTarget] = {}
    others: dict[str, str] = {}
    now = source_digests(files)
    for target in targets:
        try:
            traces = _traces(session, graph, target, outcome)
            record = _record(session, graph, target, traces)
            made = make(graph, target, traces, record, build_dir=session.ovfile.build_dir, now=now)
            blocks[target] = _readable(target, made)
        except _NotBuiltError as error:
            others[target] = str(error)
    return Built(blocks=blocks, others=others)


def _traces(session: Session, graph: Graph, target: str, outcome: Outcome) -> dict[str, Trace]:
    """Return the traces of the actions that count for a target; each matches the present inputs of its action."""
    for action in closure(graph, [publication(graph, target).name]):
        if not action.advisory and outcome.actions[action.name].status != "fresh":
            raise _NotBuiltError(STALE)
    traces: dict[str, Trace] = {}
    for action in counting(graph, target):
        trace, seen = session.database.trace(action.name), outcome.actions[action.name].seen
        if trace is None or seen is None or not _same(action, trace.seen, seen):  # a build runs at the same time
            raise _NotBuiltError("another build is changing it")
        traces[action.name] = trace
    return traces


def _same(action: Action, one: Seen, other: Seen) -> bool:
    """Whether two runs of an action do the same work, apart from advice."""
    return one.without(action.advice).digest == other.without(action.advice).digest


def _record(session: Session, graph: Graph, target: str, traces: Mapping[str, Trace]) -> Record:
    last = publication(graph, target)
    place = next(output.place for output in last.outputs if output.role == "record")
    if place is None:
        raise AssertionError(f"{last.name} publishes no record")
    try:
        data = session.disk.read(place)
    except (OSError, ForeignEntryError):
        raise _NotBuiltError(STALE) from None
    if of_bytes(data) != traces[last.name].outputs["record"]:
        raise _NotBuiltError(f"{place} was edited after it was published")
    try:
        return from_bytes(Record, data, place)
    except ContractError:
        raise _NotBuiltError(f"another version of ovmake wrote {place}: build it with --force") from None


def _readable(target: str, made: LockedTarget) -> LockedTarget:
    """Return a block, if a lock can hold it: the path of a source may have control characters."""
    lock = Lock(targets={target: made})
    try:
        if parse(render(lock)) == lock:
            return made
    except OvmakeError as error:
        raise _NotBuiltError(error.diagnostics[0].message) from None
    except UnicodeEncodeError:
        pass
    raise _NotBuiltError("a lock cannot hold its names")
