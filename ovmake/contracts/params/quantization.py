"""How IRs of reduced precision are made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from ovmake.contracts.codec import flat_as
from ovmake.contracts.params.data import DatasetParams
from ovmake.contracts.params.declared import Declared
from ovmake.contracts.params.evaluation import EvaluateParams
from ovmake.contracts.params.model import ConvertParams
from ovmake.contracts.params.promise import PromiseParams


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoredParams(Declared):
    """What stays in floating point: layers of the source or operations of the IR, by name, type or pattern."""

    names: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SmoothQuantParams(Declared):
    """SmoothQuant's alpha by kind of operation; None is NNCF's own."""

    convolution: float | None = None
    matmul: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantizationParams(Declared):
    """How `nncf.quantize` is called, with `samples` samples. None leaves an option to NNCF.

    `smooth_quant` is False where the Ovfile switches it off.
    """

    preset: str
    samples: int
    model_type: str | None = None
    ignored: IgnoredParams = IgnoredParams()
    smooth_quant: Literal[False] | SmoothQuantParams = SmoothQuantParams()
    bias_correction: bool = True
    fast_bias_correction: bool = True
    overflow_fix: str | None = None
    target_device: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightParams(Declared):
    """How `nncf.compress_weights` is called. None leaves an option to NNCF."""

    mode: str
    group_size: int | None = None
    ratio: float | None = None
    all_layers: bool = False
    backup_mode: str | None = None
    group_size_fallback_mode: str | None = None
    ignored: IgnoredParams = IgnoredParams()


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchLimits(Declared):
    """How long to search for layers to revert to float: how many sets to try, and for how many minutes."""

    max_evaluations: int
    max_minutes: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantizeParams:
    """*quantize*. `traced` is how the source is converted once more to find its layers, None where none is named.

    `seed` chooses among the samples of the dataset where it has more than are used.
    """

    KEBAB: ClassVar[bool] = True

    quantization: QuantizationParams = field(metadata=flat_as(""))
    traced: ConvertParams | None = field(default=None, metadata=flat_as(""))
    dataset: DatasetParams
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CompressWeightsParams:
    """*compress-weights*. `traced` as in *quantize*; `seed` is of the sample that layers are found by."""

    KEBAB: ClassVar[bool] = True

    weights: WeightParams = field(metadata=flat_as(""))
    traced: ConvertParams | None = field(default=None, metadata=flat_as(""))
    seed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlParams:
    """*control*: a trial is an evaluation, which the promise judges, until the limits are reached.

    `replay` are the layers that the lock names as reverted: this set is tried before any search. It is advice.
    """

    KEBAB: ClassVar[bool] = True

    trial: EvaluateParams = field(metadata=flat_as(""))
    promise: PromiseParams = field(metadata=flat_as("accuracy"))
    limits: SearchLimits = field(metadata=flat_as(""))
    replay: tuple[str, ...] = ()
