"""What a metric is, and what counts one.

    Metric     a name of the Ovfile with its direction, its unit and its options
    Tally      counts the answers of one model; two of them, over the same samples, make a drop
    Mean       a tally whose score is the mean of a number per sample

Rule 1: a tally says what it makes of a sample when the sample is added, and keeps that instead of the outputs. The
        exceptions say so (`own.py`).
Rule 2: an answer that is not finite is a wrong one where answers are right or wrong; where they are numbers, it makes
        the score NaN, which keeps no promise.
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
    """What an Ovfile says of a metric beyond its name; None: nothing.

    output: the one the metric is about. threshold: above it, an output of one column says 1. positive: the class that
    precision, recall and F1 are about. ignored: a class of masks that does not count. annotations: the file of COCO's
    boxes. source, higher_is_better: the file of the user's own function and its direction. note: where it is noted
    that the function runs, see `workers/ipc/user_code.py`.
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
    """A metric. `needs_labels`: it counts against labels, and not against TensorFlow's outputs."""

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

    `replicates` is how many times the bootstrap draws: fewer where a score is dear.
    """

    replicates = REPLICATES

    def __init__(self, metric: Metric) -> None:
        self.metric = metric
        self.count = 0

    @abstractmethod
    def add(self, outputs: Mapping[str, Array], labels: Array | None, expected: Mapping[str, Array]) -> None:
        """Count one feed: the model's outputs, the labels and TensorFlow's outputs, each [samples, ...].

        Raises:
            ActionError: the outputs or the labels are not what the metric wants.
        """

    @abstractmethod
    def score(self) -> float:
        """Return the metric over all samples so far."""

    @abstractmethod
    def scores(self, draws: Array) -> Array:
        """Return the metric over samples drawn again. `draws`: float64 [replicates, samples], how often each counts."""

    @property
    def blind(self) -> str:
        """How one answers without looking at a sample, "" where nobody knows: see `by_chance`."""
        return ""

    @property
    def hint(self) -> str:
        """Which mistake explains a low score, "" where none is seen."""
        return ""

    def by_chance(self, draws: Array) -> Array | None:  # noqa: ARG002 - of those that know one
        """Return the scores of answers given without looking at the samples, as `scores` does; None where unknown."""
        return None

    def each(self) -> Array | None:
        """Return a number per sample whose mean is the score; None where the score is no mean."""
        return None

    @property
    def step(self) -> float | None:
        """The smallest difference that the score can show; None where it has none."""
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
