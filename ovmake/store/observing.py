"""The database, opened read-only: for commands that change nothing. They take no lock, and repair and move no file.

    open_read_only(path, key) -> (Database, warning)

A build may run at the same time: SQLite's WAL allows readers beside its one writer. For that SQLite writes a file,
`-shm`, with the readers' marks. In a read-only checkout or on a full disk it cannot; then ovmake reads a copy.

A database that a build would set aside (different user, different format, corrupt file) is ignored and left unchanged.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat as stat_module
import tempfile
from pathlib import Path
from urllib.parse import quote

from ovmake.seal import KEY_BYTES
from ovmake.store.database import Database
from ovmake.store.files.own_folders import OwnFolders, create_file
from ovmake.store.formats import FORMAT, NOT_OURS, check_entries, torn
from ovmake.store.sealing import Sealer

# How long to wait for a writer with an exclusive lock, for example during recovery after a kill.
BUSY_SECONDS = 2.0
# Files to copy. SQLite creates the `-shm` itself.
COPIED = ("", "-wal")


def open_read_only(path: Path, key: bytes | None) -> tuple[Database, str]:
    """Open the database at `path` read-only. The second value says why it is ignored, "" if it is used.

    `key` is the user's; None if the user has no key yet, and so cannot own the database.

    Raises:
        ForeignEntryError: the database, or a file that SQLite writes beside it, is a link or has several names.
    """
    sealer = Sealer(os.urandom(KEY_BYTES) if key is None else key)
    try:
        found = OwnFolders(str(path.parent.parent)).stat(f"{path.parent.name}/{path.name}")
        if found is None:
            return Database.in_memory(), ""
        if stat_module.S_ISDIR(found.st_mode):
            return Database.in_memory(), _counts_as_nothing(path, "it is a folder")
        check_entries(path)
        connection = _connected(path)
    except (OSError, sqlite3.DatabaseError) as error:
        return Database.in_memory(), _counts_as_nothing(path, getattr(error, "strerror", None) or str(error))
    try:
        why = _unusable(connection, sealer)
    except sqlite3.DatabaseError as error:
        why = str(error)
    if why is None:
        return Database(connection, sealer), ""
    connection.close()
    return Database.in_memory(), _counts_as_nothing(path, why) if why else ""


def _counts_as_nothing(path: Path, why: str) -> str:
    return f"{path} is ignored: {why}"


def _connected(path: Path) -> sqlite3.Connection:
    """Connect to the database, or to a copy if SQLite cannot read the original."""
    try:
        return _open(path)
    except sqlite3.DatabaseError as error:
        if torn(error):
            raise
    return _copied(path)


def _open(path: Path) -> sqlite3.Connection:
    # `rw` creates no database if there is none.
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True, timeout=BUSY_SECONDS)
    try:
        connection.execute("PRAGMA query_only = ON")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # SQLite opens the file here
    except BaseException:
        connection.close()
        raise
    return connection


def _copied(path: Path) -> sqlite3.Connection:
    """Return a copy in memory, of the file and its log: the log may hold results of a killed build."""
    ours = OwnFolders(str(path.parent))
    memory = sqlite3.connect(":memory:")
    with tempfile.TemporaryDirectory(prefix="ovmake-look-") as folder:
        # The log first: rows that a writer moves from the log into the file during the copy are then in the file.
        for part in reversed(COPIED):
            with contextlib.suppress(FileNotFoundError):
                create_file(f"{folder}/{path.name}{part}", ours.read(f"{path.name}{part}"))
        with contextlib.closing(_open(Path(folder, path.name))) as copy:
            copy.backup(memory)
    memory.execute("PRAGMA query_only = ON")
    return memory


def _unusable(connection: sqlite3.Connection, sealer: Sealer) -> str | None:
    """Return why this user cannot use a database: "" if a build is still creating it; None if it can be used."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == 0:
        return ""
    if version != FORMAT:
        return f"it has format {version}, this ovmake reads {FORMAT}"
    return None if connection.execute("SELECT seal FROM owner").fetchall() == [(sealer.owner,)] else NOT_OURS
