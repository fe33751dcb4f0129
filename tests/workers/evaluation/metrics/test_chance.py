"""What answers without looking score: by the metric's own formula, beside scikit-learn's dummies where it has some."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics
from sklearn.dummy import DummyRegressor

from ovmake.verdicts.sanity import no_better_than_chance
from ovmake.workers.evaluation.comparison import Tallies
from ovmake.workers.evaluation.metrics import Metric, Tally
from ovmake.workers.inputs.preparing import Array
from tests.workers.evaluation.metrics.counting import counted, metric

RANDOM = np.random.default_rng(5)
COUNT = 200
LABELS = RANDOM.choice(5, COUNT, p=[0.1, 0.4, 0.2, 0.2, 0.1])
NUMBERS = RANDOM.normal(1000, 20, COUNT)


def scores(labels: Array, right: float = 1.0, classes: int = 5) -> Array:
    """Return scores whose largest is the label's in a share of the samples, and anywhere in the others."""
    found = RANDOM.random((len(labels), classes)).astype(np.float32)
    sure = RANDOM.random(len(labels)) < right
    found[sure, labels[sure]] = 2
    return found


def blind(tally: Tally) -> float:
    """Return the chance level over all samples, which the bootstrap's formula has to give for each drawn once."""
    once = np.ones((1, tally.count))
    found = tally.by_chance(np.concatenate([once, once]))
    assert found is not None
    assert found[0] == found[1]
    return float(found[0])


def said(of: Metric, outputs: Array, labels: Array) -> str:
    """Return what the gate says of TensorFlow's outputs."""
    both = Tallies(metric=of, reference=counted(of, outputs, labels), candidate=counted(of, outputs, labels))
    return no_better_than_chance(both.figures(interval=True))


def test_accuracy_is_that_of_the_most_frequent_label() -> None:
    tally = counted(metric("accuracy"), scores(LABELS), LABELS)

    assert pytest.approx((LABELS == 1).mean()) == blind(tally)
    assert "always answering the most frequent label, 1," == tally.blind


@pytest.mark.parametrize(("step", "word"), [(1, "lower"), (-1, "higher")])
def test_labels_that_are_off_by_one_are_named(step: int, word: str) -> None:
    outputs = scores(LABELS + 1, 0.9, classes=7)

    found = said(metric("accuracy"), outputs, LABELS + 1 + step)

    assert f"; with every label one {word} it would be 0." in found
    assert "it would be" not in said(metric("accuracy"), outputs, RANDOM.permutation(LABELS + 1))


def test_top_k_is_that_of_the_k_most_frequent() -> None:
    tally = counted(metric("top-3"), scores(LABELS), LABELS)

    assert pytest.approx(np.isin(LABELS, [1, 2, 3]).mean()) == blind(tally)
    assert tally.blind.startswith("always answering the 3 most frequent labels, 1, ")


@pytest.mark.parametrize("name", ["precision", "recall", "f1"])
@pytest.mark.parametrize("positive", [None, 1])
def test_scores_of_classes_are_those_of_shuffled_answers(name: str, positive: int | None) -> None:
    outputs = scores(LABELS, 0.5)
    of = metric(name) if positive is None else metric(name, positive=positive)
    tally = counted(of, outputs, LABELS)
    said = outputs.argmax(1)
    shuffled = [RANDOM.permutation(said) for _ in range(100)]
    if positive is None:
        found = [getattr(metrics, f"{name}_score")(LABELS, one, average="macro") for one in shuffled]
    else:
        found = [getattr(metrics, f"{name}_score")(LABELS == 1, one == 1) for one in shuffled]

    assert pytest.approx(np.mean(found), abs=0.01) == blind(tally)
    assert tally.score() > blind(tally) + 0.1


@pytest.mark.parametrize("name", ["mae", "rmse", "r2"])
def test_scores_of_numbers_are_those_of_the_mean(name: str) -> None:
    tally = counted(metric(name), NUMBERS[:, np.newaxis] + 1, NUMBERS)
    mean = DummyRegressor().fit(NUMBERS[:, np.newaxis], NUMBERS).predict(NUMBERS[:, np.newaxis])
    score = {"mae": metrics.mean_absolute_error, "rmse": metrics.root_mean_squared_error, "r2": metrics.r2_score}[name]

    assert pytest.approx(score(NUMBERS, mean), abs=1e-9) == blind(tally)
    assert "always answering the mean of the labels" == tally.blind


@pytest.mark.parametrize("name", ["mae", "rmse"])
def test_each_target_has_a_mean_of_its_own(name: str) -> None:
    labels = np.stack([NUMBERS, -NUMBERS], axis=1)
    tally = counted(metric(name), labels + 1, labels)
    score = {"mae": metrics.mean_absolute_error, "rmse": metrics.root_mean_squared_error}[name]

    assert pytest.approx(score(labels, np.broadcast_to(labels.mean(axis=0), labels.shape))) == blind(tally)


def test_labels_that_are_maps_are_not_kept() -> None:
    maps = RANDOM.random((9, 20, 20))

    assert counted(metric("mae"), maps + 1, maps).by_chance(np.ones((1, 9))) is None
    assert pytest.approx(np.std(maps)) == blind(counted(metric("rmse"), maps + 1, maps))


def test_masks_are_those_of_the_most_frequent_class() -> None:
    masks = RANDOM.choice(3, (12, 6, 6), p=[0.2, 0.7, 0.1])
    tally = counted(metric("miou"), masks, masks)
    ones = np.ones(masks.size, int)

    assert pytest.approx(metrics.jaccard_score(masks.ravel(), ones, average="macro")) == blind(tally)
    assert "always answering the most frequent class, 1," == tally.blind


def own(folder: Path, text: str) -> Metric:
    (folder / "metrics.py").write_text(f"import numpy as np\ndef share(outputs, labels):\n    return {text}\n")
    return metric("metrics.py:share", inputs={"metric": str(folder / "metrics.py")})


def test_function_is_asked_with_shuffled_labels(tmp_path: Path) -> None:
    function = own(tmp_path, "(outputs.argmax(1) == labels).mean()")
    tally = counted(function, scores(LABELS), LABELS)

    assert pytest.approx((np.bincount(LABELS) ** 2).sum() / COUNT**2, abs=0.03) == blind(tally)
    assert not said(function, scores(LABELS, 0.6), LABELS)
    assert said(function, scores(LABELS, 0.0), LABELS)


@pytest.mark.parametrize(
    "text",
    [
        "outputs.mean()",  # takes no notice of labels
        "abs(outputs.mean() - labels.mean())",  # nor of which sample has which
        "1.0 if labels[0] == 1 and (labels[:9] == [1, 1, 1, 1, 1, 1, 1, 1, 1]).all() else 1 / 0",
        "float('nan')",
    ],
)
def test_function_that_cannot_be_asked_so_has_no_chance_level(tmp_path: Path, text: str) -> None:
    tally = counted(own(tmp_path, text), scores(LABELS), LABELS)

    assert tally.by_chance(np.ones((1, COUNT))) is None


def test_function_without_labels_has_none(tmp_path: Path) -> None:
    assert counted(own(tmp_path, "outputs.mean()"), scores(LABELS), None).by_chance(np.ones((1, COUNT))) is None


@pytest.mark.parametrize("name", ["accuracy", "top-2", "precision", "recall", "f1"])
def test_shuffled_labels_are_noticed_and_sound_ones_are_not(name: str) -> None:
    outputs = scores(LABELS, 0.8)

    assert not said(metric(name), outputs, LABELS)
    assert said(metric(name), outputs, RANDOM.permutation(LABELS))
    assert said(metric(name), outputs, (LABELS + 1) % 5)
    assert said(
        metric(name), np.tile(np.array([0, 1, 0, 0, 0], np.float32), (COUNT, 1)), LABELS
    )  # scaled twice: one answer


@pytest.mark.parametrize("name", ["mae", "rmse", "r2"])
def test_shuffled_numbers_are_noticed_and_sound_ones_are_not(name: str) -> None:
    outputs = (NUMBERS + RANDOM.normal(0, 5, COUNT))[:, np.newaxis]

    assert not said(metric(name), outputs, NUMBERS)
    assert said(metric(name), outputs, RANDOM.permutation(NUMBERS))
    assert said(metric(name), np.zeros((COUNT, 1)), NUMBERS)


def test_one_sample_tells_nothing() -> None:
    assert not said(metric("accuracy"), scores(LABELS[:1], 0.0), LABELS[:1])


def test_cosine_is_with_tensorflow_itself() -> None:
    assert counted(metric("cosine"), scores(LABELS), None).by_chance(np.ones((1, COUNT))) is None
