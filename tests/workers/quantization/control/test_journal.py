"""A killed search finds what it had found, whatever its last line looks like."""

from __future__ import annotations

from pathlib import Path

import pytest

from ovmake.workers.quantization.control.journal import Journal


def test_what_was_noted_is_there_again(tmp_path: Path) -> None:
    journal = Journal.open(str(tmp_path / "j"))
    journal.note_effects({"names": ["a"]})
    journal.note_trial(["b", "a"], {"drop": 0.1})

    again = Journal.open(str(tmp_path / "j"))

    assert {"names": ["a"]} == again.effects
    assert {"drop": 0.1} == again.trial(["a", "b"])
    assert again.trial(["a"]) is None


@pytest.mark.parametrize("cut", range(1, 60))
def test_line_that_was_being_written_is_lost_and_nothing_else(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "j"
    journal = Journal.open(str(path))
    journal.note_trial([], {"drop": 0.3})
    whole = path.read_bytes()
    journal.note_trial(["a"], {"drop": 0.2})
    path.write_bytes((whole + path.read_bytes()[len(whole) :])[: len(whole) + cut])

    again = Journal.open(str(path))
    again.note_trial(["b"], {"drop": 0.1})
    last = Journal.open(str(path))

    assert {"drop": 0.3} == last.trial([])
    assert {"drop": 0.1} == last.trial(["b"])
    assert last.trial(["a"]) in (None, {"drop": 0.2})


def test_without_a_path_nothing_is_kept() -> None:
    journal = Journal.open("")
    journal.note_trial([], {"drop": 0.3})

    assert {"drop": 0.3} == journal.trial([])
