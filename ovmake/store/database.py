"""SQLite: what is known from earlier runs, in `.ovmake/state.db` (WAL).

    traces      action name   -> what its last success saw and made
    results     action digest -> the same, for every success there ever was (the action cache), and its last use
    failures    action name   -> the digest and the message of its last failure
    files       path          -> state and digest (the stat cache)
    listings    tree digest   -> the files of a source folder that something was built of

Rule 1: a row is written after the bytes it speaks of are on the disk, so a crash loses at most the newest results.
Rule 2: losing the whole database is safe: everything is looked at anew. So one that is torn is set aside, not repaired.
Rule 3: it is read through only where a process did not close it. Elsewhere damage shows when a row is needed: SQLite's
        own error or a row that makes no sense is a `sqlite3.DatabaseError`, and `torn` tells it from a full disk.
Rule 4: a row carries a seal (sealing.py). A database of another user's is set aside whole; in one's own, a row whose
        seal is wrong is damage.
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

# A cell of a page that is not the one it should be may hold anything: such a file is read again.
FILES = "SELECT path, size, mtime_ns, inode, sha256, seen_ns, seal FROM files WHERE typeof(seen_ns) = 'integer'"
OF_ONE = f"{FILES} AND (path = ? OR (path >= ? AND path < ?))"


@dataclass(frozen=True, slots=True)
class CachedFile:
    """A file's digest, and the state and the time in which it was taken."""

    stat: Stat
    digest: Digest
    seen_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A row of the action cache; `used_s` is when it was last made, restored or no longer the newest (Unix time)."""

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
        """The key of the user whose it is."""
        return self._sealer.key

    def sealed(self, name: str) -> str:
        """Return the name of what belongs to this user, in hex; nobody else can tell it from `name`."""
        return self._sealer.seal("name", name).hex()

    @classmethod
    def open(cls, path: Path, key: bytes) -> tuple[Database, str]:
        """Open or make the database of the user who has `key`. The second value is a warning, "" if all is well.

        Raises:
            ForeignEntryError: it, or a file that SQLite keeps beside it, is a link or has several names.
        """
        sealer = Sealer(key)
        told = check_entries(path)
        if told:
            return cls(connect(path, sealer), sealer), told
        try:
            return cls(connect(path, sealer), sealer), ""
        except ForeignError:
            aside = set_aside(path, FOREIGN)
            told = f"{path} was set aside as {aside}, everything is looked at anew: {NOT_OURS}"
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
            ), f"{path} was set aside as {aside}, everything is looked at anew: {error}"

    @classmethod
    def in_memory(cls) -> Database:
        """Return a database that nothing outlives."""
        sealer = Sealer(os.urandom(KEY_BYTES))
        return cls(connect(Path(":memory:"), sealer), sealer)

    def close(self) -> None:
        """Close it; everything is on the disk already."""
        self._connection.close()

    def traces(self) -> dict[str, str]:
        """Return all traces as JSON, by action name: one statement, decoded by whoever needs one."""
        rows = self._connection.execute("SELECT action, body, seal FROM traces")
        return {action: self._checked(seal, "traces", action, body) for action, body, seal in rows}

    def _checked(self, found: bytes, table: str, key: str, text: str) -> str:
        """Return the text of a row with one key."""
        self._sealer.check(found, table, key, text)
        return text

    def trace(self, action: str) -> Trace | None:
        """Return what the last success of an action saw and made."""
        body = self._text("traces", "SELECT body, seal FROM traces WHERE action = ?", action)
        return None if body is None else decoded(body)

    def _text(self, table: str, statement: str, key: str) -> str | None:
        row = self._connection.execute(statement, (key,)).fetchone()
        return None if row is None else self._checked(row[1], table, key, row[0])

    def result(self, digest: str) -> Trace | None:
        """Return what an action with this digest made."""
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
            # What it replaces was in use until now, however long ago it was made.
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
        """Add what another user's database knew, as far as this one knows nothing of it: `ovmake cache trust`."""
        now_s, seal = int(time.time()), self._sealer.seal
        last = [(action, body, seal("traces", action, body)) for action, body in _in_json(traces)]
        made = [(digest, body, now_s, seal("results", digest, body)) for digest, body in _in_json(_by_digest(results))]
        with self._connection:
            self._connection.executemany("INSERT OR IGNORE INTO traces VALUES (?, ?, ?)", last)
            self._connection.executemany("INSERT OR IGNORE INTO results VALUES (?, ?, ?, ?)", made)

    def fail(self, action: str, digest: str, message: str) -> None:
        """Record a failure, for `ovmake status`; it is never taken for a result.

        A full disk may be the very failure, and must not hide it: then nothing is recorded.
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
                raise sqlite3.DatabaseError("a row makes no sense: its last use is no number")
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
        """Give the space of dropped rows back to the disk, if that is a good part of the file, and it has room to."""
        (free,) = self._connection.execute("PRAGMA freelist_count").fetchone()
        (pages,) = self._connection.execute("PRAGMA page_count").fetchone()
        if free * 4 > pages:
            with contextlib.suppress(sqlite3.OperationalError):
                self._connection.execute("VACUUM")

    def files(self, path: str = "") -> dict[str, CachedFile]:
        """Return what the stat cache knows of a file, or of all files below a folder; all that it knows without a path.

        Not all of it by default: where one model of a thousand changed, the others' files are nobody's business.
        """
        # "0" is what comes after "/".
        rows = self._connection.execute(*((OF_ONE, (path, f"{path}/", f"{path}0")) if path else (FILES,)))
        found = {}
        for *row, seal in rows:
            self._sealer.check(seal, "files", *row)
            path, size, mtime_ns, inode, sha256, seen_ns = row
            found[path] = CachedFile(Stat(False, size, mtime_ns, inode), Digest(sha256, size), seen_ns)
        return found

    def remember_files(self, files: Iterable[tuple[str, CachedFile]]) -> None:
        """Add to the stat cache; a disk that cannot take it costs only reading files again."""
        rows = [
            (path, file.stat.size_bytes, file.stat.mtime_ns, file.stat.inode, file.digest.sha256, file.seen_ns)
            for path, file in files
            if path.encode(errors="replace").decode() == path  # a name that is no UTF-8 is no TEXT either
        ]
        with contextlib.suppress(sqlite3.OperationalError), self._connection:
            self._connection.executemany(
                "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(*row, self._sealer.seal("files", *row)) for row in rows],
            )

    def listing(self, tree: Digest) -> Listing | None:
        """Return the files of a source folder with this digest, if an action that succeeded has seen it."""
        files = self._text("listings", "SELECT files, seal FROM listings WHERE tree = ?", tree.encoded())
        try:
            return None if files is None else {path: Digest.decode(one) for path, one in json.loads(files).items()}
        except (ValueError, TypeError, AttributeError) as error:
            raise sqlite3.DatabaseError(f"a listing makes no sense: {error}") from error

    def fingerprint(self, source: str) -> str | None:
        """Return a source's fingerprint; `source` is the digest of its bytes and the version of who takes it."""
        return self._text("fingerprints", "SELECT found, seal FROM fingerprints WHERE source = ?", source)

    def remember_fingerprint(self, source: str, found: str) -> None:
        """Keep a fingerprint; a disk that cannot take it costs only taking it again."""
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
        sqlite3.DatabaseError: it is none, see `torn`.
    """
    try:
        return Trace.from_json(body)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise sqlite3.DatabaseError(f"a row makes no sense: {error}") from error
