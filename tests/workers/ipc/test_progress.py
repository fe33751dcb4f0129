"""How far an action is: what a worker writes down, seldom, and never at the price of the action."""

from __future__ import annotations

from pathlib import Path

import pytest

from ovmake.workers.ipc import progress
from ovmake.workers.ipc.progress import FILE, LINE_BYTES, alone, begin, counted, say


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where it is written; each time, as if half a second had passed."""
    monkeypatch.setattr(progress, "SECONDS", -1.0)
    begin(str(tmp_path))
    return tmp_path


def written(folder: Path) -> str:
    data = (folder / FILE).read_text()
    assert len(data) == LINE_BYTES
    return data.strip()


def test_items_are_counted_once_they_are_done(folder: Path) -> None:
    seen = [
        (item, written(folder) if (folder / FILE).exists() else "") for item in counted("abc", of=3, unit="samples")
    ]

    assert [("a", ""), ("b", "1 3 samples"), ("c", "2 3 samples")] == seen
    assert "3 3 samples" == written(folder)


def test_the_last_of_several_at_a_time_is_not_counted_beyond_the_end(folder: Path) -> None:
    assert ["a", "b"] == list(counted("ab", of=100, unit="samples", each=64))
    assert "100 100 samples" == written(folder)


def test_nobody_knows_how_many_a_loader_yields(folder: Path) -> None:
    list(counted("ab", of=None, unit="samples loaded"))

    assert "2 - samples loaded" == written(folder)


def test_trials_are_counted_and_not_the_samples_of_each(folder: Path) -> None:
    alone("trials")
    say(3, 60, "trials")
    list(counted("ab", of=2, unit="samples"))

    assert "3 60 trials" == written(folder)


def test_next_action_of_the_process_counts_anew(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    alone("trials")
    other = tmp_path_factory.mktemp("other")

    begin(str(other))
    say(1, 2, "samples")

    assert "1 2 samples" == written(other)
    assert not (folder / FILE).exists()


def test_nothing_is_written_before_half_a_second_or_to_nowhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "SECONDS", 60.0)
    begin(str(folder))
    say(1, 2, "samples")
    begin("")
    say(1, 2, "samples")

    assert [] == list(folder.iterdir())


def test_folder_that_is_gone_or_a_link_is_no_failure(folder: Path) -> None:
    (folder / FILE).symlink_to(folder / "elsewhere")
    say(1, 2, "samples")
    assert not (folder / "elsewhere").exists()

    begin(str(folder / "gone"))
    say(1, 2, "samples")
