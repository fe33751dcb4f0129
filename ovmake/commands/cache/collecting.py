"""`ovmake cache gc`: list a remote, decide, and drop.

    collected(session, line, limits, dry_run=...) -> DropPlan

A remote has no lock: builds push while gc runs. This order of steps protects their results:

1. Blobs are listed before results. So a result that gc does not know is newer than its list of blobs.
2. Blobs and results younger than the grace period are not touched (`plan.py`, rule 2): an upload in progress keeps its
   blobs. But a push does not send blobs that the remote already has, and those may be old, so:
3. Results are dropped before blobs. Then results are listed again, and blobs of new results are kept.
4. After blobs are dropped, results are listed a last time. A new one that needs a dropped blob is dropped: it
   becomes a miss, and the next push sends all of it. A build that reads the result before that finds its blob missing,
   which is a miss too.

A kill between any two steps leaves blobs that no result needs. The next gc drops them.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ovmake.commands.cache.plan import DropPlan, Entry, Found, Limits, Stored, plan
from ovmake.commands.cache.present import Answer, results
from ovmake.commands.cache.reaching import all_in, each
from ovmake.contracts.sharing.remote_result import RemoteResult
from ovmake.project.session import Session
from ovmake.remote.layout import BLOBS, RESULTS, nearest_path
from ovmake.remote.line import Line
from ovmake.remote.objects import RemoteError
from ovmake.remote.results import MOST_BYTES, from_bytes, outputs_of
from ovmake.remote.signing import RefusedError

_MENTIONED = re.compile(rb"[0-9a-f]{64}")


def collected(session: Session, line: Line, limits: Limits, *, dry_run: bool) -> DropPlan:
    """Drop results and blobs; with `dry_run` only return the plan.

    Raises:
        RemoteError: the remote failed, or refuses to delete. The rest is still whole.
        OvmakeError: it cannot list.
    """
    blobs = {one.path: one for one in _listed(line, BLOBS)}
    entries = _Entries(line)
    known = entries.look()
    found = Found(
        entries=tuple(known.values()),
        blobs=blobs,
        needed=_needed(session, entries.results),
        now_s=time.time(),
    )
    planned = plan(found, limits)
    if dry_run or planned.empty:
        return planned
    _drop(line, (entry.stored for dropped in planned.results.values() for entry in dropped))
    gone = _drop_blobs(line, planned.blobs, entries.look())
    late = [one for one in entries.look().values() if any(path in gone for path in one.blobs)]
    _drop(line, (one.stored for one in late))
    return _done(planned, gone)


def _done(planned: DropPlan, gone: set[str]) -> DropPlan:
    """Return what was dropped: the plan without the blobs that new results needed."""
    saved = [one for one in planned.blobs if one.path not in gone]
    return replace(
        planned,
        blobs=tuple(one for one in planned.blobs if one.path in gone),
        kept_blobs=planned.kept_blobs + len(saved),
        kept_bytes=planned.kept_bytes + sum(one.size_bytes for one in saved),
    )


def _listed(line: Line, folder: str) -> list[Stored]:
    return [Stored(path=one.path, size_bytes=one.size_bytes, modified_s=one.modified_s) for one in all_in(line, folder)]


def _drop_blobs(line: Line, blobs: Sequence[Stored], entries: Mapping[str, Entry]) -> set[str]:
    """Drop the blobs that no result needs now; return their paths."""
    needed = {path for entry in entries.values() for path in entry.blobs}
    free = [one for one in blobs if one.path not in needed]
    _drop(line, free)
    return {one.path for one in free}


def _drop(line: Line, stored: Iterable[Stored]) -> None:
    for _ in each(lambda one: line.write(lambda objects: objects.delete(one.path)), stored):
        pass


class _Entries:
    """The results of a remote. Each is read once, and again after it was rewritten."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._read: dict[tuple[str, float, int], Entry | None] = {}
        self.results: dict[str, RemoteResult] = {}

    def look(self) -> dict[str, Entry]:
        """Return the present results, by path."""
        stored = {(one.path, one.modified_s, one.size_bytes): one for one in _listed(self._line, RESULTS)}
        fresh = {name: one for name, one in stored.items() if name not in self._read}
        self._read |= dict(zip(fresh, each(self._entry, list(fresh.values())), strict=True))
        return {name[0]: entry for name in stored if (entry := self._read[name]) is not None}

    def _entry(self, stored: Stored) -> Entry | None:
        """Read a result; None if it is gone by now."""
        try:
            data = self._line.read(lambda objects: objects.get(stored.path, MOST_BYTES))
        except RemoteError as error:
            if error.trouble != "large":
                raise
            return Entry(stored=stored, blobs={}, damaged=True)
        if data is None:
            return None
        try:
            # Signatures do not matter: another checkout may trust a key that this one does not.
            result = from_bytes(data, ())
        except RefusedError:
            return _unknown(stored, data)
        if stored.path == f"{RESULTS}/{result.key}":
            self.results[result.key] = result
            blobs = {f"{BLOBS}/{one.sha256}": one.size_bytes for one in outputs_of(result).values()}
            return Entry(stored=stored, key=result.key, blobs=blobs)
        note = stored.path == nearest_path(result.action)
        return Entry(stored=stored, key=result.key if note else "", blobs={}, damaged=not note, note=note)


def _unknown(stored: Stored, data: bytes) -> Entry:
    """Return the entry of a result that this ovmake cannot read. A newer one may: its blobs are kept."""
    try:
        payload = base64.b64decode(json.loads(data)["payload"], validate=True)
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
        return Entry(stored=stored, blobs={}, damaged=True)
    mentioned = {f"{BLOBS}/{one.decode()}": None for one in _MENTIONED.findall(payload)}
    return Entry(stored=stored, blobs=mentioned, damaged=not mentioned)


def _needed(session: Session, known: Mapping[str, RemoteResult]) -> frozenset[str]:
    """Return the keys of the present targets' results, for all commands. A target without its source needs none."""
    graphs = (session.graph(measure=False), session.graph(measure=True), session.debug_graph())
    found = [
        results(session, graph, list(graph.targets), lambda key: Answer(result=known.get(key))) for graph in graphs
    ]
    return frozenset(one.key for actions in found for one in actions.values() if one.key)
