"""The metric without labels: the cosine between an output and TensorFlow's."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ovmake.errors import ActionError
from ovmake.workers.evaluation.metrics.choosing import chosen
from ovmake.workers.evaluation.metrics.tally import Mean
from ovmake.workers.inputs.preparing import Array


class Cosine(Mean):
    """The mean over samples of the cosine between a sample's output and TensorFlow's, each as one vector.

    As in `sklearn.metrics.pairwise.paired_cosine_distances`. TensorFlow's own score is 1. A non-finite answer counts 0.
    Higher is better; it has no unit.
    """

    def measure(self, outputs: Mapping[str, Array], labels: Array | None, expected: Mapping[str, Array]) -> Array:
        """Return the cosine of each sample."""
        from sklearn.metrics.pairwise import paired_cosine_distances

        del labels
        ours, theirs = chosen(self.metric, outputs), chosen(self.metric, expected)
        if ours.shape != theirs.shape:
            message = f"TensorFlow's output has shape {list(theirs.shape)}, the IR's {list(ours.shape)}"
            raise ActionError("output-shape", message)
        first, second = (array.astype(np.float64).reshape(len(array), -1) for array in (ours, theirs))
        finite = np.isfinite(first).all(axis=1) & np.isfinite(second).all(axis=1)
        cosines = np.zeros(len(first))
        if finite.any():
            cosines[finite] = 1 - paired_cosine_distances(_scaled(first[finite]), _scaled(second[finite]))
        return cosines


def _scaled(rows: Array) -> Array:
    """Return rows scaled to a largest magnitude of 1, since squares of float64 may overflow; zero rows stay."""
    most = np.abs(rows).max(axis=1, keepdims=True, initial=0)
    return np.asarray(np.divide(rows, most, out=np.zeros_like(rows), where=most > 0))
