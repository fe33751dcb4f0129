"""Metrics of classes: accuracy, top-k, precision, recall and F1. Higher is better; all are shares."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ovmake.workers.metrics.choosing import (
    NO_CLASS,
    answers,
    check_positive,
    chosen,
    class_labels,
    no_classes,
    same_count,
)
from ovmake.workers.metrics.tally import Mean, Metric, Tally
from ovmake.workers.preparing import Array
from ovmake.workers.protocol import ActionError

SAMPLES_AND_CLASSES = 2
TWO_CLASSES = 2


class Accuracy(Mean):
    """The share of samples whose answer is the label: `sklearn.metrics.accuracy_score`."""

    counts = True

    def measure(self, outputs: Mapping[str, Array], labels: Array | None, expected: Mapping[str, Array]) -> Array:
        """Return whether each answer is right."""
        found = answers(self.metric, outputs, expected)
        wanted = class_labels(self.metric, labels, found.classes)
        same_count(self.metric, len(found.answers), wanted)
        right: Array = found.answers == wanted
        return right


class TopK(Mean):
    """The share of samples whose label is among the k largest scores: `sklearn.metrics.top_k_accuracy_score`.

    As there, of equal scores the one of the later class is the larger.
    """

    counts = True

    def __init__(self, metric: Metric) -> None:
        super().__init__(metric)
        self._k = int(metric.name.removeprefix("top-"))

    def measure(self, outputs: Mapping[str, Array], labels: Array | None, expected: Mapping[str, Array]) -> Array:
        """Return whether each label is among the k largest."""
        del expected
        scores = chosen(self.metric, outputs)
        if scores.ndim != SAMPLES_AND_CLASSES or scores.shape[1] == 1:
            raise no_classes(self.metric, scores)
        if scores.shape[1] <= self._k:
            message = f"`{self.metric.name}` of {scores.shape[1]} classes is always 1"
            raise ActionError("metric-shape", message, setting="accuracy.metric")
        wanted = class_labels(self.metric, labels, scores.shape[1])
        same_count(self.metric, len(scores), wanted)
        best = scores.argsort(axis=1, kind="stable")[:, -self._k :]
        right: Array = (best == wanted[:, np.newaxis]).any(axis=1) & np.isfinite(scores.max(axis=1))
        return right


class Confusion(Tally):
    """Precision, recall or F1, by scikit-learn: of one class, or the mean over the classes ("macro").

    Of one class where there are two, then of class 1, or where the Ovfile names the positive one. The mean is over the
    classes that occur among labels or answers. A class that is never answered has precision 0.
    """

    def __init__(self, metric: Metric) -> None:
        super().__init__(metric)
        self._positive = metric.options.positive
        self._answers: list[Array] = []
        self._labels: list[Array] = []

    def add(self, outputs: Mapping[str, Array], labels: Array | None, expected: Mapping[str, Array]) -> None:
        """See `Tally`."""
        found = answers(self.metric, outputs, expected)
        wanted = class_labels(self.metric, labels, found.classes)
        same_count(self.metric, len(found.answers), wanted)
        check_positive(self.metric, found.classes)
        if found.classes == TWO_CLASSES and self._positive is None:
            self._positive = 1
        self._answers.append(found.answers)
        self._labels.append(wanted)
        self.count += len(wanted)

    def score(self) -> float:
        """See `Tally`."""
        from sklearn import metrics

        score = getattr(metrics, f"{self.metric.name}_score")
        said, true = self._pairs()
        if self._positive is not None:
            return float(score(true == self._positive, said == self._positive, zero_division=0.0))
        return float(score(true, said, labels=_classes(said, true), average="macro", zero_division=0.0))

    def scores(self, draws: Array) -> Array:
        """See `Tally`. scikit-learn takes one set of samples at a time, so this is its formula over sums."""
        said, true = self._pairs()
        classes = _classes(said, true) if self._positive is None else np.array([self._positive])
        hits = _sums(np.where(said == true, said, NO_CLASS), classes, draws)
        answered, labelled = _sums(said, classes, draws), _sums(true, classes, draws)
        below = {"precision": answered, "recall": labelled, "f1": (answered + labelled) / 2}[self.metric.name]
        each = np.divide(hits, below, out=np.zeros_like(hits), where=below > 0)
        # A class that no drawn sample has and none is taken for is not there.
        there = (answered + labelled > 0) if self._positive is None else np.ones_like(hits, dtype=bool)
        return np.asarray((each * there).sum(axis=0) / there.sum(axis=0))

    def _pairs(self) -> tuple[Array, Array]:
        return np.concatenate(self._answers), np.concatenate(self._labels)


def _classes(said: Array, true: Array) -> Array:
    return np.union1d(said[said != NO_CLASS], true)


def _sums(named: Array, classes: Array, draws: Array) -> Array:
    """Return how often each class is named among the drawn samples, [classes, draws].

    Sparse: of 1,000 classes and 50,000 samples a full table would take 400 MB.
    """
    from scipy.sparse import csr_array

    (samples,) = np.isin(named, classes).nonzero()
    rows = np.searchsorted(classes, named[samples])
    table = csr_array((np.ones(len(samples)), (rows, samples)), shape=(len(classes), len(named)))
    return np.asarray(table @ draws.T)
