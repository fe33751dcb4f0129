"""evaluation.json: an IR beside TensorFlow. *evaluate* writes it; the gate, the record and the report read it.

    Evaluation ── Figures ── OutputFigures       by how much each output differs
               │          └─ Metric              the scores of both, and where the drop lies
               ├─ ByDefault ── Figures           the IR compiled without properties
               └─ Neighbours ── BatchFigures     the IR in batches of two sizes

A figure that is null was not measured, or came out as no finite number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ovmake.contracts.codec import named
from ovmake.contracts.files.executed import ExecutedLayer


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedInputs:
    """Which inputs were compared on.

    `origin` is "dataset", "calibration" or "noise"; `why` says why there is nothing better. `switches` are inputs that
    choose between branches of the model. `notes` tell how inputs were made up, and where there was time for few.
    """

    origin: str = field(metadata=named("from"))
    why: str = ""
    switches: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Distances:
    """How far an array is from the one that is expected.

    scale: the largest magnitude in the expected one, which tolerances are shares of.
    max_abs, mean_abs: of the difference, in the array's own unit.
    max_rel: the largest difference as a share of the expected element, over elements of at least 1/1000 of the
        scale: of what is next to nothing, everything is a large share.
    cosine: of the two as one long vector each, 1 if both are zero.
    snr_db: signal to noise, 10 log10 of the sum of the expected squares over that of the difference's; null for equals.
    argmax: the share of rows (along the last axis) whose largest element has the same index; null for single columns.
    nonfinite_expected, nonfinite_actual: elements that are NaN or infinite. nan_mismatch: those that are so on one side
        or both, and not the same there.
    elements: how many there are, 0 of an output that was always empty.
    other_sizes: how many parts of an output whose size depends on the data had another size than expected.

    All but the counts are over elements that are finite on both sides, and null where there is none.
    """

    scale: float | None
    max_abs: float | None
    mean_abs: float | None
    max_rel: float | None
    cosine: float | None
    snr_db: float | None
    argmax: float | None
    nonfinite_expected: int
    nonfinite_actual: int
    nan_mismatch: int
    elements: int
    other_sizes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputFigures(Distances):
    """How far the IR is from TensorFlow in one output, over all samples.

    `own_*` is how far TensorFlow is from itself when its inputs move by `own_moved`; null where it was not asked.
    `random`: it draws random numbers. `resolution` is what a number of the type is rounded by, as a share of it, and
    `computes_in` the half precision inside. `in_integers`: the source computes in integers; `quantum` is the step of
    this output then. `truth` names a higher precision of the same model, from which the IR is `truth_*` far, and
    TensorFlow `own_truth_*`; "" without one.
    """

    name: str
    own_max_abs: float | None = None
    own_cosine: float | None = None
    own_moved: float | None = None
    random: bool = False
    resolution: float = 0.0
    computes_in: str = ""
    in_integers: bool = False
    quantum: float | None = None
    truth: str = ""
    truth_max_abs: float | None = None
    truth_cosine: float | None = None
    own_truth_max_abs: float | None = None
    own_truth_cosine: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DropInterval:
    """Where the drop lies, in metric units, with the confidence `level`: a bootstrap of so many `replicates`."""

    low: float
    high: float
    level: float
    replicates: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreIntervals:
    """Where the score of each framework lies: its low and high end."""

    tensorflow: tuple[float, float]
    openvino: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """What answers without looking score, and between which ends TensorFlow's gain over them lies."""

    answer: str
    score: float
    hint: str
    above_low: float
    above_high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """The scores of TensorFlow (`reference`) and of the IR (`candidate`); null: no finite number.

    `unit` is "share" (0 to 1), "labels" (theirs) or "none". `step` is what one sample counts, null where that varies.
    """

    name: str
    unit: str
    higher_is_better: bool
    reference: float | None
    candidate: float | None
    step: float | None
    interval: DropInterval | None = None
    score_intervals: ScoreIntervals | None = None
    chance: Chance | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One way to run an IR, beside TensorFlow. `unsteady` are outputs that differ when the IR is asked the same again.

    `metric` is null where the Ovfile asks for none.
    """

    samples: int
    outputs: tuple[OutputFigures, ...]
    metric: Metric | None = None
    unsteady: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ByDefault:
    """The IR compiled without properties, which executes floating point in `precision`. `executed` counts layers."""

    precision: str
    executed: Mapping[str, int]
    figures: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchFigures:
    """How far answers in a large batch are from those in a small one; `own_*`: TensorFlow's, in the same batches."""

    name: str
    scale: float | None
    max_abs: float | None
    cosine: float | None
    own_max_abs: float | None
    own_cosine: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """An operation of an IR."""

    name: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """The same samples in batches of two `sizes`, the small one first.

    `begins` is the first operation that depends on its batch, null where none does or it was not found in time.
    `helps` are properties, each by its name, with which no answer depends on its batch.
    """

    sizes: tuple[int, int]
    samples: int
    outputs: tuple[BatchFigures, ...]
    begins: Operation | None = None
    helps: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """How many operations each framework runs; null where TensorFlow does not tell."""

    tensorflow: int | None
    openvino: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """An IR beside TensorFlow. Where nothing could be compared, `figures` is null and `not_measured` says why.

    `samples` is how many there are. `executed` counts layers by precision, `weights` bytes of constants by type.
    `layers` are in the order in which they run. `help` may say what lets TensorFlow run. `by_default` is null where the
    IR executes in the same way without properties; `neighbours` where no batch can have another size.
    """

    FORMAT: ClassVar[int] = 5

    samples: int
    inputs: ComparedInputs
    operations: Operations
    executed: Mapping[str, int]
    layers: tuple[ExecutedLayer, ...]
    weights: Mapping[str, int]
    compile_properties: Mapping[str, str]
    figures: Figures | None = None
    not_measured: str = ""
    help: str = ""
    by_default: ByDefault | None = None
    neighbours: Neighbours | None = None
