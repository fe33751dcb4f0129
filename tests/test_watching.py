"""How `--watch` hears of changes. What it does then is in tests/e2e/test_watch.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from ovmake.spots import spots_of
from ovmake.watching import Notified, Polling

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


def test_a_change_that_nobody_told_of_is_found_when_there_is_doubt(root: Path) -> None:
    # As when the system's queue is full, or watchfiles empties its list a moment after it has copied it.
    watched = Notified(spots_of(str(root), ["models/m.pb"]))
    watched.before = {}

    (root / "models/other.pb").write_text("what does not count, but may not be all")

    assert any(watched.look(None) for _ in range(3))
    watched.close()
