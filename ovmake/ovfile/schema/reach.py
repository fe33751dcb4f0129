"""Groups of action kinds for `reaches` in declarations of keys.

`tests/rules/test_declared_reach.py` edits every key and compares.
"""

from __future__ import annotations

# Actions that convert the source; some convert it again to find its layers in an IR.
MODEL = ("convert", "name-layers", "compare-layers", "quantize", "compress-weights")
# Makes a graph of one function of the source; later actions read the graph.
SOURCE = ("freeze",)
# Actions that may load and run the source.
ALLOWED = (*MODEL, *SOURCE, "check-source", "reference", "benchmark")
# Actions that compute a metric over labels.
COUNTED = ("check-samples", "evaluate", "control")
# Actions that draw samples of a dataset: to check, to calibrate, to compare, to measure.
SAMPLES = (
    *("check-samples", "check-calibration", "quantize", "reference", "evaluate", "control"),
    *("time-candidates", "benchmark", "compare-layers"),
)
# The number of calibration samples also decides which samples are left to judge.
CALIBRATING = ("check-calibration", "quantize", "reference", "evaluate", "compare-layers")
# Actions that make an IR in 8 bits, or one with weights in 8 or 4 bits.
QUANTIZED = ("quantize",)
COMPRESSED = ("compress-weights",)
# Actions that compare a figure with the promise.
JUDGED = ("gate", "judge", "control")
# Searches for layers to revert to float.
SEARCHED = ("control",)
# Actions that time an IR for the report or for `auto`.
TIMED = ("benchmark", "time-candidates")
# Actions that run an IR on the device.
ON_DEVICE = ("evaluate", "control", "compare-speed", *TIMED)
