"""What earlier runs found out, for whoever only looks: no lock is taken, and nothing is made, moved or mended.

    look(path, key) -> (Database, warning)

A build may be at work meanwhile: SQLite's WAL lets others read beside its one writer. To do so SQLite writes a file,
`-shm`, that says who reads what. Where it cannot, in a read-only checkout or on a full disk, a copy of the database is
read.

What a build would set aside counts as not there, and is left to it: another user's state, another format, a torn file.
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
from ovmake.store.files.beneath import Beneath, create
from ovmake.store.formats import FORMAT, NOT_OURS, check_entries, torn
from ovmake.store.sealing import Sealer

# How long to wait for a writer who has the database for itself: while it recovers what a kill left, say.
BUSY_SECONDS = 2.0
# What is copied: not the `-shm`, which is made anew.
COPIED = ("", "-wal")


def look(path: Path, key: bytes | None) -> tuple[Database, str]:
    """Open the database at `path` to be read only; the second value says why it counts as empty, "" if it does not.

    `key` is the user's, None where there is none yet: then nothing can be his.

    Raises:
        ForeignEntryError: it, or a file that SQLite keeps beside it, is a link or has several names.
    """
    sealer = Sealer(os.urandom(KEY_BYTES) if key is None else key)
    try:
        found = Beneath(str(path.parent.parent)).stat(f"{path.parent.name}/{path.name}")
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
    return f"{path} counts as not there: {why}"


def _connected(path: Path) -> sqlite3.Connection:
    """Connect to the database, or to a copy where SQLite cannot read it in its place."""
    try:
        return _open(path)
    except sqlite3.DatabaseError as error:
        if torn(error):
            raise
    return _copied(path)


def _open(path: Path) -> sqlite3.Connection:
    # `rw` makes no database where there is none.
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True, timeout=BUSY_SECONDS)
    try:
        connection.execute("PRAGMA query_only = ON")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # only now is it opened
    except BaseException:
        connection.close()
        raise
    return connection


def _copied(path: Path) -> sqlite3.Connection:
    """Return a copy in memory: of the file with its log, so that what a killed build found out is in it."""
    ours = Beneath(str(path.parent))
    memory = sqlite3.connect(":memory:")
    with tempfile.TemporaryDirectory(prefix="ovmake-look-") as folder:
        # The log first: what a writer moves from it into the file meanwhile is in the file then.
        for part in reversed(COPIED):
            with contextlib.suppress(FileNotFoundError):
                create(f"{folder}/{path.name}{part}", ours.read(f"{path.name}{part}"))
        with contextlib.closing(_open(Path(folder, path.name))) as copy:
            copy.backup(memory)
    memory.execute("PRAGMA query_only = ON")
    return memory


def _unusable(connection: sqlite3.Connection, sealer: Sealer) -> str | None:
    """Return why a database says nothing to this user, "" for one that a build has only begun to make; else None."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == 0:
        return ""
    if version != FORMAT:
        return f"it has format {version}, this ovmake reads {FORMAT}"
    return None if connection.execute("SELECT seal FROM owner").fetchall() == [(sealer.owner,)] else NOT_OURS
