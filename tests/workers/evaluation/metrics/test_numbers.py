"""MAE, RMSE, R² and cosine are scikit-learn's, streamed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ovmake.errors import ActionError
from ovmake.workers.inputs.preparing import Array
from tests.lazily import Lazy
from tests.workers.evaluation.metrics.counting import agrees_with_itself, counted, metric

FUNCTIONS = {"mae": "mean_absolute_error", "rmse": "root_mean_squared_error", "r2": "r2_score"}
sk = Lazy("sklearn.metrics")
SAMPLES = 60


def noisy(labels: Array) -> Array:
    return (labels + np.random.default_rng(7).normal(0, 0.5, labels.shape)).astype(np.float32)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("shape", [(), (1,), (3,)])
def test_as_scikit_learn(name: str, shape: tuple[int, ...]) -> None:
    labels = np.random.default_rng(6).normal(100, 2, (SAMPLES, *shape))
    answers = noisy(labels)

    tally = counted(metric(name), answers, labels)

    assert getattr(sk, FUNCTIONS[name])(labels, answers.astype(float)) == pytest.approx(tally.score(), rel=1e-9)
    chosen = np.random.default_rng(8).integers(0, SAMPLES, SAMPLES)
    times = np.bincount(chosen, minlength=SAMPLES)[np.newaxis].astype(float)
    resampled = getattr(sk, FUNCTIONS[name])(labels[chosen], answers[chosen].astype(float))
    assert resampled == pytest.approx(tally.scores(times)[0], rel=1e-9)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_elements_of_a_map_are_one_target(name: str) -> None:
    labels = np.random.default_rng(6).normal(100, 2, (SAMPLES, 4, 5))
    answers = noisy(labels)[..., np.newaxis]

    tally = counted(metric(name), answers, labels)

    assert getattr(sk, FUNCTIONS[name])(labels.ravel(), answers.ravel().astype(float)) == pytest.approx(
        tally.score(), rel=1e-9
    )
    assert agrees_with_itself(tally)


@pytest.mark.parametrize("answers", [np.full(9, 0.1), np.linspace(0, 1, 9)])
def test_r2_of_labels_that_are_all_the_same(answers: Array) -> None:
    labels = np.full(9, 0.1)

    assert sk.r2_score(labels, answers) == counted(metric("r2"), answers, labels).score()


def test_r2_of_labels_far_from_zero_keeps_its_digits() -> None:
    labels = 1e9 + np.arange(SAMPLES, dtype=float)
    answers = labels + np.tile([0.5, -0.5], SAMPLES // 2)

    assert sk.r2_score(labels, answers) == pytest.approx(counted(metric("r2"), answers, labels).score(), rel=1e-12)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_answer_that_is_not_finite_makes_the_score_so(name: str) -> None:
    answers = np.array([1.0, math.nan, 2.0])

    assert math.isnan(counted(metric(name), answers, np.array([1.0, 2.0, 3.0])).score())


@pytest.mark.parametrize(
    ("outputs", "labels", "problem"),
    [
        (np.zeros((2, 3)), np.zeros((2, 4)), r"the output has shape \[3\] per sample, labels have \[4\]"),
        (np.zeros((2, 3)), np.array([[0, math.nan, 1], [0, 1, 2]]), "1 of 6 labels are not finite numbers"),
        (np.zeros(2), np.array(["a", "b"]), "labels are <U1; `mae` needs numbers"),
        (np.zeros((1, 3)), np.zeros((2, 3)), "the output has 1 rows for 2 samples"),
    ],
)
def test_what_mae_cannot_count(outputs: Array, labels: Array, problem: str) -> None:
    with pytest.raises(ActionError, match=problem):
        metric("mae").tally().add({"y": outputs}, labels, {"y": outputs})


def test_cosine_is_the_mean_over_samples() -> None:
    theirs = np.random.default_rng(9).normal(0, 1, (SAMPLES, 2, 3)).astype(np.float32)
    ours = noisy(theirs)

    tally = counted(metric("cosine"), ours, None, theirs)

    first, second = ours.reshape(SAMPLES, -1), theirs.reshape(SAMPLES, -1)
    cosines = (first * second).sum(1) / np.linalg.norm(first, axis=1) / np.linalg.norm(second, axis=1)
    assert cosines.mean() == pytest.approx(tally.score(), abs=1e-6)
    assert tally.each() == pytest.approx(cosines, abs=1e-6)


def test_tensorflow_agrees_with_itself() -> None:
    theirs = np.array([[0.0, 0.0], [1e200, 1e200], [1e-200, 0.0]])

    assert 1 == counted(metric("cosine"), theirs, None).score()


def test_cosine_of_what_is_not_finite_is_none_at_all() -> None:
    theirs = np.ones((2, 3))
    ours = np.array([[1.0, 1.0, 1.0], [1.0, math.inf, 1.0]])

    assert 0.5 == pytest.approx(counted(metric("cosine"), ours, None, theirs).score())
