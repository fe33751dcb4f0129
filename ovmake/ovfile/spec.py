"""What an Ovfile means, after defaults and precision tables are merged.

An `Ovfile` holds `Dataset`s and `Target`s. A `Target` is complete by itself: everything that `[defaults]`, the model
and the precision's table say about it has been looked up, nearest first, and `origins` remembers where each setting was
written, so that a reason ("`inputs.image.mean` changed") and a failure at run time can point home.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ovmake.diagnostics import Diagnostic

KeyPath = tuple[str | int, ...]

VERSION = 1  # of the format
PRECISIONS = ("fp32", "fp16", "bf16", "int8", "int8-weights", "int4-weights", "auto")
DEFAULT_PRECISIONS = ("fp32", "fp16")
DEFAULT_BUILD_DIR = "build"
DEFAULT_DEVICE = "CPU"
DEFAULT_SIGNATURE = "serving_default"
DEFAULT_TAGS = ("serve",)
DEFAULT_MAX_DROP = 0.01
DEFAULT_SAMPLES = 300
DEFAULT_PRESET = "mixed"
DEFAULT_MAX_SECONDS = 10.0
SEED = 0

# The gate without labels: cosine between TensorFlow's output and the IR's, over every element of an output, that an
# IR of this precision must reach. Rounding to fp32 costs nothing here, to fp16 about 1e-6, plain INT8 about 1e-2.
DEFAULT_COSINE: Mapping[str, float] = {"fp32": 0.99999, "fp16": 0.9999, "int8": 0.98}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Samples in a file.

    `arrays` maps a model input to the array that feeds it; `limit` is how many samples to use after a seeded shuffle.
    """

    name: str
    path: str
    arrays: tuple[tuple[str, str], ...]
    labels: str | None
    limit: int | None
    at: KeyPath


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """What an Ovfile says about one input. `shape` and the channels of `mean` and `scale` speak of the source's layout.

    The IR computes (x - mean) / scale. -1 in `shape` is a dynamic dimension.
    """

    name: str
    shape: tuple[int, ...] | None = None
    mean: tuple[float, ...] | None = None
    scale: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """How much worse than TensorFlow an IR may be: metric units, or a fraction of TensorFlow's metric if `relative`."""

    amount: float
    relative: bool = False

    @property
    def written(self) -> float | str:
        """As an Ovfile has it: 0.01, or "1%"."""
        return f"{self.amount * 100:.12g}%" if self.relative else self.amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """The gate. With a `metric`, labels decide; without, `cosine` agreement with TensorFlow's outputs does."""

    dataset: str | None
    metric: str | None
    max_drop: Drop | None
    cosine: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantization:
    """Settings of plain INT8 quantization. `calibration` names a dataset, of which `samples` are used."""

    calibration: str
    samples: int
    preset: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """How long the measurement of one target may take."""

    max_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One IR to make: `model` for `precision`."""

    model: str
    precision: str
    source: str
    signature: str
    tags: tuple[str, ...]
    batch: int | None
    inputs: tuple[Input, ...]
    accuracy: Accuracy | None
    quantization: Quantization | None
    benchmark: Benchmark
    at: KeyPath
    origins: Mapping[str, KeyPath] = field(default_factory=dict, compare=False)

    @property
    def name(self) -> str:
        """The name a user asks for: `mobilenet:int8`."""
        return f"{self.model}:{self.precision}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ovfile:
    """A whole Ovfile. `targets` are in the order of the file; `warnings` are what is legal but looks like a mistake."""

    build_dir: str
    device: str
    report_title: str
    datasets: Mapping[str, Dataset]
    targets: tuple[Target, ...]
    warnings: tuple[Diagnostic, ...] = field(default=(), compare=False)
