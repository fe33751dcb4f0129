"""The state database: what it keeps, and what becomes of one that cannot be read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ovmake.graph.digest import Digest, of_bytes
from ovmake.graph.trace import Seen, SeenInput, Trace
from ovmake.store.database import FORMAT, CachedFile, Database
from ovmake.store.disk import Stat


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
    opened, warning = Database.open(path)
    assert warning == ""
    yield opened
    opened.close()


def reopened(path: Path) -> tuple[Database, str]:
    database, warning = Database.open(path)
    return database, warning


def filled(path: Path, rows: int = 200) -> None:
    """Make a database of several pages, closed as a process leaves it that ends well."""
    database, _ = Database.open(path)
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
        f"{path} was set aside as state.db.unreadable, everything is looked at anew: file is not a database"
    )
    assert path.with_name("state.db.unreadable").read_bytes().startswith(b"this is no database")


@pytest.mark.parametrize("foreign", [FORMAT + 1, 99])
def test_database_of_another_format_is_set_aside(path: Path, foreign: int) -> None:
    filled(path, rows=1)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {foreign}")

    database, warning = reopened(path)

    with closing(database):
        assert_works(database)
    assert warning.endswith(f"it has format {foreign}, this ovmake reads {FORMAT}")


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


def test_file_with_garbage_in_the_middle_is_set_aside(path: Path) -> None:
    filled(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:4_096] + b"\xa5" * (len(whole) - 4_096))

    database, warning = reopened(path)

    with closing(database):
        assert_works(database)
    assert "was set aside" in warning


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


def test_folder_that_cannot_be_written_is_an_error_and_sets_nothing_aside(path: Path) -> None:
    path.mkdir(parents=True)  # a folder stands where the file should be

    with pytest.raises(sqlite3.OperationalError, match="unable to open database file"):
        Database.open(path)

    assert path.is_dir()


def test_log_of_a_killed_process_is_read(path: Path) -> None:
    # Copied while it is open: the row stands in the write-ahead log only, as after kill -9.
    database, _ = Database.open(path)
    database.succeed("convert m", trace())
    there = path.parent.parent / "killed/state.db"
    there.parent.mkdir()
    for suffix in ("", "-wal"):
        Path(f"{there}{suffix}").write_bytes(Path(f"{path}{suffix}").read_bytes())
    database.close()

    again, warning = reopened(there)

    with closing(again):
        assert (warning, list(again.traces())) == ("", ["convert m"])


def test_fingerprints_are_remembered_and_an_older_database_gets_its_table(tmp_path: Path) -> None:
    first, _ = Database.open(tmp_path / "state.db")
    first._connection.execute("DROP TABLE fingerprints")
    first.close()

    database, warning = Database.open(tmp_path / "state.db")
    database.remember_fingerprint("bytes 0.1", "computes")
    database.close()
    again, _ = Database.open(tmp_path / "state.db")

    assert ("", None, "computes") == (warning, again.fingerprint("other"), again.fingerprint("bytes 0.1"))
    again.close()
