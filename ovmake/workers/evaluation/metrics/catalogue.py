"""The metrics by name, with their directions and units.

metric_of(name, request) -> Metric                 with the options of the request
check_labels(metric, labels, interface)            check that labels fit the metric and the model

params      accuracy.output, .threshold, .positive, .ignored, .higher-is-better
inputs      metric: the file of the user's function; annotations: COCO's
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

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
from ovmake.workers.evaluation.metrics.tally import Metric, Options, Tally, Unit
from ovmake.workers.inputs.interface import Interface, Tensor
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
    """The properties of a metric. `check` checks labels against the metric, and against its output if that is known."""

    start: Callable[[Metric], Tally]
    check: Check | None
    unit: Unit = "share"
    higher_is_better: bool = True
    needs_labels: bool = True


CATALOGUE = {
    "accuracy": Entry(start=Accuracy, check=_classes),
    "precision": Entry(start=Confusion, check=_classes),
    "recall": Entry(start=Confusion, check=_classes),
    "f1": Entry(start=Confusion, check=_classes),
    "mae": Entry(start=MeanAbsoluteError, check=_numbers, unit="labels", higher_is_better=False),
    "rmse": Entry(start=RootMeanSquaredError, check=_numbers, unit="labels", higher_is_better=False),
    "r2": Entry(start=RSquared, check=_numbers, unit="none"),
    "cosine": Entry(start=Cosine, check=None, unit="none", needs_labels=False),
    "miou": Entry(start=MeanIntersectionOverUnion, check=_pixels),
    "coco-map": Entry(start=CocoMap, check=_images),
}
FAMILIES = (
    (re.compile(r"top-[1-9][0-9]*"), Entry(start=TopK, check=_classes)),
    (re.compile(r"[^:]+\.py:[A-Za-z_]\w*"), Entry(start=Own, check=_function, unit="none", needs_labels=False)),
)


def metric_of(name: str, request: Request) -> Metric:
    """Return the metric `name` of the Ovfile.

    Raises:
        ActionError: there is none of that name.
    """
    entry, options = _entry(name), _options(request)
    if entry is None:
        raise ActionError("unknown-metric", f"unknown metric `{name}`", setting="accuracy.metric")
    return Metric(
        name=name,
        unit=entry.unit,
        higher_is_better=entry.higher_is_better and options.higher_is_better,
        needs_labels=entry.needs_labels,
        start=entry.start,
        options=options,
    )


def _entry(name: str) -> Entry | None:
    families = (entry for pattern, entry in FAMILIES if pattern.fullmatch(name))
    return CATALOGUE.get(name) or next(families, None)


def _options(request: Request) -> Options:
    """Return the options. The schema has checked their types."""
    given = {name.removeprefix("accuracy."): value for name, value in request.params.items()}
    output, threshold = given.get("output"), given.get("threshold")
    positive, ignored = given.get("positive"), given.get("ignored")
    return Options(
        output=output if isinstance(output, str) else None,
        threshold=float(threshold) if isinstance(threshold, int | float) else None,
        positive=positive if isinstance(positive, int) else None,
        ignored=ignored if isinstance(ignored, int) else None,
        annotations=request.inputs.get("annotations"),
        source=request.inputs.get("metric"),
        higher_is_better=given.get("higher-is-better") is not False,
        note=note_of(request.scratch),
    )


def check_labels(metric: Metric, labels: Array | None, interface: Interface) -> None:
    """Check labels, annotations and the user's file, before a model runs.

    Raises:
        ActionError: the same that a tally would raise after the first feed.
    """
    entry = _entry(metric.name)
    if entry is None or entry.check is None:
        return
    named = [tensor for tensor in interface.outputs if metric.options.output in {None, tensor.name}]
    if metric.options.output is not None and not named:
        raise unknown_output(metric, [tensor.name for tensor in interface.outputs])
    entry.check(metric, labels, named[0] if len(named) == 1 else None)
