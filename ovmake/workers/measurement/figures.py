"""Compute a measurement's figures from the times of the bench worker. Pure.

    measurement(bench) -> Measurement  what `ovmake report` reads
    samples(bench) -> dicts            all raw times, for other statistics

Rule: a figure that was not measured is null, and the side's `missing` states why.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from ovmake import machine
from ovmake.contracts.files.executed import TimedLayer
from ovmake.contracts.files.machine import Machine
from ovmake.contracts.files.measurement import Energy, Measurement, SideFigures, TimedByDefault, Way
from ovmake.contracts.files.speed import SpeedRatio
from ovmake.contracts.files.timing import ImportCost, OpenedModel
from ovmake.workers.measurement.energy import NotAvailable
from ovmake.workers.measurement.interleaving import Side, WarmUp
from ovmake.workers.measurement.spread import LEVEL, VIRTUAL_HALF_WIDTH, Spread, spread_of
from ovmake.workers.measurement.windows import PRECISE, Chosen, Window, chosen

BY_DEFAULT = "by-default"  # the side of that name, see timing_openvino
NO_PEAK = "this system does not report the peak memory of a process"
# A percentile is given only if at least so many times are beyond it.
BEYOND = 1
PERCENTILES = {"p90": 90.0, "p95": 95.0, "p99": 99.0, "p999": 99.9}


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """A round of throughput: samples per second by side, and the number of cores in foreign use."""

    rates: Mapping[str, float]
    foreign: float | None


@dataclass(slots=True, kw_only=True)
class Bench:
    """The measurements so far. By framework: `imports`, `opened`, `memory`; by side: `in_flight`, `warm_ups`.

    `by_default` is the IR's precision in a compilation without properties, "" if it is the same.
    """

    device: str
    machine: Machine
    imports: dict[str, ImportCost] = field(default_factory=dict)
    opened: dict[str, OpenedModel] = field(default_factory=dict)
    memory: dict[str, int | None] = field(default_factory=dict)
    no_way: dict[str, str] = field(default_factory=dict)
    warm_ups: dict[str, WarmUp] = field(default_factory=dict)
    executed: Mapping[str, int] = field(default_factory=dict)
    by_default: str = ""
    windows: Sequence[Window] = ()
    fast: Side | None = None
    ways: Sequence[Side] = ()
    in_flight: dict[str, int] = field(default_factory=dict)
    throughput: list[Throughput] = field(default_factory=list)
    energy: dict[str, Energy | NotAvailable] = field(default_factory=dict)
    layers: tuple[TimedLayer, ...] = ()
    seconds: float = 0.0


def measurement(bench: Bench) -> Measurement:
    """Return the whole measurement."""
    counted = chosen(bench.windows)
    fast = _known(bench.fast).name
    # The way that was timed in every pair seemed faster at first. The final choice uses all measurements, of ways with
    # enough windows for a range.
    ranged = [way.name for way in bench.ways if counted.spread(way.name, fast) is not None]
    slow = min(ranged, key=lambda name: statistics.median(counted.times(name)))
    spread = _known(counted.spread(slow, fast))
    return Measurement(
        device=bench.device,
        threads=machine.usable_cores(),
        batch=bench.opened["openvino"].batch,
        inputs="dataset" if bench.opened["openvino"].dataset else "seeded random",
        machine_facts=bench.machine,
        versions={name: cost.version for name, cost in bench.imports.items()},
        speedup=_known(_range(bench, spread)),
        level=LEVEL,
        unstable=spread.half_width >= PRECISE,
        loaded=counted.loaded,
        foreign_cores=_rounded(counted.foreign),
        high_latency=counted.high_latency,
        core_latency_ns=_rounded(counted.core_latency_ns),
        pairs=sum(len(window.pairs) for window in bench.windows),
        quiet_pairs=sum(len(window.pairs) for window in bench.windows if window.quiet),
        windows=len(counted.windows),
        seconds=round(bench.seconds, 1),
        throughput_ratio=_ratio_of_rates(bench, slow, fast),
        tensorflow=_side(bench, counted, "tensorflow", slow),
        openvino=_side(bench, counted, "openvino", fast),
        ways=tuple(_way(bench, counted, way.name, fast) for way in bench.ways),
        ways_missing=bench.no_way,
        by_default=_by_default(bench, counted, slow),
        executed=bench.executed,
        layers=bench.layers,
        layers_missing="" if bench.layers else f"the device {bench.device} does not tell",
    )


def samples(bench: Bench) -> Iterator[dict[str, object]]:
    """Yield the times in order: an object per pair of blocks, then one per round of throughput."""
    for at, window in enumerate(bench.windows):
        for pair in window.pairs:
            state = {"foreign_cores": _rounded(window.foreign), "core_latency_ns": _rounded(window.core_latency_ns)}
            yield {"window": at, "process": window.process, **state, "quiet": window.quiet, "ns": pair}
    for round_ in bench.throughput:
        yield {"throughput_per_second": dict(round_.rates), "foreign_cores": _rounded(round_.foreign)}


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Return the smallest value that `percent` per cent of the values do not exceed."""
    return ordered[max(0, -int(-len(ordered) * percent // 100) - 1)]


def _side(bench: Bench, counted: Chosen, framework: str, name: str) -> SideFigures:
    times_us = sorted(ns / 1000 for ns in counted.times(name))
    imports, opened, peak = bench.imports[framework], bench.opened[framework], bench.memory[framework]
    measured, energy = _measured(bench, name), bench.energy.get(framework)
    known = energy if isinstance(energy, Energy) else None
    unknown = {"peak_memory_bytes": peak, "import_memory_bytes": imports.memory_bytes}
    missing = {**{key: NO_PEAK for key, value in unknown.items() if value is None}, **_too_few(times_us)}
    if known is None:
        why = energy.reason if isinstance(energy, NotAvailable) else "it was not asked for"
        missing["energy_joules"] = f"not available: {why}"
    return SideFigures(
        latency_median_us=statistics.median(times_us),
        latency_p90_us=_tail(times_us, "p90"),
        latency_p95_us=_tail(times_us, "p95"),
        latency_p99_us=_tail(times_us, "p99"),
        latency_p999_us=_tail(times_us, "p999"),
        quantiles_us=tuple(round(percentile(times_us, at), 3) for at in range(101)),
        inferences=len(times_us),
        throughput_per_second=statistics.median(round_.rates[measured] for round_ in bench.throughput),
        in_flight=bench.in_flight[measured],
        peak_memory_bytes=peak,
        import_memory_bytes=imports.memory_bytes,
        import_ms=imports.import_ms,
        load_ms=opened.load_ms,
        first_inference_ms=opened.first_inference_ms,
        way=next(_known(side.opened).way for side in (*bench.ways, _known(bench.fast)) if side.name == name),
        loaded_way=opened.way,
        energy_joules=known.joules_per_inference if known else None,
        energy=known,
        missing=missing,
    )


def _needed(percent: float) -> int:
    """Return the number of times that a percentile needs."""
    return round(BEYOND * 100 / (100 - percent))


def _tail(times_us: Sequence[float], name: str) -> float | None:
    """Return a percentile of times in order, None with too few of them."""
    percent = PERCENTILES[name]
    return percentile(times_us, percent) if len(times_us) >= _needed(percent) else None


def _too_few(times_us: Sequence[float]) -> dict[str, str]:
    """Return why percentiles are missing."""
    return {
        f"latency_{name}_us": f"it takes {_needed(percent):,} inferences to tell, and {len(times_us):,} were timed"
        for name, percent in PERCENTILES.items()
        if len(times_us) < _needed(percent)
    }


def _measured(bench: Bench, name: str) -> str:
    """Return the side whose throughput counts for this one: only one way to call TensorFlow was measured."""
    if name in bench.in_flight:
        return name
    return next(way.name for way in bench.ways if way.name in bench.in_flight)


def _way(bench: Bench, counted: Chosen, slow: str, fast: str) -> Way:
    """Return a way to call TensorFlow, and the IR's speed-up over it."""
    median_us, inferences = _times(bench, counted, slow)
    speedup = _range(bench, counted.spread(slow, fast))
    return Way(name=slow, latency_median_us=median_us, inferences=inferences, speedup=speedup)


def _by_default(bench: Bench, counted: Chosen, slow: str) -> TimedByDefault | None:
    """Return the IR compiled without properties, and its speed-up over TensorFlow."""
    if not bench.by_default:
        return None
    median_us, inferences = _times(bench, counted, BY_DEFAULT)
    speedup = _range(bench, counted.spread(slow, BY_DEFAULT))
    return TimedByDefault(
        precision=bench.by_default, latency_median_us=median_us, inferences=inferences, speedup=speedup
    )


def _times(bench: Bench, counted: Chosen, name: str) -> tuple[float, int]:
    """Return a side's median in µs, and of how many inferences.

    What is timed seldom may have been in no window that counts: then in any.
    """
    times = counted.times(name) or Chosen(windows=bench.windows, noisy=True).times(name)
    return statistics.median(times) / 1000, len(times)


def _ratio_of_rates(bench: Bench, slow: str, fast: str) -> SpeedRatio | None:
    slow, fast = _measured(bench, slow), _measured(bench, fast)
    found = spread_of([[round_.rates[fast] / round_.rates[slow]] for round_ in bench.throughput])
    return _range(bench, found)


def _range(bench: Bench, spread: Spread | None) -> SpeedRatio | None:
    """Return a ratio with a range for the machine in general, not only for the measured seconds."""
    if spread is not None and bench.machine.virtual:
        spread = spread.widened(VIRTUAL_HALF_WIDTH)
    return None if spread is None else spread.rounded


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


Something = TypeVar("Something")


def _known(value: Something | None) -> Something:
    if value is None:
        raise AssertionError("it was measured")
    return value
