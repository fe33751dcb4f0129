"""Compute a measurement's figures from the times of the bench worker. Pure.

    measurement(bench) -> dict        the JSON that `ovmake report` reads
    samples(bench) -> dicts           every measured time, for other evaluations

Rule: a figure that was not measured is null, and the side's `missing` states why.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ovmake import machine
from ovmake.workers.measurement.interleaving import Side, WarmUp
from ovmake.workers.measurement.spread import LEVEL, VIRTUAL_HALF_WIDTH, Spread, spread_of
from ovmake.workers.measurement.windows import PRECISE, Chosen, Window, chosen

FORMAT = 2
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
    imports: dict[str, Mapping[str, object]] = field(default_factory=dict)
    opened: dict[str, Mapping[str, object]] = field(default_factory=dict)
    memory: dict[str, object] = field(default_factory=dict)
    no_way: dict[str, str] = field(default_factory=dict)
    warm_ups: dict[str, WarmUp] = field(default_factory=dict)
    executed: object = None
    by_default: str = ""
    windows: Sequence[Window] = ()
    fast: Side | None = None
    ways: Sequence[Side] = ()
    in_flight: dict[str, int] = field(default_factory=dict)
    throughput: list[Throughput] = field(default_factory=list)
    energy: dict[str, Mapping[str, object]] = field(default_factory=dict)
    layers: object = None
    machine: Mapping[str, object] = field(default_factory=dict)
    seconds: float = 0.0


def measurement(bench: Bench) -> dict[str, object]:
    """Return the whole measurement."""
    counted = chosen(bench.windows)
    fast = _known(bench.fast).name
    # The way that was timed in every pair seemed faster at first. The final choice uses all measurements, of ways with
    # enough windows for a range.
    ranged = [way.name for way in bench.ways if counted.spread(way.name, fast) is not None]
    slow = min(ranged, key=lambda name: statistics.median(counted.times(name)))
    spread = _known(counted.spread(slow, fast))
    return {
        "format": FORMAT,
        "device": bench.device,
        "threads": machine.usable_cores(),
        "batch": bench.opened["openvino"]["batch"],
        "inputs": "dataset" if bench.opened["openvino"]["dataset"] else "seeded random",
        "machine": dict(bench.machine),
        "versions": {name: facts["version"] for name, facts in bench.imports.items()},
        "speedup": _range(bench, spread),
        "level": LEVEL,
        "unstable": spread.half_width >= PRECISE,
        "loaded": counted.loaded,
        "foreign_cores": _rounded(counted.foreign),
        "apart": counted.apart,
        "apart_ns": _rounded(counted.apart_ns),
        "pairs": sum(len(window.pairs) for window in bench.windows),
        "quiet_pairs": sum(len(window.pairs) for window in bench.windows if window.quiet),
        "windows": len(counted.windows),
        "seconds": round(bench.seconds, 1),
        "throughput_ratio": _ratio_of_rates(bench, slow, fast),
        "ways": [_way(bench, counted, way.name, fast) for way in bench.ways],
        "no_way": bench.no_way,
        "by_default": _by_default(bench, counted, slow),
        "sides": {
            "tensorflow": _side(bench, counted, "tensorflow", slow),
            "openvino": _side(bench, counted, "openvino", fast),
        },
        "executed": bench.executed,
        "layers": bench.layers,
        "layers_missing": "" if bench.layers else f"the device {bench.device} does not report layers",
    }


def samples(bench: Bench) -> Iterator[dict[str, object]]:
    """Yield the times in order: an object per pair of blocks, then one per round of throughput."""
    for at, window in enumerate(bench.windows):
        for pair in window.pairs:
            state = {"foreign_cores": _rounded(window.foreign), "apart_ns": _rounded(window.apart_ns)}
            yield {"window": at, "process": window.process, **state, "quiet": window.quiet, "ns": pair}
    for round_ in bench.throughput:
        yield {"throughput_per_second": dict(round_.rates), "foreign_cores": _rounded(round_.foreign)}


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Return the smallest value that `percent` per cent of the values do not exceed."""
    return ordered[max(0, -int(-len(ordered) * percent // 100) - 1)]


def _side(bench: Bench, counted: Chosen, framework: str, name: str) -> dict[str, object]:
    times_us = sorted(ns / 1000 for ns in counted.times(name))
    imports, opened = bench.imports[framework], bench.opened[framework]
    figures: dict[str, Any] = {
        "latency_median_us": statistics.median(times_us),
        "inferences": len(times_us),
        "throughput_per_second": statistics.median(round_.rates[_measured(bench, name)] for round_ in bench.throughput),
        "in_flight": bench.in_flight[_measured(bench, name)],
        "peak_memory_bytes": bench.memory[framework],
        "import_memory_bytes": imports["memory_bytes"],
        "import_ms": imports["import_ms"],
        "load_ms": opened["load_ms"],
        "first_inference_ms": opened["first_inference_ms"],
        "loaded_way": opened["way"],
        "way": next(side.opened["way"] for side in (*bench.ways, _known(bench.fast)) if side.name == name),
        "quantiles_us": [round(percentile(times_us, at), 3) for at in range(101)],
    }
    missing = {key: NO_PEAK for key in ("peak_memory_bytes", "import_memory_bytes") if figures[key] is None}
    for key, percent in PERCENTILES.items():
        needed = round(BEYOND * 100 / (100 - percent))
        figures[f"latency_{key}_us"] = percentile(times_us, percent) if len(times_us) >= needed else None
        if len(times_us) < needed:
            missing[f"latency_{key}_us"] = f"it needs {needed:,} inferences, and {len(times_us):,} were timed"
    return {**figures, **_energy(bench.energy.get(framework), missing), "missing": missing}


def _energy(found: Mapping[str, object] | None, missing: dict[str, str]) -> dict[str, object]:
    if found is None or "not_available" in found:
        why = "it was not requested" if found is None else found["not_available"]
        missing["energy_joules"] = f"not available: {why}"
        return {"energy_joules": None, "energy": {}}
    return {"energy_joules": found["joules_per_inference"], "energy": dict(found)}


def _measured(bench: Bench, name: str) -> str:
    """Return the side whose throughput counts for this one: only one way to call TensorFlow was measured."""
    if name in bench.in_flight:
        return name
    return next(way.name for way in bench.ways if way.name in bench.in_flight)


def _way(bench: Bench, counted: Chosen, slow: str, fast: str) -> dict[str, object]:
    """Return a way to call TensorFlow, and the IR's speed-up over it."""
    return {"name": slow, **_times(bench, counted, slow), "speedup": _range(bench, counted.spread(slow, fast))}


def _by_default(bench: Bench, counted: Chosen, slow: str) -> dict[str, object] | None:
    """Return the IR compiled without properties, and its speed-up over TensorFlow."""
    if not bench.by_default:
        return None
    speedup = _range(bench, counted.spread(slow, BY_DEFAULT))
    return {"precision": bench.by_default, **_times(bench, counted, BY_DEFAULT), "speedup": speedup}


def _times(bench: Bench, counted: Chosen, name: str) -> dict[str, object]:
    """Return the times of a side. If a rarely timed side is in no window that counts, all windows are used."""
    times = counted.times(name) or Chosen(windows=bench.windows, disturbed=True).times(name)
    return {"latency_median_us": statistics.median(times) / 1000, "inferences": len(times)}


def _ratio_of_rates(bench: Bench, slow: str, fast: str) -> dict[str, float] | None:
    slow, fast = _measured(bench, slow), _measured(bench, fast)
    found = spread_of([[round_.rates[fast] / round_.rates[slow]] for round_ in bench.throughput])
    return _range(bench, found)


def _range(bench: Bench, spread: Spread | None) -> dict[str, float] | None:
    """Return a ratio with a range for the machine in general, not only for the measured seconds."""
    if spread is not None and bench.machine.get("virtual"):
        spread = spread.widened(VIRTUAL_HALF_WIDTH)
    return None if spread is None else spread.to_json()


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


Something = TypeVar("Something")


def _known(value: Something | None) -> Something:
    if value is None:
        raise AssertionError("it was measured")
    return value
