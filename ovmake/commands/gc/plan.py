"""Decide what `ovmake gc` removes.

    plan(found, limits) -> Plan

Pure: a listing comes in, a Plan goes out.

Rule 1: the last trace of every action of the current graphs is *needed*, with all the bytes it speaks of. Nothing that
        is needed goes, however old or large it is.
Rule 2: without limits, only that goes which no build can use again: bytes that no row refers to, results of which bytes
        are missing, and what is about actions or files that are gone.
Rule 3: results go from the one that was not used for longest. Bytes go with the last row that refers to them.
Rule 4: a trace of an action that the graphs no longer have (a model was taken out of the Ovfile) lives as long as its
        result.
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
    """What was asked for: None is no limit."""

    size_bytes: int | None = None
    age_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file of the state folder. `changed_s` is when it was last written to (Unix time)."""

    path: str
    size_bytes: int
    changed_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What is there.

    `stored` are the files of the store, and `places` say where the outputs of a trace belong there: path -> size.
    `results` come with the least recently used first; `failures` and `gone_files` are keys of rows.
    `journal_of` is the name of the journal that a trace's action kept, "" if it kept none; `log_names` are names of the
    logs that the current actions write.
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
    """What goes: keys of rows, and files by the reason why. `left` are the files of the store that stay.

    `needed_bytes` is what the current targets need of the store, `too_large` whether that alone is over the limit.
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
        """How many rows of the database go."""
        return len(self.results) + len(self.traces) + len(self.failures) + len(self.gone_files)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return self.rows == 0 and not any(self.files.values())


def plan(found: Found, limits: Limits) -> RemovalPlan:
    """Return what goes."""
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
    """Yield journals of searches that came to a result, and of those that nobody went on with for long."""
    done = set(found.journal_of.values())
    for name, file in found.journals.items():
        if name in done or (limits.age_s is not None and file.changed_s < found.now_s - limits.age_s):
            yield file


@dataclass(slots=True, kw_only=True)
class _Entry:
    """A result, the traces of gone actions that go with it, and where its bytes are."""

    digest: str
    used_s: int
    places: Mapping[str, int]
    is_result: bool
    traces: list[str] = field(default_factory=list)


class _Shelf:
    """The entries of the action cache that may go, and who refers to which file."""

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
        """What the needed traces take."""
        return sum(self._sizes[path] for path in self._needed)

    def referred(self) -> set[str]:
        """Return the files that some row refers to."""
        return self._needed | {path for path, count in self._references.items() if count}

    def drop_incomplete(self) -> None:
        """Drop results that cannot be restored, for bytes of them are missing."""
        for entry in list(self._entries.values()):
            if self._there([entry.digest]) != set(entry.places):
                self._drop(entry)

    def drop_older_than(self, used_s: int) -> None:
        """Drop what was not used since."""
        for entry in list(self._entries.values()):
            if entry.used_s < used_s:
                self._drop(entry)

    def drop_until(self, size_bytes: int) -> None:
        """Drop entries, the least recently used first, until the store is no larger."""
        taken = sum(self._sizes[path] for path in self.referred())
        for entry in list(self._entries.values()):
            if taken <= size_bytes:
                return
            taken -= self._drop(entry)

    def _drop(self, entry: _Entry) -> int:
        """Drop an entry; return how many bytes nothing refers to any more."""
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
        """Return the files that these work's outputs have, as far as they are there and whole."""
        return {
            path
            for digest in digests
            for path, size_bytes in self._places[digest].items()
            if self._sizes.get(path) == size_bytes
        }


def _entries(found: Found, needed: set[str]) -> dict[str, _Entry]:
    """Return what may go by action digest, the least recently used first."""
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
