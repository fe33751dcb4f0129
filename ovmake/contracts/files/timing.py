"""Answers of a process that times a model. See `workers/measurement/timing.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ovmake.contracts.files.executed import TimedLayer


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedModel:
    """A model that was loaded and run once. `way` says how it is called. `dataset`: it ran on a dataset."""

    batch: int
    load_ms: float
    first_inference_ms: float
    dataset: bool
    way: str
    dynamic_inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportCost:
    """The cost of importing a framework, and its version. The memory is null if the system does not report it."""

    import_ms: float
    memory_bytes: int | None
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutedIr:
    """An IR as the runtime executes it: `executed` counts layers by the precision that they compute in.

    `conversions` is the number of layers that convert activations to INT8. `by_default` is the precision that floating
    point is executed in without properties, "" if it is the same.
    """

    executed: Mapping[str, int] = field(default_factory=dict)
    conversions: int = 0
    by_default: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The layers in execution order; empty if the framework does not report them."""

    layers: tuple[TimedLayer, ...]
