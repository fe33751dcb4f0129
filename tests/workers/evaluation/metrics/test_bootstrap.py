"""The interval of a drop: how often it holds the truth, and when there is none."""

from __future__ import annotations

import time

import numpy as np
import pytest

from ovmake.workers.evaluation.metrics import drop_interval
from ovmake.workers.inputs.preparing import Array
from tests.workers.evaluation.metrics.counting import counted, metric


def answers(right: Array) -> Array:
    return np.stack([~right, right], axis=1).astype(np.float32)


def test_interval_holds_the_true_drop_about_as_often_as_it_says() -> None:
    """Two models that are right on 90 and 88 of 100 images, and mostly on the same ones."""
    rng, samples, held = np.random.default_rng(0), 400, 0
    accuracy, labels = metric("accuracy"), np.ones(400, dtype=int)
    for _ in range(200):
        luck = rng.random(samples)
        first, second = luck < 0.90, (luck < 0.86) | (luck > 0.98)
        interval = drop_interval(
            counted(accuracy, answers(first), labels), counted(accuracy, answers(second), labels), seed=0
        )
        assert interval is not None
        held += interval.low <= 0.02 <= interval.high

    assert 0.90 <= held / 200 <= 0.985


def test_samples_are_drawn_in_pairs() -> None:
    """Equal models differ by nothing, however their scores scatter."""
    right = np.random.default_rng(0).random(200) < 0.5
    tally = counted(metric("accuracy"), answers(right), np.ones(200, dtype=int))

    interval = drop_interval(tally, tally, seed=0)

    assert interval is not None
    assert (0, 0, 0.95, 1000) == (interval.low, interval.high, interval.level, interval.replicates)


def test_worse_is_positive_where_lower_is_better() -> None:
    labels = np.zeros(50)
    mae = metric("mae")
    near, far = counted(mae, labels + 1, labels), counted(mae, labels + np.linspace(2, 3, 50), labels)

    interval = drop_interval(near, far, seed=0)

    assert interval is not None
    assert 1 < interval.low < 1.5 < interval.high < 2


def test_seed_decides() -> None:
    rng = np.random.default_rng(0)
    labels, accuracy = np.ones(60, dtype=int), metric("accuracy")
    first, second = (counted(accuracy, answers(rng.random(60) < 0.7), labels) for _ in range(2))

    assert drop_interval(first, second, seed=0) == drop_interval(first, second, seed=0)


def test_no_interval_of_one_sample_or_of_a_score_that_is_not_finite() -> None:
    mae, two = metric("mae"), np.array([1.0, 2.0])
    single, fine, broken = counted(mae, two[:1], two[:1]), counted(mae, two, two), counted(mae, two * np.nan, two)

    assert drop_interval(single, single, seed=0) is None
    assert drop_interval(fine, broken, seed=0) is None


@pytest.mark.parametrize("name", ["accuracy", "f1"])
def test_a_thousand_replicates_of_five_thousand_samples_take_no_time(name: str) -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 5000)
    first, second = (counted(metric(name), rng.random((5000, 10)), labels) for _ in range(2))
    first.scores(np.ones((1, 5000)))  # scipy is loaded

    started = time.process_time()
    drop_interval(first, second, seed=0)

    # 0.05 and 0.3 s on a quiet machine.
    assert time.process_time() - started < 3
