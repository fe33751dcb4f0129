"""measurement.json: TensorFlow and one IR, timed in turns. *benchmark* writes it, *require* and the report read it.

Times are in µs or ms as the names say, sizes in bytes, throughput in samples per second, energy in joules. A figure is
null if it was not measured; `missing` of the same side then says why, by the figure's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ovmake.contracts.files.executed import TimedLayer
from ovmake.contracts.files.machine import Machine
from ovmake.contracts.files.speed import SpeedRatio


@dataclass(frozen=True, slots=True, kw_only=True)
class Energy:
    """The energy of an inference beyond idling: the median of some runs, the lowest and the highest.

    `watts` and `idle_watts` are the median power of the runs and of idling. `seconds` and `inferences` are totals over
    all runs. `zones` are the counters that were read.
    """

    joules_per_inference: float
    low: float
    high: float
    watts: float
    idle_watts: float
    seconds: float
    inferences: int
    zones: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SideFigures:
    """The figures of one framework. `way` says how the model was called for the latencies.

    `loaded_way` says how it was loaded first, as an application does, for load time, first inference and memory.
    `quantiles_us` are the 101 percentiles of the latency, from the shortest inference to the longest. `in_flight` is
    the number of parallel inferences in the throughput measurement. `energy` gives the details of `energy_joules`.
    """

    latency_median_us: float
    latency_p90_us: float | None
    latency_p95_us: float | None
    latency_p99_us: float | None
    latency_p999_us: float | None
    quantiles_us: tuple[float, ...]
    inferences: int
    throughput_per_second: float
    in_flight: int
    peak_memory_bytes: int | None
    import_memory_bytes: int | None
    import_ms: float | None
    load_ms: float
    first_inference_ms: float | None
    way: str
    loaded_way: str = ""
    energy_joules: float | None = None
    energy: Energy | None = None
    missing: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A way of calling TensorFlow. `speedup` is the IR's against it, null if there are too few runs."""

    name: str
    latency_median_us: float
    inferences: int
    speedup: SpeedRatio | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedByDefault:
    """The IR as most applications compile it, executed in `precision`; `speedup` is against TensorFlow's faster way."""

    precision: str
    latency_median_us: float
    inferences: int
    speedup: SpeedRatio | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """TensorFlow and the IR, timed in turns.

    `speedup` is against the faster way of calling TensorFlow; its range is a confidence interval at `level`.
    `unstable`: the range was wider than requested when the time was up. `loaded`: during most of the measurement, other
    programs used the processor, `foreign_cores` cores on average. `high_latency`: during most of it, a value took
    longer between two cores than within their shared cache, `core_latency_ns` on average. `pairs` were timed, of which
    `quiet_pairs` were quiet; if these are enough, only they count. `ways_missing` says why TensorFlow was not called in
    some way. `layers` are the IR's in execution order; if there are none, `layers_missing` says why. `by_default` is
    the IR compiled without properties, null if that is how it was verified.
    """

    FORMAT: ClassVar[int] = 4

    device: str
    threads: int
    batch: int
    inputs: str
    machine_facts: Machine
    versions: Mapping[str, str]
    speedup: SpeedRatio
    level: float
    unstable: bool
    loaded: bool
    foreign_cores: float | None
    high_latency: bool
    core_latency_ns: float | None
    pairs: int
    quiet_pairs: int
    windows: int
    seconds: float
    throughput_ratio: SpeedRatio | None
    tensorflow: SideFigures
    openvino: SideFigures
    ways: tuple[Way, ...] = ()
    ways_missing: Mapping[str, str] = field(default_factory=dict)
    by_default: TimedByDefault | None = None
    executed: Mapping[str, int] = field(default_factory=dict)
    layers: tuple[TimedLayer, ...] = ()
    layers_missing: str = ""
