"""What an Ovfile means, after defaults and precision tables are merged.

An `Ovfile` holds `Dataset`s and `Target`s. A `Target` is complete by itself: everything that `[defaults]`, the model
and the precision's table say about it has been looked up, nearest first, and `origins` remembers where each setting was
written, so that a reason ("`inputs.image.mean` changed") and a failure at run time can point home.

The plain keys are fields of dataclasses in `schema/`, each of which declares its key; a target holds them.
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

    `cosine` is the least cosine, `max_error` the largest difference as a share of an output's scale. `promised`: the
    Ovfile asks for some of this, so that where TensorFlow cannot be compared with the target fails. `given` says which
    of `cosine` and `max-error` are the Ovfile's own.

    Without a `dataset`, samples of the dataset `calibration` judge, if there is one, but for the `calibrating` that
    calibrate INT8 by a seeded shuffle; else synthetic inputs, if `noise` is set.
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
        """Whether labels are read, where the dataset has some."""
        return self.metric not in {None, "cosine"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target(TargetKeys):
    """One IR to make: `model`, or a `variant` of it, for `precision`. `outputs` are (name in the source, new name).

    `candidates` are what `auto` chooses from, each as it would be if it were listed itself; other targets have none.
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
        """The name a user asks for: `mobilenet:int8`, `mobilenet@thumb:int8`."""
        return f"{self.family}:{self.precision}"

    @property
    def home(self) -> KeyPath:
        """The table of the model, which says where the source is."""
        return ("models", self.model)

    @property
    def family(self) -> str:
        """The model, or the model's variant: what all precisions share. Also the folder under the build folder."""
        return f"{self.model}@{self.variant}" if self.variant else self.model


@dataclass(frozen=True, slots=True, kw_only=True)
class Ovfile:
    """A whole Ovfile, or the part of it that some models are about.

    `targets` are in the order of the file; `models` names all that it declares, also where `targets` are those of a few
    only; `warnings` are what is legal but looks like a mistake.
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
        """Operations that sources may run though they do more than compute, by the keys that allow them."""
        every = (one for target in self.targets for one in (target, *target.candidates))
        return {one.origins.get("allow-ops", one.at): one.allow_ops for one in every if one.allow_ops}

    @property
    def user_code(self) -> Mapping[KeyPath, str]:
        """Functions of the user's that a build would run, as "data.py:val", by the keys that name them."""
        loaders = {(*d.at, "loader"): f"{d.path}:{d.function}" for d in self.datasets.values() if d.function}
        metrics = {
            target.origins.get("accuracy.metric", target.at): target.accuracy.metric
            for target in self.targets
            if target.accuracy and target.accuracy.metric and ".py:" in target.accuracy.metric
        }
        return {**loaders, **metrics}
