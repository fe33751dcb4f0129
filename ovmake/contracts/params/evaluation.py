"""The params of actions that run a model over samples: the reference, the evaluation, and the checks before them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from ovmake.contracts.codec import flat_as, named
from ovmake.contracts.params.data import DatasetParams, SampleParams
from ovmake.contracts.params.declared import Declared
from ovmake.contracts.params.model import ConvertParams
from ovmake.contracts.params.source import SourceParams

DEFAULT_DEVICE = "CPU"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceParams:
    """The device to verify and measure on, and the precision to execute floating point in."""

    KEBAB: ClassVar[bool] = True

    device: str = DEFAULT_DEVICE
    execute_in: Literal["f32", "bf16"] = "f32"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricParams(Declared):
    """A metric and its options. See `contracts.metrics`, and `ovfile.schema.accuracy.MetricOptions`."""

    name: str = field(metadata=named("metric"))
    output: str | None = None
    threshold: float | None = None
    positive: int | None = None
    ignored: int | None = None
    higher_is_better: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceParams:
    """*reference*."""

    KEBAB: ClassVar[bool] = True

    source: SourceParams = field(default=SourceParams(), metadata=flat_as(""))
    samples: SampleParams = field(metadata=flat_as(""))


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateParams:
    """*evaluate*; `metric` is None if only outputs are compared."""

    KEBAB: ClassVar[bool] = True

    samples: SampleParams = field(metadata=flat_as(""))
    metric: MetricParams | None = field(default=None, metadata=flat_as("accuracy"))
    device: DeviceParams = field(default=DeviceParams(), metadata=flat_as(""))


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSamplesParams:
    """*check-samples*."""

    KEBAB: ClassVar[bool] = True

    samples: SampleParams = field(metadata=flat_as(""))
    metric: MetricParams | None = field(default=None, metadata=flat_as("accuracy"))


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckCalibrationParams:
    """*check-calibration*: `samples` of the dataset `calibration` calibrate. `seed` shuffles.

    `samples_written`: the Ovfile states the number, so a smaller dataset is an error. `validated_by` names the
    validation set, None without one. `max_overlap` is the number of samples that may be in both.
    """

    KEBAB: ClassVar[bool] = True

    samples: int
    samples_written: bool = False
    calibration: str
    dataset: DatasetParams
    max_overlap: int = field(default=0, metadata=flat_as("dataset.max-overlap"))
    validated_by: str | None = field(default=None, metadata=flat_as("accuracy.dataset"))
    validation: DatasetParams | None = None
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareLayersParams:
    """*compare-layers*: both sides run the first `count` samples."""

    KEBAB: ClassVar[bool] = True

    converted: ConvertParams = field(metadata=flat_as(""))
    execute_in: Literal["f32", "bf16"] = "f32"
    given: SampleParams = field(metadata=flat_as(""))
    count: int = field(metadata=named("samples"))
