"""The example built twice, moved, copied and cleaned up: what is the same stays the same."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.conftest import Repo, Result

pytestmark = pytest.mark.heavy

RANDOM_METRIC = """
import random

def lucky(outputs, labels):
    return 0.9 + random.SystemRandom().random() / 100
"""


# build --check


def test_example_is_the_same_when_it_is_built_again_from_nothing(built: Repo) -> None:
    before = built.outputs()

    result = built.ovmake("build", "--check", "fashion:fp32", "fashion:fp16")

    assert (0, "6 files of 2 targets are the same, byte for byte") == (result.status, result.stdout.splitlines()[-1])
    assert "convert fashion: done in" in result.stderr
    assert (before, False) == (built.outputs(), (built.folder / ".ovmake/check").exists())
    assert "up to date: 3 targets\n" == built.ovmake("build").stdout


def test_metric_that_is_not_the_same_twice_is_found_by_its_action(built: Repo) -> None:
    (built.folder / "metrics.py").write_text(RANDOM_METRIC)
    built.edit('metric = "accuracy"', 'metric = "metrics.py:lucky"')
    built.edit("max-drop = 0.01", "max-drop = 0.9")

    result = built.ovmake("build", "--check", "fashion:fp32")

    assert 1 == result.status, result.stderr
    complaint = result.stderr[result.stderr.index("error[") :]
    assert complaint.startswith(
        "error[not-reproducible]: evaluate fashion:fp32: `evaluation` differs on rebuild, starting at byte "
    )
    assert "= note: first build: " in complaint
    assert not (built.folder / ".ovmake/check").exists()


def test_interrupted_check_leaves_nothing_behind(built: Repo) -> None:
    process = built.start("build", "--check", "fashion:fp32")
    patience = time.monotonic() + 120
    while not (built.folder / ".ovmake/check").exists() and time.monotonic() < patience:
        time.sleep(0.05)

    process.send_signal(signal.SIGINT)

    _, stderr = process.communicate(timeout=60)
    assert (130, True) == (process.returncode, stderr.endswith("interrupted; finished actions are stored\n"))
    assert not (built.folder / ".ovmake/check").exists()
    assert "up to date: 3 targets\n" == built.ovmake("build").stdout


# moved and copied


@pytest.fixture(scope="module")
def searched(built_once: Repo, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """The example with a search for layers to revert to float, which keeps a journal; built, and not to be changed."""
    repo = built_once.copy(tmp_path_factory.mktemp("searched") / "fashion")
    repo.edit("samples = 300", 'samples = 300\naccuracy.max-drop = 0.002\non-drop = "mixed"')
    result = repo.build("-k")
    assert "control fashion:int8" in result.actions("ran")
    return repo


@pytest.mark.parametrize("words", [("cp", "-a"), ("cp", "-r"), ("cp", "-r", "--preserve=mode")], ids=" ".join)
def test_copy_at_another_place_is_up_to_date(words: tuple[str, ...], searched: Repo, tmp_path: Path) -> None:
    there = tmp_path / "another" / "place"
    there.parent.mkdir()
    subprocess.run([*words, str(searched.folder), str(there)], check=True)
    copy = Repo(folder=there)
    copy.workers_started()

    result = copy.build("-k")

    assert ([], [], set()) == (result.ran, result.actions("restored"), copy.workers_started())
    assert searched.outputs() == copy.outputs()


def test_moved_repo_is_up_to_date(searched: Repo, tmp_path: Path) -> None:
    copy = searched.copy(tmp_path / "before")
    copy.build("-k")  # here it is at home
    copy.workers_started()
    moved = Repo(folder=tmp_path / "after")
    copy.folder.rename(moved.folder)

    result = moved.build("-k")

    assert ([], set()) == (result.ran, moved.workers_started())


def test_nothing_that_is_known_names_the_place_it_was_found_at(searched: Repo) -> None:
    state = searched.folder / ".ovmake"
    with closing(sqlite3.connect(state / "state.db")) as connection:
        rows = {
            table: connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 - names of ours
            for table in ("traces", "results", "failures", "files", "fingerprints")
        }
    journals = [path.read_bytes() for path in (state / "journals").iterdir()]
    stored = [path.read_bytes() for path in (state / "cas").glob("*/*")]

    places = (str(searched.folder), str(searched.folder.parent))
    assert [] == [name for name, found in rows.items() for place in places if place in str(found)]
    assert [] == [place for place in places for data in [*journals, *stored] if place.encode() in data]
    assert min(len(found) for name, found in rows.items() if name != "failures") > 0
    assert len(journals) > 0


# gc


def gc_then_build(repo: Repo, *limits: str) -> Result:
    assert 0 == repo.ovmake("gc", *limits).status
    return repo.build()


@pytest.mark.parametrize("limits", [(), ("--max-age", "0d"), ("--max-size", "0")], ids=" ".join)
def test_build_after_gc_runs_nothing(limits: tuple[str, ...], built: Repo) -> None:
    built.edit("samples = 300", "samples = 200")
    built.build()
    before = built.outputs()
    built.workers_started()

    result = gc_then_build(built, *limits)

    assert ([], [], set()) == (result.ran, result.actions("restored"), built.workers_started())
    assert before == built.outputs()
