"""How `--watch` hears of changes. What it does then is in tests/e2e/test_watch.py."""

from __future__ import annotations

import itertools
import shutil
import threading
import time
from pathlib import Path
from random import Random

import pytest

from ovmake.commands.watch.command import Notifications, Polling, Watcher
from ovmake.commands.watch.watch_paths import watch_paths_of
from ovmake.project.repo import Where

EYES = [Notifications, Polling]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    (tmp_path / "models/m.pb").write_text("m")
    return tmp_path


@pytest.mark.parametrize("eyes", EYES)
def test_a_change_is_seen_also_if_it_came_before_the_look(root: Path, eyes: type[Notifications | Polling]) -> None:
    watched = eyes(watch_paths_of(str(root), ["models/m.pb"]))

    (root / "models/m.pb").write_text("another")

    assert watched.look(None)
    watched.close()


@pytest.mark.parametrize("eyes", EYES)
def test_nothing_is_seen_where_nothing_counts(root: Path, eyes: type[Notifications | Polling]) -> None:
    watched = eyes(watch_paths_of(str(root), ["models/m.pb"]))

    (root / "models/other.pb").write_text("another")

    assert not watched.look(0.5)
    assert not watched.look(0.5)
    watched.close()


@pytest.mark.parametrize("polling", ["", "1"])
def test_a_burst_of_saves_is_waited_out(root: Path, monkeypatch: pytest.MonkeyPatch, polling: str) -> None:
    monkeypatch.setenv("WATCHFILES_FORCE_POLLING", polling)
    (root / "Ovfile").write_text('[models.m]\nsource = "models/m.pb"\n')
    saved_s = []

    def save() -> None:
        for number in range(40 if polling else 20):  # for longer than the time between two looks
            (root / "models/m.pb").write_text("m" * number)
            saved_s.append(time.monotonic())
            time.sleep(0.03)  # a hand that saves again and again

    watcher = Watcher(Where(folder=root), [])
    watcher.begin()
    writer = threading.Thread(target=save)
    writer.start()
    watcher.wait()
    waited_s = time.monotonic() - saved_s[-1]
    writer.join()

    assert waited_s > 0.15


def test_a_change_that_nobody_told_of_is_found_when_there_is_doubt(root: Path) -> None:
    # As when the system's queue is full, or watchfiles empties its list a moment after it has copied it.
    watched = Notifications(watch_paths_of(str(root), ["models/m.pb"]))
    watched.before = {}

    (root / "models/other.pb").write_text("what does not count, but may not be all")

    assert any(watched.look(None) for _ in range(3))
    watched.close()


def in_place(root: Path, text: str) -> None:
    (root / "models/m.pb").write_text(text)


def by_renaming(root: Path, text: str) -> None:
    (root / "models/.swp").write_text(text)
    (root / "models/.swp").rename(root / "models/m.pb")


def in_a_new_subfolder(root: Path, text: str) -> None:
    shutil.rmtree(root / "models/folder/a", ignore_errors=True)
    (root / "models/folder/a/b").mkdir(parents=True)
    (root / "models/folder/a/b/x").write_text(text)


def whole_folder(root: Path, text: str) -> None:
    shutil.copytree(root / "models/folder", root / "fresh")
    (root / "fresh/x").write_text(text)
    shutil.rmtree(root / "models/folder")
    (root / "fresh").rename(root / "models/folder")


def folder_above(root: Path, text: str) -> None:
    (root / "models").rename(root / "old")
    shutil.copytree(root / "old", root / "models")
    (root / "models/m.pb").write_text(text)
    shutil.rmtree(root / "old")


EDITS = (in_place, by_renaming, in_a_new_subfolder, whole_folder, folder_above)


@pytest.mark.heavy
@pytest.mark.timeout(300)  # one that is missed is waited for
@pytest.mark.parametrize("seed", [1, 2])
def test_of_many_edits_at_any_moment_none_is_missed_while_others_write_beside(root: Path, seed: int) -> None:
    (root / "models/folder").mkdir()
    (root / "Ovfile").write_text('[models.m]\nsource = "models/m.pb"\n[models.n]\nsource = "models/folder"\n')
    enough = threading.Event()

    def scribble() -> None:
        for number in itertools.count():
            (root / f"notes-{number % 2000}").touch()
            if enough.wait(0.002):
                return

    scribbler = threading.Thread(target=scribble)
    scribbler.start()
    random = Random(seed)  # noqa: S311
    watcher = Watcher(Where(folder=root), [])
    try:
        for number in range(40):
            watcher.begin()
            time.sleep(random.random() * 0.1)  # any moment
            random.choice(EDITS)(root, f"edit {number}")
            watcher.wait()
    finally:
        enough.set()
        scribbler.join()
