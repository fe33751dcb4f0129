"""SQLite: the state of earlier runs, in `.ovmake/state.db` (WAL).

    traces      action name   -> inputs and outputs of its last success
    results     action digest -> the same for every success so far (the action cache), and its last use
    failures    action name   -> digest and message of its last failure
    files       path          -> state and digest (the stat cache)
    listings    tree digest   -> the files of a source folder that an action used

Rule 1: a row is written after its bytes are on the disk, so a crash loses at most the newest results.
Rule 2: losing the whole database is safe: ovmake checks everything again. A corrupt one is set aside, not repaired.
Rule 3: a full check runs only if a process did not close the database. Otherwise damage shows when a row is needed:
        SQLite's own error, or a malformed row, is a `sqlite3.DatabaseError`; `torn` distinguishes it from a full disk.
Rule 4: each row carries a seal (sealing.py). A database of a different user is set aside whole. In the user's own
        database, a row with a wrong seal is damage.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ovmake.graph.digest import Digest
from ovmake.graph.trace import Listing, Trace
from ovmake.seal import KEY_BYTES
from ovmake.store.files.disk import Stat, is_full
from ovmake.store.formats import (
    FOREIGN,
    NOT_OURS,
    ForeignError,
    OtherFormatError,
    check_entries,
    connect,
    exchange,
    set_aside,
    torn,
)
from ovmake.store.sealing import Sealer

# A cell of a damaged page may hold any value: the file of such a row is hashed again.
FILES = "SELECT path, size, mtime_ns, inode, sha256, seen_ns, seal FROM files WHERE typeof(seen_ns) = 'integer'"
OF_ONE = f"{FILES} AND (path = ? OR (path >= ? AND path < ?))"


@dataclass(frozen=True, slots=True)
class CachedFile:
    """A file's digest, with the file's state and the time when it was hashed."""

    stat: Stat
    digest: Digest
    seen_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A row of the action cache. `used_s` (Unix time): when it was last made, restored or replaced by a newer one."""

    digest: str
    trace: Trace
    used_s: int


class Database:
    """An open state database."""

    def __init__(self, connection: sqlite3.Connection, sealer: Sealer) -> None:
        self._connection = connection
        self._sealer = sealer

    @property
    def key(self) -> bytes:
        """The key of the database's owner."""
        return self._sealer.key

    def sealed(self, name: str) -> str:
        """Return a name that only this user can derive from `name`, in hex."""
        return self._sealer.seal("name", name).hex()

    @classmethod
    def open(cls, path: Path, key: bytes) -> tuple[Database, str]:
        """Open or create the database of the user who has `key`. The second value is a warning, or "".

        Raises:
            ForeignEntryError: the database, or a file that SQLite writes beside it, is a link or has several names.
        """
        sealer = Sealer(key)
        told = check_entries(path)
        if told:
            return cls(connect(path, sealer), sealer), told
        try:
            return cls(connect(path, sealer), sealer), ""
        except ForeignError:
            aside = set_aside(path, FOREIGN)
            told = f"{path} was set aside as {aside}, everything is checked again: {NOT_OURS}"
            return cls(connect(path, sealer), sealer), told
        except OtherFormatError as error:
            told = exchange(path, error.format)
            database, more = cls.open(path, key)
            return database, "; ".join(filter(None, (told, more)))
        except sqlite3.DatabaseError as error:
            if not torn(error):  # a full disk or missing rights: setting the file aside would not help
                if is_full(path.parent):  # "disk I/O error", says SQLite
                    raise sqlite3.OperationalError("the disk is full") from error
                raise
            aside = set_aside(path)
            return cls(
                connect(path, sealer), sealer
            ), f"{path} was set aside as {aside}, everything is checked again: {error}"

    @classmethod
    def in_memory(cls) -> Database:
        """Return an empty database that is never written to the disk."""
        sealer = Sealer(os.urandom(KEY_BYTES))
        return cls(connect(Path(":memory:"), sealer), sealer)

    def close(self) -> None:
        """Close the connection; every row is on the disk already."""
        self._connection.close()

    def traces(self) -> dict[str, str]:
        """Return all traces as JSON, by action name. One statement; the caller decodes those that it needs."""
        rows = self._connection.execute("SELECT action, body, seal FROM traces")
        return {action: self._checked(seal, "traces", action, body) for action, body, seal in rows}

    def _checked(self, found: bytes, table: str, key: str, text: str) -> str:
        """Return the text of a row after checking its seal."""
        self._sealer.check(found, table, key, text)
        return text

    def trace(self, action: str) -> Trace | None:
        """Return the trace of an action's last success."""
        body = self._text("traces", "SELECT body, seal FROM traces WHERE action = ?", action)
        return None if body is None else decoded(body)

    def _text(self, table: str, statement: str, key: str) -> str | None:
        row = self._connection.execute(statement, (key,)).fetchone()
        return None if row is None else self._checked(row[1], table, key, row[0])

    def result(self, digest: str) -> Trace | None:
        """Return the cached trace of an action with this digest."""
        body = self._text("results", "SELECT body, seal FROM results WHERE digest = ?", digest)
        return None if body is None else decoded(body)

    def succeed(self, action: str, trace: Trace) -> None:
        """Record a success, run or restored.

        Raises:
            OSError: the disk is full, or cannot be written.
        """
        body, now_s = trace.to_json(), int(time.time())
        digest, seal = trace.seen.digest, self._sealer.seal
        row = (digest, body, now_s, seal("results", digest, body))
        last = (action, body, seal("traces", action, body))
        seen = trace.seen.inputs.values()
        trees = [(one.digest.encoded(), _listed(one.files)) for one in seen if one.digest and one.files is not None]
        listings = [(tree, files, seal("listings", tree, files)) for tree, files in trees]
        try:
            before = self.trace(action)
            # The replaced result was in use until now, however old it is.
            used = [] if before is None else [(now_s, before.seen.digest)]
            with self._connection:
                self._connection.execute("INSERT OR REPLACE INTO traces VALUES (?, ?, ?)", last)
                self._connection.executemany("UPDATE results SET used_s = ? WHERE digest = ?", used)
                self._connection.execute("INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?)", row)
                self._connection.execute("DELETE FROM failures WHERE action = ?", (action,))
                self._connection.executemany("INSERT OR IGNORE INTO listings VALUES (?, ?, ?)", listings)
        except sqlite3.OperationalError as error:
            if torn(error):
                raise
            raise OSError(f"the state database: {error}") from error

    def adopt(self, traces: Mapping[str, Trace], results: Iterable[Trace]) -> None:
        """Add rows of a different user's database that are missing here (`ovmake cache trust`)."""
        now_s, seal = int(time.time()), self._sealer.seal
        last = [(action, body, seal("traces", action, body)) for action, body in _in_json(traces)]
        made = [(digest, body, now_s, seal("results", digest, body)) for digest, body in _in_json(_by_digest(results))]
        with self._connection:
            self._connection.executemany("INSERT OR IGNORE INTO traces VALUES (?, ?, ?)", last)
            self._connection.executemany("INSERT OR IGNORE INTO results VALUES (?, ?, ?, ?)", made)

    def fail(self, action: str, digest: str, message: str) -> None:
        """Record a failure, for `ovmake status`. Failures are never restored as results.

        The failure may itself be a full disk. Then nothing is recorded, and no second error hides the first.
        """
        row = (action, digest, message, self._sealer.seal("failures", action, digest, message))
        with contextlib.suppress(sqlite3.OperationalError), self._connection:
            self._connection.execute("INSERT OR REPLACE INTO failures VALUES (?, ?, ?, ?)", row)

    def failures(self) -> dict[str, tuple[str, str]]:
        """Return the last failures: action name -> (action digest, message)."""
        found = {}
        for action, digest, message, seal in self._connection.execute("SELECT * FROM failures"):
            self._sealer.check(seal, "failures", action, digest, message)
            found[action] = (digest, message)
        return found

    def results(self) -> Iterator[Result]:
        """Yield the action cache, the least recently used first."""
        rows = self._connection.execute("SELECT digest, body, used_s, seal FROM results ORDER BY used_s, digest")
        for digest, body, used_s, seal in rows:
            self._sealer.check(seal, "results", digest, body)
            if not isinstance(used_s, int):
                raise sqlite3.DatabaseError("malformed row: the time of its last use is not a number")
            yield Result(digest=digest, trace=decoded(body), used_s=used_s)

    def drop(
        self,
        *,
        results: Iterable[str] = (),
        traces: Iterable[str] = (),
        failures: Iterable[str] = (),
        files: Iterable[str] = (),
    ) -> None:
        """Drop rows by their keys, all or none."""
        with self._connection:
            for statement, keys in (
                ("DELETE FROM results WHERE digest = ?", results),
                ("DELETE FROM traces WHERE action = ?", traces),
                ("DELETE FROM failures WHERE action = ?", failures),
                ("DELETE FROM files WHERE path = ?", files),
            ):
                self._connection.executemany(statement, [(key,) for key in keys])

    def compact(self) -> None:
        """Return the space of dropped rows to the disk, if it is over a quarter of the file and the disk has room."""
        (free,) = self._connection.execute("PRAGMA freelist_count").fetchone()
        (pages,) = self._connection.execute("PRAGMA page_count").fetchone()
        if free * 4 > pages:
            with contextlib.suppress(sqlite3.OperationalError):
                self._connection.execute("VACUUM")

    def files(self, path: str = "") -> dict[str, CachedFile]:
        """Return the stat cache's entries for a file, or for all files below a folder; without a path, all entries.

        Callers give a path: if one model of a thousand changed, reading the entries of the rest would cost time.
        """
        # "0" follows "/" in the order of characters.
        rows = self._connection.execute(*((OF_ONE, (path, f"{path}/", f"{path}0")) if path else (FILES,)))
        found = {}
        for *row, seal in rows:
            self._sealer.check(seal, "files", *row)
            path, size, mtime_ns, inode, sha256, seen_ns = row
            found[path] = CachedFile(Stat(False, size, mtime_ns, inode), Digest(sha256, size), seen_ns)
        return found

    def remember_files(self, files: Iterable[tuple[str, CachedFile]]) -> None:
        """Add to the stat cache. On a full disk nothing is added, and the files are hashed again next time."""
        rows = [
            (path, file.stat.size_bytes, file.stat.mtime_ns, file.stat.inode, file.digest.sha256, file.seen_ns)
            for path, file in files
            if path.encode(errors="replace").decode() == path  # SQLite's TEXT holds UTF-8 names only
        ]
        with contextlib.suppress(sqlite3.OperationalError), self._connection:
            self._connection.executemany(
                "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(*row, self._sealer.seal("files", *row)) for row in rows],
            )

    def listing(self, tree: Digest) -> Listing | None:
        """Return the files of a source folder with this digest, if a successful action used it."""
        files = self._text("listings", "SELECT files, seal FROM listings WHERE tree = ?", tree.encoded())
        try:
            return None if files is None else {path: Digest.decode(one) for path, one in json.loads(files).items()}
        except (ValueError, TypeError, AttributeError) as error:
            raise sqlite3.DatabaseError(f"malformed listing: {error}") from error

    def fingerprint(self, source: str) -> str | None:
        """Return a source's fingerprint; `source` is the digest of its bytes plus the version of the algorithm."""
        return self._text("fingerprints", "SELECT found, seal FROM fingerprints WHERE source = ?", source)

    def remember_fingerprint(self, source: str, found: str) -> None:
        """Store a fingerprint. On a full disk it is not stored, and computed again next time."""
        with contextlib.suppress(sqlite3.OperationalError), self._connection:
            row = (source, found, self._sealer.seal("fingerprints", source, found))
            self._connection.execute("INSERT OR REPLACE INTO fingerprints VALUES (?, ?, ?)", row)


def _by_digest(results: Iterable[Trace]) -> dict[str, Trace]:
    return {trace.seen.digest: trace for trace in results}


def _in_json(traces: Mapping[str, Trace]) -> list[tuple[str, str]]:
    return [(name, trace.to_json()) for name, trace in traces.items()]


def _listed(files: Mapping[str, Digest]) -> str:
    return json.dumps({path: digest.encoded() for path, digest in files.items()})


def decoded(body: str) -> Trace:
    """Return the trace of a row.

    Raises:
        sqlite3.DatabaseError: the row is malformed, see `torn`.
    """
    try:
        return Trace.from_json(body)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise sqlite3.DatabaseError(f"malformed row: {error}") from error
