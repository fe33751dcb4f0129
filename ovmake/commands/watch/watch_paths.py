"""The folders and entries to watch, so that no change of given files and folders is missed.

    watched = watch_paths_of(root, paths, ignored=...)
    watched.folders()       the folders to watch, not recursively
    watched.counts(path)    whether a change of that entry counts
    watched.state()         a snapshot to compare when polling

A file is watched through its folder: an editor saves by renaming, and then the name belongs to a new file. For the same
reason every folder from the root to the path is watched for the next name on the path, so `mv models old; mv new
models` is seen. For a link, both the link and its target are watched. Only a source that is a folder is watched
recursively; a repo's node_modules are not walked.

All paths in here are resolved: two names of one folder are one path.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

# As many links as Linux follows before it reports a loop.
MOST_LINKS = 40

State = tuple[int, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchPaths:
    """`names` are the entries of a folder that count, `stems` are prefixes of such; in `trees` all entries count.

    `ignored` are entries that never count. Folders need not exist: their appearance is a change.
    """

    names: Mapping[str, frozenset[str]]
    stems: Mapping[str, tuple[str, ...]]
    trees: frozenset[str]
    ignored: frozenset[str]

    def counts(self, path: str) -> bool:
        """Whether the build depends on this entry of a folder."""
        folder, name = os.path.split(path)
        if name in self.names.get(folder, ()) or name.startswith(self.stems.get(folder, ())):
            return True
        return folder in self.trees and path not in self.ignored

    def folders(self) -> list[str]:
        """Return the existing folders to watch."""
        there = {*self.names, *self.trees}
        return sorted(folder for folder in there if os.path.isdir(folder) and os.access(folder, os.R_OK))  # noqa: PTH112

    def state(self) -> dict[str, State]:
        """Return a state for every entry that counts; None if it is missing; for a folder only its identity."""
        named = (os.path.join(folder, name) for folder, names in self.names.items() for name in names)  # noqa: PTH118
        listed = (path for folder in {*self.trees, *self.stems} for path in _entries(folder) if self.counts(path))
        return {path: _state(path) for path in (*named, *listed)}


def watch_paths_of(
    root: str, paths: Iterable[str], *, ignored: Collection[str] = (), shallow: Collection[str] = ()
) -> WatchPaths:
    """Return what to watch for changes of `paths`. They and `ignored` are relative to `root`.

    `shallow` paths are links out of the repo: only the links are watched, and not followed.
    """
    finder = _Finder(os.path.realpath(root), ignored)
    for path in paths:
        finder.add(path, deep=path not in shallow)
    return finder.found()


class _Finder:
    """Collects the paths to watch. `_above` are the root and its parents: moving one of them moves the build too."""

    def __init__(self, root: str, ignored: Collection[str]) -> None:
        self._root = root
        self._above = set(_with_parents(root))
        self._names: dict[str, set[str]] = {}
        self._stems: dict[str, set[str]] = {}
        self._trees: set[str] = set()
        self._ignored = frozenset(os.path.normpath(os.path.join(root, path)) for path in ignored)  # noqa: PTH118

    def found(self) -> WatchPaths:
        """Return the collected paths."""
        return WatchPaths(
            names={folder: frozenset(names) for folder, names in self._names.items()},
            stems={folder: tuple(sorted(stems)) for folder, stems in self._stems.items()},
            trees=frozenset(self._trees),
            ignored=self._ignored,
        )

    def add(self, path: str, *, deep: bool = True) -> None:
        """Add every part of `path` from the root on, and all entries below it if it is a folder."""
        end = self._walk(os.path.join(self._root, path))  # noqa: PTH118
        if end is None:
            return
        folder, name = os.path.split(end)
        if name.endswith(".meta"):
            # A checkpoint's X.index and X.data-…, and X of old ones, also those that are not there yet.
            self._stems.setdefault(folder, set()).add(name.removesuffix("meta"))
            self._names.setdefault(folder, set()).add(name.removesuffix(".meta"))
        if deep and os.path.isdir(end):  # noqa: PTH112
            self._grow(end)

    def _walk(self, path: str) -> str | None:
        """Add the parts of the path; return the resolved path, or None if its links form a loop."""
        at, steps, links = "/", _steps(path), 0
        while steps:
            step = steps.pop(0)
            if step == "..":
                at = os.path.dirname(at)  # noqa: PTH120
                continue
            here = os.path.join(at, step)  # noqa: PTH118
            if here not in self._above:
                self._names.setdefault(at, set()).add(step)
            if (target := _link(here)) is None:
                at = here
                continue
            links += 1
            if links > MOST_LINKS:
                return None
            at = "/" if target.startswith("/") else at
            steps[:0] = _steps(target)
        return at

    def _grow(self, folder: str) -> None:
        if folder in self._trees or folder in self._ignored:
            return
        self._trees.add(folder)
        for path in _entries(folder):
            if os.path.islink(path):  # noqa: PTH114
                self.add(path)
            elif os.path.isdir(path):  # noqa: PTH112
                self._grow(path)


def _with_parents(path: str) -> Iterator[str]:
    while True:
        yield path
        if (parent := os.path.dirname(path)) == path:  # noqa: PTH120
            return
        path = parent


def _steps(path: str) -> list[str]:
    return [step for step in path.split("/") if step not in {"", "."}]


def _link(path: str) -> str | None:
    try:
        return os.readlink(path)  # noqa: PTH115
    except OSError:
        return None


def _entries(folder: str) -> list[str]:
    """Return the paths of a folder's entries; an empty list if it is missing or unreadable."""
    try:
        return [os.path.join(folder, name) for name in os.listdir(folder)]  # noqa: PTH118, PTH208
    except OSError:
        return []


def _state(path: str) -> State:
    try:
        found = os.lstat(path)
    except OSError:
        return None
    # A folder's times and size change with its entries, and only the watched entries count.
    if stat.S_ISDIR(found.st_mode):
        return (found.st_ino,)
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
