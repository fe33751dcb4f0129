"""What a benchmark measured, typed: TensorFlow and one IR, taking turns on this machine.

    Measurement.of(body, machine=...)     from the JSON that *benchmark* wrote (`workers.bench_worker`)

Pure: JSON comes in. Times are in µs or ms as the names say, sizes in bytes, throughput in samples per second, energy in
joules. None is a figure that was not measured, and the side's `missing` then says why, by the figure's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """How many times as fast the IR is: the median over pairs, and the range that holds the true one at `level`."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, body: Mapping[str, float] | None) -> Ratio | None:
        """Read a ratio; None where there is none."""
        return None if body is None else cls(median=body["median"], low=body["low"], high=body["high"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way of calling TensorFlow. `speedup` is the IR's against it."""

    name: str
    latency_median_us: float
    inferences: int
    speedup: Ratio | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedLayer:
    """A layer as the runtime executes it, and its own time in one inference: the mean over profiled ones.

    `type` and `precision` are the runtime's words; `moves` says that it computes nothing and only moves or converts.
    """

    name: str
    type: str
    precision: str
    us: float
    moves: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SideFigures:
    """What one framework took. `way` says how the model was called; latencies are of that way.

    `loaded_way` is how it was loaded first, as an application does: what loading, first inference and memory are of.
    `quantiles_us` are the 101 percentiles of the latency, from the shortest inference to the longest. `in_flight` is
    how many inferences ran side by side where throughput was measured. `energy` says how `energy_joules` came about.
    """

    latency_median_us: float
    latency_p95_us: float
    throughput_per_second: float
    peak_memory_bytes: int | None
    inferences: int
    load_ms: float
    way: str
    loaded_way: str = ""
    latency_p90_us: float | None = None
    latency_p99_us: float | None = None
    latency_p999_us: float | None = None
    quantiles_us: tuple[float, ...] = ()
    in_flight: int = 0
    import_ms: float | None = None
    first_inference_ms: float | None = None
    import_memory_bytes: int | None = None
    energy_joules: float | None = None
    energy: Mapping[str, Any] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> SideFigures:
        """Read a side of the measurement."""
        return cls(**{**body, "quantiles_us": tuple(body["quantiles_us"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class ByDefault:
    """The IR as most applications compile it, executed in `precision`; `speedup` is against TensorFlow's faster way."""

    precision: str
    latency_median_us: float
    inferences: int
    speedup: Ratio | None

    @classmethod
    def of(cls, body: Mapping[str, Any] | None) -> ByDefault | None:
        """Read it; None where nothing else is executed then."""
        return None if body is None else cls(**{**body, "speedup": Ratio.of(body["speedup"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """TensorFlow and the IR taking turns.

    The speed-up is against the faster way of calling TensorFlow, and `speedup_low` to `speedup_high` hold it with
    `level`. `unstable`: that range is wider than asked for when the time was up. `loaded`: others used the processor
    during most of it, on average `foreign_cores` of them. `apart`: cores that share a cache lay far from each other
    during most of it, on average `apart_ns` (nanoseconds that a value takes from one to another). `pairs` were timed,
    of which `quiet_pairs` undisturbed; the figures are of those, if there were enough. `machine` is the identity that
    figures are compared under, `machine_facts` all that is known of it. `ways_missing` says why TensorFlow was not
    called in some way. `layers` are the IR's in the order in which they run. `by_default` is the IR compiled without
    properties, None where that is how it was verified.
    """

    tensorflow: SideFigures
    openvino: SideFigures
    speedup: float
    speedup_low: float
    speedup_high: float
    pairs: int
    batch: int
    threads: int
    inputs: str
    machine: str
    level: float = 0.95
    device: str = "CPU"
    unstable: bool = False
    loaded: bool = False
    apart: bool = False
    quiet_pairs: int = 0
    windows: int = 0
    seconds: float = 0.0
    foreign_cores: float | None = None
    apart_ns: float | None = None
    throughput_ratio: Ratio | None = None
    ways: tuple[Way, ...] = ()
    by_default: ByDefault | None = None
    ways_missing: Mapping[str, str] = field(default_factory=dict)
    layers: tuple[TimedLayer, ...] = ()
    layers_missing: str = ""
    executed: Mapping[str, int] = field(default_factory=dict)
    machine_facts: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, body: Mapping[str, Any], *, machine: str) -> Measurement:
        """Read what *benchmark* wrote."""
        plain = ("pairs", "quiet_pairs", "windows", "seconds", "batch", "threads", "inputs", "level", "device")
        more = ("unstable", "loaded", "foreign_cores", "apart", "apart_ns", "layers_missing", "executed", "versions")
        return cls(
            tensorflow=SideFigures.of(body["sides"]["tensorflow"]),
            openvino=SideFigures.of(body["sides"]["openvino"]),
            speedup=body["speedup"]["median"],
            speedup_low=body["speedup"]["low"],
            speedup_high=body["speedup"]["high"],
            throughput_ratio=Ratio.of(body["throughput_ratio"]),
            by_default=ByDefault.of(body.get("by_default")),
            ways=tuple(Way(**{**way, "speedup": Ratio.of(way["speedup"])}) for way in body["ways"]),
            ways_missing=body["no_way"],
            layers=tuple(TimedLayer(**layer) for layer in body["layers"]),
            machine_facts=body["machine"],
            machine=machine,
            **{name: body[name] for name in (*plain, *more)},
        )
