"""Select the settings of a target that each action uses. So an edit of the Ovfile makes only these actions stale.

    model_params(target)     settings that change the model: cut, batch, inputs, outputs
    source_params(target)    the function of the source (kind, signature, tags), and the operations that it may run
    tensorflow_...           the source as TensorFlow loads it, for reference and benchmark
    device_params(target)    the device to verify and measure on, and the precision to execute in
    quantization_params(...) options of INT8; weight_params(...): options of weights in 8 or 4 bits
    search_limits(target)    limits of the search for layers to revert to float
    tracing_...              a second conversion, to find the source's layers in an IR, if some must stay in float
    metric_params(target)    the metric; metric_inputs(target): its files
    sample_params(dataset)   which samples to take from a dataset, and how to read them
    judging_params(...)      the same for the gate's samples
    dataset_inputs(...)      the dataset's files; dataset_tools(...): the libraries that decode them

A setting at its default is in no digest: see `contracts.codec`, rule 2. Each key declares the kinds of action that use
it: `reaches`, in `ovfile/schema`; `filling.py` puts the keys into the params.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from ovmake.contracts.forms import WITH_IMAGES
from ovmake.contracts.metrics import metric_kind
from ovmake.contracts.params.data import DatasetParams, ImageParams, SampleParams
from ovmake.contracts.params.evaluation import DeviceParams, MetricParams
from ovmake.contracts.params.model import ConvertParams, CutParams, InputParams, ModelParams
from ovmake.contracts.params.quantization import (
    IgnoredParams,
    QuantizationParams,
    SearchLimits,
    SmoothQuantParams,
    WeightParams,
)
from ovmake.contracts.params.source import DEFAULT_KIND, SourceParams
from ovmake.contracts.source_kinds import SOURCE_KINDS
from ovmake.graph.action import Action, Artifact, Input, Source
from ovmake.graph.lower import Lowering, SourceForm
from ovmake.ovfile.meaning.accuracy import function_file
from ovmake.ovfile.schema.datasets import Dataset
from ovmake.ovfile.schema.keys import SourceKeys
from ovmake.ovfile.spec import Target
from ovmake.ovfile.words import SEED
from ovmake.rules.filling import filled


def model_params(target: Target) -> ModelParams:
    """Return the settings that change the computation, shapes or names of the IR."""
    inputs = sorted(target.inputs, key=lambda tensor: tensor.name)
    return filled(
        ModelParams,
        "convert",
        target,
        beyond=SourceKeys,
        cut=filled(CutParams, "convert", target.cut),
        inputs={tensor.name: filled(InputParams, "convert", tensor) for tensor in inputs},
        outputs=dict(sorted(target.outputs)),
    )


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
    is_cut = bool(target.cut.inputs or target.cut.outputs)
    known = SOURCE_KINDS.get(form.kind)
    followed = known is not None and known.has_fingerprint and not by_bytes
    return source_inputs(target, form, by_computation=followed and not is_cut)


def frozen_inputs(frozen: Action) -> tuple[Input, ...]:
    """Return the two outputs of freezing."""
    return tuple(Input(role=role, origin=Artifact(frozen.name, role)) for role in ("graph", "names"))


def tensorflow_params(lowering: Lowering, target: Target, frozen: Action | None) -> SourceParams:
    """Return the function that TensorFlow runs (a frozen graph has only one), and the operations that it may run."""
    if frozen is not None:
        return SourceParams(allow_ops=target.allow_ops)
    return source_params(target, form_of(lowering, target).kind)


def source_params(target: Target, kind: str) -> SourceParams:
    """Return the settings that select the function of the source that TensorFlow runs; `kind` is the source's kind."""
    return filled(SourceParams, "freeze", target, kind=kind)


def device_params(target: Target) -> DeviceParams:
    """Return the device to verify and measure on, and the precision to execute in."""
    return DeviceParams(device=target.device, execute_in=execute_in(target))


def execute_in(target: Target) -> Literal["f32", "bf16"]:
    """Return the precision to execute floating point in."""
    return "bf16" if target.precision == "bf16" else "f32"


def quantization_params(target: Target) -> QuantizationParams | None:
    """Return the options for quantizing to INT8, without the samples; None for other precisions."""
    settings = target.quantization
    if settings is None:
        return None
    on, alphas = _accelerator(target.device), settings.smooth_quant
    return filled(
        QuantizationParams,
        "quantize",
        settings,
        ignored=filled(IgnoredParams, "quantize", settings.ignored),
        smooth_quant=False if alphas is None else filled(SmoothQuantParams, "quantize", alphas),
        # Sums of 8-bit products saturate only on CPUs without VNNI: other devices need no overflow fix.
        overflow_fix=settings.overflow_fix or ("disable" if on else None),
        target_device=on,
    )


def search_limits(target: Target) -> SearchLimits | None:
    """Return the limits of the search for layers to revert to float, None if there is no search."""
    settings = target.quantization
    return filled(SearchLimits, "control", settings) if settings and settings.control else None


def weight_params(target: Target) -> WeightParams | None:
    """Return the options for compressing weights to 8 or 4 bits; None for other precisions."""
    settings, kind = target.weights, "compress-weights"
    if settings is None:
        return None
    ignored = filled(IgnoredParams, kind, settings.ignored)
    return filled(WeightParams, kind, settings, mode=settings.nncf_mode, ignored=ignored)


def _accelerator(device: str) -> str | None:
    """Return NNCF's name of an accelerator: `GPU` for `GPU.1`. None for a CPU, or for a list of devices."""
    kind = device.partition(".")[0]
    return kind if kind in {"GPU", "NPU"} else None


def tracing_params(lowering: Lowering, target: Target, frozen: Action | None) -> ConvertParams | None:
    """Return the params of a second conversion, if the source's layers must be found in the IR: see `layer_map.py`.

    `frozen` is the freezing of the source, whose layers have names; None for a .tflite.
    """
    if not is_traced(target):
        return None
    return ConvertParams(source=tensorflow_params(lowering, target, frozen), model=model_params(target))


def tracing_inputs(lowering: Lowering, target: Target, frozen: Action | None) -> tuple[Input, ...]:
    """Return the inputs of that second conversion."""
    return tensorflow_inputs(lowering, target, frozen) if is_traced(target) else ()


def is_traced(target: Target) -> bool:
    """Whether the source's layers must be found in the IR, because a precision leaves some in float."""
    settings = target.quantization or target.weights
    return settings is not None and settings.ignored.traced


def metric_params(target: Target) -> MetricParams | None:
    """Return the metric, if there is one, and its options."""
    accuracy = target.accuracy
    if accuracy is None or accuracy.metric is None:
        return None
    return filled(MetricParams, "evaluate", accuracy.options, name=accuracy.metric)


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
    """Return the library that computes the metric's score; empty for a user's function, which may import any."""
    metric = target.accuracy.metric if target.accuracy else None
    kind = metric_kind(metric) if metric else None
    return (kind.library,) if kind and kind.library else ()


def dataset_params(dataset: Dataset, *, labels: bool) -> DatasetParams:
    """Return how to read samples from a dataset. `labels`: whether labels are used; names of classes are labels too."""
    kind = "evaluate" if labels else "reference"
    return filled(
        DatasetParams,
        kind,
        dataset,
        form=dataset.form,
        inputs={key: names[0] if len(names) == 1 else names for key, names in sorted(dataset.arrays)},
        images=filled(ImageParams, kind, dataset.images),
    )


def sample_params(dataset: Dataset | None, *, labels: bool) -> SampleParams:
    """Return which samples an action uses: those of the dataset, or seeded random inputs without one."""
    if dataset is None:
        return SampleParams(seed=SEED)
    return SampleParams(dataset=dataset_params(dataset, labels=labels), seed=None if dataset.limit is None else SEED)


def dataset_tools(*datasets: Dataset | None) -> tuple[str, ...]:
    """Return the libraries that decode samples: Pillow, whose versions decode and resize images differently.

    The content of a folder, a .csv or a TFRecord is unknown here, so each of them may hold images. The library for
    checksums does not count: it refuses a file, or has no effect.
    """
    return ("pillow",) if any(one is not None and one.form in WITH_IMAGES for one in datasets) else ()


def dataset_inputs(dataset: Dataset | None, role: str = "dataset") -> tuple[Input, ...]:
    """Return the inputs of a dataset: its file, folder or loader, and the files that it lists."""
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


def judging_params(datasets: dict[str, Dataset], target: Target, *, labels: bool) -> SampleParams:
    """Return the params for reading the gate's samples. Of a calibration set, those that calibrate are excluded."""
    accuracy = target.accuracy
    found = sample_params(judging_set(datasets, target), labels=labels)
    if accuracy is None or accuracy.calibration is None:
        return found
    return replace(found, calibrating=accuracy.calibrating, seed=SEED)


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
