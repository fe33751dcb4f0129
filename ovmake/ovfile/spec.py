"""The typed Ovfile, after defaults and precision tables are merged.

An `Ovfile` holds `Dataset`s and `Target`s. A `Target` is complete: its settings are looked up in the precision's
table, the model and `[defaults]`, nearest first. `origins` records where each setting was written, so that a reason
("`inputs.image.mean` changed") and an error at run time can point at it.

The plain keys are fields of dataclasses in `schema/`; each field declares its key. A target holds these dataclasses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ovmake.contracts.params.evaluation import DEFAULT_DEVICE
from ovmake.contracts.params.promise import MaxDrop
from ovmake.diagnostics import Diagnostic
from ovmake.ovfile.schema.accuracy import MetricOptions
from ovmake.ovfile.schema.compression import Quantization, WeightCompression
from ovmake.ovfile.schema.datasets import Dataset
from ovmake.ovfile.schema.inputs import Cut, Input
from ovmake.ovfile.schema.keys import TargetKeys
from ovmake.ovfile.schema.measuring import Benchmark, Limits, Require
from ovmake.ovfile.schema.sharing import Cache
from ovmake.ovfile.words import DEFAULT_SAMPLES, KeyPath


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """The gate. With a `metric`, labels decide; without, agreement with TensorFlow's outputs does.

    `cosine` is the minimum cosine, `max_error` the maximum difference as a share of an output's scale. `promised`: the
    Ovfile itself sets part of the gate, so the target fails if it cannot be compared with TensorFlow. `given` lists
    which of `cosine` and `max-error` the Ovfile sets.

    Without a `dataset`, the gate uses samples of the dataset `calibration`, if there is one, except the `calibrating`
    samples that a seeded shuffle draws to calibrate INT8; otherwise synthetic inputs, if `noise` is set.
    """

    dataset: str | None
    metric: str | None
    max_drop: MaxDrop | None
    cosine: float | None
    max_error: float | None
    promised: bool
    given: tuple[str, ...] = ()
    options: MetricOptions = field(default_factory=MetricOptions)
    calibration: str | None = None
    calibrating: int = DEFAULT_SAMPLES
    noise: bool = False

    @property
    def uses_labels(self) -> bool:
        """Whether labels are read, if the dataset has any."""
        return self.metric not in {None, "cosine"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target(TargetKeys):
    """One IR to make: `model`, or a `variant` of it, for `precision`. `outputs` are (name in the source, new name).

    `candidates` are the targets that `auto` chooses from, as if `precisions` listed them; empty for other targets.
    """

    model: str
    precision: str
    source: str
    inputs: tuple[Input, ...] = ()
    variant: str = ""
    outputs: tuple[tuple[str, str], ...] = ()
    cut: Cut = field(default_factory=Cut)
    device: str = DEFAULT_DEVICE
    accuracy: Accuracy | None
    quantization: Quantization | None = None
    weights: WeightCompression | None = None
    benchmark: Benchmark = field(default_factory=Benchmark)
    require: Require = field(default_factory=Require)
    candidates: tuple[Target, ...] = ()
    at: KeyPath
    origins: Mapping[str, KeyPath] = field(default_factory=dict, compare=False)

    @property
    def name(self) -> str:
        """The target's name on the command line: `mobilenet:int8`, `mobilenet@thumb:int8`."""
        return f"{self.family}:{self.precision}"

    @property
    def home(self) -> KeyPath:
        """The table of the model, which names the source."""
        return ("models", self.model)

    @property
    def family(self) -> str:
        """The model or variant, without the precision. Also the folder in the build folder."""
        return f"{self.model}@{self.variant}" if self.variant else self.model


@dataclass(frozen=True, slots=True, kw_only=True)
class Ovfile:
    """A whole Ovfile, or the part of it for some models.

    `targets` are in the order of the file. `models` names all declared models, even if `targets` has only some of them.
    `warnings` are about settings that are legal but look like mistakes.
    """

    build_dir: str
    device: str
    report_title: str
    datasets: Mapping[str, Dataset]
    targets: tuple[Target, ...]
    models: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    cache: Cache = field(default_factory=Cache)
    warnings: tuple[Diagnostic, ...] = field(default=(), compare=False)

    @property
    def allowed_ops(self) -> Mapping[KeyPath, tuple[str, ...]]:
        """Operations with side effects that sources may run, by the key that allows them."""
        every = (one for target in self.targets for one in (target, *target.candidates))
        return {one.origins.get("allow-ops", one.at): one.allow_ops for one in every if one.allow_ops}

    @property
    def user_code(self) -> Mapping[KeyPath, str]:
        """The user's functions that a build would run, such as "data.py:val", by the key that names them."""
        loaders = {(*d.at, "loader"): f"{d.path}:{d.function}" for d in self.datasets.values() if d.function}
        metrics = {
            target.origins.get("accuracy.metric", target.at): target.accuracy.metric
            for target in self.targets
            if target.accuracy and target.accuracy.metric and ".py:" in target.accuracy.metric
        }
        return {**loaders, **metrics}
