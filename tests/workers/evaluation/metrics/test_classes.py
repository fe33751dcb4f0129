"""Metrics of classes are scikit-learn's, streamed; and what is neither right nor clear."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ovmake.errors import ActionError
from ovmake.workers.inputs.preparing import Array
from tests.lazily import Lazy
from tests.workers.evaluation.metrics.counting import counted, metric

SAMPLES, CLASSES = 100, 5
sk = Lazy("sklearn.metrics")
MACRO = {"average": "macro"}


@pytest.fixture
def labels() -> Array:
    return np.random.default_rng(1).integers(0, CLASSES, SAMPLES)


@pytest.fixture
def scores(labels: Array) -> Array:
    """Answers that are right about half of the time."""
    return np.random.default_rng(2).random((SAMPLES, CLASSES)) + 0.5 * np.eye(CLASSES)[labels]


def drawn(tally: object, times: Array) -> float:
    return float(tally.scores(times[np.newaxis].astype(float))[0])  # type: ignore[attr-defined]


def again(times: Array, *arrays: Array) -> list[Array]:
    return [np.repeat(array, times, axis=0) for array in arrays]


@pytest.fixture
def times() -> Array:
    """How often each sample is drawn: as many as there are in all."""
    chosen = np.random.default_rng(3).integers(0, SAMPLES, SAMPLES)
    return np.bincount(chosen, minlength=SAMPLES)


def test_accuracy(scores: Array, labels: Array, times: Array) -> None:
    tally = counted(metric("accuracy"), scores, labels)

    assert sk.accuracy_score(labels, scores.argmax(1)) == pytest.approx(tally.score())
    some, true = again(times, scores, labels)
    assert sk.accuracy_score(true, some.argmax(1)) == pytest.approx(drawn(tally, times))
    assert 1 / SAMPLES == tally.step


@pytest.mark.parametrize("k", [1, 2, 4])
def test_top_k_also_of_equal_scores(scores: Array, labels: Array, k: int) -> None:
    coarse = scores.round(1)

    tally = counted(metric(f"top-{k}"), coarse, labels)

    assert sk.top_k_accuracy_score(labels, coarse, k=k) == pytest.approx(tally.score())


@pytest.mark.parametrize("name", ["precision", "recall", "f1"])
def test_mean_over_classes(scores: Array, labels: Array, times: Array, name: str) -> None:
    expected = getattr(sk, f"{name}_score")

    tally = counted(metric(name), scores, labels)

    assert expected(labels, scores.argmax(1), **MACRO) == pytest.approx(tally.score())
    some, true = again(times, scores, labels)
    assert expected(true, some.argmax(1), **MACRO) == pytest.approx(drawn(tally, times))


@pytest.mark.parametrize("name", ["precision", "recall", "f1"])
def test_class_that_no_sample_has_is_left_out_and_one_that_is_never_answered_counts(
    scores: Array, labels: Array, times: Array, name: str
) -> None:
    scores[:, 3:] = -1  # never the largest
    true = np.where(labels == 4, 3, labels)

    tally = counted(metric(name), scores, true)

    score = getattr(sk, f"{name}_score")
    assert score(true, scores.argmax(1), **MACRO, zero_division=0) == pytest.approx(tally.score())
    some, repeated = again(times, scores, true)
    assert score(repeated, some.argmax(1), **MACRO, zero_division=0) == pytest.approx(drawn(tally, times))


@pytest.mark.parametrize("name", ["accuracy", "precision", "recall", "f1"])
@pytest.mark.parametrize("columns", ["[n]", "[n, 1]", "[n, 2]"])
def test_two_classes(name: str, columns: str, times: Array) -> None:
    labels = np.random.default_rng(4).integers(0, 2, SAMPLES)
    likely = (np.random.default_rng(5).random(SAMPLES) + labels) / 2
    output = {"[n]": likely, "[n, 1]": likely[:, None], "[n, 2]": np.stack([1 - likely, likely], 1)}[columns]

    tally = counted(metric(name), output.astype(np.float32), labels)

    score = getattr(sk, f"{name}_score")
    assert score(labels, likely > 0.5) == pytest.approx(tally.score())
    some, true = again(times, likely, labels)
    assert score(true, some > 0.5) == pytest.approx(drawn(tally, times))


def test_positive_class_is_the_ovfiles_to_name(scores: Array, labels: Array) -> None:
    tally = counted(metric("recall", positive=3), scores, labels)

    assert sk.recall_score(labels == 3, scores.argmax(1) == 3) == pytest.approx(tally.score())


def test_positive_class_that_the_model_has_not_is_refused(scores: Array, labels: Array) -> None:
    with pytest.raises(ActionError, match="`positive` is 5, and the model has the classes 0 to 4"):
        counted(metric("f1", positive=5), scores, labels)


def test_integers_are_classes(labels: Array, scores: Array) -> None:
    said = scores.argmax(1)

    assert sk.accuracy_score(labels, said) == pytest.approx(counted(metric("accuracy"), said, labels).score())
    assert sk.f1_score(labels, said, **MACRO) == pytest.approx(counted(metric("f1"), said[:, None], labels).score())


def test_top_k_of_no_more_classes_is_refused(scores: Array, labels: Array) -> None:
    with pytest.raises(ActionError, match="`top-5` of 5 classes is always 1"):
        counted(metric("top-5"), scores, labels)


@pytest.mark.parametrize("name", ["accuracy", "top-4", "recall"])
def test_answer_that_is_not_finite_is_a_wrong_one(scores: Array, labels: Array, name: str) -> None:
    scores[:, 0] = math.nan

    assert 0 == counted(metric(name), scores, labels).score()


def test_probability_that_is_not_finite_is_neither_class() -> None:
    likely, labels = np.array([math.nan, math.nan, 0.9, 0.1]), np.array([0, 1, 1, 0])

    assert 0.5 == counted(metric("accuracy"), likely, labels).score()


def test_class_ruled_out_by_minus_infinity_is_no_wrong_answer() -> None:
    outputs = np.array([[1.0, 2.0, -math.inf], [math.nan, 1.0, 2.0], [-math.inf] * 3])

    assert pytest.approx(1 / 3) == counted(metric("accuracy"), outputs, np.array([1, 0, 0])).score()


def test_logits_in_one_column_want_a_threshold() -> None:
    logits, labels = np.array([-3.0, 2.0, 0.2]), np.array([0, 1, 1])

    with pytest.raises(ActionError, match="runs from -3 to 2: one column counts as a probability") as caught:
        counted(metric("accuracy"), logits, labels)

    assert "for logits, give `threshold = 0` beside the metric" == caught.value.help
    assert 1.0 == counted(metric("accuracy", threshold=0), logits, labels).score()


def test_candidate_slightly_outside_of_probabilities_is_taken() -> None:
    theirs, ours = np.array([0.0, 1.0]), np.array([-1e-6, 1.00001])

    assert 1.0 == counted(metric("accuracy"), ours, np.array([0, 1]), theirs).score()


def test_quantized_column_wants_a_threshold() -> None:
    steps, labels = np.array([3, 250], dtype=np.uint8), np.array([0, 1])

    with pytest.raises(ActionError, match="one column of uint8"):
        counted(metric("f1"), steps, labels)

    assert 1.0 == counted(metric("f1", threshold=127), steps, labels).score()


@pytest.mark.parametrize(
    ("outputs", "labels", "problem"),
    [
        (np.zeros((2, 3)), np.array([0, 3]), "labels run from 0 to 3, the model has 3 classes"),
        (np.zeros((2, 3)), np.array([-1, 0]), "labels run from -1 to 0"),
        (np.zeros((2, 3)), np.array([0.0, 1.0]), "labels are float64 .* needs one whole number per sample"),
        (np.zeros((2, 3)), np.eye(2, dtype=int), "labels are int64 .* needs one whole number per sample"),
        (np.zeros((2, 3, 4)), np.array([0, 1]), r"needs an output of shape \[samples, classes\] or \[samples\]"),
        (np.zeros((1, 3)), np.array([0, 1]), "the output has 1 rows for 2 samples"),
        (np.zeros((2, 3)), None, "`accuracy` needs labels"),
    ],
)
def test_what_accuracy_cannot_count(outputs: Array, labels: Array | None, problem: str) -> None:
    with pytest.raises(ActionError, match=problem):
        metric("accuracy").tally().add({"y": outputs}, labels, {"y": outputs})


def test_one_of_several_outputs_must_be_named(scores: Array, labels: Array) -> None:
    outputs = {"scores": scores, "other": scores[:, :1]}

    with pytest.raises(ActionError, match="several outputs") as caught:
        counted(metric("accuracy"), outputs, labels)

    assert 'name it beside the metric: `output = "scores"`' == caught.value.help
    assert sk.accuracy_score(labels, scores.argmax(1)) == pytest.approx(
        counted(metric("accuracy", output="scores"), outputs, labels).score()
    )
    with pytest.raises(ActionError, match="output `score`, but the model has `scores`, `other`"):
        counted(metric("accuracy", output="score"), outputs, labels)
