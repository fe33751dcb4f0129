"""What counts the metrics, by name; their directions and units are in `contracts.metrics`.

metric_of(asked, request) -> Metric                with the options that the Ovfile gives
check_labels(metric, labels, interface)            whether labels are what the metric and the model want

inputs      metric: the file of the user's function; annotations: COCO's
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ovmake.contracts.files.interface import Interface, Tensor
from ovmake.contracts.metrics import OWN, TOP_K, metric_kind
from ovmake.contracts.params.evaluation import MetricParams
from ovmake.errors import ActionError
from ovmake.workers.evaluation.metrics.agreeing import Cosine
from ovmake.workers.evaluation.metrics.boxes import CocoMap, image_ids, read_annotations
from ovmake.workers.evaluation.metrics.choosing import check_positive, class_labels, unknown_output
from ovmake.workers.evaluation.metrics.classes import Accuracy, Confusion, TopK
from ovmake.workers.evaluation.metrics.masks import PLACES, MeanIntersectionOverUnion
from ovmake.workers.evaluation.metrics.numbers import (
    MeanAbsoluteError,
    RootMeanSquaredError,
    RSquared,
    check_sizes,
    number_labels,
)
from ovmake.workers.evaluation.metrics.own import Own, load
from ovmake.workers.evaluation.metrics.tally import Metric, Options, Tally
from ovmake.workers.inputs.preparing import Array
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.ipc.user_code import note_of

Check = Callable[[Metric, Array | None, Tensor | None], None]


def _classes(metric: Metric, labels: Array | None, output: Tensor | None) -> None:
    shape = output.shape if output else ()
    classes = shape[-1] if len(shape) > 1 and shape[-1] > 1 else None
    check_positive(metric, classes)
    class_labels(metric, labels, classes)


def _pixels(metric: Metric, labels: Array | None, output: Tensor | None) -> None:
    shape = output.shape if output else ()
    classes = shape[-1] if len(shape) == PLACES + 1 and shape[-1] > 1 else None
    class_labels(metric, labels, classes, PLACES)


def _numbers(metric: Metric, labels: Array | None, output: Tensor | None) -> None:
    true = number_labels(metric, labels)
    if output:
        check_sizes(metric, output.shape[1:], true.shape[1:])


def _images(metric: Metric, labels: Array | None, output: Tensor | None) -> None:
    del output
    image_ids(metric, labels, read_annotations(metric))


def _function(metric: Metric, labels: Array | None, output: Tensor | None) -> None:
    del labels, output
    load(metric)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What counts a metric. `check` looks at labels, and at the metric's output if that is known."""

    start: Callable[[Metric], Tally]
    check: Check | None


# What else is known of them is in `contracts.metrics`.
CATALOGUE = {
    "accuracy": Entry(start=Accuracy, check=_classes),
    TOP_K: Entry(start=TopK, check=_classes),
    "precision": Entry(start=Confusion, check=_classes),
    "recall": Entry(start=Confusion, check=_classes),
    "f1": Entry(start=Confusion, check=_classes),
    "mae": Entry(start=MeanAbsoluteError, check=_numbers),
    "rmse": Entry(start=RootMeanSquaredError, check=_numbers),
    "r2": Entry(start=RSquared, check=_numbers),
    "cosine": Entry(start=Cosine, check=None),
    "miou": Entry(start=MeanIntersectionOverUnion, check=_pixels),
    "coco-map": Entry(start=CocoMap, check=_images),
    OWN: Entry(start=Own, check=_function),
}


def metric_of(asked: MetricParams, request: Request) -> Metric:
    """Return the metric that the Ovfile asks for; `request` has the files that it reads.

    Raises:
        ActionError: there is no metric of that name.
    """
    kind = metric_kind(asked.name)
    if kind is None:
        raise ActionError("unknown-metric", f"unknown metric `{asked.name}`", setting="accuracy.metric")
    return Metric(
        name=asked.name,
        unit=kind.unit,
        higher_is_better=kind.higher_is_better and asked.higher_is_better,
        needs_labels=kind.needs_labels,
        start=CATALOGUE[kind.name].start,
        options=Options(
            output=asked.output,
            threshold=asked.threshold,
            positive=asked.positive,
            ignored=asked.ignored,
            annotations=request.inputs.get("annotations"),
            source=request.inputs.get("metric"),
            higher_is_better=asked.higher_is_better,
            note=note_of(request.scratch),
        ),
    )


def check_labels(metric: Metric, labels: Array | None, interface: Interface) -> None:
    """Check labels, annotations and the user's file, before a model runs.

    Raises:
        ActionError: the same that a tally would raise after the first feed.
    """
    kind = metric_kind(metric.name)
    check = CATALOGUE[kind.name].check if kind else None
    if check is None:
        return
    named = [tensor for tensor in interface.outputs if metric.options.output in {None, tensor.name}]
    if metric.options.output is not None and not named:
        raise unknown_output(metric, [tensor.name for tensor in interface.outputs])
    check(metric, labels, named[0] if len(named) == 1 else None)
