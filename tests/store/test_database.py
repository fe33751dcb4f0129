"""The state database: what it keeps, and what becomes of one that cannot be read."""

from __future__ import annotations

import json
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from ovmake.graph.digest import Digest, of_bytes
from ovmake.graph.trace import Seen, SeenInput, Trace
from ovmake.seal import keep_key
from ovmake.store.database import CachedFile, Database, decoded
from ovmake.store.files.disk import Stat
from ovmake.store.formats import FORMAT, MIGRATIONS, NOT_OURS, set_aside, torn
from ovmake.store.trusting import Trusted, trust


def trace(batch: int = 1) -> Trace:
    seen = Seen(
        kind="convert",
        tools={"openvino": "2026.4.1"},
        params={"batch": batch, "inputs.x.mean": (1.5, 2.0)},
        environment={"isa": "avx2"},
        inputs={"source": SeenInput(label="models/m.pb", digest=of_bytes(b"a"))},
    )
    return Trace(seen=seen, outputs={"xml": of_bytes(b"<net/>")}, facts={"drop": 0.25, "gate": None}, seconds=1.5)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".ovmake/state.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    opened, warning = Database.open(path, keep_key()[0])
    assert warning == ""
    yield opened
    opened.close()


def reopened(path: Path) -> tuple[Database, str]:
    database, warning = Database.open(path, keep_key()[0])
    return database, warning


def filled(path: Path, rows: int = 200) -> None:
    """Make a database of several pages, closed as a process leaves it that ends well."""
    database, _ = Database.open(path, keep_key()[0])
    for number in range(rows):
        database.succeed(f"convert m{number}", trace(number))
    database.remember_files(
        (f"models/{number}", CachedFile(Stat(False, 1, 2, 3), Digest("ab" * 32, 1), 4)) for number in range(rows)
    )
    database.close()


def assert_works(database: Database) -> None:
    database.succeed("convert m", trace())
    assert database.traces() == {"convert m": trace().to_json()}
    assert database.files("models") == {}
    assert database.failures() == {}


# what it keeps


def test_success_is_there_after_the_process_ended(path: Path, database: Database) -> None:
    database.succeed("convert m", trace())
    database.close()

    with closing(reopened(path)[0]) as again:
        assert {name: Trace.from_json(body) for name, body in again.traces().items()} == {"convert m": trace()}
        assert again.result(trace().seen.digest) == trace()


def test_success_is_there_for_another_process_at_once(path: Path, database: Database) -> None:
    database.succeed("convert m", trace())

    with closing(reopened(path)[0]) as other:
        assert list(other.traces()) == ["convert m"]


def test_results_of_one_action_are_all_kept(database: Database) -> None:
    for batch in (1, 4):
        database.succeed("convert m", trace(batch))

    assert database.traces() == {"convert m": trace(4).to_json()}
    assert [database.result(trace(batch).seen.digest) for batch in (1, 4)] == [trace(1), trace(4)]


def test_failure_is_remembered_until_the_action_succeeds(database: Database) -> None:
    database.fail("convert m", "d1", "first")
    database.fail("convert m", "d2", "second")
    database.fail("convert n", "d3", "other")
    assert database.failures() == {"convert m": ("d2", "second"), "convert n": ("d3", "other")}

    database.succeed("convert m", trace())

    assert database.failures() == {"convert n": ("d3", "other")}


def test_failure_is_no_result(database: Database) -> None:
    database.fail("convert m", trace().seen.digest, "it did not work")

    assert (database.result(trace().seen.digest), database.traces()) == (None, {})


def test_stat_cache_survives(path: Path, database: Database) -> None:
    file = CachedFile(
        Stat(False, 7, 1_700_000_000_123_456_789, 2**63 - 1), Digest("ab" * 32, 7), 1_700_000_001_000_000_000
    )
    database.remember_files([("models/m.pb", file)])
    database.close()

    with closing(reopened(path)[0]) as again:
        assert again.files("models/m.pb") == again.files("models") == {"models/m.pb": file}
        assert again.files("model") == again.files("models/m") == {}


def test_it_writes_ahead_and_to_the_medium(path: Path, database: Database) -> None:
    database.succeed("convert m", trace())

    assert database._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert database._connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert path.with_name("state.db-wal").exists()


def test_in_memory_there_is_nothing_to_find(path: Path) -> None:
    with closing(Database.in_memory()) as database:
        database.succeed("convert m", trace())

    assert not path.exists()


# what cannot be read


def test_no_database_at_all_bytes_are_set_aside(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"this is no database, and it is longer than a header of SQLite, which has 100 bytes" * 20)

    database, warning = reopened(path)

    with closing(database):
        assert_works(database)
    assert warning == (
        f"{path} was set aside as state.db.unreadable, everything is checked again: file is not a database"
    )
    assert path.with_name("state.db.unreadable").read_bytes().startswith(b"this is no database")


def with_format(path: Path, number: int) -> None:
    """Say that a closed database has another format."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {number}")


@pytest.mark.parametrize("foreign", [FORMAT + 1, 99])
def test_database_of_a_newer_format_is_set_aside_under_its_format(path: Path, foreign: int) -> None:
    filled(path, rows=1)
    with_format(path, foreign)
    newer = path.read_bytes()

    database, warning = reopened(path)

    with closing(database):
        assert_works(database)
    assert newer == path.with_name(f"state.db.format-{foreign}").read_bytes()
    assert warning == (
        f"{path} has format {foreign}, this ovmake reads {FORMAT}: it was set aside as state.db.format-{foreign}, "
        "where the ovmake that made it finds it again, and everything is checked again"
    )


def test_newer_ovmake_finds_its_database_again_after_an_older_one(path: Path) -> None:
    # What this ovmake set aside under its own format's name is what an older one would have left.
    filled(path, rows=1)
    path.rename(path.with_name(f"state.db.format-{FORMAT}"))
    path.write_bytes(database_of_format_1())

    database, warning = reopened(path)

    with closing(database):
        assert ["convert m0"] == list(database.traces())
    assert database_of_format_1() == path.with_name("state.db.format-1").read_bytes()
    assert warning == (
        f"{path} has format 1, this ovmake reads {FORMAT}: it was set aside as state.db.format-1, where the ovmake "
        "that made it finds it again, and the database of this ovmake is back"
    )


def test_older_ovmake_finds_its_database_again_after_a_newer_one(path: Path) -> None:
    filled(path, rows=1)
    path.rename(path.with_name(f"state.db.format-{FORMAT}"))
    filled(path, rows=2)
    with_format(path, FORMAT + 1)

    with closing(reopened(path)[0]) as database:
        assert ["convert m0"] == list(database.traces())

    assert ["state.db", f"state.db.format-{FORMAT + 1}"] == sorted(one.name for one in path.parent.iterdir())


@pytest.mark.parametrize("number", [-1, 1_000_000])
def test_number_that_is_no_format_is_a_torn_header(path: Path, number: int) -> None:
    filled(path, rows=1)
    with_format(path, number)

    database, warning = reopened(path)

    with closing(database):
        assert_works(database)
    assert (
        f"{path} was set aside as state.db.unreadable, everything is checked again: its format is {number}" == warning
    )


# As ovmake 0.1 made it before results had a last use; early ones had no table of fingerprints, and no trace a checksum.
SCHEMA_1 = """
CREATE TABLE traces (action TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE results (digest TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE failures (action TEXT PRIMARY KEY, digest TEXT NOT NULL, message TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE files (
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, inode INTEGER NOT NULL,
    sha256 TEXT NOT NULL, seen_ns INTEGER NOT NULL
) WITHOUT ROWID;
PRAGMA user_version = 1;
"""


FILE = CachedFile(Stat(False, 7, 8, 9), Digest("ab" * 32, 7), 10)


@cache
def database_of_format_1() -> bytes:
    """Return the file of a database with a row in each table."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.db"
        body = json.dumps({name: value for name, value in json.loads(trace().to_json()).items() if name != "crc"})
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(SCHEMA_1)
            connection.execute("INSERT INTO traces VALUES ('convert m', ?)", (body,))
            connection.execute("INSERT INTO results VALUES (?, ?)", (trace().seen.digest, body))
            connection.execute("INSERT INTO failures VALUES ('convert n', 'd', 'it broke')")
            connection.execute("INSERT INTO files VALUES ('models/m.pb', 7, 8, 9, ?, 10)", ("ab" * 32,))
        return path.read_bytes()


def test_older_format_has_no_seals_and_is_taken_over_once_it_is_trusted(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(database_of_format_1())
    began_s = int(time.time())

    database, warning = reopened(path)

    with closing(database):
        assert f"{path} was set aside as state.db.foreign, everything is checked again: {NOT_OURS}" == warning
        assert ({}, None) == (database.traces(), database.result(trace().seen.digest))
        assert Trusted(taken=1, refused=0, checked_bytes=6) == trust(database, path, lambda _: True)
        assert {"convert m": trace()} == {name: decoded(body) for name, body in database.traces().items()}
        assert trace() == database.result(trace().seen.digest)
        assert ({}, {}) == (database.failures(), database.files())  # they are found out again
        assert None is database.fingerprint("bytes 0.1")
        (result,) = database.results()
        assert began_s <= result.used_s <= time.time()
    assert ["state.db"] == [one.name for one in path.parent.iterdir()]


def test_kill_while_it_is_brought_up_leaves_the_older_format(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(database_of_format_1())
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"BEGIN IMMEDIATE; {MIGRATIONS[1]}")  # and the process is gone before it commits

    with closing(reopened(path)[0]) as database:
        trust(database, path, lambda _: True)
        assert (["convert m"], FORMAT) == (list(database.traces()), format_of(database))


def format_of(database: Database) -> int:
    (number,) = database._connection.execute("PRAGMA user_version").fetchone()
    assert isinstance(number, int)
    return number


@pytest.mark.parametrize("kept", [100, 1_000, 4_096, 8_192, 20_000])
def test_torn_file_is_set_aside(path: Path, kept: int) -> None:
    filled(path)
    whole = path.read_bytes()
    assert len(whole) > 40_000
    path.write_bytes(whole[:kept])

    database, warning = reopened(path)

    with closing(database):
        assert_works(database)
    assert "was set aside" in warning


def garble(path: Path) -> None:
    """Overwrite all but what is read when it is opened: the header, and whose it is."""
    whole = path.read_bytes()
    path.write_bytes(whole[:8_192] + b"\xa5" * (len(whole) - 8_192))


def test_file_with_garbage_in_the_middle_is_set_aside_if_nobody_closed_it(path: Path) -> None:
    filled(path)
    garble(path)
    path.with_name("state.db-wal").write_bytes(b"")

    database, warning = reopened(path)

    with closing(database):
        assert_works(database)
    assert "was set aside" in warning


def test_garbage_in_one_that_was_closed_shows_when_it_is_read(path: Path) -> None:
    filled(path)
    garble(path)

    database, warning = reopened(path)

    with closing(database):
        assert "" == warning
        with pytest.raises(sqlite3.DatabaseError) as caught:
            database.traces()
        assert torn(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        "not JSON",
        "{}",
        "[]",
        None,  # SQLite's columns hold anything
        3,
        b"\xff\xfe",
    ],
)
def test_row_that_makes_no_sense_is_a_torn_database(body: str) -> None:
    with pytest.raises(sqlite3.DatabaseError, match="malformed row") as caught:
        decoded(body)

    assert torn(caught.value)


def test_text_that_is_no_utf_8_is_a_torn_database(database: Database) -> None:
    database._connection.execute("INSERT INTO traces VALUES ('convert m', CAST(x'fffe' AS TEXT), x'')")

    with pytest.raises(sqlite3.DatabaseError, match="Could not decode") as caught:
        database.traces()

    assert torn(caught.value)


def test_last_use_that_is_no_number_is_a_torn_database(database: Database) -> None:
    database.succeed("convert m", trace())
    database._connection.execute("UPDATE results SET used_s = 'lately'")

    with pytest.raises(sqlite3.DatabaseError, match="malformed row") as caught:
        list(database.results())

    assert torn(caught.value)


def test_cached_file_that_makes_no_sense_is_not_believed(database: Database) -> None:
    database._connection.execute("INSERT INTO files VALUES ('models/m.pb', 7, 8, 9, 'ab', 'soon', x'')")

    assert {} == database.files()


@pytest.mark.parametrize("code", ["SQLITE_FULL", "SQLITE_IOERR_READ", "SQLITE_READONLY_DBMOVED", "SQLITE_BUSY"])
def test_trouble_with_the_disk_is_no_torn_database(code: str) -> None:
    error = sqlite3.OperationalError("trouble")
    error.sqlite_errorcode = getattr(sqlite3, code)

    assert not torn(error)


def test_database_set_aside_takes_its_log_along(path: Path, database: Database) -> None:
    database.succeed("convert m", trace())  # it is in the log only
    for suffix in ("", "-wal"):
        Path(f"{path}2{suffix}").write_bytes(Path(f"{path}{suffix}").read_bytes())

    assert "state.db2.format-9" == set_aside(Path(f"{path}2"), "format-9")

    with closing(sqlite3.connect(f"{path}2.format-9")) as connection:
        assert [("convert m",)] == connection.execute("SELECT action FROM traces").fetchall()


def test_empty_file_is_a_new_database(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"")

    database, warning = reopened(path)

    with closing(database):
        assert_works(database)
    assert warning == ""


def test_one_that_was_set_aside_before_makes_room(path: Path) -> None:
    for _ in range(2):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"no database" * 100)
        database, warning = reopened(path)
        database.close()
        assert "was set aside" in warning


def test_folder_that_cannot_be_written_is_an_error_and_sets_nothing_aside() -> None:
    with pytest.raises(sqlite3.OperationalError, match="unable to open database file"):
        Database.open(Path("/proc/self/state.db"), keep_key()[0])


def test_folder_in_the_place_of_the_database_is_set_aside(path: Path) -> None:
    for content in ("first", "second"):
        path.mkdir(parents=True)
        (path / "file").write_text(content)

        database, warning = Database.open(path, keep_key()[0])
        database.close()

        expected = f"{path} was set aside as state.db.folder, everything is checked again: it is a folder"
        assert expected == warning
        assert content == (path.parent / "state.db.folder/file").read_text()
        path.unlink()


def test_log_of_a_killed_process_is_read(path: Path) -> None:
    # Copied while it is open: the row stands in the write-ahead log only, as after kill -9.
    database, _ = Database.open(path, keep_key()[0])
    database.succeed("convert m", trace())
    there = path.parent.parent / "killed/state.db"
    there.parent.mkdir()
    for suffix in ("", "-wal"):
        Path(f"{there}{suffix}").write_bytes(Path(f"{path}{suffix}").read_bytes())
    database.close()

    again, warning = reopened(there)

    with closing(again):
        assert (warning, list(again.traces())) == ("", ["convert m"])


def test_fingerprints_are_remembered(path: Path, database: Database) -> None:
    database.remember_fingerprint("bytes 0.1", "computes")
    database.close()

    with closing(reopened(path)[0]) as again:
        assert (None, "computes") == (again.fingerprint("other"), again.fingerprint("bytes 0.1"))


def test_files_of_a_folder_are_remembered(path: Path, database: Database) -> None:
    files = {"variables/data": of_bytes(b"1"), "näme\udc80\n": of_bytes(b"2")}
    folder, unlisted = (
        SeenInput(label="models/m", digest=of_bytes(x), files=y) for x, y in [(b"f", files), (b"g", None)]
    )
    database.succeed(
        "convert m", replace(trace(), seen=replace(trace().seen, inputs={"source": folder, "b": unlisted}))
    )
    database.succeed("freeze m", replace(trace(), seen=replace(trace().seen, inputs={"source": folder})))
    database.close()

    with closing(reopened(path)[0]) as again:
        assert (files, None) == (again.listing(of_bytes(b"f")), again.listing(of_bytes(b"g")))


# last use


def used(database: Database) -> dict[str, int]:
    return {result.digest: result.used_s for result in database.results()}


def age(database: Database, seconds: int) -> None:
    """Let all that was done lie further back."""
    with database._connection:
        database._connection.execute("UPDATE results SET used_s = used_s - ?", (seconds,))


def test_result_is_used_when_it_is_made_and_when_it_is_restored(database: Database) -> None:
    for _ in range(2):
        began_s = int(time.time())
        database.succeed("convert m", trace())

        assert began_s <= used(database)[trace().seen.digest] <= time.time()
        age(database, 1_000)


def test_result_that_is_replaced_was_in_use_until_then(database: Database) -> None:
    began_s = int(time.time())
    for batch in (1, 4):
        database.succeed("convert m", trace(batch))
        age(database, 1_000)

    # All lies back by 1,000 s since the second; the first counts as used when the second came.
    assert all(began_s - 1_000 <= used_s for used_s in used(database).values())


def test_results_come_with_the_least_recently_used_first(database: Database) -> None:
    for batch in (4, 1, 2):
        age(database, 1_000)
        database.succeed(f"convert m{batch}", trace(batch))

    assert [4, 1, 2] == [result.trace.seen.params["batch"] for result in database.results()]


def test_rows_are_dropped_by_their_keys(database: Database) -> None:
    for name in ("convert m", "convert n"):
        database.succeed(name, trace())
    database.succeed("convert o", trace(4))
    database.fail("convert p", "d", "it broke")
    database.remember_files([("models/m.pb", FILE), ("models/n.pb", FILE)])

    database.drop(results=[trace(4).seen.digest], traces=["convert n"], failures=["convert p"], files=["models/n.pb"])

    assert ["convert m", "convert o"] == list(database.traces())
    assert ([trace().seen.digest], {}) == (list(used(database)), database.failures())
    assert ["models/m.pb"] == list(database.files())


def test_space_of_dropped_rows_goes_back_to_the_disk(path: Path) -> None:
    filled(path, rows=300)
    before = path.stat().st_size

    with closing(reopened(path)[0]) as database:
        database.drop(results=list(used(database)), traces=list(database.traces()), files=list(database.files()))
        database.compact()

    assert path.stat().st_size < before / 10


CHANGES = {
    "traces": "UPDATE traces SET body = replace(body, 'convert', 'compress')",
    "results": "UPDATE results SET body = replace(body, '1.5', '2.5')",
    "failures": "UPDATE failures SET message = 'it did not'",
    "files": "UPDATE files SET sha256 = 'cd'",
    "fingerprints": "UPDATE fingerprints SET found = 'other'",
    "listings": "UPDATE listings SET files = '{}'",
}


@pytest.mark.parametrize("table", CHANGES)
def test_row_that_somebody_changed_is_a_torn_database(table: str, database: Database) -> None:
    tree = of_bytes(b"tree")
    given = SeenInput(label="models/m", digest=tree, files={"a": of_bytes(b"a")})
    database.succeed("convert m", replace(trace(), seen=replace(trace().seen, inputs={"source": given})))
    database.fail("convert n", "d", "it broke")
    database.remember_files([("models/m.pb", FILE)])
    database.remember_fingerprint("source", "found")
    reads: dict[str, Callable[[], object]] = {
        "traces": database.traces,
        "results": lambda: list(database.results()),
        "failures": database.failures,
        "files": database.files,
        "fingerprints": lambda: database.fingerprint("source"),
        "listings": lambda: database.listing(tree),
    }
    assert reads[table]()

    database._connection.execute(CHANGES[table])

    with pytest.raises(sqlite3.DatabaseError, match="its seal is wrong") as caught:
        reads[table]()
    assert torn(caught.value)
