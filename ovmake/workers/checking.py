"""check-samples, check-overlap: find out that a dataset will not do before anything long is done with it.

check-samples   shapes, types and labels of one dataset
    params      those of *take*; `accuracy.metric` and its options
    inputs      interface, dataset; what the metric reads
check-overlap   whether samples that calibrate are among those that judge
    params      those of *calibrating* and of *take* for the role `validation`; names for the message
    inputs      interface, dataset, validation
outputs         checked: {"format": 1, "samples": 5000}, of an overlap also "overlap"

Checking reads no more than it must: labels, of images the headers, of arrays that fit for certain nothing. The
comparison reads all samples once, as the model gets them.
"""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path

import numpy as np

from ovmake.workers.interface import Interface
from ovmake.workers.metrics import Metric, check_labels, metric_of
from ovmake.workers.protocol import ActionError, Request
from ovmake.workers.samples import Samples, calibrating, take

# How many numbers of labels are looked at together: masks of megapixels are not to be in memory all at once.
LABELS = 1 << 22
DIGEST_BYTES = 16
SHOWN = 5


def check_samples(request: Request) -> dict[str, object]:
    """Check a dataset; write `checked`.

    Raises:
        ActionError: a sample or a label does not fit the model.
    """
    interface = Interface.read(request.inputs["interface"])
    samples = take(request, interface)
    name = request.params.get("accuracy.metric")
    if isinstance(name, str):
        _check_labels(samples, interface, metric_of(name, request))
    for column in samples.columns.values():
        if column.look is not None:
            for numbers in samples.numbers():
                column.look(numbers)
    return _checked(request, samples=samples.count)


def check_overlap(request: Request) -> dict[str, object]:
    """Compare the samples that calibrate with those that judge; write `checked`.

    Raises:
        ActionError: a sample does not fit the model, or too many are in both.
    """
    interface = Interface.read(request.inputs["interface"])
    calibration, validation = calibrating(request, interface), take(request, interface, "validation")
    first: dict[bytes, int] = {}
    for number, digest in _digests(validation):
        first.setdefault(digest, number)
    both = [(number, first[digest]) for number, digest in _digests(calibration) if digest in first]
    allowed = request.params.get("dataset.max-overlap", 0)
    if len(both) > (allowed if isinstance(allowed, int) else 0):
        raise _overlap(both, calibration.count, request)
    return _checked(request, samples=calibration.count, overlap=len(both))


def _checked(request: Request, **found: int) -> dict[str, object]:
    Path(request.outputs["checked"]).write_text(json.dumps({"format": 1, **found}) + "\n")
    return {}


def _check_labels(samples: Samples, interface: Interface, metric: Metric) -> None:
    if samples.labels is None:
        check_labels(metric, None, interface)
        return
    each = max(1, LABELS // max(1, abs(math.prod(samples.labels.shape))))
    for start in range(0, samples.count, each):
        check_labels(metric, samples.labels.rows(samples.order[start : start + each]), interface)


def _digests(samples: Samples) -> list[tuple[int, bytes]]:
    """Return (number in the dataset, digest of all inputs as the model gets them) of each sample."""
    found = []
    for numbers in samples.numbers():
        arrays = [np.ascontiguousarray(samples.columns[name].rows(numbers)) for name in sorted(samples.columns)]
        for place, number in enumerate(numbers.tolist()):
            digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
            for array in arrays:
                digest.update(str(array.shape[1:]).encode())
                digest.update(array[place].tobytes())
            found.append((number, digest.digest()))
    return found


def _overlap(both: list[tuple[int, int]], count: int, request: Request) -> ActionError:
    calibration, validation = request.params["calibration"], request.params["accuracy.dataset"]
    listed = ", ".join(f"{number} ({other})" for number, other in both[:SHOWN])
    message = f"{len(both)} of the {count} samples that calibrate INT8 are also in `{validation}`, which judges it"
    return ActionError(
        "calibration-overlaps-validation",
        message,
        notes=(f"their numbers in `{calibration}` (and in `{validation}`): {listed}{', ...' if both[SHOWN:] else ''}",),
        help=f"take them out; or, if it is chance, `max-overlap = {len(both)}` in [datasets.{calibration}]",
        setting="calibration",
    )
