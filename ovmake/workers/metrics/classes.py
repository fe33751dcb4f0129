"""Metrics of answers that are right or wrong: accuracy and top-k. Higher is better; both are shares."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ovmake.workers.metrics.choosing import TWO_DIMENSIONS, answers, chosen, class_labels, no_classes, same_count
from ovmake.workers.metrics.tally import Mean, Metric
from ovmake.workers.preparing import Array


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
        if scores.ndim != TWO_DIMENSIONS or scores.shape[1] == 1:
            raise no_classes(self.metric, scores)
        wanted = class_labels(self.metric, labels, scores.shape[1])
        same_count(self.metric, len(scores), wanted)
        best = scores.argsort(axis=1, kind="stable")[:, -self._k :]
        right: Array = (best == wanted[:, np.newaxis]).any(axis=1) & np.isfinite(scores.max(axis=1))
        return right
