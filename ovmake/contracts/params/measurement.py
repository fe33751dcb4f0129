"""The params of measurements: an IR and TensorFlow, the candidates of `auto`, INT8 and FP32."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ovmake.contracts.codec import flat_as
from ovmake.contracts.params.data import SampleParams
from ovmake.contracts.params.declared import Declared
from ovmake.contracts.params.evaluation import DeviceParams
from ovmake.contracts.params.source import SourceParams


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkParams(Declared):
    """*benchmark*: takes at most `max_seconds`."""

    more: Mapping[str, object] = field(default_factory=dict, metadata=flat_as("benchmark"))
    max_seconds: float = field(metadata=flat_as("benchmark.max-seconds"))
    source: SourceParams = field(default=SourceParams(), metadata=flat_as(""))
    device: DeviceParams = field(default=DeviceParams(), metadata=flat_as(""))
    samples: SampleParams = field(metadata=flat_as(""))


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeCandidatesParams(Declared):
    """*time-candidates*: the precisions to time in turns, for a share of `max_seconds`."""

    candidates: tuple[str, ...]
    more: Mapping[str, object] = field(default_factory=dict, metadata=flat_as("benchmark"))
    max_seconds: float = field(metadata=flat_as("benchmark.max-seconds"))
    device: DeviceParams = field(default=DeviceParams(), metadata=flat_as(""))
    samples: SampleParams = field(metadata=flat_as(""))


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareSpeedParams:
    """*compare-speed*: the device and the inputs."""

    KEBAB: ClassVar[bool] = True

    device: DeviceParams = field(default=DeviceParams(), metadata=flat_as(""))
    samples: SampleParams = field(metadata=flat_as(""))
