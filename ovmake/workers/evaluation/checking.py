"""check-samples: find out that a dataset will not do before anything long is done with it.

params      CheckSamplesParams
inputs      interface, dataset; what the metric reads
outputs     checked: {"format": 1, "samples": 5000}

Checking reads no more than it must: labels, of images the headers, of arrays that fit for certain nothing.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

from ovmake.contracts.params.evaluation import CheckSamplesParams
from ovmake.workers.evaluation.metrics import Metric, check_labels, metric_of
from ovmake.workers.inputs.interface import Interface
from ovmake.workers.inputs.samples import Samples, take
from ovmake.workers.ipc.protocol import Request

# How many numbers of labels are looked at together: masks of megapixels are not to be in memory all at once.
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
