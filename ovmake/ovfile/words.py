"""Words and numbers of the format that several modules need. A leaf: it imports nothing of ovmake.

Facts about one key, such as its default, are where the key is declared: in `schema/`.
"""

from __future__ import annotations

from collections.abc import Mapping

# A path to a value in an Ovfile: ("models", "digits", "inputs", "x", "shape", 0).
KeyPath = tuple[str | int, ...]

VERSION = 1  # of the format
LIMITS = "limits"
PRECISIONS = ("fp32", "fp16", "bf16", "int8", "int8-weights", "int4-weights", "auto")
DEFAULT_PRECISIONS = ("fp32", "fp16")
AUTO = "auto"
# What `auto` can choose from, the most accurate first: of two equally fast ones it takes the earlier. bf16 is not here:
# it needs a property at compilation, and `auto` publishes an IR that is fast without one.
CANDIDATES = ("fp32", "fp16", "int8-weights", "int8", "int4-weights")
# The default candidates of `auto`; INT8 only if it has calibration samples.
DEFAULT_CANDIDATES = ("fp32", "fp16", "int8-weights", "int8")
DEFAULT_MAX_DROP = 0.01
DEFAULT_RELATIVE_DROP = 0.01
DEFAULT_SAMPLES = 300
NOISE = "noise"
SEED = 0

# The gate without labels: the minimum cosine between TensorFlow's output and the IR's, over all elements of an output,
# by precision. Rounding to fp32 costs nothing here, to fp16 1e-6 in trained models and 3e-4 in deep
# ones with random weights, plain INT8 about 1e-2. Executed in bf16, examples/fashion loses 2e-5, and a transformer of 8
# blocks with random weights 5e-5; with weights in 8 bits they lose 1e-5 and 2e-4, in 4 bits 2e-4 and 2e-2.
DEFAULT_COSINE: Mapping[str, float] = {
    "fp32": 0.99999,
    "fp16": 0.999,
    "bf16": 0.999,
    "int8": 0.98,
    "int8-weights": 0.99,
    "int4-weights": 0.95,
}

# Cosine is blind to scale, so floating point must also agree element by element: the largest difference in an output,
# as a share of the output's own scale (the largest magnitude in TensorFlow's). Two correct FP32 implementations differ
# by some 1e-6 in a deep network. Rounding weights to FP16 costs 1e-3 in most trained models, 3e-2 in deep ones with
# random weights, and 1e-1 at single elements of one that takes logarithms; a wrong scale or a lost epsilon costs more.
# Executing in bf16 costs 1e-2 in that transformer and 3e-2 in examples/fashion. Integer weights, like INT8, can
# cause any difference at single elements: 0.3 in that transformer in 4 bits, although it agrees with TensorFlow.
DEFAULT_MAX_ERROR: Mapping[str, float] = {"fp32": 1e-4, "fp16": 0.25, "bf16": 0.25}

ELEMENT_TYPES = ("f32", "f16", "f64", "u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64", "boolean")
CHANNELS = ("rgb", "bgr", "gray")
RESIZE_ALGORITHMS = ("linear", "cubic", "nearest")
