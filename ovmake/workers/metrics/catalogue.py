"""The metrics by name, with their directions and units.

metric_of(name, request) -> Metric                 with the options that the request's params give
check_labels(metric, labels, interface)            whether labels are what the metric and the model want
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ovmake.workers.interface import Interface
from ovmake.workers.metrics.choosing import class_labels
from ovmake.workers.metrics.classes import Accuracy, TopK
from ovmake.workers.metrics.tally import Metric, Options, Tally, Unit
from ovmake.workers.preparing import Array
from ovmake.workers.protocol import ActionError, Request

TOP_K = re.compile(r"top-[1-9][0-9]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is known of a metric by its name."""

    start: Callable[[Metric], Tally]
    unit: Unit = "share"
    higher_is_better: bool = True
    needs_labels: bool = True


CATALOGUE = {
    "accuracy": Entry(start=Accuracy),
    "top-k": Entry(start=TopK),
}


def metric_of(name: str, request: Request) -> Metric:
    """Return the metric `name` of the Ovfile.

    Raises:
        ActionError: there is none of that name.
    """
    entry = CATALOGUE.get("top-k" if TOP_K.fullmatch(name) else name)
    if entry is None:
        raise ActionError("unknown-metric", f"unknown metric `{name}`", setting="accuracy.metric")
    return Metric(
        name=name,
        unit=entry.unit,
        higher_is_better=entry.higher_is_better,
        needs_labels=entry.needs_labels,
        start=entry.start,
        options=_options(request),
    )


def _options(request: Request) -> Options:
    output, threshold = request.params.get("accuracy.output"), request.params.get("accuracy.threshold")
    return Options(
        output=output if isinstance(output, str) else None,
        threshold=float(threshold) if isinstance(threshold, int | float) else None,
    )


def check_labels(metric: Metric, labels: Array, interface: Interface) -> None:
    """Check what can be checked of labels before a model runs.

    Raises:
        ActionError: as `Tally.add` would, after the first feed.
    """
    named = [tensor for tensor in interface.outputs if metric.options.output in {None, tensor.name}]
    shape = named[0].shape if len(named) == 1 else ()
    classes = shape[-1] if shape and shape[-1] > 1 else None
    class_labels(metric, labels, classes)
