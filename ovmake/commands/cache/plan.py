"""Decide what `ovmake cache gc` drops from a remote.

    plan(found, limits) -> DropPlan

Pure: a listing comes in, a DropPlan goes out.

Rule 1: Results of the present targets of this checkout stay, at any age and size.
Rule 2: Uploads within the grace period stay. A build uploads the blobs of a result before the result, and until then
        nothing refers to them. The period must be longer than the upload of one result. The default is a day: 10 GB
        take a night on a slow line. So `--max-size` cannot drop today's uploads.
Rule 3: Blobs of kept results stay. A result that lacks a blob is useless, and is dropped.
Rule 4: Results are dropped in order of upload, the oldest first. Object stores do not record the last read.
Rule 5: Objects with other names than ovmake's stay: another program may share the bucket.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal

GRACE_S = 86_400
Why = Literal["damaged", "incomplete", "old", "large"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits from the command line; None: no limit. `grace_s`: see rule 2."""

    age_s: float | None = None
    size_bytes: int | None = None
    grace_s: float = GRACE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An object of the remote: its path, its size, and when it was uploaded (Unix time)."""

    path: str
    size_bytes: int
    modified_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An object below `ac/`. `blobs` are the sizes of the blobs that it needs, by path; a note for `explain` has none.

    `damaged`: no ovmake can read it. A result of another version of ovmake is not damaged: its `blobs` are all that
    its text mentions, of unknown size (None).
    """

    stored: Stored
    key: str = ""
    blobs: Mapping[str, int | None]
    damaged: bool = False
    note: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The contents of a remote; `needed` are the keys of the present targets' results."""

    entries: tuple[Entry, ...]
    blobs: Mapping[str, Stored]
    needed: AbstractSet[str]
    now_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DropPlan:
    """The objects to drop: results by reason, and blobs that no kept result needs. `kept_bytes` is the rest.

    `results` includes notes for `explain`; `kept_results` does not.

    `too_large`: the rest exceeds the limit of size, but is needed or too new.
    """

    results: Mapping[Why, tuple[Entry, ...]]
    blobs: tuple[Stored, ...]
    kept_results: int
    kept_blobs: int
    kept_bytes: int
    too_large: bool

    @property
    def empty(self) -> bool:
        """Whether nothing is dropped."""
        return not self.blobs and not any(self.results.values())


def plan(found: Found, limits: Limits) -> DropPlan:
    """Return what to drop."""
    shelf = _Shelf(found, limits)
    shelf.drop_useless()
    if limits.age_s is not None:
        shelf.drop_older_than(found.now_s - limits.age_s)
    if limits.size_bytes is not None:
        shelf.drop_until(limits.size_bytes)
    return shelf.planned()


class _Shelf:
    """The entries that are kept so far, oldest first, and for each blob the number of entries that need it."""

    def __init__(self, found: Found, limits: Limits) -> None:
        self._found = found
        self._limits = limits
        self._kept = {one.stored.path: one for one in sorted(found.entries, key=lambda one: one.stored.modified_s)}
        self._needs = Counter(path for one in found.entries for path in one.blobs)
        self._dropped: dict[Why, list[Entry]] = {"damaged": [], "incomplete": [], "old": [], "large": []}

    def _young(self, one: Stored) -> bool:
        return one.modified_s > self._found.now_s - self._limits.grace_s

    def _may_go(self, entry: Entry) -> bool:
        return entry.key not in self._found.needed and not self._young(entry.stored)

    def drop_useless(self) -> None:
        """Drop unusable results, even of present targets: a build makes them again."""
        for entry in list(self._kept.values()):
            if self._young(entry.stored):  # its blobs may have come after the listing of blobs
                continue
            if entry.damaged:
                self._drop(entry, "damaged")
            elif any(not self._whole(path, size) for path, size in entry.blobs.items()):
                self._drop(entry, "incomplete")

    def _whole(self, path: str, size: int | None) -> bool:
        there = self._found.blobs.get(path)
        return size is None or (there is not None and there.size_bytes == size)

    def drop_older_than(self, modified_s: float) -> None:
        """Drop results that were uploaded before this time."""
        for entry in list(self._kept.values()):
            if entry.stored.modified_s < modified_s and self._may_go(entry):
                self._drop(entry, "old")

    def drop_until(self, size_bytes: int) -> None:
        """Drop results, the oldest first, until the rest has at most this size."""
        taken = self._bytes()
        for entry in list(self._kept.values()):
            if taken <= size_bytes:
                return
            if self._may_go(entry):
                taken -= self._drop(entry, "large")

    def _drop(self, entry: Entry, why: Why) -> int:
        """Drop a result; return how many bytes that frees."""
        del self._kept[entry.stored.path]
        self._dropped[why].append(entry)
        freed = entry.stored.size_bytes
        for path in entry.blobs:
            self._needs[path] -= 1
            there = self._found.blobs.get(path)
            if there is not None and self._goes(there):
                freed += there.size_bytes
        return freed

    def _goes(self, blob: Stored) -> bool:
        return not self._needs[blob.path] and not self._young(blob)

    def _bytes(self) -> int:
        blobs = sum(one.size_bytes for one in self._found.blobs.values() if not self._goes(one))
        return blobs + sum(entry.stored.size_bytes for entry in self._kept.values())

    def planned(self) -> DropPlan:
        """Return the plan."""
        gone = tuple(one for one in self._found.blobs.values() if self._goes(one))
        limit, kept_bytes = self._limits.size_bytes, self._bytes()
        return DropPlan(
            results={why: tuple(entries) for why, entries in self._dropped.items()},
            blobs=gone,
            kept_results=sum(not entry.note for entry in self._kept.values()),
            kept_blobs=len(self._found.blobs) - len(gone),
            kept_bytes=kept_bytes,
            too_large=limit is not None and kept_bytes > limit,
        )
