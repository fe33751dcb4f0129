"""check-samples, check-overlap: find out that a dataset will not do before anything long is done with it.

check-samples   shapes, types and labels of one dataset
    params      those of *take*; `accuracy.metric`: a list of those that count its labels
    inputs      interface, dataset
check-overlap   whether samples that calibrate are among those that judge
    params      those of *calibrating* and of *take* for the role `validation`; names for the message
    inputs      interface, dataset, validation
outputs         checked: {"format": 1, "samples": 5000}, of an overlap also "overlap"

Checking reads no more than it must: of images their headers, of arrays that fit for certain nothing. The comparison
reads all samples once, as the model gets them.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import numpy as np

from ovmake.workers.interface import Interface
from ovmake.workers.preparing import Array
from ovmake.workers.protocol import ActionError, Request
from ovmake.workers.samples import Samples, calibrating, take

# Metrics whose labels are numbers of classes, and those among them that ask for a score per class.
COUNTED = re.compile(r"accuracy|top-[0-9]+|precision|recall|f1")
RANKED = re.compile(r"accuracy|top-[0-9]+")
CLASSES_RANK = 2
DIGEST_BYTES = 16
SHOWN = 5


def check_samples(request: Request) -> dict[str, object]:
    """Check a dataset; write `checked`.

    Raises:
        ActionError: a sample or a label does not fit the model.
    """
    interface = Interface.read(request.inputs["interface"])
    samples = take(request, interface)
    metrics = request.params.get("accuracy.metric")
    for metric in metrics if isinstance(metrics, list | tuple) else ():
        _check_labels(samples, interface, str(metric))
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


def _check_labels(samples: Samples, interface: Interface, metric: str) -> None:
    labels = samples.labels
    if labels is None:
        raise ActionError("unlabelled-dataset", f"`{metric}` needs labels, and the dataset has none", setting="dataset")
    if not COUNTED.fullmatch(metric):
        return
    classes = _classes(interface) if RANKED.fullmatch(metric) else None
    for numbers in samples.numbers():
        _check_classes(labels.rows(numbers), numbers, classes, metric)


def _check_classes(labels: Array, numbers: Array, classes: int | None, metric: str) -> None:
    flat = labels.reshape(len(labels), -1)
    if labels.dtype.kind not in "iub" or flat.shape[1] != 1:
        found = f"{labels.dtype} {['samples', *labels.shape[1:]]}".replace("'", "")
        message = f"labels are {found}; `{metric}` needs one whole number per sample"
        raise ActionError("label-type", message, setting="dataset.labels")
    wrong = np.flatnonzero((flat[:, 0] < 0) | (flat[:, 0] >= classes if classes else False))
    if len(wrong):
        where = f"sample {numbers[wrong[0]]} has label {flat[wrong[0], 0]}"
        what = f"the model has {classes} classes, 0 to {classes - 1}" if classes else "classes are counted from 0"
        raise ActionError("label-range", f"{where}, and {what}", setting="dataset.labels")


def _classes(interface: Interface) -> int | None:
    """Return how many classes a model tells apart, None where its outputs do not say."""
    if len(interface.outputs) != 1 or len(interface.outputs[0].shape) != CLASSES_RANK:
        return None
    size = interface.outputs[0].shape[1]
    return size if size > 1 else None


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
