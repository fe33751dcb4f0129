"""mIoU: the overlap of masks. Higher is better; a share."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ovmake.errors import ActionError
from ovmake.workers.evaluation.metrics.choosing import NO_CLASS, answers, class_labels, same_count
from ovmake.workers.evaluation.metrics.tally import Metric, Tally
from ovmake.workers.inputs.preparing import Array

PLACES = 3  # samples, height, width


class MeanIntersectionOverUnion(Tally):
    """The mean over classes of intersection over union of the pixels in labels and answers.

    It is over the pixels of all samples together, as usual, and over the classes that occur:
    `sklearn.metrics.jaccard_score` with `average="macro"`. That function needs all pixels at once, so this applies its
    formula to the counts of each sample; tests compare the two. Pixels labelled with the ignored class do not count.
    """

    def __init__(self, metric: Metric) -> None:
        super().__init__(metric)
        self._shared: list[Array] = []
        self._either: list[Array] = []
        self._true: list[Array] = []

    def add(self, outputs: Mapping[str, Array], labels: Array | None, expected: Mapping[str, Array]) -> None:
        """See `Tally`."""
        found = answers(self.metric, outputs, expected, PLACES)
        true = class_labels(self.metric, labels, found.classes, PLACES)
        same_count(self.metric, len(found.answers), true)
        if found.answers.shape != true.shape:
            message = f"the output has {_size(found.answers)} pixels, the labels have {_size(true)}"
            hint = "make the labels as large as the model's output"
            raise ActionError("metric-shape", message, setting="accuracy.metric", help=hint)
        said = found.answers
        if self.metric.options.ignored is not None:
            off = true == self.metric.options.ignored
            true, said = np.where(off, NO_CLASS, true), np.where(off, NO_CLASS, said)
        classes = int(max(true.max(), said.max())) + 1
        shared = _counts(np.where(said == true, said, NO_CLASS), classes)
        self._shared.append(shared)
        labelled = _counts(true, classes)
        self._either.append(labelled + _counts(said, classes) - shared)
        self._true.append(labelled)
        self.count += len(true)

    def score(self) -> float:
        """See `Tally`."""
        return float(self.scores(np.ones((1, self.count)))[0])

    def scores(self, draws: Array) -> Array:
        """See `Tally`. NaN if no pixel counts."""
        shared, either = draws @ _joined(self._shared), draws @ _joined(self._either)
        covered = np.divide(shared, either, out=np.zeros_like(shared), where=either > 0)
        there = (either > 0).sum(axis=1)
        mean: Array = np.divide(covered.sum(axis=1), there, out=np.full(len(there), np.nan), where=there > 0)
        return mean

    @property
    def blind(self) -> str:
        """See `Tally`."""
        return f"always answering the most frequent class, {int(_joined(self._true).sum(axis=0).argmax())},"

    def by_chance(self, draws: Array) -> Array:
        """See `Tally`: the IoU of that class is its share of all pixels; the IoU of every other class is 0."""
        pixels = draws @ _joined(self._true)
        frequent = _joined(self._true).sum(axis=0).argmax()
        there, total = (pixels > 0).sum(axis=1), pixels.sum(axis=1)
        below = total * there
        share: Array = np.divide(pixels[:, frequent], below, out=np.full(len(draws), np.nan), where=below > 0)
        return share


def _size(masks: Array) -> str:
    return "×".join(map(str, masks.shape[1:]))  # noqa: RUF001 - the sign for times is meant as such


def _counts(named: Array, classes: int) -> Array:
    """Return the number of pixels of each class in each sample, [samples, classes]."""
    rows = named.reshape(len(named), -1)
    counts = [np.bincount(row[row != NO_CLASS], minlength=classes) for row in rows]
    return np.array(counts, dtype=np.float64).reshape(len(named), classes)


def _joined(parts: list[Array]) -> Array:
    """Join the counts of feeds; a later feed may have more classes."""
    most = max(part.shape[1] for part in parts)
    return np.concatenate([np.pad(part, ((0, 0), (0, most - part.shape[1]))) for part in parts])
