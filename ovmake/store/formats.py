"""The file of the state database: its format, its owner, and the handling of an unusable one.

    connect(path, sealer) -> sqlite3.Connection     in this format; created or migrated if needed
    check_entries(path), exchange(path, format), set_aside(path, suffix)
    torn(error) -> bool                             whether the file is corrupt

Rule 1: every format has its own file. A database of an older format is migrated. One of a newer format is renamed after
        its format; the ovmake that made it finds it under that name.
Rule 2: a database of a different user, or a corrupt one, is set aside whole. Nothing is repaired.
"""

from __future__ import annotations

import contextlib
import sqlite3
import stat as stat_module
from pathlib import Path

from ovmake.store.files.handles import check_at
from ovmake.store.files.own_folders import OwnFolders
from ovmake.store.sealing import Sealer

# Raise when a table or the trace's JSON changes, and add a migration from the previous format to MIGRATIONS.
FORMAT = 3
SCHEMA = """
CREATE TABLE owner (seal BLOB NOT NULL);
CREATE TABLE traces (action TEXT PRIMARY KEY, body TEXT NOT NULL, seal BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE results (
    digest TEXT PRIMARY KEY, body TEXT NOT NULL, used_s INTEGER NOT NULL, seal BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE failures (
    action TEXT PRIMARY KEY, digest TEXT NOT NULL, message TEXT NOT NULL, seal BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE files (
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, inode INTEGER NOT NULL,
    sha256 TEXT NOT NULL, seen_ns INTEGER NOT NULL, seal BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE fingerprints (source TEXT PRIMARY KEY, found TEXT NOT NULL, seal BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE listings (tree TEXT PRIMARY KEY, files TEXT NOT NULL, seal BLOB NOT NULL) WITHOUT ROWID;
"""

# Format -> the SQL that migrates it to the next one.
MIGRATIONS = {
    # Format 1 did not record the last use: results count as used now. Early files of format 1 lack the fingerprints.
    1: """
ALTER TABLE results ADD COLUMN used_s INTEGER NOT NULL DEFAULT 0;
UPDATE results SET used_s = CAST(strftime('%s', 'now') AS INTEGER);
CREATE TABLE IF NOT EXISTS fingerprints (source TEXT PRIMARY KEY, found TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS listings (tree TEXT PRIMARY KEY, files TEXT NOT NULL) WITHOUT ROWID;
""",
    # Rows without seals have no owner: the file is set aside until `ovmake cache trust` imports it.
    2: """
ALTER TABLE traces ADD COLUMN seal BLOB NOT NULL DEFAULT x'';
ALTER TABLE results ADD COLUMN seal BLOB NOT NULL DEFAULT x'';
ALTER TABLE failures ADD COLUMN seal BLOB NOT NULL DEFAULT x'';
ALTER TABLE files ADD COLUMN seal BLOB NOT NULL DEFAULT x'';
ALTER TABLE fingerprints ADD COLUMN seal BLOB NOT NULL DEFAULT x'';
ALTER TABLE listings ADD COLUMN seal BLOB NOT NULL DEFAULT x'';
CREATE TABLE owner (seal BLOB NOT NULL);
""",
}

# The suffix of a different user's database once it is set aside.
FOREIGN = "foreign"
NOT_OURS = "a different user made it, or a different machine (if you trust it, `ovmake cache trust` imports it)"

# Suffixes of the database and of the files that SQLite writes beside it.
SQLITE_FILES = ("", "-wal", "-shm", "-journal")

# A larger number is not a format: the header is corrupt.
LAST_FORMAT = 1_000

# Errors with causes outside the file: the database may be intact.
OUTSIDE = {
    *(sqlite3.SQLITE_PERM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY),
    *(sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN),
    *(sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_AUTH, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISUSE),
}


def torn(error: sqlite3.DatabaseError) -> bool:
    """Whether the file is corrupt; False for errors of the disk or of the calling program."""
    if isinstance(error, sqlite3.ProgrammingError | sqlite3.NotSupportedError):
        return False
    # Python's own errors, such as invalid UTF-8, have no code. The last byte of an extended code is its kind.
    return (getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF) not in OUTSIDE


def set_aside(path: Path, suffix: str = "unreadable") -> str:
    """Rename a closed database and its log; return the new name."""
    ours, aside = OwnFolders(str(path.parent)), f"{path.name}.{suffix}"
    ours.remove(f"{path.name}-shm")
    for part in ("-wal", ""):
        ours.remove(f"{aside}{part}")
        with contextlib.suppress(FileNotFoundError):
            ours.move(f"{path.name}{part}", f"{aside}{part}")
    return aside


def check_entries(path: Path) -> str:
    """Check the files before SQLite opens them by name. Returns a warning if a folder had the database's name, or "".

    Raises:
        ForeignEntryError: one of the files is a link, has several names, or is not a regular file.
    """
    if not path.parent.exists():
        OwnFolders(str(path.parent.parent)).make_folder(path.parent.name)
    ours = OwnFolders(str(path.parent))
    found = ours.stat(path.name)
    if found is not None and stat_module.S_ISDIR(found.st_mode):
        ours.remove(f"{path.name}.folder", as_far_as_possible=True)
        ours.move(path.name, f"{path.name}.folder")
        return f"{path} was set aside as {path.name}.folder, everything is checked again: it is a folder"
    for part in SQLITE_FILES:
        if ours.stat(f"{path.name}{part}") is not None:
            with ours.place(f"{path.name}{part}") as (handle, name):
                check_at(handle, name, f"{path.parent.name}/{name}")
    return ""


class ForeignError(Exception):
    """The database belongs to a different user."""


class OtherFormatError(Exception):
    """A newer ovmake made the database; or an older one made it while this format's own was set aside."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.format = number


def _own(path: Path) -> Path:
    """Return the path under which an ovmake of a different format sets aside a database of this format."""
    return path.with_name(f"{path.name}.format-{FORMAT}")


def exchange(path: Path, number: int) -> str:
    """Set a database of a different format aside, and restore this format's if it exists. Returns a message."""
    aside = set_aside(path, f"format-{number}")
    then = "the database of this ovmake is back" if _own(path).exists() else "everything is checked again"
    ours = OwnFolders(str(path.parent))
    for part in ("-wal", ""):
        with contextlib.suppress(FileNotFoundError):
            ours.move(f"{_own(path).name}{part}", f"{path.name}{part}")
    found = f"{path} has format {number}, this ovmake reads {FORMAT}"
    return f"{found}: it was set aside as {aside}, where the ovmake that made it finds it again, and {then}"


def connect(path: Path, sealer: Sealer, *, any_owner: bool = False) -> sqlite3.Connection:
    """Open or create the database; with `any_owner`, that of any user.

    Raises:
        ForeignError: a different user made it.
        OtherFormatError: it has a different format that cannot be migrated to this one.
        sqlite3.DatabaseError: it cannot be read, see `torn`.
    """
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
            raise OtherFormatError(version)
        if version and not closed and (found := connection.execute("PRAGMA quick_check(1)").fetchone()) != ("ok",):
            raise sqlite3.DatabaseError(found[0])
        _bring_up(connection, version, sealer)
        if not any_owner and connection.execute("SELECT seal FROM owner").fetchall() != [(sealer.owner,)]:
            raise ForeignError
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.close()
        raise
    return connection


def _bring_up(connection: sqlite3.Connection, version: int, sealer: Sealer) -> None:
    """Create the tables of an empty database, or migrate those of an older format. One transaction."""
    new = f"{SCHEMA} INSERT INTO owner VALUES (x'{sealer.owner.hex()}');"  # noqa: S608 - our own digits
    steps = "".join(MIGRATIONS[number] for number in range(version, FORMAT)) if version else new
    if version < FORMAT:
        connection.executescript(f"BEGIN IMMEDIATE; {steps} PRAGMA user_version = {FORMAT}; COMMIT;")
