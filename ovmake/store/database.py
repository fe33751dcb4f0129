"""SQLite: what is known from earlier runs, in `.ovmake/state.db` (WAL).

    traces      action name   -> what its last success saw and made
    results     action digest -> the same, for every success there ever was (the action cache)
    failures    action name   -> the digest and the message of its last failure
    files       path          -> state and digest (the stat cache)

Rule 1: a row is written after the bytes it speaks of are on the disk, so a crash loses at most the newest results.
Rule 2: losing the whole database is safe: everything is rebuilt. So a torn or foreign one is set aside, not repaired.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ovmake.graph.digest import Digest
from ovmake.graph.trace import Trace
from ovmake.store.disk import Stat

# Bump when a table or the trace's JSON changes.
FORMAT = 1
SCHEMA = """
CREATE TABLE traces (action TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE results (digest TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE failures (action TEXT PRIMARY KEY, digest TEXT NOT NULL, message TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE files (
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, inode INTEGER NOT NULL,
    sha256 TEXT NOT NULL, seen_ns INTEGER NOT NULL
) WITHOUT ROWID;
"""


# What sources compute, by the digest of their bytes and ovmake's version. Older databases of this format lack the
# table, and lose nothing by it.
FINGERPRINTS = "CREATE TABLE IF NOT EXISTS fingerprints (source TEXT PRIMARY KEY, found TEXT NOT NULL) WITHOUT ROWID"


@dataclass(frozen=True, slots=True)
class CachedFile:
    """A file's digest, and the state and the time in which it was taken."""

    stat: Stat
    digest: Digest
    seen_ns: int


class Database:
    """An open state database."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    def open(cls, path: Path) -> tuple[Database, str]:
        """Open or make the database. The second value is a warning, "" if all is well."""
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return cls(_connect(path)), ""
        except sqlite3.OperationalError:
            raise  # a full disk or missing rights: setting the file aside would not help
        except (sqlite3.DatabaseError, _ForeignFormatError) as error:
            aside = path.with_name(path.name + ".unreadable")
            for suffix in ("-wal", "-shm"):
                Path(f"{path}{suffix}").unlink(missing_ok=True)
            path.replace(aside)
            return cls(_connect(path)), f"{path} was set aside as {aside.name}, everything is looked at anew: {error}"

    @classmethod
    def in_memory(cls) -> Database:
        """Return a database that nothing outlives."""
        return cls(_connect(Path(":memory:")))

    def close(self) -> None:
        """Close it; everything is on the disk already."""
        self._connection.close()

    def traces(self) -> dict[str, str]:
        """Return all traces as JSON, by action name: one statement, decoded by whoever needs one."""
        return dict(self._connection.execute("SELECT action, body FROM traces"))

    def trace(self, action: str) -> Trace | None:
        """Return what the last success of an action saw and made."""
        row = self._connection.execute("SELECT body FROM traces WHERE action = ?", (action,)).fetchone()
        return None if row is None else Trace.from_json(row[0])

    def result(self, digest: str) -> Trace | None:
        """Return what an action with this digest made."""
        row = self._connection.execute("SELECT body FROM results WHERE digest = ?", (digest,)).fetchone()
        return None if row is None else Trace.from_json(row[0])

    def succeed(self, action: str, trace: Trace) -> None:
        """Record a success, run or restored.

        Raises:
            OSError: the disk is full, or cannot be written.
        """
        body = trace.to_json()
        try:
            with self._connection:
                self._connection.execute("INSERT OR REPLACE INTO traces VALUES (?, ?)", (action, body))
                self._connection.execute("INSERT OR REPLACE INTO results VALUES (?, ?)", (trace.seen.digest, body))
                self._connection.execute("DELETE FROM failures WHERE action = ?", (action,))
        except sqlite3.OperationalError as error:
            raise OSError(f"the state database: {error}") from error

    def fail(self, action: str, digest: str, message: str) -> None:
        """Record a failure, for `ovmake status`; it is never taken for a result.

        A full disk may be the very failure, and must not hide it: then nothing is recorded.
        """
        with contextlib.suppress(sqlite3.OperationalError), self._connection:
            self._connection.execute("INSERT OR REPLACE INTO failures VALUES (?, ?, ?)", (action, digest, message))

    def failures(self) -> dict[str, tuple[str, str]]:
        """Return the last failures: action name -> (action digest, message)."""
        rows = self._connection.execute("SELECT action, digest, message FROM failures")
        return {action: (digest, message) for action, digest, message in rows}

    def files(self, path: str) -> dict[str, CachedFile]:
        """Return what the stat cache knows of a file, or of all files below a folder.

        Not all of it at once: where one model of a thousand changed, the others' files are nobody's business.
        """
        below = (f"{path}/", f"{path}0")  # "0" is what comes after "/"
        rows = self._connection.execute(
            "SELECT path, size, mtime_ns, inode, sha256, seen_ns FROM files WHERE path = ? OR (path >= ? AND path < ?)",
            (path, *below),
        )
        return {
            path: CachedFile(Stat(False, size, mtime_ns, inode), Digest(sha256, size), seen_ns)
            for path, size, mtime_ns, inode, sha256, seen_ns in rows
        }

    def remember_files(self, files: Iterable[tuple[str, CachedFile]]) -> None:
        """Add to the stat cache; a disk that cannot take it costs only reading files again."""
        rows = [
            (path, file.stat.size_bytes, file.stat.mtime_ns, file.stat.inode, file.digest.sha256, file.seen_ns)
            for path, file in files
            if path.encode(errors="replace").decode() == path  # a name that is no UTF-8 is no TEXT either
        ]
        with contextlib.suppress(sqlite3.OperationalError), self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)", rows)

    def fingerprint(self, source: str) -> str | None:
        """Return a source's fingerprint; `source` is the digest of its bytes and the version of who takes it."""
        row = self._connection.execute("SELECT found FROM fingerprints WHERE source = ?", (source,)).fetchone()
        return None if row is None else str(row[0])

    def remember_fingerprint(self, source: str, found: str) -> None:
        """Keep a fingerprint; a disk that cannot take it costs only taking it again."""
        with contextlib.suppress(sqlite3.OperationalError), self._connection:
            self._connection.execute("INSERT OR REPLACE INTO fingerprints VALUES (?, ?)", (source, found))


class _ForeignFormatError(Exception):
    """The database was made by a newer or older ovmake."""


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level="IMMEDIATE")
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        # FULL, not NORMAL: a published output must never outlive, over a power loss, the row that explains it.
        connection.execute("PRAGMA synchronous = FULL")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version not in (0, FORMAT):
            raise _ForeignFormatError(f"it has format {version}, this ovmake reads {FORMAT}")
        if version == FORMAT and (found := connection.execute("PRAGMA quick_check(1)").fetchone()) != ("ok",):
            raise sqlite3.DatabaseError(found[0])
        if version == 0:
            connection.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {FORMAT}; COMMIT;")
        connection.execute(FINGERPRINTS)
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.close()
        raise
    return connection
