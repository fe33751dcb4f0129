"""Digests of source files and folders, through the stat cache.

    sources.state(path) -> SourceState | None     the state now
    sources.unchanged(path, state) -> bool        whether the state is still the same; racy files are read again
    sources.ledger.of(path)                       all files that were looked at for it
    sources.remember()                            write new digests to the database

A cached digest is used if size, mtime and inode are the same *and* the file was last written clearly before it was
hashed. A file written twice within one tick of the clock can change without a change of its state (git calls such
entries racy).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ovmake.graph.digest import Digest, of_tree
from ovmake.ledger import RACY_NS, Ledger
from ovmake.store.database import CachedFile, Database
from ovmake.store.files.disk import Disk, LinkOutsideError, Stat

# The listing of a folder with at most this many files is stored, so that a reason can name the files that differ. A row
# takes about 100 bytes a file, for each state of the folder that an action used: 50,000 images would take 5 MB each.
MOST_LISTED = 1_000


@dataclass(frozen=True, slots=True)
class SourceState:
    """A source's digest and the state of each of its files (key "" for a source that is one file).

    `listing`: the digests of the files, if the source is a folder with at most `MOST_LISTED` files; else None.
    """

    digest: Digest
    files: Mapping[str, Stat]
    listing: Mapping[str, Digest] | None = None


class Sources:
    """The digests of sources on a disk, with the stat cache of the database."""

    def __init__(self, disk: Disk, database: Database) -> None:
        self.ledger = Ledger()
        self._disk = disk
        self._database = database
        self._cached: dict[str, CachedFile] = {}
        self._fresh: dict[str, CachedFile] = {}
        self._states: dict[str, SourceState | None] = {}

    def state(self, path: str) -> SourceState | None:
        """Return the state of a source, None if it does not exist. Computed once per run: an edit counts in the next.

        Raises:
            OSError: the source exists and cannot be read.
            LinkOutsideError: a link in it leaves the repo.
        """
        if path not in self._states:
            self._states[path] = self._look(path)
        return self._states[path]

    def _look(self, path: str) -> SourceState | None:
        note = self.ledger.of(path).setdefault
        found = self._disk.stat(path, note)
        if found is None:
            return None
        if not found.is_folder:
            return SourceState(self.file_digest(path, found), {"": found})
        files = self._disk.walk(path, note)
        self._cached |= self._database.files(path)
        digests = {name: self._digest(f"{path}/{name}", stat) for name, stat in files.items()}
        return SourceState(of_tree(digests), files, digests if len(digests) <= MOST_LISTED else None)

    def unchanged(self, path: str, state: SourceState) -> bool:
        """Whether the source still has this state."""
        try:
            found = self._disk.stat(path)
            if found is None:
                return False
            files = self._disk.walk(path) if found.is_folder else {"": found}
            return files == state.files and all(
                self._same_bytes(f"{path}/{name}" if name else path, stat) for name, stat in files.items()
            )
        except (OSError, LinkOutsideError):
            return False

    def _same_bytes(self, path: str, found: Stat) -> bool:
        """Compare a file's state, and read the file again if the clock is too coarse to show a change."""
        cached = self._cached[path]
        return found.mtime_ns + RACY_NS < cached.seen_ns or self._disk.digest(path) == cached.digest

    def file_digest(self, path: str, found: Stat) -> Digest:
        """Return a file's digest, from the cache if the entry is safe to use."""
        if path not in self._cached:
            self._cached |= self._database.files(path)
        return self._digest(path, found)

    def _digest(self, path: str, found: Stat) -> Digest:
        cached = self._cached.get(path)
        if cached and cached.stat == found and found.mtime_ns + RACY_NS < cached.seen_ns:
            return cached.digest
        seen_ns = self._disk.now_ns()
        digest = self._disk.digest(path)
        self._note(path, CachedFile(found, digest, seen_ns))
        return digest

    def _note(self, path: str, file: CachedFile) -> None:
        self._fresh[path] = self._cached[path] = file

    def remember(self) -> None:
        """Write the digests computed since the last call to the database."""
        if self._fresh:
            self._database.remember_files(self._fresh.items())
            self._fresh.clear()
