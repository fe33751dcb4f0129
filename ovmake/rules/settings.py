"""Which settings of a target which action uses: the one place that decides what an edit of the Ovfile makes stale.

    model_params(target)     what changes the model: cut, batch, inputs, outputs
    source_params(target)    which function of the source is meant: kind, signature, tags; and what it may run
    tensorflow_...           what of it TensorFlow gets, for reference and benchmark
    device_params(target)    where to verify and measure, and in which precision to execute
    timing_params(...)       how long to measure
    quantization_params(...) how INT8 is made; weight_params(...) how weights in 8 or 4 bits are
    control_params(target)   how long to search for layers to give back
    tracing_...              what finds the source's layers in an IR, where a precision is to leave some alone
    metric_params(target)    what is counted; metric_inputs(target): the files that it takes
    dataset_params(dataset)  how samples come out of a dataset; judging_params(...): those that the gate is asked on
    dataset_inputs(...)      its files; dataset_tools(...): what decodes them

A setting that has its default value is left out of the params: see `graph.action`, rule 1. Which plain keys an action
sees is said where they are declared: `reaches`, in `ovfile/schema`.
"""

from __future__ import annotations

from dataclasses import replace

from ovmake.contracts.dataset_forms import WITH_IMAGES
from ovmake.contracts.values import JsonValue
from ovmake.graph.action import Action, Artifact, Input, Param, Source
from ovmake.graph.lower import Lowering, SourceForm
from ovmake.ovfile.meaning.accuracy import function_file
from ovmake.ovfile.schema.datasets import Dataset
from ovmake.ovfile.schema.declaring import reaching
from ovmake.ovfile.schema.keys import SourceKeys
from ovmake.ovfile.spec import Target
from ovmake.ovfile.words import DEFAULT_DEVICE, SEED

DEFAULT_KIND = "saved-model"
# The metrics whose figures scikit-learn computes; a function of the user's may import what it likes.
BY_SCIKIT_LEARN = ("precision", "recall", "f1", "cosine")
# The kinds of which `sources.fingerprint` can tell what they compute.
FINGERPRINTED = ("saved-model", "frozen-graph")


def model_params(target: Target) -> tuple[Param, ...]:
    """Return the settings that say what of the source the IR computes, on which shapes and under which names."""
    inputs = sorted(target.inputs, key=lambda tensor: tensor.name)
    return _params(
        *reaching("convert", target, beyond=SourceKeys),
        *reaching("convert", target.cut, "cut."),
        *(named for tensor in inputs for named in reaching("convert", tensor, f"inputs.{tensor.name}.")),
        *((f"outputs.{name}", new) for name, new in sorted(target.outputs)),
    )


def _params(*named: tuple[str, JsonValue]) -> tuple[Param, ...]:
    return tuple(Param(name=name, value=value) for name, value in named)


def form_of(lowering: Lowering, target: Target) -> SourceForm:
    """Return what the target's source is; the Ovfile's `kind` overrides what was recognised."""
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
    """Return what TensorFlow runs: the frozen graph where there is one, else the source itself.

    A source counts by what it computes, see `rules/reference.py` and `rules/check_source.py`, unless it is to count
    `by_bytes`; but one that is cut by its bytes, for a cut names inner nodes, and a fingerprint holds no inner names.
    """
    if frozen is not None:
        return frozen_inputs(frozen)
    form = form_of(lowering, target)
    is_cut = bool(target.cut.inputs or target.cut.outputs)
    followed = form.kind in FINGERPRINTED and not by_bytes
    return source_inputs(target, form, by_computation=followed and not is_cut)


def frozen_inputs(frozen: Action) -> tuple[Input, ...]:
    """Return the two files that freezing makes."""
    return tuple(Input(role=role, origin=Artifact(frozen.name, role)) for role in ("graph", "names"))


def tensorflow_params(lowering: Lowering, target: Target, frozen: Action | None) -> tuple[Param, ...]:
    """Return which function of the source TensorFlow runs, a frozen graph has one only; and what it may run."""
    return source_params(target, form_of(lowering, target).kind) if frozen is None else _allowed(target)


def source_params(target: Target, kind: str) -> tuple[Param, ...]:
    """Return the settings that say which function of the source TensorFlow runs; `kind` is what the source is.

    Shapes, cuts and preparation reach TensorFlow's side through the interface that *convert* writes.
    """
    own_kind = () if kind == DEFAULT_KIND else (("kind", kind),)
    return _params(*own_kind, *reaching("freeze", target))


def _allowed(target: Target) -> tuple[Param, ...]:
    """Return the operations that the source may run though they do more than compute."""
    return (Param(name="allow-ops", value=target.allow_ops),) if target.allow_ops else ()


def device_params(target: Target) -> tuple[Param, ...]:
    """Return the device to verify and measure on, where it is not the CPU, and what to execute in."""
    chosen = (Param(name="device", value=target.device),) if target.device != DEFAULT_DEVICE else ()
    return (*chosen, *execution_params(target))


def execution_params(target: Target) -> tuple[Param, ...]:
    """Return the precision to execute floating point in, where it is not f32."""
    return (Param(name="execute-in", value="bf16"),) if target.precision == "bf16" else ()


def timing_params(kind: str, target: Target) -> tuple[Param, ...]:
    """Return what an action of a kind that times the target sees of `benchmark`."""
    return _params(*reaching(kind, target.benchmark, "benchmark."))


def quantization_params(target: Target) -> tuple[Param, ...]:
    """Return how a target in INT8 is quantized: NNCF's options, less the samples themselves."""
    settings = target.quantization
    if settings is None:
        return ()
    on = _accelerator(target.device)
    # Sums of 8-bit products saturate on CPUs without VNNI only: nothing is to be fixed for other devices.
    unfixed = (("overflow-fix", "disable"),) if on and settings.overflow_fix is None else ()
    device = (("target-device", on),) if on else ()
    return _params(*reaching("quantize", settings), *unfixed, *device)


def control_params(target: Target) -> tuple[Param, ...]:
    """Return the limits of the search for layers to give back, none where there is no search."""
    settings = target.quantization
    return _params(*reaching("control", settings)) if settings and settings.control else ()


def weight_params(target: Target) -> tuple[Param, ...]:
    """Return how a target's weights are compressed to 8 or 4 bits."""
    settings = target.weights
    if settings is None:
        return ()
    kind = "compress-weights"
    named = {**dict(reaching(kind, settings)), "mode": settings.nncf_mode}
    return _params(*named.items(), *reaching(kind, settings.ignored, "ignored."))


def _accelerator(device: str) -> str | None:
    """Return NNCF's word for a device that is no CPU: `GPU` of `GPU.1`. None of a CPU, and of a choice of devices."""
    kind = device.partition(".")[0]
    return kind if kind in {"GPU", "NPU"} else None


def tracing_params(lowering: Lowering, target: Target, frozen: Action | None) -> tuple[Param, ...]:
    """Return what converts the source once more, if layers of it are to be found in the IR: see `layer_map.py`.

    `frozen` is the freezing of the source, whose layers have names, None of a .tflite.
    """
    return (*tensorflow_params(lowering, target, frozen), *model_params(target)) if is_traced(target) else ()


def tracing_inputs(lowering: Lowering, target: Target, frozen: Action | None) -> tuple[Input, ...]:
    """Return what `tracing_params` are about."""
    return tensorflow_inputs(lowering, target, frozen) if is_traced(target) else ()


def is_traced(target: Target) -> bool:
    """Whether layers of the source are to be found in the IR: a precision is to leave some alone."""
    settings = target.quantization or target.weights
    return settings is not None and settings.ignored.traced


def metric_params(target: Target) -> tuple[Param, ...]:
    """Return the metric, if there is one, and what the Ovfile says of it."""
    accuracy = target.accuracy
    if accuracy is None or accuracy.metric is None:
        return ()
    return _params(("accuracy.metric", accuracy.metric), *reaching("evaluate", accuracy.options, "accuracy."))


def metric_inputs(target: Target) -> tuple[Input, ...]:
    """Return the file of a metric that is the user's own function, and COCO's annotations."""
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
    """Return the libraries that the metric's score comes from."""
    metric = target.accuracy.metric if target.accuracy else None
    if metric is None:
        return ()
    return ("pycocotools",) if metric == "coco-map" else ("scikit-learn",) if metric in BY_SCIKIT_LEARN else ()


def dataset_params(dataset: Dataset | None, *, labels: bool, role: str = "dataset") -> tuple[Param, ...]:
    """Return how samples come out of a dataset. Without one, seeded random inputs take its place.

    `labels` says whether they are used. The names of classes are labels too.
    """
    if dataset is None:
        return (Param(name="seed", value=SEED),)
    arrays = ((f"{role}.inputs.{key}", names[0] if len(names) == 1 else names) for key, names in sorted(dataset.arrays))
    seeded = (("seed", SEED),) if dataset.limit is not None else ()
    return _params(*arrays, *reaching("evaluate" if labels else "reference", dataset, f"{role}."), *seeded)


def dataset_tools(*datasets: Dataset | None) -> tuple[str, ...]:
    """Return the libraries that samples come out of: Pillow, whose versions decode and resize images differently.

    What is in a folder, a .csv or a TFRecord is not known here, so that each of them may hold images. A checksum's
    library is none of these: it refuses a file or changes nothing.
    """
    return ("pillow",) if any(one is not None and one.form in WITH_IMAGES for one in datasets) else ()


def dataset_inputs(dataset: Dataset | None, role: str = "dataset") -> tuple[Input, ...]:
    """Return what is read of a dataset: its file or folder, or its loader; and the files that it names besides."""
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
    """Return the dataset on which the target is compared with TensorFlow, if the Ovfile names one."""
    return datasets[target.accuracy.dataset] if target.accuracy and target.accuracy.dataset else None


def judging_set(datasets: dict[str, Dataset], target: Target) -> Dataset | None:
    """Return the dataset of the gate's samples: the validation set, else the calibration set; None for made-up ones."""
    calibration = target.accuracy.calibration if target.accuracy else None
    return validation_set(datasets, target) or (datasets[calibration] if calibration else None)


def judging_params(datasets: dict[str, Dataset], target: Target, *, labels: bool) -> tuple[Param, ...]:
    """Return how the gate's samples come out of it. Of a calibration set, not those that calibrate."""
    accuracy = target.accuracy
    found = dataset_params(judging_set(datasets, target), labels=labels)
    if accuracy is None or accuracy.calibration is None:
        return found
    return tuple(
        dict.fromkeys((*found, Param(name="calibrating", value=accuracy.calibrating), Param(name="seed", value=SEED)))
    )


def plan_inputs(lowering: Lowering, target: Target) -> tuple[Input, ...]:
    """Return how the model can be fed, as its gate found out (`feeding_plan.py`), where inputs are made up for both.

    Nothing where there is no gate, or one over a dataset.
    """
    if judging_set(dict(lowering.ovfile.datasets), target) is not None:
        return ()
    evaluations = (lowering.actions.get(f"evaluate {one.name}") for one in (target, *target.candidates))
    return next((tuple(given for given in one.inputs if given.role == "plan") for one in evaluations if one), ())


def search_inputs(searched: Action | None) -> tuple[Input, ...]:
    """Return what was found out about giving layers back, from the action that hands it on; None without a search."""
    return (Input(role="search", origin=Artifact(searched.name, "search")),) if searched else ()
