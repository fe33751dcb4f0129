"""The range of a ratio that was measured in windows: that it holds the true one, even if noise lasts."""

from __future__ import annotations

import math
import random
import statistics

import pytest

from ovmake.workers.measurement.spread import FEWEST, LEAST, LEAST_HALF_WIDTH, NORMAL, Spread, spread_of


def found(windows: list[list[float]]) -> Spread:
    spread = spread_of(windows)
    assert spread is not None
    return spread


def test_with_fewer_windows_there_is_no_range() -> None:
    assert spread_of([[2.0, 2.1]] * (FEWEST - 1)) is None
    assert spread_of([[2.0], [], [2.0]]) is None


def test_windows_that_agree_leave_what_two_processes_differ_by() -> None:
    actual = found([[2.0] * 10] * LEAST)

    assert 2.0 == pytest.approx(actual.median)
    assert LEAST_HALF_WIDTH == pytest.approx(actual.half_width, rel=0.01)


def test_pairs_of_one_window_that_agree_say_nothing_of_another_window() -> None:
    """SyntheticSizes one by one, 200 pairs of which half say 2.0 and half 2.2 promise 0.7 %."""
    actual = found([[2.0] * 25, [2.2] * 25] * 4)

    assert actual.half_width > 0.03


def test_noise_that_lasts_for_windows_widens_the_range() -> None:
    """The same windows in turns, and three at a time: what is slow for a while may be so for longer yet."""
    turns = found([[2.0] * 5, [2.2] * 5] * 9)
    threes = found(([[2.0] * 5] * 3 + [[2.2] * 5] * 3) * 3)

    assert threes.half_width > 1.3 * turns.half_width


def test_where_others_used_the_processor_it_is_the_range_of_a_window() -> None:
    windows = [[2.0 + 0.1 * (at % 5)] for at in range(20)]

    mean, one = found(windows), spread_of(windows, noisy=True)

    assert one is not None
    assert mean.median == one.median
    assert one.low < 2.0
    assert one.high > 2.4
    assert one.half_width > 2 * mean.half_width


def test_agreeing_windows_on_a_noisy_machine_have_a_wide_range() -> None:
    agreeing = spread_of([[2.0], [2.001]] * 10, noisy=True)

    assert agreeing is not None
    assert agreeing.low < 2.0 * (1 - 0.17) < 2.0 * (1 + 0.17) < agreeing.high


def test_an_error_that_no_window_tells_of_widens_the_range_by_a_part_of_its_size() -> None:
    narrow = Spread(median=2.0, low=2 / 1.03, high=2 * 1.03)

    wide = narrow.widened(0.04)

    assert 2.0 == wide.median
    assert [2 / 1.05, 2 * 1.05] == pytest.approx([wide.low, wide.high], rel=0.001)


def test_the_range_is_one_of_logarithms() -> None:
    """Twice as fast and half as fast are equally far from 1."""
    windows = [[2.0], [1.0], [0.5], [1.0], [1.5]] * 2

    actual = found(windows)
    turned = found([[1 / ratio for ratio in window] for window in windows])

    assert [actual.low, actual.median] == pytest.approx([1 / turned.high, 1 / turned.median])


def test_it_is_the_same_every_time() -> None:
    windows = [[1.0 + at / 7, 1.1, 1.3] for at in range(9)]

    assert spread_of(windows) == spread_of(windows)


def drift(chance: random.Random, count: int, memory: float) -> list[float]:
    """Return noise that remembers: an autoregressive process of variance 1."""
    value, values = chance.gauss(0, 1), []
    for _ in range(count):
        value = memory * value + math.sqrt(1 - memory**2) * chance.gauss(0, 1)
        values.append(value)
    return values


# How many windows, how many pairs in each, how much a pair remembers of the one before: at 0.5, as blocks of
# TensorFlow's on a quiet machine do; at 0.9, noise lasts for ten pairs.
CASES = [(6, 9, 0.0), (12, 9, 0.5), (12, 9, 0.9), (8, 1, 0.0), (24, 9, 0.9)]


@pytest.mark.parametrize(("windows", "pairs", "memory"), CASES)
def test_the_range_misses_the_true_ratio_about_as_rarely_as_it_says(windows: int, pairs: int, memory: float) -> None:
    chance = random.Random(windows)  # noqa: S311 - times, not a secret
    missed, runs = 0, 1000
    for _ in range(runs):
        noise = drift(chance, windows * pairs, memory)
        ratios = [3.0 * math.exp(0.1 * value) for value in noise]
        spread = found([ratios[at * pairs : (at + 1) * pairs] for at in range(windows)])
        missed += not spread.low <= 3.0 <= spread.high

    assert missed <= 0.12 * runs


def test_the_range_holds_what_outlasts_the_measurement_if_its_windows_vary_likewise() -> None:
    """What is the same in all windows of a measurement, and another in the next one, is 0.3 of their deviation."""
    chance = random.Random(3)  # noqa: S311
    missed, runs = 0, 1000
    for _ in range(runs):
        lasting = chance.gauss(0, 0.03)
        spread = found([[3.0 * math.exp(lasting + chance.gauss(0, 0.1))] for _ in range(12)])
        missed += not spread.low <= 3.0 <= spread.high

    assert missed <= 0.07 * runs


def test_pairs_taken_for_independent_miss_it_several_times_as_often() -> None:
    """What windows are for: the same noise, with every pair a window of its own and none joined."""
    chance = random.Random(5)  # noqa: S311
    missed, runs = 0, 300
    for _ in range(runs):
        logs = [0.1 * value for value in drift(chance, 108, 0.9)]
        half = NORMAL * statistics.stdev(logs) / math.sqrt(len(logs))
        missed += not abs(statistics.fmean(logs)) <= half

    assert missed > 0.4 * runs
