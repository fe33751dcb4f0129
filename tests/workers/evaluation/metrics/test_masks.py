"""mIoU is scikit-learn's Jaccard score over all pixels, streamed."""

from __future__ import annotations

import numpy as np
import pytest

from ovmake.errors import ActionError
from ovmake.workers.inputs.preparing import Array
from tests.lazily import Lazy
from tests.workers.evaluation.metrics.counting import counted, metric

SAMPLES, HEIGHT, WIDTH, CLASSES = 20, 6, 5, 4
sk = Lazy("sklearn.metrics")


@pytest.fixture
def labels() -> Array:
    return np.random.default_rng(1).integers(0, CLASSES, (SAMPLES, HEIGHT, WIDTH))


@pytest.fixture
def scores(labels: Array) -> Array:
    return np.random.default_rng(2).random((SAMPLES, HEIGHT, WIDTH, CLASSES)) + 0.5 * np.eye(CLASSES)[labels]


def test_mean_over_classes(scores: Array, labels: Array) -> None:
    said = scores.argmax(-1)

    tally = counted(metric("miou"), scores, labels)

    assert sk.jaccard_score(labels.ravel(), said.ravel(), average="macro") == pytest.approx(tally.score())
    chosen = np.random.default_rng(3).integers(0, SAMPLES, SAMPLES)
    times = np.bincount(chosen, minlength=SAMPLES)[np.newaxis].astype(float)
    resampled = sk.jaccard_score(labels[chosen].ravel(), said[chosen].ravel(), average="macro")
    assert resampled == pytest.approx(tally.scores(times)[0])


def test_class_that_appears_in_a_later_feed_or_nowhere(scores: Array, labels: Array) -> None:
    labels[:7] = 0
    labels[labels == 2] = 1
    scores[..., 2] = -1
    scores[:7, ..., 3] = -1
    said = scores.argmax(-1)

    tally = counted(metric("miou"), said, labels[..., np.newaxis])

    assert sk.jaccard_score(labels.ravel(), said.ravel(), average="macro") == pytest.approx(tally.score())


def test_ignored_pixels_do_not_count(scores: Array, labels: Array) -> None:
    labels[:, :2] = 255
    seen = labels != 255
    said = scores.argmax(-1)

    tally = counted(metric("miou", ignored=255), scores, labels.astype(np.uint8))

    assert sk.jaccard_score(labels[seen], said[seen], average="macro") == pytest.approx(tally.score())
    with pytest.raises(ActionError, match="labels run from 0 to 255, the model has 4 classes"):
        counted(metric("miou"), scores, labels)


def test_one_channel_is_foreground_or_not() -> None:
    labels = np.random.default_rng(1).integers(0, 2, (SAMPLES, HEIGHT, WIDTH))
    likely = (np.random.default_rng(2).random(labels.shape) + labels)[..., np.newaxis] / 2

    tally = counted(metric("miou"), likely, labels)

    assert sk.jaccard_score(labels.ravel(), likely.ravel() > 0.5, average="macro") == pytest.approx(tally.score())


def test_pixels_that_are_not_finite_are_of_no_class(scores: Array, labels: Array) -> None:
    scores[:] = np.nan

    assert 0 == counted(metric("miou"), scores, labels).score()


def test_masks_of_another_size(scores: Array, labels: Array) -> None:
    with pytest.raises(ActionError, match="the output has 6×5 pixels, the labels have 3×5"):  # noqa: RUF001
        counted(metric("miou"), scores, labels[:, :3])
