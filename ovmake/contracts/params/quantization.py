"""The params of IRs of reduced precision."""

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
    """Layers of the source or operations of the IR that stay in floating point, by name, type or pattern."""

    names: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SmoothQuantParams(Declared):
    """SmoothQuant's alpha by kind of operation; None is NNCF's default."""

    convolution: float | None = None
    matmul: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantizationParams(Declared):
    """The arguments of `nncf.quantize`, which calibrates on `samples` samples. None is NNCF's default.

    `smooth_quant` is False if the Ovfile switches it off.
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
    """The arguments of `nncf.compress_weights`. None is NNCF's default."""

    mode: str
    group_size: int | None = None
    ratio: float | None = None
    all_layers: bool = False
    backup_mode: str | None = None
    group_size_fallback_mode: str | None = None
    ignored: IgnoredParams = IgnoredParams()


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchLimits(Declared):
    """The limits of the search for layers to revert to float: sets to try, and minutes."""

    max_evaluations: int
    max_minutes: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantizeParams:
    """*quantize*. `traced` says how to convert the source again to find its layers, None if no layer is named.

    `seed` chooses among the samples if the dataset has more than are used.
    """

    KEBAB: ClassVar[bool] = True

    quantization: QuantizationParams = field(metadata=flat_as(""))
    traced: ConvertParams | None = field(default=None, metadata=flat_as(""))
    dataset: DatasetParams
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CompressWeightsParams:
    """*compress-weights*. `traced` as in *quantize*; `seed` draws the sample that layers are matched on."""

    KEBAB: ClassVar[bool] = True

    weights: WeightParams = field(metadata=flat_as(""))
    traced: ConvertParams | None = field(default=None, metadata=flat_as(""))
    seed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlParams:
    """*control*: each trial is an evaluation judged by `promise`; the search ends at `limits`.

    `replay` are the layers that the lock names as reverted: this set is tried before any search. It is advice.
    """

    KEBAB: ClassVar[bool] = True

    trial: EvaluateParams = field(metadata=flat_as(""))
    promise: PromiseParams = field(metadata=flat_as("accuracy"))
    limits: SearchLimits = field(metadata=flat_as(""))
    replay: tuple[str, ...] = ()
