"""Which kinds of action see a key, for keys that go the same way: what `reaches` of a declaration names.

`tests/rules/test_reach.py` edits every key and compares.
"""

from __future__ import annotations

# Whatever converts the source: also once more, to find its layers in an IR.
MODEL = ("convert", "name-layers", "compare-layers", "quantize", "compress-weights")
# Whatever draws samples of a dataset.
SAMPLES = ("reference", "evaluate")
# What reads labels.
LABELS = ("evaluate",)
# What counts a metric.
COUNTED = ("evaluate",)
# What compares a figure with the promise.
JUDGED = ("gate",)
# What limits the search for layers to give back.
SEARCHED = ("control",)
# What leaves layers in floating point.
IGNORED = ("quantize", "compress-weights")
# What times an IR.
TIMED = ("benchmark", "time-candidates")
# What loads the source.
SOURCE = ("convert", "reference")
ALLOWED = ("convert", "reference")
