"""Measurements to judge: what is left out of one has plain values.

a_side(latency_p95_us=7900.0)                     what a framework took
a_measurement(loaded=True, openvino=a_side())     TensorFlow and one IR
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ovmake import machine
from ovmake.contracts.files.measurement import Measurement, SideFigures
from ovmake.contracts.files.speed import SpeedRatio

SIDE = SideFigures(
    latency_median_us=6000.0,
    latency_p90_us=7000.0,
    latency_p95_us=7900.0,
    latency_p99_us=None,
    latency_p999_us=None,
    quantiles_us=(),
    inferences=40,
    throughput_per_second=250.0,
    in_flight=2,
    peak_memory_bytes=400 << 20,
    import_memory_bytes=100 << 20,
    import_ms=200.0,
    load_ms=50.0,
    first_inference_ms=9.0,
    way="frozen",
)


def a_side(**changed: Any) -> SideFigures:
    """Return what a framework took."""
    return replace(SIDE, **changed)


def a_measurement(**changed: Any) -> Measurement:
    """Return a measurement of an IR that is 1.8 times as fast as TensorFlow (1.7 to 1.9)."""
    plain = Measurement(
        device="CPU",
        threads=2,
        batch=1,
        inputs="dataset",
        machine_facts=machine.facts(),
        versions={"openvino": "2026.4.1"},
        speedup=SpeedRatio(median=1.8, low=1.7, high=1.9),
        level=0.95,
        unstable=False,
        loaded=False,
        foreign_cores=0.0,
        high_latency=False,
        core_latency_ns=None,
        pairs=30,
        quiet_pairs=30,
        windows=8,
        seconds=3.0,
        throughput_ratio=None,
        tensorflow=a_side(latency_median_us=10_800.0),
        openvino=SIDE,
    )
    return replace(plain, **changed)
