"""facts.json of *reference*: what is known of TensorFlow's own outputs. Whoever compares an IR with them reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ovmake.contracts.files.evaluation import ComparedInputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Distance:
    """How far an output is from another one; null where no element is finite in both."""

    max_abs: float | None
    cosine: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnDistance:
    """How far TensorFlow is from itself when its inputs move by `moved`. `random`: it draws random numbers."""

    max_abs: float | None
    cosine: float | None
    moved: float
    random: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What a loader yielded: fingerprints of all samples and of their labels, in hexadecimal, one after the other."""

    FORMAT: ClassVar[int] = 1

    samples: str
    labels: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceFacts:
    """What is known of TensorFlow's outputs, each by the output's name.

    `scales` are largest magnitudes; `varying` are outputs whose size depends on the data. `own` is how far TensorFlow
    is from itself, where it was asked. `alone` is how far a sample's answer alone is from that in a batch; null where
    no batch can have another size. `truth` names a higher precision of the same model, "" without one;
    `truth_distances` is how far TensorFlow is from it. `in_integers`: the source computes in integers, and `quanta` are
    the steps of its outputs. `computes_in` is the half precision inside, "" without one. `yielded` is what a loader
    gave.

    `not_measured` says why TensorFlow cannot run what the IR computes, and `help` what would help. All else but
    `inputs` says nothing then.
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
