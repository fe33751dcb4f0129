"""What a process that times a model answers to the one that measures. See `workers/measurement/timing.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ovmake.contracts.files.executed import TimedLayer


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedModel:
    """A model that was loaded and run once. `way` says how it is called; `dataset`: on samples of the Ovfile's."""

    batch: int
    load_ms: float
    first_inference_ms: float
    dataset: bool
    way: str
    dynamic_inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportCost:
    """What a framework's import took, and its version. The memory is null where the system does not tell."""

    import_ms: float
    memory_bytes: int | None
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutedIr:
    """What the runtime makes of an IR: `executed` counts layers by the precision that they compute in.

    `conversions` is in how many places activations become INT8. `by_default` is what floating point is executed in
    without properties, "" where that is no other precision.
    """

    executed: Mapping[str, int] = field(default_factory=dict)
    conversions: int = 0
    by_default: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The layers in the order in which they run; none where the framework does not tell."""

    layers: tuple[TimedLayer, ...]
