"""report.json: the results of `ovmake report`. `ovmake report --schema` prints its JSON Schema.

Times end in `_us` or `_ms`, sizes in `_bytes`; throughput is in samples per second, energy in joules. A figure is null
if it was not measured; the target's `missing` says why, by the figure's path: `openvino.latency_median_us`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from ovmake.contracts.codec import named
from ovmake.contracts.files.executed import ExecutedLayer, TimedLayer
from ovmake.contracts.files.measurement import Energy, TimedByDefault, Way
from ovmake.contracts.files.requirements import Requirement
from ovmake.contracts.files.search import Search
from ovmake.contracts.files.speed import Choice, SpeedCheck, SpeedRatio
from ovmake.contracts.values import JsonObject

NO_CHANGE = "no clear difference"


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultGate:
    """The gate's result for the IR compiled without properties; it executes floating point in `precision`.

    `needs` is the property that keeps the promise, "" if none is needed.
    """

    precision: str
    result: Literal["passed", "missed", "not-measured"]
    text: str
    needs: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedGate:
    """The gate. `decided`: the samples are enough for its result. `at_chance`: TensorFlow itself only guesses."""

    result: Literal["passed", "missed", "not-measured"]
    text: str
    decided: bool
    at_chance: bool
    by_default: DefaultGate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedRatio:
    """A ratio of speeds and its confidence interval; null if not measured."""

    median: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedInterval:
    """The confidence interval of a figure at `level`."""

    low: float
    high: float
    level: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedDifference:
    """The error of an output against TensorFlow's. Null: not finite; `snr_db` is also null for equal outputs."""

    name: str
    max_abs: float | None
    mean_abs: float | None
    cosine: float | None
    nan_mismatch: int
    scale: float | None
    max_rel: float | None
    snr_db: float | None
    argmax: float | None
    elements: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """The circumstances of a measurement. Figures are compared only if `machine`, its identity, is the same.

    `*_called` says how each framework was called. `*_in_flight` is the number of parallel inferences for throughput,
    and `*_quantiles_us` are the percentiles of the latency from 0 to 100.
    """

    pairs: int
    quiet_pairs: int
    windows: int
    seconds: float
    batch: int
    threads: int
    inputs: str
    device: str
    level: float
    unstable: bool
    loaded: bool
    foreign_cores: float | None
    high_latency: bool
    core_latency_ns: float | None
    machine: str
    layers_missing: str
    machine_facts: JsonObject
    versions: Mapping[str, str]
    tensorflow_called: str
    openvino_called: str
    ways: tuple[Way, ...]
    by_default: TimedByDefault | None = None
    ways_missing: Mapping[str, str]
    executed: Mapping[str, int]
    layers: tuple[TimedLayer, ...]
    tensorflow_in_flight: int
    openvino_in_flight: int
    tensorflow_quantiles_us: tuple[float, ...]
    openvino_quantiles_us: tuple[float, ...]
    tensorflow_energy: Energy | None = None
    openvino_energy: Energy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredElsewhere:
    """The IR, measured on one of `benchmark.devices`."""

    speedup: SpeedRatio
    latency_median_us: float
    latency_p95_us: float | None
    throughput_per_second: float
    measured: Circumstances


@dataclass(frozen=True, slots=True, kw_only=True)
class NotMeasuredElsewhere:
    """Why nothing was measured on a device."""

    not_available: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedSearch(Search):
    """The search for layers to revert to float, also in words."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedTarget:
    """A target and all its figures.

    `verdict` is a sentence. `tensorflow` and `openvino` hold figures by name, the score by the metric's name.
    `compile` is the line of Python that compiles the IR as it was verified, "" if it was not. `place` is the path of
    the published IR. `digests` are of the source and of the published files. `auto` is the choice of `auto`,
    `accuracy_control` the search for layers to revert to float, `speed_check` the comparison with the FP32 IR.
    """

    target: str
    model: str
    precision: str
    status: str
    verdict: str
    gate: ReportedGate
    compile: str = ""
    place: str | None
    metric: str | None
    unit: str | None
    higher_is_better: bool | None
    tensorflow: Mapping[str, float | None]
    openvino: Mapping[str, float | None]
    speedup: ReportedRatio
    throughput_ratio: ReportedRatio
    drop: float | None
    max_abs_difference: float | None
    drop_interval: ReportedInterval | None
    score_intervals: Mapping[str, ReportedInterval] | None
    samples: int | None
    differences: tuple[ReportedDifference, ...] | None
    executed: Mapping[str, int] | None
    layers: tuple[ExecutedLayer, ...] | None
    weights: Mapping[str, int] | None
    measured: Circumstances | None
    auto: Choice | None = None
    accuracy_control: ReportedSearch | None = None
    speed_check: SpeedCheck | None = None
    requirements: tuple[Requirement, ...]
    devices: Mapping[str, MeasuredElsewhere | NotMeasuredElsewhere]
    options: JsonObject
    versions: Mapping[str, str]
    digests: Mapping[str, str]
    missing: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedAdvice:
    """Advice about a model, and the evidence for it. Both are sentences without a final period."""

    model: str
    text: str
    evidence: str
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A target compared with the earlier report. `speed` is faster, slower, "no clear difference", or "" if unknown.

    `ratio` is how many times as fast it is now. `sentences` describe the change. `between` lists what changed in
    between: tool versions, options, sources.
    """

    target: str
    speed: str
    ratio: SpeedRatio | None
    accuracy: str
    sentences: tuple[str, ...]
    between: tuple[str, ...]

    @property
    def weighs(self) -> bool:
        """Whether the change is worth showing."""
        return bool(self.between) or self.speed not in {"", NO_CHANGE} or self.accuracy not in {"", NO_CHANGE}


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The comparison with an earlier report, which `against` names. `note` applies to all of it, "" without one."""

    against: str
    changes: tuple[Change, ...]
    appeared: tuple[str, ...]
    vanished: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The results of `ovmake report`. `schema` is a file name, not a URL: nothing is downloaded."""

    FORMAT: ClassVar[int] = 4

    schema: Literal["ovmake-report.schema.json"] = field(metadata=named("$schema"))
    title: str
    targets: tuple[ReportedTarget, ...]
    advice: tuple[ReportedAdvice, ...]
    against: History | None
