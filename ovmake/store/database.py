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
Rule 4: every format has its own database. An older one is brought up to this format; a newer one steps aside under its
        format's name, where the ovmake that made it finds it again.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ovmake.graph.digest import Digest
from ovmake.graph.trace import Listing, Trace
from ovmake.store.disk import Stat, is_full

# Bump when a table or the trace's JSON changes, and say in MIGRATIONS how the format before becomes this one.
FORMAT = 2
SCHEMA = """
CREATE TABLE traces (action TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE results (digest TEXT PRIMARY KEY, body TEXT NOT NULL, used_s INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE failures (action TEXT PRIMARY KEY, digest TEXT NOT NULL, message TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE files (
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, inode INTEGER NOT NULL,
    sha256 TEXT NOT NULL, seen_ns INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE fingerprints (source TEXT PRIMARY KEY, found TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE listings (tree TEXT PRIMARY KEY, files TEXT NOT NULL) WITHOUT ROWID;
"""

# Format -> what makes the next one of it.
MIGRATIONS = {
    # When results were used was not noted: they count as used now. Early databases of format 1 lack the fingerprints.
    1: """
ALTER TABLE results ADD COLUMN used_s INTEGER NOT NULL DEFAULT 0;
UPDATE results SET used_s = CAST(strftime('%s', 'now') AS INTEGER);
CREATE TABLE IF NOT EXISTS fingerprints (source TEXT PRIMARY KEY, found TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS listings (tree TEXT PRIMARY KEY, files TEXT NOT NULL) WITHOUT ROWID;
""",
}

# A cell of a page that is not the one it should be may hold anything: such a file is read again.
FILES = "SELECT path, size, mtime_ns, inode, sha256, seen_ns FROM files WHERE typeof(seen_ns) = 'integer'"
OF_ONE = f"{FILES} AND (path = ? OR (path >= ? AND path < ?))"

# A format beyond this is no format, but what a torn header says.
LAST_FORMAT = 1_000

# What keeps SQLite from working on a database that is whole.
OUTSIDE = {
    *(sqlite3.SQLITE_PERM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY),
    *(sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN),
    *(sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_AUTH, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISUSE),
}


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

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    def open(cls, path: Path) -> tuple[Database, str]:
        """Open or make the database. The second value is a warning, "" if all is well."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            import shutil  # noqa: PLC0415 - 8 ms, for what next to never is

            folder = path.with_name(f"{path.name}.folder")
            shutil.rmtree(folder, ignore_errors=True)
            path.rename(folder)
            told = f"{path} was set aside as {folder.name}, everything is looked at anew: it is a folder"
            return cls(_connect(path)), told
        try:
            return cls(_connect(path)), ""
        except _OtherFormatError as error:
            told = _exchange(path, error.format)
            database, more = cls.open(path)
            return database, "; ".join(filter(None, (told, more)))
        except sqlite3.DatabaseError as error:
            if not torn(error):  # a full disk or missing rights: setting the file aside would not help
                if is_full(path.parent):  # "disk I/O error", says SQLite
                    raise sqlite3.OperationalError("the disk is full") from error
                raise
            aside = set_aside(path)
            return cls(_connect(path)), f"{path} was set aside as {aside}, everything is looked at anew: {error}"

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
        return None if row is None else decoded(row[0])

    def result(self, digest: str) -> Trace | None:
        """Return what an action with this digest made."""
        row = self._connection.execute("SELECT body FROM results WHERE digest = ?", (digest,)).fetchone()
        return None if row is None else decoded(row[0])

    def succeed(self, action: str, trace: Trace) -> None:
        """Record a success, run or restored.

        Raises:
            OSError: the disk is full, or cannot be written.
        """
        body, now_s = trace.to_json(), int(time.time())
        row = (trace.seen.digest, body, now_s)
        seen = trace.seen.inputs.values()
        listings = [(one.digest.encoded(), _listed(one.files)) for one in seen if one.digest and one.files is not None]
        try:
            before = self.trace(action)
            # What it replaces was in use until now, however long ago it was made.
            used = [] if before is None else [(now_s, before.seen.digest)]
            with self._connection:
                self._connection.execute("INSERT OR REPLACE INTO traces VALUES (?, ?)", (action, body))
                self._connection.executemany("UPDATE results SET used_s = ? WHERE digest = ?", used)
                self._connection.execute("INSERT OR REPLACE INTO results VALUES (?, ?, ?)", row)
                self._connection.execute("DELETE FROM failures WHERE action = ?", (action,))
                self._connection.executemany("INSERT OR IGNORE INTO listings VALUES (?, ?)", listings)
        except sqlite3.OperationalError as error:
            if torn(error):
                raise
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

    def results(self) -> Iterator[Result]:
        """Yield the action cache, the least recently used first."""
        rows = self._connection.execute("SELECT digest, body, used_s FROM results ORDER BY used_s, digest")
        for digest, body, used_s in rows:
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

    def listing(self, tree: Digest) -> Listing | None:
        """Return the files of a source folder with this digest, if an action that succeeded has seen it."""
        row = self._connection.execute("SELECT files FROM listings WHERE tree = ?", (tree.encoded(),)).fetchone()
        try:
            return None if row is None else {path: Digest.decode(one) for path, one in json.loads(row[0]).items()}
        except (ValueError, TypeError, AttributeError) as error:
            raise sqlite3.DatabaseError(f"a listing makes no sense: {error}") from error

    def fingerprint(self, source: str) -> str | None:
        """Return a source's fingerprint; `source` is the digest of its bytes and the version of who takes it."""
        row = self._connection.execute("SELECT found FROM fingerprints WHERE source = ?", (source,)).fetchone()
        if row is not None and not isinstance(row[0], str):
            raise sqlite3.DatabaseError("a fingerprint makes no sense")
        return None if row is None else row[0]

    def remember_fingerprint(self, source: str, found: str) -> None:
        """Keep a fingerprint; a disk that cannot take it costs only taking it again."""
        with contextlib.suppress(sqlite3.OperationalError), self._connection:
            self._connection.execute("INSERT OR REPLACE INTO fingerprints VALUES (?, ?)", (source, found))


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


def torn(error: sqlite3.DatabaseError) -> bool:
    """Whether the file is what is wrong, and not the disk it is on or the program that reads it."""
    if isinstance(error, sqlite3.ProgrammingError | sqlite3.NotSupportedError):
        return False
    # Python's own errors, say of text that is no UTF-8, have no code; the last byte of an extended one is the kind.
    return (getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF) not in OUTSIDE


def set_aside(path: Path, suffix: str = "unreadable") -> str:
    """Move a closed database out of the way, with the log that belongs to it; return its new name."""
    aside = path.with_name(f"{path.name}.{suffix}")
    Path(f"{path}-shm").unlink(missing_ok=True)
    for part in ("-wal", ""):
        Path(f"{aside}{part}").unlink(missing_ok=True)
        with contextlib.suppress(FileNotFoundError):
            Path(f"{path}{part}").rename(f"{aside}{part}")
    return aside.name


class _OtherFormatError(Exception):
    """The database was made by a newer ovmake, or an older one made it while this one's own stood aside."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.format = number


def _own(path: Path) -> Path:
    """Return where a database of this format is that another ovmake has set aside."""
    return path.with_name(f"{path.name}.format-{FORMAT}")


def _exchange(path: Path, number: int) -> str:
    """Set the database of another format aside, and take this format's back if there is one; say so."""
    aside = set_aside(path, f"format-{number}")
    then = "the one that this ovmake had is back" if _own(path).exists() else "everything is looked at anew"
    for part in ("-wal", ""):
        with contextlib.suppress(FileNotFoundError):
            Path(f"{_own(path)}{part}").rename(f"{path}{part}")
    found = f"{path} has format {number}, this ovmake reads {FORMAT}"
    return f"{found}: it was set aside as {aside}, where the ovmake that made it finds it again, and {then}"


def _connect(path: Path) -> sqlite3.Connection:
    closed = not Path(f"{path}-wal").exists()
    connection = sqlite3.connect(path, isolation_level="IMMEDIATE")
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        # FULL, not NORMAL: a published output must never outlive, over a power loss, the row that explains it.
        connection.execute("PRAGMA synchronous = FULL")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if not 0 <= version <= LAST_FORMAT:
            raise sqlite3.DatabaseError(f"its format is {version}")
        if version > FORMAT or (0 < version < FORMAT and _own(path).exists()):
            raise _OtherFormatError(version)
        if version and not closed and (found := connection.execute("PRAGMA quick_check(1)").fetchone()) != ("ok",):
            raise sqlite3.DatabaseError(found[0])
        _bring_up(connection, version)
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.close()
        raise
    return connection


def _bring_up(connection: sqlite3.Connection, version: int) -> None:
    """Make the tables of an empty database, or those of an older format into this one's: in one transaction."""
    steps = "".join(MIGRATIONS[number] for number in range(version, FORMAT)) if version else SCHEMA
    if version < FORMAT:
        connection.executescript(f"BEGIN IMMEDIATE; {steps} PRAGMA user_version = {FORMAT}; COMMIT;")
