"""The keys of integer precisions: NNCF's own options under kebab-case names.

    Quantization      keys of `nncf.quantize`; allowed in every table with keys of a model
    OF_PRECISION      keys of one precision; allowed in its tables only

If a default differs from NNCF's, its `doc` says so.
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
    """Layers of the source or operations of the IR to keep in floating point, by name, type or pattern."""

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
        doc="Regular expressions that match the whole name of a layer or operation",
        reaches=(*QUANTIZED, *COMPRESSED),
    )

    @property
    def traced(self) -> bool:
        """Whether it may name layers of the source, which must be matched with operations of the IR."""
        return bool(self.names or self.patterns)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmoothQuant:
    """SmoothQuant's alphas, by kind of operation; None means NNCF's default."""

    matmul: float | None = key(
        ALPHA,
        default=None,
        shown="0.95",
        doc="Share of a MatMul's activation outliers that is moved into its weights; -1: off",
        reaches=QUANTIZED,
    )
    convolution: float | None = key(ALPHA, default=None, shown="-1", doc="The same for convolutions", reaches=QUANTIZED)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccuracyControl:
    """Limits of the search for layers to revert to float: the number of sets to try, and minutes."""

    max_evaluations: int
    max_minutes: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The name of the dataset that calibrates INT8, and the number of its samples to use."""

    calibration: str = key(
        Text(),
        default="",
        doc="int8 only, required: the dataset to calibrate on. It must not be the gate's dataset",
    )
    samples: int = key(
        Whole(minimum=1),
        default=DEFAULT_SAMPLES,
        doc="int8 only: number of calibration samples to use",
        reaches=CALIBRATING,
        stated=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantization(Calibration):
    """Settings of INT8 quantization: NNCF's options, and those of the samples and the search.

    `smooth_quant` is None if the Ovfile switches SmoothQuant off. `overflow_fix` None means the device's default.
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
        shown="none",
        doc="int8 only: `transformer` keeps sensitive operations of attention in floating point, and smooths outliers",
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
        doc="int8 only: correct biases for the shift of a layer's mean that quantization causes",
        reaches=QUANTIZED,
    )
    fast_bias_correction: bool = key(
        Flag(),
        default=True,
        doc="int8 only: `false` corrects one bias after the other on the quantized model. Slower, often more accurate",
        reaches=QUANTIZED,
    )
    overflow_fix: str | None = key(
        Choice(words=("disable", "enable", "first-layer-only"), code="unknown-overflow-fix", what="`overflow-fix`"),
        default=None,
        shown="`first-layer-only`; on GPU and NPU `disable`",
        doc="int8 only: halve the range of weights, because 8-bit sums saturate on CPUs without VNNI",
        reaches=QUANTIZED,
    )
    on_drop: str = key(
        Choice(words=("fail", "mixed"), code="bad-value", what="`on-drop`"),
        default="fail",
        doc="int8 only: what to do if INT8 misses its gate. `fail`: the target fails. `mixed`: revert as few layers as "
        "possible to float, until the gate passes; `max-evaluations` and `max-minutes` limit the search",
        reaches=("gate",),
    )
    max_evaluations: int = key(
        Whole(minimum=1),
        default=60,
        doc='int8 with `on-drop = "mixed"`: the search tries at most this number of sets of layers',
        reaches=SEARCHED,
        stated=True,
    )
    max_minutes: float | None = key(
        Number(minimum=0),
        default=None,
        shown="no limit",
        doc='int8 with `on-drop = "mixed"`: the search ends after this time, and the gate judges the best set so far',
        reaches=SEARCHED,
    )

    @property
    def control(self) -> AccuracyControl | None:
        """The limits of the search for layers to revert to float; None if the target fails instead."""
        if self.on_drop == "fail":
            return None
        return AccuracyControl(max_evaluations=self.max_evaluations, max_minutes=self.max_minutes)


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightCompression:
    """Settings of `nncf.compress_weights`. `bits` is "int8" or "int4"."""

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
        """NNCF's name of the mode, such as `int4-asym`."""
        return f"{self.bits}-{self.mode}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FourBits(WeightCompression):
    """Settings of weights in 4 bits only."""

    group_size: int | None = key(
        Whole(minimum=-1),
        default=None,
        shown="128",
        doc="Number of weights that share a scale; -1: all weights of a channel",
        reaches=COMPRESSED,
    )
    ratio: float | None = key(
        Number(minimum=0, maximum=1),
        default=None,
        shown="1",
        doc="Share of the weights to store in 4 bits, of those that can be (see `all-layers`). The rest of "
        "them uses `backup-mode`",
        reaches=COMPRESSED,
    )
    all_layers: bool = key(
        Flag(),
        default=False,
        doc="Use 4 bits for embeddings and the last MatMul too. Convolutions always use 8 bits",
        reaches=COMPRESSED,
    )
    backup_mode: str | None = key(
        Choice(words=("none", "int8-sym", "int8-asym"), code="unknown-backup-mode", what="`backup-mode`"),
        default=None,
        shown="int8-asym",
        doc="Form of the weights that are not in 4 bits; `none`: floating point",
        reaches=COMPRESSED,
    )
    group_size_fallback_mode: str = key(
        Choice(words=("error", "ignore", "adjust"), code="unknown-group-size-fallback", what="fallback"),
        default="adjust",
        doc="If `group-size` does not divide a layer's channels: fail, leave the layer in floating point, or use a "
        "smaller group (at least 32, else `backup-mode`). NNCF's own default is `error`",
        reaches=COMPRESSED,
        stated=True,
    )


OF_PRECISION: Mapping[str, tuple[Key, ...]] = {
    "int8-weights": keys_of(WeightCompression),
    "int4-weights": keys_of(FourBits),
}
