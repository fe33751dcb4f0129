"""The classes of metrics and of their tallies.

    Metric     a metric's name in the Ovfile with its direction, unit and options
    Tally      counts the answers of one model; two of them, over the same samples, give a drop
    Mean       a tally whose score is the mean of a number per sample

Rule 1: a tally reduces a sample to a few numbers when the sample is added, and stores these instead of the outputs.
        `own.py` is the exception.
Rule 2: a non-finite answer counts as wrong if answers are right or wrong. If answers are numbers, it makes the score
        NaN, which meets no requirement.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from ovmake.contracts.metrics import Unit
from ovmake.errors import ActionError
from ovmake.workers.inputs.preparing import Array

# share: 0 to 1, shown in per cent. labels: the labels' own unit. none: a plain number.

REPLICATES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """A metric's options in an Ovfile; None if absent.

    output: the output that the metric uses. threshold: above it, an output of one column means class 1. positive: the
    class of precision, recall and F1. ignored: a class of masks that does not count. annotations: the file of COCO's
    boxes. source, higher_is_better: the file of the user's function and its direction. note: the path of the note that
    the function runs, see `workers/ipc/user_code.py`.
    """

    output: str | None = None
    threshold: float | None = None
    positive: int | None = None
    ignored: int | None = None
    annotations: str | None = None
    source: str | None = None
    higher_is_better: bool = True
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A metric. `needs_labels`: it compares answers with labels, not with TensorFlow's outputs."""

    name: str
    unit: Unit
    higher_is_better: bool
    needs_labels: bool
    start: Callable[[Metric], Tally]
    options: Options = field(default_factory=Options)

    def tally(self) -> Tally:
        """Return an empty tally."""
        return self.start(self)

    def labelled(self, labels: Array | None) -> Array:
        """Return the labels.

        Raises:
            ActionError: there are none.
        """
        if labels is None:
            raise ActionError("unlabelled-dataset", f"`{self.name}` needs labels", setting="dataset")
        return labels


class Tally(ABC):
    """Counts the answers of one model. `count` samples have been added so far.

    `replicates` is the number of draws of the bootstrap: fewer if a score is slow.
    """

    replicates = REPLICATES

    def __init__(self, metric: Metric) -> None:
        self.metric = metric
        self.count = 0

    @abstractmethod
    def add(self, outputs: Mapping[str, Array], labels: Array | None, expected: Mapping[str, Array]) -> None:
        """Count one feed: the model's outputs, the labels and TensorFlow's outputs, each [samples, ...].

        Raises:
            ActionError: the outputs or the labels do not fit the metric.
        """

    @abstractmethod
    def score(self) -> float:
        """Return the metric over all samples so far."""

    @abstractmethod
    def scores(self, draws: Array) -> Array:
        """Return the metric over resamples. `draws`: float64 [replicates, samples], how often each sample counts."""

    @property
    def blind(self) -> str:
        """The strategy of `by_chance` in words, "" if it is unknown."""
        return ""

    @property
    def hint(self) -> str:
        """A mistake that explains a low score, "" if none is found."""
        return ""

    def by_chance(self, draws: Array) -> Array | None:  # noqa: ARG002 - of those that know one
        """Return the chance level, like `scores`: of answers that ignore the samples; None if it is unknown."""
        return None

    def each(self) -> Array | None:
        """Return a number per sample whose mean is the score; None if the score is not a mean."""
        return None

    @property
    def step(self) -> float | None:
        """The smallest possible difference of two scores; None if there is none."""
        return None


class Mean(Tally):
    """A tally whose score is the mean of a number per sample. `counts`: the numbers are 0 and 1."""

    counts = False

    def __init__(self, metric: Metric) -> None:
        super().__init__(metric)
        self._parts: list[Array] = []

    def add(self, outputs: Mapping[str, Array], labels: Array | None, expected: Mapping[str, Array]) -> None:
        """See `Tally`."""
        part = self.measure(outputs, labels, expected).astype(np.float64)
        self._parts.append(part)
        self.count += len(part)

    @abstractmethod
    def measure(self, outputs: Mapping[str, Array], labels: Array | None, expected: Mapping[str, Array]) -> Array:
        """Return a number per sample of a feed."""

    def score(self) -> float:
        """See `Tally`."""
        return float(self.each().mean())

    def scores(self, draws: Array) -> Array:
        """See `Tally`."""
        return np.asarray(draws @ self.each() / self.count)

    def each(self) -> Array:
        """See `Tally`."""
        return np.concatenate(self._parts)

    @property
    def step(self) -> float | None:
        """See `Tally`."""
        return 1 / self.count if self.counts else None
