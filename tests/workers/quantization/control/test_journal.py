"""A killed search finds what it had found, whatever its last line looks like."""

from __future__ import annotations

from pathlib import Path

import pytest

from ovmake.workers.quantization.control.journal import Effects, Interim, Journal, Trial
from tests.evaluations import an_evaluation, an_output

EFFECTS = Effects(names=("a", "b"), products=((0.1, 0.25), (0.25, 1e-17)), inferences=3, seconds=0.5)


def a_trial(*names: str, seconds: float = 0.1) -> Trial:
    figures = an_evaluation(an_output()).figures
    assert figures is not None
    interims = (Interim(count=64, drops=0.5, squares=0.25, wrong=3.0),)
    return Trial(names=names, figures=figures, seconds=seconds, whole=True, interims=interims, largest_error=(7, 3))


def test_what_was_noted_is_there_again(tmp_path: Path) -> None:
    journal = Journal.open(str(tmp_path / "j"))
    journal.note_effects(EFFECTS)
    journal.note_trial(a_trial("b", "a"))

    again = Journal.open(str(tmp_path / "j"))

    assert EFFECTS == again.effects
    assert a_trial("b", "a") == again.trial(["a", "b"])
    assert again.trial(["a"]) is None


@pytest.mark.parametrize("cut", range(1, 300, 7))
def test_line_that_was_being_written_is_lost_and_nothing_else(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "j"
    journal = Journal.open(str(path))
    journal.note_trial(a_trial(seconds=0.3))
    whole = path.read_bytes()
    journal.note_trial(a_trial("a", seconds=0.2))
    path.write_bytes((whole + path.read_bytes()[len(whole) :])[: len(whole) + cut])

    again = Journal.open(str(path))
    again.note_trial(a_trial("b"))
    last = Journal.open(str(path))

    assert a_trial(seconds=0.3) == last.trial([])
    assert a_trial("b") == last.trial(["b"])
    assert last.trial(["a"]) in (None, a_trial("a", seconds=0.2))


def test_a_line_of_something_else_is_no_trial(tmp_path: Path) -> None:
    (tmp_path / "j").write_text('{"trial": {"names": []}}\n[]\n\xff\n')

    assert {} == Journal.open(str(tmp_path / "j")).trials


def test_without_a_path_nothing_is_kept() -> None:
    journal = Journal.open("")
    journal.note_trial(a_trial())

    assert a_trial() == journal.trial([])
