"""`ovmake cache ls`: the results of the remote for each target, and the totals.

listed(session, line, asked) -> Listing
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ovmake.commands.cache.present import Known, look_at, results
from ovmake.commands.cache.reaching import all_in
from ovmake.diagnostics import OvmakeError
from ovmake.graph.action import Graph
from ovmake.graph.query import closure, select
from ovmake.project.session import Session
from ovmake.remote.layout import BLOBS, RESULTS
from ovmake.remote.line import Line
from ovmake.remote.results import outputs_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The results of a remote for a target: their number, and the size of their blobs.

    `refused` counts results that failed a check, by reason.
    """

    target: str
    actions: int
    results: int
    size_bytes: int
    refused: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The totals of a remote. `results` includes the notes for `explain`."""

    results: int
    blobs: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The targets, and the totals; `totals` is None if the remote cannot list."""

    url: str
    targets: tuple[Held, ...]
    totals: Totals | None


def listed(session: Session, line: Line, asked: Sequence[str]) -> Listing:
    """Return the results of the remote.

    Raises:
        RemoteError: the remote failed.
        OvmakeError: a target is unknown.
    """
    graph = session.graph(measure=False)
    targets = select(graph, asked)
    known = results(session, graph, targets, look_at(line))
    held = tuple(_held(graph, name, known) for name in targets)
    return Listing(url=line.settings.url, targets=held, totals=_totals(line))


def _held(graph: Graph, target: str, known: Mapping[str, Known]) -> Held:
    answers = [known[action.name].answer for action in closure(graph, [graph.targets[target]])]
    there = [answer.result for answer in answers if answer.result is not None]
    blobs = {digest for result in there for digest in outputs_of(result).values()}
    return Held(
        target=target,
        actions=len(answers),
        results=len(there),
        size_bytes=sum(digest.size_bytes for digest in blobs),
        refused=Counter(answer.why for answer in answers if answer.why),
    )


def _totals(line: Line) -> Totals | None:
    try:
        found = {folder: [one.size_bytes for one in all_in(line, folder)] for folder in (RESULTS, BLOBS)}
    except OvmakeError:
        return None
    sizes = sum(map(sum, found.values()))
    return Totals(results=len(found[RESULTS]), blobs=len(found[BLOBS]), size_bytes=sizes)
