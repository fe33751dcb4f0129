"""What an Ovfile means, after defaults and precision tables are merged.

An `Ovfile` holds `Dataset`s and `Target`s. A `Target` is complete by itself: everything that `[defaults]`, the model
and the precision's table say about it has been looked up, nearest first, and `origins` remembers where each setting was
written, so that a reason ("`inputs.image.mean` changed") and a failure at run time can point home.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ovmake.contracts.forms import DatasetForm, form_of
from ovmake.contracts.params.evaluation import DEFAULT_DEVICE
from ovmake.contracts.params.promise import MaxDrop
from ovmake.contracts.places import BUILD
from ovmake.diagnostics import Diagnostic

KeyPath = tuple[str | int, ...]

VERSION = 1  # of the format
LIMITS = "limits"
PRECISIONS = ("fp32", "fp16", "bf16", "int8", "int8-weights", "int4-weights", "auto")
DEFAULT_PRECISIONS = ("fp32", "fp16")
AUTO = "auto"
# What `auto` can choose from, the most accurate first: of two that run equally fast it takes the earlier. Not bf16:
# that is a way of executing an IR, and `auto` publishes one that is fast as it is.
CANDIDATES = ("fp32", "fp16", "int8-weights", "int8", "int4-weights")
# What `auto` weighs where the Ovfile does not say; INT8 where there are samples to calibrate it on.
DEFAULT_CANDIDATES = ("fp32", "fp16", "int8-weights", "int8")
DEFAULT_BUILD_DIR = BUILD
DEFAULT_MAX_DROP = 0.01
DEFAULT_RELATIVE_DROP = 0.01
DEFAULT_SAMPLES = 300
DEFAULT_PRESET = "mixed"
DEFAULT_WEIGHTS_MODE = "asym"
DEFAULT_GROUP_SIZE = 128
DEFAULT_BACKUP_MODE = "int8-asym"
DEFAULT_GROUP_SIZE_FALLBACK = "adjust"
DEFAULT_MAX_SECONDS = 20.0
DEFAULT_MAX_EVALUATIONS = 60
NOISE = "noise"
SEED = 0

# The gate without labels: cosine between TensorFlow's output and the IR's, over every element of an output, that an
# IR of this precision must reach. Rounding to fp32 costs nothing here, to fp16 1e-6 in trained models and 3e-4 in deep
# ones with random weights, plain INT8 about 1e-2. Executed in bf16, examples/fashion loses 2e-5, and a transformer of 8
# blocks with random weights 5e-5; with weights in 8 bits they lose 1e-5 and 2e-4, in 4 bits 2e-4 and 2e-2.
DEFAULT_COSINE: Mapping[str, float] = {
    "fp32": 0.99999,
    "fp16": 0.999,
    "bf16": 0.999,
    "int8": 0.98,
    "int8-weights": 0.99,
    "int4-weights": 0.95,
}

# Cosine is blind to scale, so floating point must also agree element by element: the largest difference in an output,
# as a share of the output's own scale (the largest magnitude in TensorFlow's). Two correct FP32 implementations differ
# by some 1e-6 in a deep network. Rounding weights to FP16 costs 1e-3 in most trained models, 3e-2 in deep ones with
# random weights, and 1e-1 at single elements of one that takes logarithms; a wrong scale or a lost epsilon costs more.
# Executing in bf16 costs 1e-2 in that transformer and 3e-2 in examples/fashion. Weights in integers, like INT8, may be
# off by any amount at single elements: by 0.3 in that transformer in 4 bits, which agrees with it all the same.
DEFAULT_MAX_ERROR: Mapping[str, float] = {"fp32": 1e-4, "fp16": 0.25, "bf16": 0.25}

ELEMENT_TYPES = ("f32", "f16", "f64", "u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64", "boolean")
RESIZE_ALGORITHMS = ("linear", "cubic", "nearest")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageOptions:
    """What is done to an image before it goes into a model.

    `resize`: one size for the shorter side, or height and width; `crop`: a size or height and width, of the centre;
    `channels`: "rgb", "bgr" or "gray".
    """

    resize: tuple[int, ...] | None = None
    crop: tuple[int, ...] | None = None
    channels: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Samples in a file or a folder, or yielded by a function: then `path` is its .py file and `function` its name.

    `arrays` maps a model input to the array, column or feature that feeds it, or to several columns; `labels` names
    what holds the labels. `classes` are names in the order of their numbers. `limit` is how many samples to use after a
    seeded shuffle, `files` is what else is read besides `path`, and `max_overlap` says how many of the samples may also
    be in the validation set when they calibrate.
    """

    name: str
    path: str
    at: KeyPath
    arrays: tuple[tuple[str, tuple[str, ...]], ...] = ()
    labels: str | None = None
    limit: int | None = None
    function: str = ""
    files: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    images: ImageOptions = field(default_factory=ImageOptions)
    max_overlap: int = 0

    @property
    def is_labelled(self) -> bool:
        """Whether it has labels, or may: a loader and a folder of images say so only when they are read."""
        return self.labels is not None or bool(self.function) or self.form == "folder"

    @property
    def form(self) -> DatasetForm:
        """What kind of dataset the path names, by its words; what is in a folder, only a look at it can tell."""
        return "loader" if self.function else form_of(self.path)

    @property
    def key(self) -> str:
        """The key that says where the samples are."""
        return "loader" if self.function else "path"

    @property
    def places(self) -> Mapping[KeyPath, str]:
        """Every path that is read, by the key that names it."""
        files = {(*self.at, "files", place): path for place, path in enumerate(self.files)}
        return {(*self.at, self.key): self.path, **files} if self.path else files


Dimension = int | str
Scalar = bool | int | float


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """What an Ovfile says about one input. `shape` and the channels of `mean` and `scale` speak of the source's layout.

    The IR takes `type` in `layout` and computes, in this order: resize, reverse the channels, (x - mean) / scale,
    transpose to `model_layout`. A dimension of `shape` is a size, -1 (dynamic) or "1..8" (bounded). `value` freezes the
    input to a constant instead.
    """

    name: str
    shape: tuple[Dimension, ...] | None = None
    mean: tuple[float, ...] | None = None
    scale: tuple[float, ...] | None = None
    layout: str | None = None
    model_layout: str | None = None
    type: str | None = None
    reverse_channels: bool = False
    resize: str | None = None
    value: tuple[Scalar, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricOptions:
    """What an Ovfile says of a metric beyond its name.

    `output`: the one it is about, where the model has several. `threshold`: above it an output of one column says 1.
    `positive`: the class that precision, recall and F1 are about. `ignored`: a class of masks that does not count.
    `annotations`: the file of COCO's boxes. `higher_is_better`: of the user's own function.
    """

    output: str | None = None
    threshold: float | None = None
    positive: int | None = None
    ignored: int | None = None
    annotations: str | None = None
    higher_is_better: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """The gate. With a `metric`, labels decide; without, agreement with TensorFlow's outputs does.

    `cosine` is the least cosine, `max_error` the largest difference as a share of an output's scale. `promised`: the
    Ovfile asks for some of this, so that where TensorFlow cannot be compared with the target fails. `given` says which
    of `cosine` and `max-error` are the Ovfile's own.

    Without a `dataset`, samples of the dataset `calibration` judge, if there is one, but for the `calibrating` that
    calibrate INT8 by a seeded shuffle; else what is made up, as `noise` says that it shall be.
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
class Ignored:
    """What stays in floating point: layers of the source or operations of the IR, by name, type or pattern."""

    names: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()

    @property
    def traced(self) -> bool:
        """Whether layers of the source may be meant, which are to be found in the IR."""
        return bool(self.names or self.patterns)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccuracyControl:
    """Give layers back to floating point where the gate is missed: how many sets to try, and for how long (minutes)."""

    max_evaluations: int
    max_minutes: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantization:
    """Settings of INT8 quantization. `calibration` names a dataset, of which `samples` are used.

    `control` is None where a missed gate is the end of it.

    The others are NNCF's. `smooth_quant` holds the alphas that the Ovfile gives, by kind of operation, and is None
    where it switches SmoothQuant off; `overflow_fix` None is the device's default.
    """

    calibration: str
    samples: int
    preset: str
    model_type: str | None = None
    ignored: Ignored = Ignored()
    smooth_quant: tuple[tuple[str, float], ...] | None = ()
    bias_correction: bool = True
    fast_bias_correction: bool = True
    overflow_fix: str | None = None
    control: AccuracyControl | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightCompression:
    """Settings of weights in 8 or 4 bits, as `nncf.compress_weights` has them; the last five are of 4 bits only.

    `mode` is NNCF's word, such as `int4-asym`.
    """

    mode: str
    ignored: Ignored = Ignored()
    group_size: int | None = None
    ratio: float | None = None
    all_layers: bool = False
    backup_mode: str | None = None
    group_size_fallback_mode: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """How long the measurement of one target may take, and on which devices beside the target's it is measured."""

    max_seconds: float
    devices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Require:
    """What an IR must reach beside its accuracy, None where the Ovfile asks for nothing. `size` is in bytes.

    `measured` holds what a measurement must show, by key: speedup, p95-ms, throughput, memory (in bytes).
    """

    size: int | None = None
    measured: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One IR to make: `model`, or a `variant` of it, for `precision`. `outputs` are (name in the source, new name).

    `candidates` are what `auto` chooses from, each as it would be if it were listed itself; other targets have none.
    """

    model: str
    precision: str
    source: str
    signature: str
    tags: tuple[str, ...]
    batch: int | None
    inputs: tuple[Input, ...]
    variant: str = ""
    kind: str | None = None
    allow_ops: tuple[str, ...] = ()
    outputs: tuple[tuple[str, str], ...] = ()
    cut_inputs: tuple[str, ...] = ()
    cut_outputs: tuple[str, ...] = ()
    device: str = DEFAULT_DEVICE
    accuracy: Accuracy | None
    quantization: Quantization | None
    weights: WeightCompression | None = None
    benchmark: Benchmark
    require: Require = Require()
    speed_check: bool = True
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
class Limits:
    """What one action may take, None where nobody says. They change no result, and are settings of no action."""

    minutes: float | None = None
    memory_bytes: int | None = None


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
    limits: Limits = Limits()
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
