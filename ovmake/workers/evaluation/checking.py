"""check-samples: check a dataset before any long action uses it.

params      CheckSamplesParams
inputs      interface, dataset; files of the metric
outputs     checked: {"format": 1, "samples": 5000}

It reads as little as possible: labels; the headers of images; nothing of an array whose type and shape fit.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

from ovmake.contracts.files.interface import Interface
from ovmake.contracts.params.evaluation import CheckSamplesParams
from ovmake.workers.evaluation.metrics import Metric, check_labels, metric_of
from ovmake.workers.inputs.samples import Samples, take
from ovmake.workers.ipc.protocol import Request

# How many numbers of labels are checked at a time: large masks must not all be in memory.
LABELS = 1 << 22


def check_samples(request: Request) -> dict[str, object]:
    """Check a dataset; write `checked`.

    Raises:
        ActionError: a sample or a label does not fit the model.
    """
    interface = Interface.read(request.inputs["interface"])
    asked = request.asked(CheckSamplesParams)
    samples = take(request, interface, asked.samples)
    if asked.metric is not None:
        _check_labels(samples, interface, metric_of(asked.metric, request))
    for column in samples.columns.values():
        if column.look is not None:
            for numbers in samples.numbers():
                column.look(numbers)
    Path(request.outputs["checked"]).write_text(json.dumps({"format": 1, "samples": samples.count}) + "\n")
    return {}


def _check_labels(samples: Samples, interface: Interface, metric: Metric) -> None:
    if samples.labels is None:
        check_labels(metric, None, interface)
        return
    each = max(1, LABELS // max(1, abs(math.prod(samples.labels.shape))))
    for start in range(0, samples.count, each):
        check_labels(metric, samples.labels.rows(samples.order[start : start + each]), interface)
