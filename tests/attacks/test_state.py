"""A committed `.ovmake`: rows, stored files and stamps that somebody else wrote are not believed."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ovmake.seal import VARIABLE
from tests.attacks.stranger import EACH, PROGRAM, Stranger
from tests.real import build, published

STATE = ".ovmake/state.db"
OTHER = "somebody else, elsewhere"
NOT_OURS = "a different user made it, or a different machine"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repo in which somebody else has built all; not to be changed."""
    root = tmp_path_factory.mktemp("made") / "repo"
    (root / "models").mkdir(parents=True)
    (root / "Ovfile").write_text('[models.a]\nsource = "models/a.pb"\n')
    (root / "models/a.pb").write_text("a")
    (root / ".git").mkdir()  # a repo of its own
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, OTHER)
        assert build(root)[0].exit_status == 0
        assert build(root)[1] == []
    return root


@pytest.fixture
def repo(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "repo"))


def test_state_of_another_user_is_a_cold_cache_and_said_in_one_line(repo: Path, made: Path) -> None:
    outcome, ran = build(repo)

    assert (outcome.exit_status, set(outcome.targets.values())) == (0, {"built"})
    assert "convert a" in ran
    assert published(repo) == published(made)
    assert (repo / f"{STATE}.foreign").exists()
    assert build(repo)[1] == []


def test_command_says_whose_state_it_is_once(repo: Path) -> None:
    first, second = (command(repo, "gc") for _ in range(2))

    assert first.returncode == second.returncode == 0
    assert len(first.stderr.splitlines()) == 1
    assert NOT_OURS in first.stderr
    assert "ovmake cache trust" in first.stderr
    assert second.stderr == ""


def test_repo_of_ones_own_is_fresh_wherever_it_is_moved(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, OTHER)
    moved = Path(shutil.move(repo, tmp_path / "elsewhere"))

    outcome, ran = build(moved)

    assert ({"fresh"}, []) == (set(outcome.targets.values()), ran)


def forged_row(root: Path) -> None:
    """Say that another result is the right one: as an attacker who has seen a database would."""
    with closing(sqlite3.connect(root / STATE)) as connection, connection:
        for table, key in (("traces", "action"), ("results", "digest")):
            rows = connection.execute(f"SELECT {key}, body FROM {table}").fetchall()  # noqa: S608
            for name, body in rows:
                forged = body.replace('"seconds"', '"seconds" ')
                connection.execute(f"UPDATE {table} SET body = ? WHERE {key} = ?", (forged, name))  # noqa: S608


def swapped_rows(root: Path) -> None:
    """Let the rows of two actions change places: each has a seal that is right elsewhere."""
    with closing(sqlite3.connect(root / STATE)) as connection, connection:
        (first, one, seal), (second, two, other) = connection.execute("SELECT * FROM traces LIMIT 2").fetchall()
        change = "UPDATE traces SET body = ?, seal = ? WHERE action = ?"
        connection.executemany(change, [(one, seal, second), (two, other, first)])


def forged_cached_digest(root: Path) -> None:
    """Say that the source has the digest that was built of, whatever it holds."""
    with closing(sqlite3.connect(root / STATE)) as connection, connection:
        connection.execute("UPDATE files SET sha256 = ?", ("00" * 32,))


@pytest.mark.parametrize("forge", [forged_row, swapped_rows, forged_cached_digest])
def test_row_of_ones_own_state_that_was_changed_is_damage(
    forge: Callable[[Path], None], repo: Path, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, OTHER)  # the user whose state it is
    forge(repo)
    (repo / ".ovmake/stamp").unlink(missing_ok=True)
    (repo / "models/a.pb").touch()

    done = command(repo, "status")

    assert done.returncode == 0
    assert "malformed row: its seal is wrong" in done.stderr
    assert "never built" in done.stdout
    assert published(repo) == published(made)


def test_stored_file_that_was_forged_is_not_published(repo: Path, made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, OTHER)
    shutil.rmtree(repo / "build")
    for path in (repo / ".ovmake/cas").glob("*/*"):
        data = path.read_bytes()
        path.write_bytes(b"X" * len(data))

    outcome, _ = build(repo)

    assert outcome.exit_status == 0
    assert published(repo) == published(made)


# trust


def test_trusted_state_is_as_good_as_ones_own(repo: Path, made: Path) -> None:
    done = command(repo, "cache", "trust")

    assert done.returncode == 0
    assert done.stdout.startswith("trusted ")
    outcome, ran = build(repo)
    assert ({"fresh"}, []) == (set(outcome.targets.values()), ran)
    assert published(repo) == published(made)
    assert not (repo / f"{STATE}.foreign").exists()


def test_trust_reads_every_byte(repo: Path, made: Path) -> None:
    damaged = next(path for path in sorted((repo / ".ovmake/cas").glob("*/*")) if path.stat().st_size > 100)
    damaged.write_bytes(b"X" * damaged.stat().st_size)

    done = command(repo, "cache", "trust")

    assert "dropped: their outputs are missing or damaged" in done.stdout
    outcome, ran = build(repo)
    assert (outcome.exit_status, bool(ran)) == (0, True)
    assert published(repo) == published(made)


def test_there_may_be_nothing_to_trust(repo: Path) -> None:
    shutil.rmtree(repo / ".ovmake")

    done = command(repo, "cache", "trust")

    assert (done.returncode, done.stdout) == (
        0,
        "nothing to trust: the Ovfile names no remote, and .ovmake holds no state of a different user\n",
    )


# git


def git(folder: Path, *words: str) -> None:
    config = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *config, *words], cwd=folder, check=True, capture_output=True)


@pytest.mark.parametrize("version", ["2", "3", "4"])
@pytest.mark.parametrize("below", ["", "sub/folder/"])
def test_state_that_git_tracks_is_refused_with_the_cure(version: str, below: str, made: Path, tmp_path: Path) -> None:
    top = tmp_path / "clone"
    repo = top / below
    shutil.copytree(made, repo)
    shutil.rmtree(repo / ".git")
    (top / "early").write_text("x")
    (repo / ".ovfile").write_text("shares its beginning with `.ovmake`")
    git(top, "init")
    git(top, "add", "--force", "--all")
    git(top, "update-index", "--index-version", version)
    if version == "3":  # which is 2 with flags of a second word
        (top / "later").write_text("x")
        git(top, "add", "--intent-to-add", "later")
    git(top, "commit", "-m", "x")

    done = command(repo, "build")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error[tracked-state]: git tracks `{below}.ovmake/")
    assert f"`git rm -r --cached {below}.ovmake`" in done.stderr
    git(top, "rm", "-r", "--cached", f"{below}.ovmake")
    assert command(repo, "status").returncode == 0


@pytest.mark.parametrize(
    "data", [b"", b"DIRC", b"DIRC\0\0\0\2\xff\xff\xff\xff.ovmake/", b"DIRC\0\0\0\4\0\0\0\1.ovmake/x\0"]
)
def test_index_that_is_none_tracks_nothing(data: bytes, repo: Path) -> None:
    (repo / ".git/index").write_bytes(data)

    assert command(repo, "status").returncode == 0


# the key


@pytest.mark.parametrize("by", EACH)
def test_key_is_made_on_first_use_for_its_owner_alone(by: str, tmp_path: Path) -> None:
    stranger = Stranger(tmp_path / "x")
    key = tmp_path / "state/ovmake/key"
    own = {VARIABLE: "", "XDG_STATE_HOME": str(tmp_path / "state")}

    first = stranger.run("gc", by=by, environment=own)
    made_first = key.read_bytes()
    second = stranger.run("gc", by=by, environment=own)

    assert (first.status, first.stderr, second.stderr) == (0, "", "")
    assert (len(made_first), made_first) == (32, key.read_bytes())
    assert oct(key.stat().st_mode & 0o777) == "0o600"
    assert [path.name for path in key.parent.iterdir()] == ["key"]


def test_key_that_others_can_read_is_made_anew(tmp_path: Path) -> None:
    stranger = Stranger(tmp_path / "x")
    key = tmp_path / "state/ovmake/key"
    own = {VARIABLE: "", "XDG_STATE_HOME": str(tmp_path / "state")}
    stranger.run("gc", environment=own)
    before = key.read_bytes()
    key.chmod(0o644)

    done = stranger.run("gc", environment=own)

    assert NOT_OURS in done.stderr
    assert before != key.read_bytes()
    assert oct(key.stat().st_mode & 0o777) == "0o600"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({VARIABLE: "short"}, "OVMAKE_STATE_KEY has fewer than 16 characters"),
        (
            {VARIABLE: "", "HOME": "", "XDG_STATE_HOME": ""},
            "there is no folder for the key: neither HOME nor XDG_STATE_HOME is set",
        ),
        ({VARIABLE: "", "XDG_STATE_HOME": "/proc/nowhere"}, "the key cannot be stored in /proc/nowhere/ovmake/key"),
    ],
)
def test_run_without_a_key_is_cold_and_says_why(given: dict[str, str], why: str, repo: Path) -> None:
    for _ in range(2):
        done = command(repo, "gc", environment=given)

        assert done.returncode == 0
        assert f"the next run cannot use the state of this one, and will start from nothing: {why}" in done.stderr
        assert NOT_OURS in done.stderr


@pytest.mark.parametrize("given", [{VARIABLE: "short"}, {VARIABLE: "", "HOME": "", "XDG_STATE_HOME": ""}])
def test_look_without_a_key_believes_nothing_and_makes_none(given: dict[str, str], repo: Path) -> None:
    before = (repo / STATE).read_bytes()

    done = command(repo, "status", environment=given)

    assert (done.returncode, done.stderr.count("\n")) == (0, 1)
    assert f"{STATE} is ignored: {NOT_OURS}" in done.stderr
    assert "never built" in done.stdout
    assert (before, False) == ((repo / STATE).read_bytes(), (repo / f"{STATE}.foreign").exists())


def command(repo: Path, *words: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the installed program."""
    env = {**os.environ, "TERM": "dumb", **(environment or {})}
    return subprocess.run(
        [*PROGRAM, *words], cwd=repo, env=env, capture_output=True, text=True, check=False, timeout=120
    )
