"""A look needs no lock and writes nothing: beside a build, in a read-only checkout, on state that is not to be used."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ovmake.seal import read_key
from ovmake.store.files.own_folders import OwnFolders
from ovmake.store.formats import FORMAT
from ovmake.store.lock import hold
from ovmake.store.observing import open_read_only
from tests.attacks.stranger import EACH, USER, Done, Stranger
from tests.attacks.test_state import NOT_OURS
from tests.e2e.crashes.disks import read_only
from tests.real import build

STATE = ".ovmake/state.db"
FRESH = "m:fp32                   fresh\nm:fp16                   fresh\n"
NEVER = "m:fp32                   never built\nm:fp16                   never built\n"
LOOKS = ("status", "explain", "build -n", "gc -n", "graph", "status --json")

# Writes a row to the database and does not end: what it wrote is in the log beside it, and so is its lock.
WRITER = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
connection.execute("INSERT OR REPLACE INTO failures VALUES ('x', 'y', 'z', x'00')")
connection.execute("DELETE FROM failures WHERE action = 'x'")
connection.execute("COMMIT")
connection.execute("BEGIN IMMEDIATE")
print("writing", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repo that is built; not to be changed."""
    stranger = Stranger(tmp_path_factory.mktemp("made") / "x")
    assert build(stranger.repo)[0].exit_status == 0
    return stranger.repo


@pytest.fixture
def stranger(made: Path, tmp_path: Path) -> Stranger:
    here = Stranger(tmp_path / "x")
    shutil.rmtree(here.repo)
    shutil.copytree(made, here.repo)
    return here


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assert_right(words: str, done: Done, *, status: str) -> None:
    """See that a look at a repo ended well, and that `status` says what it should."""
    assert 0 == done.status
    assert [] == [
        line for line in done.stderr.splitlines() if line.startswith(("error", "warning")) or "is ignored" in line
    ]
    if words == "status":
        assert status == done.stdout


@pytest.mark.parametrize("words", LOOKS)
def test_look_while_a_build_has_the_lock_and_the_database(words: str, stranger: Stranger) -> None:
    with (
        hold(OwnFolders(str(stranger.repo)), ".ovmake", wait=False, waiting=pytest.fail),
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(stranger.repo / STATE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as writer,
    ):
        assert writer.stdout is not None
        assert writer.stdout.readline() == "writing\n"

        done = stranger.run(*words.split())

        writer.communicate()
    assert_right(words, done, status=FRESH)
    if words != "graph":  # which needs nothing of earlier runs
        at_work = f"another ovmake (process {os.getpid()}) is running in {stranger.repo}"
        assert done.stderr == f"{at_work}; its unfinished actions count as stale\n"


@pytest.mark.parametrize("by", EACH)
@pytest.mark.parametrize("words", LOOKS)
def test_look_in_a_read_only_checkout(words: str, by: str, stranger: Stranger) -> None:
    with read_only(stranger.repo):
        done = stranger.run(*words.split(), by=by)

    assert_right(words, done, status=FRESH)


@pytest.mark.parametrize("by", EACH)
@pytest.mark.parametrize("words", LOOKS)
def test_look_in_a_read_only_checkout_that_was_never_built(words: str, by: str, tmp_path: Path) -> None:
    stranger = Stranger(tmp_path / "x")

    with read_only(stranger.repo):
        done = stranger.run(*words.split(), by=by)

    assert_right(words, done, status=NEVER)


@pytest.mark.parametrize("words", LOOKS)
def test_look_makes_nothing(words: str, tmp_path: Path) -> None:
    stranger = Stranger(tmp_path / "x")
    home = {"OVMAKE_STATE_KEY": "", "HOME": str(stranger.home), "XDG_STATE_HOME": ""}
    before = contents(stranger.repo)

    stranger.run(*words.split(), environment=home)

    assert before == contents(stranger.repo)
    assert not (stranger.repo / ".ovmake").exists()
    stranger.home_is_untouched()  # no key is made


@pytest.mark.parametrize("words", LOOKS)
def test_look_leaves_the_state_as_it_is(words: str, stranger: Stranger) -> None:
    before = contents(stranger.repo)

    stranger.run(*words.split())

    assert before == contents(stranger.repo)


@pytest.mark.parametrize("shared", [True, False], ids=["with -shm", "without"])
def test_what_a_killed_build_left_in_the_log_is_read_in_a_read_only_checkout(
    *, shared: bool, stranger: Stranger
) -> None:
    killed = "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('UPDATE results SET used_s = 0'); "
    state = str(stranger.repo / STATE)
    # The rows of the repo go into the log, and none of them stays in the file.
    move = "c.execute('CREATE TABLE t AS SELECT * FROM traces'); c.execute('DELETE FROM traces'); c.commit(); "
    back = "c.execute('PRAGMA wal_checkpoint(TRUNCATE)'); c.execute('INSERT INTO traces SELECT * FROM t'); "
    end = "c.execute('DROP TABLE t'); c.commit(); os._exit(0)"
    subprocess.run([sys.executable, "-c", killed + move + back + end, state], check=True)
    if not shared:
        Path(f"{state}-shm").unlink()
    assert Path(f"{state}-wal").stat().st_size > 0

    with read_only(stranger.repo):
        done = stranger.run("status")

    assert (0, FRESH, "") == (done.status, done.stdout, done.stderr)


def foreign(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE owner SET seal = x'00'")
    return NOT_OURS


def newer(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"PRAGMA user_version = {FORMAT + 1}")
    return f"it has format {FORMAT + 1}, this ovmake reads {FORMAT}"


def older(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"PRAGMA user_version = {FORMAT - 1}")
    return f"it has format {FORMAT - 1}, this ovmake reads {FORMAT}"


def torn(path: Path) -> str:
    path.write_bytes(b"no database" * 1000)
    return "file is not a database"


def folder(path: Path) -> str:
    path.unlink()
    path.mkdir()
    return "it is a folder"


@pytest.mark.parametrize("spoil", [foreign, newer, older, torn, folder])
def test_state_that_a_build_would_set_aside_counts_as_not_there_and_is_left_alone(
    spoil: Callable[[Path], str], stranger: Stranger
) -> None:
    why = spoil(stranger.repo / STATE)
    before = contents(stranger.repo)

    done = stranger.run("status")

    assert (0, NEVER) == (done.status, done.stdout)
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"{stranger.repo / STATE} is ignored: {why}")
    assert before == contents(stranger.repo)


@pytest.mark.parametrize("key", [None, b"another user's key, of 32 bytes.."])
def test_state_of_another_user_says_nothing(key: bytes | None, stranger: Stranger) -> None:
    database, why = open_read_only(stranger.repo / STATE, key)

    assert ({}, True) == (database.traces(), NOT_OURS in why)
    database.close()


def test_state_of_ones_own_is_read_and_cannot_be_written(stranger: Stranger) -> None:
    database, why = open_read_only(stranger.repo / STATE, read_key())
    before = database.traces()

    database.fail("convert m", "digest", "message")
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        database.drop(traces=before)

    assert ("", True, before, {}) == (why, bool(before), database.traces(), database.failures())
    database.close()


def test_state_that_turns_out_to_be_torn_counts_as_not_there(stranger: Stranger) -> None:
    data = (stranger.repo / STATE).read_bytes()
    (stranger.repo / STATE).write_bytes(data[:8192] + b"\xa5" * (len(data) - 8192))

    done = stranger.run("status")

    assert (0, NEVER) == (done.status, done.stdout)
    assert done.stderr == (
        f"warning[state-torn]: {stranger.repo / STATE} is ignored, and the next build sets it aside: "
        "database disk image is malformed\n"
    )
    assert not (stranger.repo / f"{STATE}.unreadable").exists()


def test_database_that_a_build_has_only_begun_to_make_is_empty(stranger: Stranger) -> None:
    (stranger.repo / STATE).write_bytes(b"")

    done = stranger.run("status")

    assert (0, NEVER, "") == (done.status, done.stdout, done.stderr)


@pytest.mark.skipif(len(EACH) == 1, reason="needs files of another user, which root alone can make")
def test_state_that_this_user_may_not_read_is_said(stranger: Stranger) -> None:
    """As where root has built."""
    os.chown(stranger.repo / ".ovmake", 65534, 65534)
    (stranger.repo / ".ovmake").chmod(0o700)

    done = stranger.run("status", by=USER)

    assert (0, NEVER) == (done.status, done.stdout)
    assert done.stderr == f"{stranger.repo}/.ovmake is ignored: Permission denied\n"
