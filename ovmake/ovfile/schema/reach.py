"""Which kinds of action see a key: the groups that `reaches` of a declaration names, for keys that go the same way.

`tests/rules/test_declared_reach.py` edits every key and compares.
"""

from __future__ import annotations

# Whatever converts the source: also once more, to find its layers in an IR.
MODEL = ("convert", "name-layers", "compare-layers", "quantize", "compress-weights")
# What makes a graph of one function of the source; what comes after reads the graph.
SOURCE = ("freeze",)
# Whatever may load the source, and run it.
ALLOWED = (*MODEL, *SOURCE, "check-source", "reference", "benchmark")
# What counts a metric over labels.
COUNTED = ("check-samples", "evaluate", "control")
# Whatever draws samples of a dataset: to check, to calibrate, to compare, to measure.
SAMPLES = (
    *("check-samples", "check-calibration", "quantize", "reference", "evaluate", "control"),
    *("time-candidates", "benchmark", "compare-layers"),
)
# How many samples calibrate, also decides which are left to judge.
CALIBRATING = ("check-calibration", "quantize", "reference", "evaluate", "compare-layers")
# What makes an IR in 8 bits, or one with weights in 8 or 4 bits.
QUANTIZED = ("quantize",)
COMPRESSED = ("compress-weights",)
# What compares a figure with the promise.
JUDGED = ("gate", "judge", "control")
# What looks for layers to revert to float.
SEARCHED = ("control",)
# What times an IR for the report or for `auto`.
TIMED = ("benchmark", "time-candidates")
# Whatever runs an IR on the device.
ON_DEVICE = ("evaluate", "control", "compare-speed", *TIMED)
