"""Metrics of classes: accuracy, top-k, precision, recall and F1. Higher is better; all are shares."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ovmake.errors import ActionError
from ovmake.workers.evaluation.metrics.choosing import (
    NO_CLASS,
    answers,
    check_positive,
    chosen,
    class_labels,
    no_classes,
    same_count,
)
from ovmake.workers.evaluation.metrics.tally import Mean, Metric, Tally
from ovmake.workers.inputs.preparing import Array

SAMPLES_AND_CLASSES = 2
# A shift of labels, in words; and the score from which on it is a likely explanation.
BESIDE = {-1: "lower", 1: "higher"}
CLEARLY = 0.5
# How many labels a message lists.
SHOWN = 5
TWO_CLASSES = 2


class _Frequent(Mean):
    """A share of right answers. Its chance level is to always answer the `_places` most frequent labels."""

    counts = True
    _places = 1

    def __init__(self, metric: Metric) -> None:
        super().__init__(metric)
        self._labels: list[Array] = []

    @property
    def blind(self) -> str:
        """See `Tally`."""
        frequent = self._frequent()
        which = f"the {len(frequent)} most frequent labels" if len(frequent) > 1 else "the most frequent label"
        return (
            f"always answering {which}, {', '.join(map(str, frequent[:SHOWN]))}{', ...' if frequent[SHOWN:] else ''},"
        )

    def by_chance(self, draws: Array) -> Array:
        """See `Tally`."""
        return np.asarray(draws @ np.isin(np.concatenate(self._labels), self._frequent()) / self.count)

    def _frequent(self) -> list[int]:
        labels, counts = np.unique(np.concatenate(self._labels), return_counts=True)
        return [int(label) for label in labels[np.argsort(-counts, kind="stable")][: self._places]]


class Accuracy(_Frequent):
    """The share of samples whose answer is the label: `sklearn.metrics.accuracy_score`."""

    def __init__(self, metric: Metric) -> None:
        super().__init__(metric)
        self._beside = dict.fromkeys(BESIDE, 0)

    def measure(self, outputs: Mapping[str, Array], labels: Array | None, expected: Mapping[str, Array]) -> Array:
        """Return whether each answer is right."""
        found = answers(self.metric, outputs, expected)
        wanted = class_labels(self.metric, labels, found.classes)
        same_count(self.metric, len(found.answers), wanted)
        self._labels.append(wanted)
        for step in self._beside:
            self._beside[step] += int((found.answers == wanted + step).sum())
        right: Array = found.answers == wanted
        return right

    @property
    def hint(self) -> str:
        """See `Tally`: labels that are counted from a different number than the model's classes."""
        step = max(self._beside, key=self._beside.__getitem__)
        score = self._beside[step] / self.count
        return f"with every label one {BESIDE[step]} it would be {score:.4f}" if score > CLEARLY else ""


class TopK(_Frequent):
    """The share of samples whose label is among the k largest scores: `sklearn.metrics.top_k_accuracy_score`.

    As in scikit-learn, of equal scores that of the later class counts as larger.
    """

    def __init__(self, metric: Metric) -> None:
        super().__init__(metric)
        self._k = self._places = int(metric.name.removeprefix("top-"))

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
        self._labels.append(wanted)
        best = scores.argsort(axis=1, kind="stable")[:, -self._k :]
        right: Array = (best == wanted[:, np.newaxis]).any(axis=1) & np.isfinite(scores.max(axis=1))
        return right


class Confusion(Tally):
    """Precision, recall or F1, by scikit-learn: of one class, or the mean over the classes ("macro").

    It is of one class if there are two (class 1), or if the Ovfile names the positive one. The mean is over the classes
    that occur among labels or answers. A class that is never answered has precision 0.
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
        """See `Tally`. scikit-learn takes one set of samples at a time, so this applies its formula to sums."""
        said, true = self._pairs()
        classes = self._counted()
        hits = _sums(np.where(said == true, said, NO_CLASS), classes, draws)
        return self._of(hits, _sums(said, classes, draws), _sums(true, classes, draws))

    @property
    def blind(self) -> str:
        """See `Tally`. A constant answer would score well here: a recall of 1."""
        return "giving the same answers to shuffled samples"

    def by_chance(self, draws: Array) -> Array:
        """See `Tally`. Each class is answered with its own frequency, independent of the label."""
        said, true = self._pairs()
        answered, labelled = _sums(said, self._counted(), draws), _sums(true, self._counted(), draws)
        return self._of(answered * labelled / self.count, answered, labelled)

    def _counted(self) -> Array:
        """Return the classes that count for the score."""
        return _classes(*self._pairs()) if self._positive is None else np.array([self._positive])

    def _of(self, hits: Array, answered: Array, labelled: Array) -> Array:
        """Return the scores of right answers, answers and labels, each [classes, draws]."""
        below = {"precision": answered, "recall": labelled, "f1": (answered + labelled) / 2}[self.metric.name]
        each = np.divide(hits, below, out=np.zeros_like(hits), where=below > 0)
        # A class that occurs in no drawn label or answer does not count.
        there = (answered + labelled > 0) if self._positive is None else np.ones_like(hits, dtype=bool)
        return np.asarray((each * there).sum(axis=0) / there.sum(axis=0))

    def _pairs(self) -> tuple[Array, Array]:
        return np.concatenate(self._answers), np.concatenate(self._labels)


def _classes(said: Array, true: Array) -> Array:
    return np.union1d(said[said != NO_CLASS], true)


def _sums(named: Array, classes: Array, draws: Array) -> Array:
    """Return the frequency of each class among the drawn samples, [classes, draws].

    It uses a sparse matrix: with 1,000 classes and 50,000 samples a full table would take 400 MB.
    """
    from scipy.sparse import csr_array

    (samples,) = np.isin(named, classes).nonzero()
    rows = np.searchsorted(classes, named[samples])
    table = csr_array((np.ones(len(samples)), (rows, samples)), shape=(len(classes), len(named)))
    return np.asarray(table @ draws.T)
