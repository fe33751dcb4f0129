"""evaluation.json: an IR compared with TensorFlow. *evaluate* writes it; the gate, the record and the report read it.

    Evaluation ── Figures ── OutputFigures       the error of each output
               │          └─ Metric              the scores of both, and the interval of the drop
               ├─ ByDefault ── Figures           the IR compiled without properties
               └─ Neighbours ── BatchFigures     the IR in batches of two sizes

A figure is null if it was not measured, or is not finite.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ovmake.contracts.codec import named
from ovmake.contracts.files.executed import ExecutedLayer


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedInputs:
    """The inputs of the comparison.

    `origin` is "dataset", "calibration" or "noise"; `why` says why no better inputs were used. `switches` are inputs
    that choose between branches of the model. `notes` say how synthetic inputs were drawn, and if time allowed few.
    """

    origin: str = field(metadata=named("from"))
    why: str = ""
    switches: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Distances:
    """The error of an array against the expected one.

    scale: the largest magnitude in the expected array; tolerances are shares of it.
    max_abs, mean_abs: the largest and the mean absolute error, in the array's unit.
    max_rel: the largest error as a share of the expected element, over elements of at least 1/1000 of the scale:
        relative errors of values near 0 are meaningless.
    cosine: the cosine of both arrays as vectors, 1 if both are zero.
    snr_db: the signal-to-noise ratio, 10 log10(sum of expected squares / sum of squared errors); null if equal.
    argmax: the share of rows (along the last axis) whose largest element has the same index; null for single columns.
    nonfinite_expected, nonfinite_actual: the number of elements that are NaN or infinite. nan_mismatch: the number of
        elements that are NaN or infinite on one side or both, and differ.
    elements: the number of elements, 0 for an output that was always empty.
    other_sizes: for an output whose size depends on the data, the number of parts with an unexpected size.

    All figures except counts are over elements that are finite on both sides, and null if there are none.
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
    """The IR's error in one output, over all samples.

    `own_*` is the change of TensorFlow's output when its inputs are perturbed by `own_moved`; null if not measured.
    `random`: the output is drawn at random. `resolution` is the type's relative rounding error, and `computes_in` the
    half precision inside. `in_integers`: the source computes in integers, and `quantum` is this output's quantization
    step. `truth` names the same model in a higher precision, "" without one; `truth_*` is the IR's error against it,
    and `own_truth_*` is TensorFlow's.
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
    """The confidence interval of the drop at `level`, in metric units, from a bootstrap of `replicates` draws."""

    low: float
    high: float
    level: float
    replicates: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreIntervals:
    """The confidence interval of each framework's score: low and high end."""

    tensorflow: tuple[float, float]
    openvino: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """The score of a constant or random answer, and the interval of TensorFlow's gain over it."""

    answer: str
    score: float
    hint: str
    above_low: float
    above_high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """The scores of TensorFlow (`reference`) and of the IR (`candidate`); null: not finite.

    `unit` is "share" (0 to 1), "labels" (the unit of the labels) or "none". `step` is the weight of one sample in the
    score, null if it varies.
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
    """An IR compiled in one way, compared with TensorFlow. `unsteady` are outputs that differ on a second run.

    `metric` is null if the Ovfile asks for none.
    """

    samples: int
    outputs: tuple[OutputFigures, ...]
    metric: Metric | None = None
    unsteady: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ByDefault:
    """The IR compiled without properties; it executes floating point in `precision`. `executed` counts layers."""

    precision: str
    executed: Mapping[str, int]
    figures: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchFigures:
    """The difference between outputs in a large and in a small batch; `own_*` is TensorFlow's, in the same batches."""

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

    `begins` is the first operation whose result depends on its batch, null if none does or it was not found in time.
    `helps` are compile properties, by name; with each, no output depends on its batch.
    """

    sizes: tuple[int, int]
    samples: int
    outputs: tuple[BatchFigures, ...]
    begins: Operation | None = None
    helps: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """The number of operations of each framework's graph; null if TensorFlow does not report it."""

    tensorflow: int | None
    openvino: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """An IR compared with TensorFlow. If nothing could be compared, `figures` is null and `not_measured` says why.

    `samples` is their number. `executed` counts layers by precision, `weights` bytes of constants by type. `layers` are
    in execution order. `help` may say how to let TensorFlow run. `by_default` is null if the IR executes in the same
    way without properties; `neighbours` is null if the batch size is fixed.
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
