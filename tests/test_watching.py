"""How `--watch` hears of changes. What it does then is in tests/e2e/test_watch.py."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from ovmake.session import Where
from ovmake.spots import spots_of
from ovmake.watching import Notified, Polling, Watcher

EYES = [Notified, Polling]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    (tmp_path / "models/m.pb").write_text("m")
    return tmp_path


@pytest.mark.parametrize("eyes", EYES)
def test_a_change_is_seen_also_if_it_came_before_the_look(root: Path, eyes: type[Notified | Polling]) -> None:
    watched = eyes(spots_of(str(root), ["models/m.pb"]))

    (root / "models/m.pb").write_text("another")

    assert watched.look(None)
    watched.close()


@pytest.mark.parametrize("eyes", EYES)
def test_nothing_is_seen_where_nothing_counts(root: Path, eyes: type[Notified | Polling]) -> None:
    watched = eyes(spots_of(str(root), ["models/m.pb"]))

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
        for number in range(40):
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
    watched = Notified(spots_of(str(root), ["models/m.pb"]))
    watched.before = {}

    (root / "models/other.pb").write_text("what does not count, but may not be all")

    assert any(watched.look(None) for _ in range(3))
    watched.close()
