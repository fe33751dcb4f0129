"""The choice of `auto`, on synthetic measurements, because real speeds are not certain."""

from __future__ import annotations

import pytest

from ovmake.contracts.files.speed import Choice
from ovmake.contracts.files.verdict import Kept
from ovmake.verdicts.choosing import JudgedCandidate, in_words, judged, weigh
from ovmake.verdicts.intervals import LEAST, ratio_of
from tests.evaluations import a_verdict


def judgement(precision: str, *, kept: bool = True, drop: float | None = 0.0) -> JudgedCandidate:
    return JudgedCandidate(
        precision=precision, kept=kept, gate="passed" if kept else "missed", text="as it is", drop=drop
    )


def rounds(count: int = 20, **times: float) -> list[dict[str, float]]:
    """Return rounds in which each side takes its time ± 1 %, while the machine slows down."""
    return [
        {
            name: time * (1 + number / 10) * (1 + 0.01 * ((number * (place + 2)) % 3 - 1))
            for place, (name, time) in enumerate(times.items())
        }
        for number in range(count)
    ]


def chosen(measured: list[dict[str, float]], *precisions: str, missed: tuple[str, ...] = ()) -> Choice:
    return weigh([judgement(name, kept=name not in missed) for name in precisions], measured)


def test_the_fastest_is_chosen() -> None:
    choice = chosen(rounds(fp32=150, fp16=150, int8=100), "fp32", "fp16", "int8")

    assert ("int8", "the fastest that passes its gate") == (choice.chosen, choice.why)


def test_one_that_misses_its_gate_is_not_chosen_however_fast() -> None:
    choice = chosen(rounds(fp32=150, fp16=100), "fp32", "fp16", "int8", missed=("int8",))

    assert "fp16" == choice.chosen
    assert choice.candidates[2].speed is None
    assert "its gate is missed, so its speed does not matter" == choice.candidates[2].not_measured


def test_of_two_that_run_equally_fast_the_more_accurate_is_chosen() -> None:
    choice = chosen(rounds(fp32=101, fp16=101, int8=99), "fp32", "fp16", "int8")

    assert "fp32" == choice.chosen
    assert "more accurate than int8, which is not clearly faster" == choice.why


def test_middle_candidate_wins_if_as_fast_as_the_fastest() -> None:
    choice = chosen(rounds(fp32=150, fp16=101, int8=100), "fp32", "fp16", "int8")

    assert "fp16" == choice.chosen


def test_on_a_noisy_machine_accuracy_decides() -> None:
    wild = [{"fp32": 150.0, "int8": 100.0 if number % 3 else 400.0} for number in range(7)]

    speed = ratio_of(wild, slow="fp32", fast="int8")

    assert speed is not None
    assert speed.median > 1.4
    assert "fp32" == chosen(wild, "fp32", "int8").chosen


def test_too_few_rounds_decide_for_accuracy_and_say_so() -> None:
    choice = chosen(rounds(LEAST - 1, fp32=150, int8=100), "fp32", "int8")

    assert "fp32" == choice.chosen
    assert "the most accurate: too few rounds to compare speeds" == choice.why
    assert ["too few rounds to tell"] * 2 == [one.not_measured for one in choice.candidates]


@pytest.mark.parametrize(
    ("precisions", "missed", "why"),
    [
        (("int8",), (), "the only candidate"),
        (("fp32", "int8"), ("fp32",), "the only candidate that passes its gate"),
    ],
)
def test_the_only_one_left_is_chosen_untimed(precisions: tuple[str, ...], missed: tuple[str, ...], why: str) -> None:
    choice = chosen([], *precisions, missed=missed)

    assert ("int8", why) == (choice.chosen, choice.why)
    assert "there was nothing to choose from" == choice.candidates[-1].not_measured


def test_no_choice_if_all_miss_and_every_figure_is_listed() -> None:
    choice = chosen([], "fp32", "int8", missed=("fp32", "int8"))

    assert "" == choice.chosen
    assert ("fp32: gate missed: as it is", "int8: gate missed: as it is") == in_words(choice)


def test_speeds_are_relative_to_fp32_even_if_it_is_no_candidate() -> None:
    choice = chosen(rounds(fp32=150, fp16=120, int8=75), "fp16", "int8")

    assert choice.candidates[1].speed is not None
    assert pytest.approx(2, rel=0.03) == choice.candidates[1].speed.median
    assert "int8" == choice.chosen


def test_a_candidate_without_a_gate_misses_nothing() -> None:
    free = judged("fp32", verdict=None, kept=None)

    assert (True, "not-measured", None) == (free.kept, free.gate, free.drop)


def test_not_measured_candidate_is_kept_as_its_file_says() -> None:
    verdict = a_verdict("not-measured", text="TensorFlow cannot run it")

    for kept in (True, False):
        assert kept == judged("fp32", verdict=verdict, kept=Kept(kept=kept)).kept
