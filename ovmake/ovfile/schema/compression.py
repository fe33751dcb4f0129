"""The keys for precisions in integers: NNCF's own options under kebab-case names.

    INT8              keys of `nncf.quantize`; they stand wherever a model's keys do
    OF_PRECISION      keys that only one precision has; they stand in its tables alone

A default that is not NNCF's own says so in its `doc`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ovmake.ovfile.schema.kinds import Choice, Flag, ListOf, Number, Off, Pattern, Text
from ovmake.ovfile.schema.tables import Key, Table
from ovmake.ovfile.spec import (
    DEFAULT_BACKUP_MODE,
    DEFAULT_GROUP_SIZE,
    DEFAULT_GROUP_SIZE_FALLBACK,
    DEFAULT_MAX_EVALUATIONS,
    DEFAULT_PRESET,
    DEFAULT_SAMPLES,
    DEFAULT_WEIGHTS_MODE,
)

STRINGS = ListOf(element=Text(), expected="an array of strings", at_least=0)
PATTERNS = replace(STRINGS, element=Pattern(), expected="an array of regular expressions")
ALPHA = Number(minimum=-1, maximum=1)

IGNORED = Table(
    keys=(
        Key(
            name="names",
            kind=STRINGS,
            doc="Layers of the source, named as for `cut`, or operations of the IR",
            default="[]",
        ),
        Key(name="types", kind=STRINGS, doc='Operation types of the IR, such as `"GroupConvolution"`', default="[]"),
        Key(
            name="patterns",
            kind=PATTERNS,
            doc="Regular expressions that fit the whole name of a layer or operation",
            default="[]",
        ),
    ),
)

SMOOTH_QUANT = Table(
    keys=(
        Key(
            name="matmul",
            kind=ALPHA,
            doc="How much of a MatMul's outliers goes to its weights; -1: off",
            default="0.95",
        ),
        Key(name="convolution", kind=ALPHA, doc="The same of convolutions", default="-1"),
    ),
    otherwise=Off(),
)

INT8 = (
    Key(
        name="calibration",
        kind=Text(),
        doc="int8 only, and required there: the dataset to calibrate on, which is not the gate's",
    ),
    Key(
        name="samples",
        kind=Number(minimum=1, whole=True),
        doc="int8 only: how many calibration samples to use",
        default=f"{DEFAULT_SAMPLES}",
    ),
    Key(
        name="preset",
        kind=Choice(words=("performance", "mixed"), code="unknown-preset", what="quantization preset"),
        doc="int8 only: `performance` (symmetric) or `mixed` (asymmetric activations)",
        default=DEFAULT_PRESET,
    ),
    Key(
        name="model-type",
        kind=Choice(words=("transformer",), code="unknown-model-type", what="type of model"),
        doc="int8 only: `transformer` keeps what attention is sensitive to in floating point, and smooths outliers",
        default="none of them",
    ),
    Key(
        name="ignored",
        kind=IGNORED,
        doc="int8, int8-weights and int4-weights: layers to leave in floating point",
    ),
    Key(
        name="smooth-quant",
        kind=SMOOTH_QUANT,
        doc='int8 with `model-type = "transformer"`: SmoothQuant\'s alphas; `false` switches it off',
        default="NNCF's",
    ),
    Key(
        name="bias-correction",
        kind=Flag(),
        doc="int8 only: correct biases by what quantization shifts a layer's mean",
        default="true",
    ),
    Key(
        name="fast-bias-correction",
        kind=Flag(),
        doc="int8 only: `false` corrects bias by bias on the quantized model: slower, and often more accurate",
        default="true",
    ),
    Key(
        name="overflow-fix",
        kind=Choice(
            words=("disable", "enable", "first-layer-only"), code="unknown-overflow-fix", what="`overflow-fix`"
        ),
        doc="int8 only: halve the range of weights, where 8-bit sums of CPUs without VNNI saturate",
        default="`first-layer-only`; for GPU and NPU `disable`",
    ),
    Key(
        name="on-drop",
        kind=Choice(words=("fail", "mixed"), code="bad-value", what="`on-drop`"),
        doc="int8 only: what to do where the gate is missed: `fail`, or `mixed`: give as few layers as possible back "
        "to floating point, until it is kept",
        default="fail",
    ),
    Key(
        name="max-evaluations",
        kind=Number(minimum=1, whole=True),
        doc='int8 with `on-drop = "mixed"`: how many sets of layers to try at most',
        default=f"{DEFAULT_MAX_EVALUATIONS}",
    ),
    Key(
        name="max-minutes",
        kind=Number(minimum=0),
        doc='int8 with `on-drop = "mixed"`: how long to search for them; the best so far is taken then',
        default="no limit",
    ),
)

_MODE = Key(
    name="mode",
    kind=Choice(words=("asym", "sym"), code="unknown-weights-mode", what="mode of weight compression"),
    doc="`asym` has a zero point, `sym` has none",
    default=DEFAULT_WEIGHTS_MODE,
)

OF_PRECISION: Mapping[str, tuple[Key, ...]] = {
    "int8-weights": (_MODE,),
    "int4-weights": (
        _MODE,
        Key(
            name="group-size",
            kind=Number(minimum=-1, whole=True),
            doc="How many weights share a scale; -1: all of a channel",
            default=f"{DEFAULT_GROUP_SIZE}",
        ),
        Key(
            name="ratio",
            kind=Number(minimum=0, maximum=1),
            doc="Share of the weights that can be in 4 bits that will be; the others are in `backup-mode`",
            default="1",
        ),
        Key(
            name="all-layers",
            kind=Flag(),
            doc="4 bits for embeddings and the last MatMul too; convolutions are in 8 bits always",
            default="false",
        ),
        Key(
            name="backup-mode",
            kind=Choice(words=("none", "int8-sym", "int8-asym"), code="unknown-backup-mode", what="`backup-mode`"),
            doc="What becomes of weights that are not in 4 bits; `none`: floating point",
            default=DEFAULT_BACKUP_MODE,
        ),
        Key(
            name="group-size-fallback-mode",
            kind=Choice(words=("error", "ignore", "adjust"), code="unknown-group-size-fallback", what="fallback"),
            doc="What to do with a layer whose channels `group-size` does not divide: fail, leave it in floating "
            "point, or take a smaller group (at least 32, else `backup-mode`). NNCF's own default is `error`",
            default=DEFAULT_GROUP_SIZE_FALLBACK,
        ),
    ),
}
