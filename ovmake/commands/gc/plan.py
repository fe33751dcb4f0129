"""Decide what `ovmake gc` removes.

    plan(found, limits) -> RemovalPlan

Pure: a listing comes in, a RemovalPlan goes out.

Rule 1: the last trace of every action of the current graphs is *needed*, with all files of its outputs. Needed rows and
        files stay, whatever their age and size.
Rule 2: without limits, only useless rows and files are removed: files that no row refers to, results with missing
        files, and rows about actions or files that no longer exist.
Rule 3: results are removed in order of last use, the oldest first. A file is removed with the last row that refers to
        it.
Rule 4: the trace of an action that the graphs no longer have (a model was removed from the Ovfile) is removed together
        with its result.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ovmake.graph.action import Action
from ovmake.graph.trace import Trace
from ovmake.store.database import Result

Why = Literal["unreferenced", "unused", "scratch", "journals", "logs", "set-aside"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits from the command line; None: no limit."""

    size_bytes: int | None = None
    age_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file of the state folder. `changed_s` is the time of its last write (Unix time)."""

    path: str
    size_bytes: int
    changed_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The listing of the state.

    `stored` are the files of the store; `places` returns the paths of a trace's outputs in it: path -> size.
    `results` are ordered by last use, the oldest first; `failures` and `gone_files` are keys of rows.
    `journal_of` returns the name of the journal of a trace's action, "" if it has none; `log_names` are the names of
    the logs of the current actions.
    """

    actions: Mapping[str, Action]
    stored: Sequence[File]
    scratch: Sequence[File]
    journals: Mapping[str, File]
    logs: Mapping[str, File]
    set_aside: Sequence[File]
    results: Sequence[Result]
    traces: Mapping[str, Trace]
    failures: Sequence[str]
    gone_files: Sequence[str]
    places: Mapping[str, Mapping[str, int]]
    journal_of: Mapping[str, str]
    log_names: frozenset[str]
    now_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovalPlan:
    """What to remove: keys of rows, and files by reason. `left` are the files of the store that stay.

    `needed_bytes` is the size of the files that the current targets need; `too_large`: that size alone is over the
    limit.
    """

    results: tuple[str, ...]
    traces: tuple[str, ...]
    failures: tuple[str, ...]
    gone_files: tuple[str, ...]
    files: Mapping[Why, tuple[File, ...]]
    left: tuple[File, ...]
    needed_bytes: int
    too_large: bool

    @property
    def rows(self) -> int:
        """The number of rows to remove."""
        return len(self.results) + len(self.traces) + len(self.failures) + len(self.gone_files)

    @property
    def empty(self) -> bool:
        """Whether nothing is to be removed."""
        return self.rows == 0 and not any(self.files.values())


def plan(found: Found, limits: Limits) -> RemovalPlan:
    """Return what to remove."""
    shelf = _Shelf(found)
    before = shelf.referred()
    shelf.drop_incomplete()
    if limits.age_s is not None:
        shelf.drop_older_than(found.now_s - limits.age_s)
    if limits.size_bytes is not None:
        shelf.drop_until(limits.size_bytes)
    after = shelf.referred()
    unreferenced = tuple(file for file in found.stored if file.path not in before)
    unused = tuple(file for file in found.stored if file.path in before and file.path not in after)
    return RemovalPlan(
        results=tuple(shelf.dropped_results),
        traces=tuple(shelf.dropped_traces),
        failures=tuple(name for name in found.failures if name not in found.actions),
        gone_files=tuple(found.gone_files),
        files={
            "unreferenced": unreferenced,
            "unused": unused,
            "scratch": tuple(found.scratch),
            "journals": tuple(_journals(found, limits)),
            "logs": tuple(file for name, file in found.logs.items() if name not in found.log_names),
            "set-aside": tuple(found.set_aside),
        },
        left=tuple(file for file in found.stored if file.path in after),
        needed_bytes=shelf.needed_bytes,
        too_large=limits.size_bytes is not None and shelf.needed_bytes > limits.size_bytes,
    )


def _journals(found: Found, limits: Limits) -> Iterator[File]:
    """Yield journals of finished searches, and of searches that have not continued for long."""
    done = set(found.journal_of.values())
    for name, file in found.journals.items():
        if name in done or (limits.age_s is not None and file.changed_s < found.now_s - limits.age_s):
            yield file


@dataclass(slots=True, kw_only=True)
class _Entry:
    """A result, the traces of removed actions that are removed with it, and the paths of its files."""

    digest: str
    used_s: int
    places: Mapping[str, int]
    is_result: bool
    traces: list[str] = field(default_factory=list)


class _Shelf:
    """The entries of the action cache that may be removed, and the references to each file."""

    def __init__(self, found: Found) -> None:
        self._sizes = {file.path: file.size_bytes for file in found.stored}
        self._places = found.places
        needed = {trace.seen.digest for name, trace in found.traces.items() if name in found.actions}
        self._needed = self._there(needed)
        self._entries = _entries(found, needed)
        self._references = Counter(path for entry in self._entries.values() for path in self._there([entry.digest]))
        self.dropped_results: list[str] = []
        self.dropped_traces: list[str] = []

    @property
    def needed_bytes(self) -> int:
        """The size of the files of needed traces."""
        return sum(self._sizes[path] for path in self._needed)

    def referred(self) -> set[str]:
        """Return the files that rows refer to."""
        return self._needed | {path for path, count in self._references.items() if count}

    def drop_incomplete(self) -> None:
        """Drop results that cannot be restored, because files of theirs are missing."""
        for entry in list(self._entries.values()):
            if self._there([entry.digest]) != set(entry.places):
                self._drop(entry)

    def drop_older_than(self, used_s: int) -> None:
        """Drop entries that were last used before this time."""
        for entry in list(self._entries.values()):
            if entry.used_s < used_s:
                self._drop(entry)

    def drop_until(self, size_bytes: int) -> None:
        """Drop entries, the least recently used first, until the store is at most this large."""
        taken = sum(self._sizes[path] for path in self.referred())
        for entry in list(self._entries.values()):
            if taken <= size_bytes:
                return
            taken -= self._drop(entry)

    def _drop(self, entry: _Entry) -> int:
        """Drop an entry; return the size of the files that are now unreferenced."""
        del self._entries[entry.digest]
        if entry.is_result:
            self.dropped_results.append(entry.digest)
        self.dropped_traces += entry.traces
        freed = 0
        for path in self._there([entry.digest]):
            self._references[path] -= 1
            if not self._references[path] and path not in self._needed:
                freed += self._sizes[path]
        return freed

    def _there(self, digests: set[str] | list[str]) -> set[str]:
        """Return the files of the outputs of these works that exist with the right size."""
        return {
            path
            for digest in digests
            for path, size_bytes in self._places[digest].items()
            if self._sizes.get(path) == size_bytes
        }


def _entries(found: Found, needed: set[str]) -> dict[str, _Entry]:
    """Return the entries that may be removed, by action digest, the least recently used first."""
    gone: dict[str, list[str]] = {}
    for name, trace in found.traces.items():
        if name not in found.actions and trace.seen.digest not in needed:
            gone.setdefault(trace.seen.digest, []).append(name)
    results = {result.digest: result.used_s for result in found.results if result.digest not in needed}
    used_s = dict.fromkeys([digest for digest in gone if digest not in results], 0) | results
    return {
        digest: _Entry(
            digest=digest,
            used_s=when,
            places=found.places[digest],
            is_result=digest in results,
            traces=gone.get(digest, []),
        )
        for digest, when in used_s.items()
    }
