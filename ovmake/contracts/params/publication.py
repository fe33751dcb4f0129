"""The params of *publish*: all settings that shaped a target. The record repeats them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ovmake.contracts.codec import flat_as
from ovmake.contracts.params.data import SampleParams
from ovmake.contracts.params.evaluation import DeviceParams, MetricParams
from ovmake.contracts.params.model import ConvertParams
from ovmake.contracts.params.promise import PromiseParams
from ovmake.contracts.params.quantization import QuantizationParams, SearchLimits, WeightParams


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedParams:
    """How an IR was judged. `dataset` and `annotations` are paths; `inputs` is "noise" if the Ovfile asks for it."""

    KEBAB: ClassVar[bool] = True

    dataset: str | None = field(default=None, metadata=flat_as("accuracy.dataset"))
    inputs: str | None = field(default=None, metadata=flat_as("accuracy.inputs"))
    annotations: str | None = field(default=None, metadata=flat_as("accuracy.annotations"))
    promise: PromiseParams = field(default=PromiseParams(), metadata=flat_as("accuracy"))
    metric: MetricParams | None = field(default=None, metadata=flat_as("accuracy"))
    samples: SampleParams = field(default=SampleParams(), metadata=flat_as(""))


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeParams:
    """How an IR was made and judged. `calibration` is the path of the dataset; `judged` is None without a gate."""

    KEBAB: ClassVar[bool] = True

    quantization: QuantizationParams | None = field(default=None, metadata=flat_as(""))
    weights: WeightParams | None = field(default=None, metadata=flat_as(""))
    search: SearchLimits | None = field(default=None, metadata=flat_as(""))
    calibration: str | None = None
    judged: JudgedParams | None = field(default=None, metadata=flat_as(""))


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishParams:
    """*publish*. `path` is the source's. `candidates` are the precisions that `auto` chose from.

    `own` holds the settings of each candidate that differ from `made`.
    """

    KEBAB: ClassVar[bool] = True

    target: str
    path: str = field(metadata=flat_as("source"))
    converted: ConvertParams = field(default_factory=ConvertParams, metadata=flat_as(""))
    device: DeviceParams = field(default=DeviceParams(), metadata=flat_as(""))
    made: MadeParams = field(default=MadeParams(), metadata=flat_as(""))
    candidates: tuple[str, ...] = ()
    own: Mapping[str, MadeParams] = field(default_factory=dict, metadata=flat_as(""))
