"""benchmark: TensorFlow and an IR take turns in short blocks, each in a fresh process of its own.

Taking turns spreads whatever else the machine does over both. The order within a pair of blocks is random (seeded), so
that neither always follows the other. Speed-up: the ratio of the medians of a pair, its median over pairs, and the
range that holds nine pairs in ten, so that a restless machine shows as a wide range instead of a wrong number.

Standard library only: this process must weigh nothing on what it measures.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ovmake.workers.client import ENVIRONMENT, WorkerProcess
from ovmake.workers.protocol import Request, serve
from ovmake.workers.racing import compare_speed, time_candidates
from ovmake.workers.turns import Side, take_turns, usable_threads, warm_up

# Blocks long enough to time, short enough that a disturbance hits both sides.
BLOCK_SECONDS = 0.1
LEAST_PAIRS = 5
THROUGHPUT_ROUNDS = 3
# Shares of the time limit: the rest is for starting and loading.
LATENCY_SHARE = 0.6
THROUGHPUT_SHARE = 0.3

SIDES = ("tensorflow", "openvino")
# Speed is measured with oneDNN on, which is TensorFlow at its best and its default.
TIMED_ENVIRONMENT = {**ENVIRONMENT, "TF_ENABLE_ONEDNN_OPTS": "1"}


def benchmark(request: Request) -> dict[str, object]:
    """Measure; write `measurement`."""
    seconds = float(str(request.params["benchmark.max-seconds"]))
    sides: dict[str, Side] = {}
    try:
        with tempfile.TemporaryDirectory() as folder:
            for name in SIDES:
                worker = WorkerProcess.start(name, boot_log=f"{folder}/{name}.log", environment=TIMED_ENVIRONMENT)
                sides[name] = Side(worker=worker, request=request, inputs=request.inputs)
            _measure(sides, seconds)
    finally:
        for side in sides.values():
            side.worker.end()
    measurement = _summary(sides)
    Path(request.outputs["measurement"]).write_text(json.dumps(measurement, indent=1) + "\n")
    return {}


def _measure(sides: Mapping[str, Side], seconds: float) -> None:
    for side in sides.values():
        side.opened = side.ask("open")
    for side in sides.values():
        warm_up(side, BLOCK_SECONDS)
    take_turns(list(sides.values()), seconds=seconds * LATENCY_SHARE, least=LEAST_PAIRS)
    # Before the throughput runs, which compile the model once more.
    for side in sides.values():
        peak = side.ask("memory")["peak_bytes"]
        side.peak_bytes = peak if isinstance(peak, int) else None
    for _ in range(THROUGHPUT_ROUNDS):
        for side in sides.values():
            facts = side.ask("throughput", seconds=seconds * THROUGHPUT_SHARE / THROUGHPUT_ROUNDS / len(sides))
            side.throughputs.append(float(str(facts["samples"])) / float(str(facts["seconds"])))


def _summary(sides: Mapping[str, Side]) -> dict[str, object]:
    tensorflow, openvino = sides["tensorflow"], sides["openvino"]
    ratios = [
        statistics.median(slow) / statistics.median(fast)
        for slow, fast in zip(tensorflow.blocks, openvino.blocks, strict=True)
    ]
    cuts = statistics.quantiles(ratios, n=20, method="inclusive")
    return {
        "format": 1,
        "threads": usable_threads(),
        "batch": openvino.opened["batch"],
        "inputs": "dataset" if openvino.opened["dataset"] else "seeded random",
        "pairs": len(ratios),
        "speedup": {"median": statistics.median(ratios), "low": cuts[0], "high": cuts[-1]},
        "sides": {name: _side_summary(side) for name, side in sides.items()},
    }


def _side_summary(side: Side) -> dict[str, object]:
    times_us = sorted(ns / 1000 for block in side.blocks for ns in block)
    return {
        "latency_us": {"median": statistics.median(times_us), "p95": _percentile(times_us, 95)},
        "inferences": len(times_us),
        "throughput_per_second": statistics.median(side.throughputs),
        "peak_memory_bytes": side.peak_bytes,
        "load_ms": side.opened["load_ms"],
        "way": side.opened["way"],
        "block_medians_us": [round(statistics.median(block) / 1000, 3) for block in side.blocks],
    }


def _percentile(ordered: list[float], percent: int) -> float:
    """Return the smallest value that so many per cent of the values do not exceed."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


if __name__ == "__main__":
    serve({"benchmark": benchmark, "compare-speed": compare_speed, "time-candidates": time_candidates})
