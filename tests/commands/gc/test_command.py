"""What `ovmake gc` says: whole outputs of the real command, in a repo whose actions were hashes."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.real import build, environment, ovmake, published

OVFILE = '[models.m]\nsource = "m.pb"\n'


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repo with everything that there is to remove."""
    (tmp_path / "Ovfile").write_text(OVFILE + '[models.gone]\nsource = "gone.pb"\n')
    for name in ("m", "gone"):
        (tmp_path / f"{name}.pb").write_text(name)
    build(tmp_path)
    (tmp_path / "Ovfile").write_text(OVFILE)
    (tmp_path / "gone.pb").unlink()
    for name in ("tmp/1/xml", "cas/ab/cdef", "state.db.unreadable"):
        path = tmp_path / ".ovmake" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 1_500)
    return tmp_path


def age(root: Path, days: int) -> None:
    with closing(sqlite3.connect(root / ".ovmake/state.db")) as connection, connection:
        connection.execute("UPDATE results SET used_s = used_s - ?", (days * 86_400,))


def stored(root: Path) -> list[Path]:
    return sorted(path for path in (root / ".ovmake/cas").rglob("*") if path.is_file())


def test_dry_run_says_what_would_go(repo: Path) -> None:
    before = stored(repo)

    done = ovmake(repo, "gc", "-n")

    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout == (
        "  1 file, 1.50 kB: stored, unreferenced\n"
        "  1 file, 1.50 kB: left by runs that were killed\n"
        "  9 files, 63 B: logs of actions that no longer exist\n"
        "  1 file, 1.50 kB: databases that could not be read\n"
        "  1 digest: of files that no longer exist\n"
        "would remove 12 files, 4.56 kB\n"
        "left: 30 files, 938 kB in the store\n"
    )
    assert before == stored(repo)
    assert (repo / ".ovmake/tmp/1/xml").exists()


def test_it_says_what_went_and_then_there_is_nothing_left_to_do(repo: Path) -> None:
    foreseen = ovmake(repo, "gc", "-n").stdout

    done = ovmake(repo, "gc")

    assert (0, foreseen.replace("would remove", "removed")) == (done.returncode, done.stdout)
    assert ovmake(repo, "gc").stdout == "nothing to remove\nleft: 30 files, 938 kB in the store\n"


def test_after_it_a_build_runs_nothing_and_what_is_published_is_the_same(repo: Path) -> None:
    before = published(repo)
    age(repo, 400)

    done = ovmake(repo, "gc", "--max-age", "30d", "--max-size", "1kB")

    outcome, ran = build(repo)
    assert (0, {"fresh"}, []) == (done.returncode, set(outcome.targets.values()), ran)
    assert before == published(repo)


def test_limits_that_the_targets_do_not_fit_are_said_to_be_too_small(repo: Path) -> None:
    ovmake(repo, "gc")

    done = ovmake(repo, "gc", "--max-size", "1kB")

    assert done.stdout == (
        "  15 files, 469 kB: stored for results that were dropped\n"
        "  9 results: over the limits, or incomplete\n"
        "  9 traces: of actions that no longer exist\n"
        "removed 15 files, 469 kB\n"
        "left: 15 files, 469 kB in the store\n"
        "the targets of the Ovfile need 469 kB, more than 1.00 kB; all of that stays\n"
    )


def test_json_has_the_same_figures(repo: Path) -> None:
    age(repo, 31)

    done = ovmake(repo, "gc", "--max-age", "30d", "--json")

    assert json.loads(done.stdout) == {
        "event": "gc-finished",
        "format": 1,
        "dry_run": False,
        "removed": {
            "unreferenced": {"files": 1, "bytes": 1_500},
            "unused": {"files": 15, "bytes": 469_000},
            "scratch": {"files": 1, "bytes": 1_500},
            "journals": {"files": 0, "bytes": 0},
            "logs": {"files": 9, "bytes": 63},
            "set-aside": {"files": 1, "bytes": 1_500},
        },
        "rows": {"results": 9, "traces": 9, "failures": 0, "files": 1},
        "left": {"files": 15, "bytes": 469_000},
        "needed_bytes": 469_000,
        "too_large": False,
    }


@pytest.mark.parametrize("part", range(6))
def test_killed_command_leaves_what_the_next_build_and_the_next_gc_need(part: int, repo: Path) -> None:
    before = published(repo)
    age(repo, 400)
    words = [sys.executable, "-m", "ovmake", "gc", "--max-age", "30d"]
    process = subprocess.Popen(words, cwd=repo, env=environment(), stdout=subprocess.DEVNULL)
    # It begins to remove when half of its time has passed, most of which goes into starting Python.
    deadline = time.monotonic() + 20
    while (repo / ".ovmake/tmp/1/xml").exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.0005)
    time.sleep(part * 0.002)

    process.kill()

    process.wait()
    outcome, ran = build(repo)
    assert ({"fresh"}, [], before) == (set(outcome.targets.values()), ran, published(repo))
    assert "left: 15 files, 469 kB in the store\n" == ovmake(repo, "gc", "--max-age", "30d").stdout[-36:]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--max-size", "big"), "argument --max-size: 'big' is not a size such as 5GB or 500MB"),
        (("--max-size", "5 days"), "argument --max-size: '5 days' is not a size such as 5GB or 500MB"),
        (("--max-age", "30"), "argument --max-age: '30' is not an age such as 30d, 12h or 2w"),
        (("--max-age", "-1d"), "argument --max-age: expected one argument"),
    ],
    ids=" ".join,
)
def test_limit_that_makes_no_sense(words: tuple[str, ...], complaint: str, repo: Path) -> None:
    done = ovmake(repo, "gc", *words)

    assert (2, "") == (done.returncode, done.stdout)
    assert f"[usage]\novmake gc: error: {complaint}\n" == re.sub(r"usage: .*\n(?: .*\n)*", "[usage]\n", done.stderr)


def test_wrong_ovfile_removes_nothing(repo: Path) -> None:
    before = stored(repo)
    (repo / "Ovfile").write_text("[models.m]\nsource = 3\n")

    done = ovmake(repo, "gc")

    assert (2, before) == (done.returncode, stored(repo))
