"""The interval of a ratio of speeds contains the true ratio as often as it states."""

from __future__ import annotations

import random

import pytest

from ovmake.verdicts.intervals import LEAST, MISSES, Interval, ratio_of


def ratio(*values: float) -> Interval | None:
    return ratio_of([{"slow": value, "fast": 1.0} for value in values], slow="slow", fast="fast")


def test_the_least_number_of_ratios_spans_from_the_smallest_to_the_largest() -> None:
    assert Interval(median=3.5, low=1, high=6) == ratio(3, 1, 2, 6, 5, 4)


def test_with_fewer_there_is_no_range() -> None:
    assert ratio(*range(1, LEAST)) is None


def test_twenty_ratios_leave_out_five_at_each_end() -> None:
    """As in tables of the sign test: the 6th and the 15th of 20 enclose the median with 95.9 % confidence."""
    assert Interval(median=10.5, low=6, high=15) == ratio(*range(1, 21))


def test_round_that_lacks_a_side_is_ignored() -> None:
    rounds = [{"slow": 2.0, "fast": 1.0}] * LEAST + [{"slow": 9.0}, {"fast": 9.0}]

    assert Interval(median=2, low=2, high=2) == ratio_of(rounds, slow="slow", fast="fast")


@pytest.mark.parametrize(("count", "left_out"), [(6, 0), (8, 0), (9, 1), (11, 1), (12, 2), (20, 5), (40, 13)])
def test_as_many_are_left_out_at_each_end_as_tables_of_the_sign_test_say(count: int, left_out: int) -> None:
    """For 95 %: W. J. Conover, Practical Nonparametric Statistics, table A3."""
    found = ratio(*range(1, count + 1))

    assert found is not None
    assert (1 + left_out, count - left_out) == (found.low, found.high)


@pytest.mark.parametrize("count", [LEAST, 9, 20, 40])
def test_range_misses_the_true_median_at_the_stated_rate(count: int) -> None:
    # Skewed like times: there is a fastest time, and now and then a much slower one.
    chance = random.Random(count)  # noqa: S311 - times, not a secret
    missed = 0
    for _ in range(2000):
        found = ratio(*(chance.lognormvariate(0, 0.3) for _ in range(count)))
        assert found is not None
        missed += not found.low <= 1 <= found.high

    assert missed / 2000 <= MISSES + 0.015


@pytest.mark.parametrize(
    ("low", "high", "faster", "slower"),
    [
        (1.05, 1.4, True, False),
        (1.01, 1.4, False, False),
        (0.7, 0.9, False, True),
        (0.9, 0.99, False, False),
        (0.8, 1.2, False, False),
    ],
)
def test_whole_range_decides_beyond_the_difference_of_two_runs(
    low: float, high: float, *, faster: bool, slower: bool
) -> None:
    found = Interval(median=(low + high) / 2, low=low, high=high)

    assert (faster, slower) == (found.clearly_faster, found.clearly_slower)
