"""facts.json of *reference*: facts of TensorFlow's outputs. All actions that compare an IR with them read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ovmake.contracts.files.evaluation import ComparedInputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Distance:
    """The difference between two outputs; null if no element is finite in both."""

    max_abs: float | None
    cosine: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnDistance:
    """The change of TensorFlow's output when its inputs are perturbed by `moved`. `random`: it is drawn at random."""

    max_abs: float | None
    cosine: float | None
    moved: float
    random: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """A pass of a loader: the fingerprints of all samples and of their labels, as concatenated hexadecimal."""

    FORMAT: ClassVar[int] = 1

    samples: str
    labels: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceFacts:
    """Facts of TensorFlow's outputs, by output name.

    `scales` are the largest magnitudes; `varying` are outputs whose size depends on the data. `own` is the change under
    perturbed inputs, if measured. `alone` is the difference between a sample's output alone and in a batch; null if the
    batch size is fixed. `truth` names the same model in a higher precision, "" without one; `truth_distances` are
    TensorFlow's errors against it. `in_integers`: the source computes in integers, and `quanta` are the quantization
    steps of its outputs. `computes_in` is the half precision inside, "" without one. `yielded` is the pass of a loader.

    `not_measured` says why TensorFlow cannot run what the IR computes, and `help` how to change that. Then only
    `inputs` is set besides.
    """

    FORMAT: ClassVar[int] = 5

    inputs: ComparedInputs
    scales: Mapping[str, float] = field(default_factory=dict)
    varying: tuple[str, ...] = ()
    own: Mapping[str, OwnDistance] = field(default_factory=dict)
    alone: Mapping[str, Distance] | None = None
    truth: str = ""
    truth_distances: Mapping[str, Distance] = field(default_factory=dict)
    operations: int | None = None
    in_integers: bool = False
    quanta: Mapping[str, float] = field(default_factory=dict)
    computes_in: str = ""
    yielded: Pass | None = None
    not_measured: str = ""
    help: str = ""
