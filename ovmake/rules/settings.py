"""The settings of a target that each action uses. Only this module decides what an edit of the Ovfile makes stale.

    model_params(target)     changes of the model: cut, batch, inputs, outputs
    source_params(target)    the function of the source to use (kind, signature, tags), and operations that it may run
    tensorflow_...           the same for TensorFlow, in reference and benchmark
    device_params(target)    the device for verification and measurement, and the precision of execution
    quantization_params(...) options of INT8; weight_params(...): options of weights in 8 or 4 bits
    control_params(target)   limits of the search for layers to revert to float
    tracing_...              inputs to find the source's layers in an IR, if a precision must leave some in float
    metric_params(target)    the metric and its options; metric_inputs(target): its files
    dataset_params(dataset)  how samples are read from a dataset; judging_params(...): the gate's samples
    dataset_inputs(...)      the files of a dataset; dataset_tools(...): the libraries that decode them

A setting with its default value is left out of the params: see `graph.action`, rule 1.
"""

from __future__ import annotations

from dataclasses import replace

from ovmake.contracts.values import JsonValue
from ovmake.graph.action import Action, Artifact, Input, Param, Source
from ovmake.graph.lower import Lowering, SourceForm
from ovmake.ovfile.meaning.accuracy import function_file
from ovmake.ovfile.spec import DEFAULT_DEVICE, DEFAULT_SIGNATURE, DEFAULT_TAGS, SEED, Dataset, Ignored, Target

DEFAULT_KIND = "saved-model"
# The metrics that use scikit-learn. A user function may import it too.
BY_SCIKIT_LEARN = ("precision", "recall", "f1", "cosine")
# The forms of dataset that may contain images.
WITH_IMAGES = ("folder", "csv", "tfrecord")
# The kinds of source that `sources.fingerprint` supports.
FINGERPRINTED = ("saved-model", "frozen-graph")


def model_params(target: Target) -> tuple[Param, ...]:
    """Return the settings that change the computation, shapes or names of the IR."""
    named: list[tuple[str, JsonValue]] = [
        ("batch", target.batch),
        ("cut.inputs", target.cut_inputs or None),
        ("cut.outputs", target.cut_outputs or None),
    ]
    for tensor in sorted(target.inputs, key=lambda tensor: tensor.name):
        settings: list[tuple[str, JsonValue]] = [
            ("shape", tensor.shape),
            ("mean", tensor.mean),
            ("scale", tensor.scale),
            ("layout", tensor.layout),
            ("model-layout", tensor.model_layout),
            ("type", tensor.type),
            ("reverse-channels", tensor.reverse_channels or None),
            ("resize", tensor.resize),
            ("value", tensor.value),
        ]
        named += [(f"inputs.{tensor.name}.{key}", value) for key, value in settings]
    named += [(f"outputs.{name}", new) for name, new in sorted(target.outputs)]
    return tuple(Param(name=name, value=value) for name, value in named if value is not None)


def form_of(lowering: Lowering, target: Target) -> SourceForm:
    """Return the form of the target's source; the Ovfile's `kind` overrides the recognised one."""
    found = lowering.forms.get(target.source, SourceForm(kind=target.kind or DEFAULT_KIND))
    return replace(found, kind=target.kind) if target.kind else found


def source_inputs(target: Target, form: SourceForm, *, by_computation: bool = False) -> tuple[Input, ...]:
    """Return the source's file or folder as an input, and the files that belong to it."""
    roles = {"source": target.source, **{f"beside.{place}": path for place, path in enumerate(form.beside)}}
    return tuple(
        Input(role=role, origin=Source(path), at=(*target.home, "source"), by_computation=by_computation)
        for role, path in roles.items()
    )


def tensorflow_inputs(
    lowering: Lowering, target: Target, frozen: Action | None, *, by_bytes: bool = False
) -> tuple[Input, ...]:
    """Return the model that TensorFlow runs: the frozen graph if there is one, else the source itself.

    A source is compared by its fingerprint (see `rules/reference.py` and `rules/check_source.py`), unless `by_bytes`. A
    source with a cut is always compared by bytes: a cut names inner nodes, and a fingerprint does not cover their
    names.
    """
    if frozen is not None:
        return frozen_inputs(frozen)
    form = form_of(lowering, target)
    is_cut = bool(target.cut_inputs or target.cut_outputs)
    followed = form.kind in FINGERPRINTED and not by_bytes
    return source_inputs(target, form, by_computation=followed and not is_cut)


def frozen_inputs(frozen: Action) -> tuple[Input, ...]:
    """Return the two outputs of freezing."""
    return tuple(Input(role=role, origin=Artifact(frozen.name, role)) for role in ("graph", "names"))


def tensorflow_params(lowering: Lowering, target: Target, frozen: Action | None) -> tuple[Param, ...]:
    """Return the function that TensorFlow runs (a frozen graph has only one), and the operations that it may run."""
    return source_params(target, form_of(lowering, target).kind) if frozen is None else _allowed(target)


def source_params(target: Target, kind: str) -> tuple[Param, ...]:
    """Return the settings that select the function that TensorFlow runs; `kind` is the kind of the source.

    Shapes, cuts and preparation reach TensorFlow's side through the interface that *convert* writes.
    """
    named: list[tuple[str, JsonValue]] = []
    if kind != DEFAULT_KIND:
        named.append(("kind", kind))
    if target.signature != DEFAULT_SIGNATURE:
        named.append(("signature", target.signature))
    if target.tags != DEFAULT_TAGS:
        named.append(("tags", target.tags))
    return (*(Param(name=name, value=value) for name, value in named), *_allowed(target))


def _allowed(target: Target) -> tuple[Param, ...]:
    """Return the operations that the source may run though they do more than compute."""
    return (Param(name="allow-ops", value=target.allow_ops),) if target.allow_ops else ()


def device_params(target: Target) -> tuple[Param, ...]:
    """Return the device for verification and measurement, if not the CPU, and the precision of execution."""
    chosen = (Param(name="device", value=target.device),) if target.device != DEFAULT_DEVICE else ()
    return (*chosen, *execution_params(target))


def execution_params(target: Target) -> tuple[Param, ...]:
    """Return the precision in which floating point is executed, if not f32."""
    return (Param(name="execute-in", value="bf16"),) if target.precision == "bf16" else ()


def quantization_params(target: Target) -> tuple[Param, ...]:
    """Return the options of INT8 quantization: NNCF's options, without the samples themselves."""
    settings = target.quantization
    if settings is None:
        return ()
    on = _accelerator(target.device)
    smooth: list[tuple[str, JsonValue]] = [("smooth-quant", False)]
    if settings.smooth_quant is not None:
        smooth = [(f"smooth-quant.{kind}", alpha) for kind, alpha in settings.smooth_quant]
    named: list[tuple[str, JsonValue]] = [
        ("preset", settings.preset),
        ("samples", settings.samples),
        ("model-type", settings.model_type),
        *ignored_settings(settings.ignored),
        *smooth,
        ("bias-correction", None if settings.bias_correction else False),
        ("fast-bias-correction", None if settings.fast_bias_correction else False),
        # Sums of 8-bit products saturate only on CPUs without VNNI: other devices need no overflow fix.
        ("overflow-fix", settings.overflow_fix or ("disable" if on else None)),
        ("target-device", on),
    ]
    return tuple(Param(name=name, value=value) for name, value in named if value is not None)


def control_params(target: Target) -> tuple[Param, ...]:
    """Return the limits of the search for layers to revert to float; empty if there is no search."""
    control = target.quantization.control if target.quantization else None
    if control is None:
        return ()
    limits: list[tuple[str, JsonValue]] = [
        ("max-evaluations", control.max_evaluations),
        ("max-minutes", control.max_minutes),
    ]
    return tuple(Param(name=name, value=value) for name, value in limits if value is not None)


def weight_params(target: Target) -> tuple[Param, ...]:
    """Return the options for compressing weights to 8 or 4 bits."""
    settings = target.weights
    if settings is None:
        return ()
    named: list[tuple[str, JsonValue]] = [
        ("mode", settings.mode),
        ("group-size", settings.group_size),
        ("ratio", settings.ratio),
        ("all-layers", settings.all_layers or None),
        ("backup-mode", settings.backup_mode),
        ("group-size-fallback-mode", settings.group_size_fallback_mode),
        *ignored_settings(settings.ignored),
    ]
    return tuple(Param(name=name, value=value) for name, value in named if value is not None)


def ignored_settings(ignored: Ignored) -> list[tuple[str, JsonValue]]:
    """Return the settings for layers that stay in float, by name."""
    return [
        ("ignored.names", ignored.names or None),
        ("ignored.types", ignored.types or None),
        ("ignored.patterns", ignored.patterns or None),
    ]


def _accelerator(device: str) -> str | None:
    """Return NNCF's name of an accelerator: `GPU` for `GPU.1`. None for a CPU, or for a list of devices."""
    kind = device.partition(".")[0]
    return kind if kind in {"GPU", "NPU"} else None


def tracing_params(lowering: Lowering, target: Target, frozen: Action | None) -> tuple[Param, ...]:
    """Return the params of a second conversion, if the source's layers must be found in the IR: see `layer_map.py`.

    `frozen` is the freezing of the source, whose layers have names; None for a .tflite.
    """
    return (*tensorflow_params(lowering, target, frozen), *model_params(target)) if is_traced(target) else ()


def tracing_inputs(lowering: Lowering, target: Target, frozen: Action | None) -> tuple[Input, ...]:
    """Return the inputs of that second conversion."""
    return tensorflow_inputs(lowering, target, frozen) if is_traced(target) else ()


def is_traced(target: Target) -> bool:
    """Whether the source's layers must be found in the IR, because a precision leaves some in float."""
    settings = target.quantization or target.weights
    return settings is not None and settings.ignored.traced


def metric_params(target: Target) -> tuple[Param, ...]:
    """Return the metric, if there is one, and its options."""
    accuracy = target.accuracy
    if accuracy is None or accuracy.metric is None:
        return ()
    options = accuracy.options
    named: list[tuple[str, JsonValue]] = [
        ("metric", accuracy.metric),
        ("output", options.output),
        ("threshold", options.threshold),
        ("positive", options.positive),
        ("ignored", options.ignored),
        ("higher-is-better", None if options.higher_is_better else False),
    ]
    return tuple(Param(name=f"accuracy.{name}", value=value) for name, value in named if value is not None)


def metric_inputs(target: Target) -> tuple[Input, ...]:
    """Return the files of a metric: the user's function, or COCO's annotations."""
    accuracy = target.accuracy
    if accuracy is None or accuracy.metric is None:
        return ()
    named = {"metric": function_file(accuracy.metric), "annotations": accuracy.options.annotations}
    return tuple(
        Input(role=role, origin=Source(path), at=target.origins.get(f"accuracy.{role}", target.at))
        for role, path in named.items()
        if path is not None
    )


def metric_tools(target: Target) -> tuple[str, ...]:
    """Return the libraries that compute the metric."""
    metric = target.accuracy.metric if target.accuracy else None
    if metric is None:
        return ()
    return ("pycocotools",) if metric == "coco-map" else ("scikit-learn",) if metric in BY_SCIKIT_LEARN else ()


def dataset_params(dataset: Dataset | None, *, labels: bool, role: str = "dataset") -> tuple[Param, ...]:
    """Return the params for reading samples from a dataset; without a dataset, the seed of synthetic inputs.

    `labels`: whether labels are used. The names of classes are labels too.
    """
    if dataset is None:
        return (Param(name="seed", value=SEED),)
    named: list[tuple[str, JsonValue]] = [
        *((f"inputs.{key}", names[0] if len(names) == 1 else names) for key, names in sorted(dataset.arrays)),
        ("loader", dataset.function or None),
        ("labels", dataset.labels if labels else None),
        ("classes", (dataset.classes or None) if labels else None),
        ("images.resize", dataset.images.resize),
        ("images.crop", dataset.images.crop),
        ("images.channels", dataset.images.channels),
        ("limit", dataset.limit),
    ]
    seeded = (Param(name="seed", value=SEED),) if dataset.limit is not None else ()
    return (*(Param(name=f"{role}.{key}", value=value) for key, value in named if value is not None), *seeded)


def dataset_tools(*datasets: Dataset | None) -> tuple[str, ...]:
    """Return the libraries that decode samples: Pillow, whose versions decode and resize images differently.

    The content of a folder, a .csv or a TFRecord is unknown here, so each of them may hold images. The library for
    checksums does not count: it refuses a file, or has no effect.
    """
    return ("pillow",) if any(one is not None and one.form in WITH_IMAGES for one in datasets) else ()


def dataset_inputs(dataset: Dataset | None, role: str = "dataset") -> tuple[Input, ...]:
    """Return the inputs of a dataset: its file or folder, or its loader; and further files that it names."""
    if dataset is None:
        return ()
    files = enumerate(dataset.files)
    return (
        Input(role=role, origin=Source(dataset.path), at=(*dataset.at, dataset.key)),
        *(Input(role=f"{role}.files.{place}", origin=Source(path), at=(*dataset.at, "files")) for place, path in files),
    )


def ir_inputs(action: str) -> tuple[Input, ...]:
    """Return the two files of the IR that `action` made."""
    return (
        Input(role="xml", origin=Artifact(action, "xml")),
        Input(role="bin", origin=Artifact(action, "bin")),
    )


def validation_set(datasets: dict[str, Dataset], target: Target) -> Dataset | None:
    """Return the validation set of the target, None if the Ovfile names none."""
    return datasets[target.accuracy.dataset] if target.accuracy and target.accuracy.dataset else None


def judging_set(datasets: dict[str, Dataset], target: Target) -> Dataset | None:
    """Return the dataset of the gate's samples: the validation set, else the calibration set, else None (synthetic)."""
    calibration = target.accuracy.calibration if target.accuracy else None
    return validation_set(datasets, target) or (datasets[calibration] if calibration else None)


def judging_params(datasets: dict[str, Dataset], target: Target, *, labels: bool) -> tuple[Param, ...]:
    """Return the params for reading the gate's samples. Of a calibration set, those that calibrate are excluded."""
    accuracy = target.accuracy
    found = dataset_params(judging_set(datasets, target), labels=labels)
    if accuracy is None or accuracy.calibration is None:
        return found
    return tuple(
        dict.fromkeys((*found, Param(name="calibrating", value=accuracy.calibrating), Param(name="seed", value=SEED)))
    )


def plan_inputs(lowering: Lowering, target: Target) -> tuple[Input, ...]:
    """Return the feeding plan that the gate found (`feeding_plan.py`), if both use synthetic inputs.

    Empty if there is no gate, or if the gate uses a dataset.
    """
    if judging_set(dict(lowering.ovfile.datasets), target) is not None:
        return ()
    evaluations = (lowering.actions.get(f"evaluate {one.name}") for one in (target, *target.candidates))
    return next((tuple(given for given in one.inputs if given.role == "plan") for one in evaluations if one), ())


def search_inputs(searched: Action | None) -> tuple[Input, ...]:
    """Return the result of the search for layers to revert to float; empty without a search."""
    return (Input(role="search", origin=Artifact(searched.name, "search")),) if searched else ()
