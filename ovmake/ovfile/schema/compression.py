"""The keys for precisions in integers: NNCF's own options under kebab-case names.

    Quantization      keys of `nncf.quantize`; they stand wherever a model's keys do
    OF_PRECISION      keys that only one precision has; they stand in its tables alone

A default that is not NNCF's own says so in its `doc`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ovmake.ovfile.schema.declaring import Key, key, keys_of, table
from ovmake.ovfile.schema.kinds import Choice, Flag, ListOf, Number, Pattern, Text, Whole
from ovmake.ovfile.schema.reach import CALIBRATING, COMPRESSED, QUANTIZED, SEARCHED
from ovmake.ovfile.schema.tables import Off, Table
from ovmake.ovfile.words import DEFAULT_SAMPLES

NAMES = ListOf(element=Text(), expected="an array of strings", at_least=0, ordered=False)
PATTERNS = ListOf(element=Pattern(), expected="an array of regular expressions", at_least=0, ordered=False)
ALPHA = Number(minimum=-1, maximum=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """What stays in floating point: layers of the source or operations of the IR, by name, type or pattern."""

    names: tuple[str, ...] = key(
        NAMES,
        default=(),
        doc="Layers of the source, named as for `cut`, or operations of the IR",
        reaches=(*QUANTIZED, *COMPRESSED),
    )
    types: tuple[str, ...] = key(
        NAMES,
        default=(),
        doc='Operation types of the IR, such as `"GroupConvolution"`',
        reaches=(*QUANTIZED, *COMPRESSED),
    )
    patterns: tuple[str, ...] = key(
        PATTERNS,
        default=(),
        doc="Regular expressions that fit the whole name of a layer or operation",
        reaches=(*QUANTIZED, *COMPRESSED),
    )

    @property
    def traced(self) -> bool:
        """Whether layers of the source may be meant, which are to be found in the IR."""
        return bool(self.names or self.patterns)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmoothQuant:
    """SmoothQuant's alphas, by kind of operation; None is NNCF's own."""

    matmul: float | None = key(
        ALPHA,
        default=None,
        shown="0.95",
        doc="How much of a MatMul's outliers goes to its weights; -1: off",
        reaches=QUANTIZED,
    )
    convolution: float | None = key(ALPHA, default=None, shown="-1", doc="The same of convolutions", reaches=QUANTIZED)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccuracyControl:
    """Revert layers to float where the gate is missed: how many sets to try, and for how long (minutes)."""

    max_evaluations: int
    max_minutes: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The dataset that INT8 is calibrated on, by its name, and how many samples of it are used."""

    calibration: str = key(
        Text(),
        default="",
        doc="int8 only, and required there: the dataset to calibrate on, which is not the gate's",
    )
    samples: int = key(
        Whole(minimum=1),
        default=DEFAULT_SAMPLES,
        doc="int8 only: how many calibration samples to use",
        reaches=CALIBRATING,
        stated=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantization(Calibration):
    """Settings of INT8 quantization; what is not about samples or the search is NNCF's.

    `smooth_quant` is None where the Ovfile switches SmoothQuant off; `overflow_fix` None is the device's default.
    """

    preset: str = key(
        Choice(words=("performance", "mixed"), code="unknown-preset", what="quantization preset"),
        default="mixed",
        doc="int8 only: `performance` (symmetric) or `mixed` (asymmetric activations)",
        reaches=QUANTIZED,
        stated=True,
    )
    model_type: str | None = key(
        Choice(words=("transformer",), code="unknown-model-type", what="type of model"),
        default=None,
        shown="none of them",
        doc="int8 only: `transformer` keeps what attention is sensitive to in floating point, and smooths outliers",
        reaches=QUANTIZED,
    )
    ignored: Ignored = table(
        Table(keys=keys_of(Ignored), title="ignored"),
        default=Ignored,
        doc="int8, int8-weights and int4-weights: layers to leave in floating point",
    )
    smooth_quant: SmoothQuant | None = table(
        Table(keys=keys_of(SmoothQuant), otherwise=Off(), title="smooth-quant"),
        default=SmoothQuant,
        shown="NNCF's",
        doc='int8 with `model-type = "transformer"`: SmoothQuant\'s alphas; `false` switches it off',
        reaches=QUANTIZED,
    )
    bias_correction: bool = key(
        Flag(),
        default=True,
        doc="int8 only: correct biases by what quantization shifts a layer's mean",
        reaches=QUANTIZED,
    )
    fast_bias_correction: bool = key(
        Flag(),
        default=True,
        doc="int8 only: `false` corrects bias by bias on the quantized model: slower, and often more accurate",
        reaches=QUANTIZED,
    )
    overflow_fix: str | None = key(
        Choice(words=("disable", "enable", "first-layer-only"), code="unknown-overflow-fix", what="`overflow-fix`"),
        default=None,
        shown="`first-layer-only`; for GPU and NPU `disable`",
        doc="int8 only: halve the range of weights, where 8-bit sums of CPUs without VNNI saturate",
        reaches=QUANTIZED,
    )
    on_drop: str = key(
        Choice(words=("fail", "mixed"), code="bad-value", what="`on-drop`"),
        default="fail",
        doc="int8 only: what to do if INT8 misses its gate. `fail`: the target fails. `mixed`: revert as few layers as "
        "possible to float, until the gate is kept; `max-evaluations` and `max-minutes` limit the search",
        reaches=("gate",),
    )
    max_evaluations: int = key(
        Whole(minimum=1),
        default=60,
        doc='int8 with `on-drop = "mixed"`: how many sets of layers the search tries at most',
        reaches=SEARCHED,
        stated=True,
    )
    max_minutes: float | None = key(
        Number(minimum=0),
        default=None,
        shown="no limit",
        doc='int8 with `on-drop = "mixed"`: how many minutes to search; then the gate judges the best set so far',
        reaches=SEARCHED,
    )

    @property
    def control(self) -> AccuracyControl | None:
        """The search for layers to revert to float; None where a missed gate is the end of it."""
        if self.on_drop == "fail":
            return None
        return AccuracyControl(max_evaluations=self.max_evaluations, max_minutes=self.max_minutes)


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightCompression:
    """Settings of weights in 8 or 4 bits, as `nncf.compress_weights` has them. `bits` is "int8" or "int4"."""

    bits: str
    mode: str = key(
        Choice(words=("asym", "sym"), code="unknown-weights-mode", what="mode of weight compression"),
        default="asym",
        doc="`asym` has a zero point, `sym` has none",
        reaches=COMPRESSED,
        stated=True,
    )
    ignored: Ignored = field(default_factory=Ignored)

    @property
    def nncf_mode(self) -> str:
        """NNCF's word for it, such as `int4-asym`."""
        return f"{self.bits}-{self.mode}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FourBits(WeightCompression):
    """What NNCF takes for 4 bits only."""

    group_size: int | None = key(
        Whole(minimum=-1),
        default=None,
        shown="128",
        doc="How many weights share a scale; -1: all of a channel",
        reaches=COMPRESSED,
    )
    ratio: float | None = key(
        Number(minimum=0, maximum=1),
        default=None,
        shown="1",
        doc="Share of the weights that can be in 4 bits that will be; the others are in `backup-mode`",
        reaches=COMPRESSED,
    )
    all_layers: bool = key(
        Flag(),
        default=False,
        doc="4 bits for embeddings and the last MatMul too; convolutions are in 8 bits always",
        reaches=COMPRESSED,
    )
    backup_mode: str | None = key(
        Choice(words=("none", "int8-sym", "int8-asym"), code="unknown-backup-mode", what="`backup-mode`"),
        default=None,
        shown="int8-asym",
        doc="What becomes of weights that are not in 4 bits; `none`: floating point",
        reaches=COMPRESSED,
    )
    group_size_fallback_mode: str = key(
        Choice(words=("error", "ignore", "adjust"), code="unknown-group-size-fallback", what="fallback"),
        default="adjust",
        doc="What to do with a layer whose channels `group-size` does not divide: fail, leave it in floating "
        "point, or take a smaller group (at least 32, else `backup-mode`). NNCF's own default is `error`",
        reaches=COMPRESSED,
        stated=True,
    )


OF_PRECISION: Mapping[str, tuple[Key, ...]] = {
    "int8-weights": keys_of(WeightCompression),
    "int4-weights": keys_of(FourBits),
}
