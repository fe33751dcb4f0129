"""Choose the output that a metric uses, and read classes from it.

    chosen(metric, outputs) -> Array                        the metric's output, or the only one
    answers(metric, outputs, expected, places) -> Answers   a class per sample, or per pixel
    class_labels(metric, labels, classes, places) -> Array  the same of labels

`places` is the number of dimensions before that of the classes: 1 for a class per sample, 3 for masks. An output names
classes in one of three forms, here for samples:

    [samples, classes]           a score per class; the largest wins, of equal ones the first
    [samples] or [samples, 1]    floating point: the probability of class 1; above the threshold it is 1, else 0
    [samples] or [samples, 1]    integers of 32 bits or more: the number of the class itself
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ovmake.errors import ActionError
from ovmake.workers.evaluation.metrics.tally import Metric
from ovmake.workers.inputs.preparing import Array

NO_CLASS = -1
# Above it, an output of one column means class 1: it counts as a probability.
THRESHOLD = 0.5
# Integers of fewer bytes are quantized scores, not class numbers.
CLASS_BYTES = 4
FORMS = {1: "[samples, classes] or [samples]", 3: "[samples, height, width, classes] or [samples, height, width]"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Classes, NO_CLASS where the model named none; `classes` is the number of classes, None if unknown."""

    answers: Array
    classes: int | None


def chosen(metric: Metric, outputs: Mapping[str, Array]) -> Array:
    """Return the output that the metric uses.

    Raises:
        ActionError: there are several and the Ovfile names none, or it names an unknown one.
    """
    name = metric.options.output
    listed = ", ".join(f"`{known}`" for known in outputs)
    if name is None:
        if len(outputs) > 1:
            message = f"the model has several outputs ({listed}), and `{metric.name}` needs one"
            hint = f'name it beside the metric: `output = "{next(iter(outputs))}"`'
            raise ActionError("several-outputs", message, setting="accuracy.metric", help=hint)
        return next(iter(outputs.values()))
    if name not in outputs:
        raise unknown_output(metric, outputs)
    return outputs[name]


def unknown_output(metric: Metric, outputs: Iterable[str]) -> ActionError:
    """Return the error for an unknown output in the Ovfile."""
    listed = ", ".join(f"`{known}`" for known in outputs)
    message = f"`{metric.name}` uses output `{metric.options.output}`, but the model has {listed}"
    return ActionError("unknown-output", message, setting="accuracy.output")


def answers(metric: Metric, outputs: Mapping[str, Array], expected: Mapping[str, Array], places: int = 1) -> Answers:
    """Return the classes that the model names.

    Raises:
        ActionError: the output does not name classes.
    """
    array = chosen(metric, outputs)
    if array.ndim == places + 1 and array.shape[-1] > 1:
        return Answers(answers=largest(array), classes=array.shape[-1])
    if array.ndim not in {places, places + 1}:
        raise no_classes(metric, array, places)
    column = array[..., 0] if array.ndim > places else array
    threshold = metric.options.threshold
    if threshold is None and column.dtype.kind in "iu":
        return Answers(answers=_numbered(metric, column), classes=None)
    if threshold is None:
        _check_probabilities(metric, chosen(metric, expected))
    above = column > (THRESHOLD if threshold is None else threshold)
    return Answers(answers=np.where(np.isfinite(column), above, NO_CLASS).astype(np.int64), classes=2)


def largest(scores: Array) -> Array:
    """Return the index of the largest score along the last axis; NO_CLASS if the largest is not finite.

    NaN wins every argmax in numpy, so a sample without a finite answer counts as wrong. -inf excludes a class.
    """
    return np.where(np.isfinite(scores.max(axis=-1)), scores.argmax(axis=-1), NO_CLASS)


def no_classes(metric: Metric, array: Array, places: int = 1) -> ActionError:
    """Return the error for an output that does not name classes."""
    message = f"`{metric.name}` needs an output of shape {FORMS[places]}, not {list(array.shape)}"
    return ActionError("metric-shape", message, setting="accuracy.metric")


def _numbered(metric: Metric, column: Array) -> Array:
    if column.dtype.itemsize < CLASS_BYTES:
        message = (
            f"the output is one column of {column.dtype}: `{metric.name}` cannot tell whether these are classes or "
            "quantized scores"
        )
        hint = "give the number above which the answer is 1, beside the metric: `threshold = 127`"
        raise ActionError("metric-type", message, setting="accuracy.metric", help=hint)
    return column.astype(np.int64)


def _check_probabilities(metric: Metric, expected: Array) -> None:
    """Refuse a column of logits: values outside of 0 to 1 are not probabilities."""
    finite = expected[np.isfinite(expected)]
    if finite.size and (finite.min() < 0 or finite.max() > 1):
        message = (
            f"TensorFlow's output runs from {finite.min():.4g} to {finite.max():.4g}: "
            f"one column counts as a probability, which `{metric.name}` compares with {THRESHOLD}"
        )
        hint = "for logits, give `threshold = 0` beside the metric"
        raise ActionError("metric-range", message, setting="accuracy.metric", help=hint)


def class_labels(metric: Metric, labels: Array | None, classes: int | None, places: int = 1) -> Array:
    """Return labels as whole numbers, without a last dimension of one.

    Raises:
        ActionError: they are not whole numbers, or name classes that the model does not have.
    """
    labels = metric.labelled(labels)
    flat = labels[..., 0] if labels.ndim == places + 1 and labels.shape[-1] == 1 else labels
    if labels.dtype.kind not in "iub" or flat.ndim != places:
        wanted = "one whole number per sample" if places == 1 else "whole numbers [samples, height, width]"
        message = f"labels are {labels.dtype} {list(labels.shape)}; `{metric.name}` needs {wanted}"
        raise ActionError("label-type", message, setting="dataset", help=_cure(labels, flat, places))
    numbers = flat.astype(np.int64)
    counted = numbers[numbers != metric.options.ignored] if metric.options.ignored is not None else numbers
    if counted.size and (counted.min() < 0 or (classes is not None and counted.max() >= classes)):
        known = "" if classes is None else f", the model has {classes} classes"
        message = f"labels run from {counted.min()} to {counted.max()}{known}"
        from_one = counted.min() >= 1 and counted.max() == classes
        hint = "classes are counted from 0: subtract 1 from every label" if from_one else ""
        raise ActionError("label-range", message, setting="dataset", help=hint)
    return numbers


def _cure(labels: Array, flat: Array, places: int) -> str:
    """Return an action that turns labels into class numbers."""
    if labels.dtype.kind in "US":
        return "number them in the order of the model's outputs: `[names.index(label) for label in labels]`"
    if labels.dtype.kind not in "iubf":
        return ""
    if labels.ndim == places + 1 and labels.shape[-1] > 1 and np.allclose(labels.sum(axis=-1), 1):
        kind = "one-hot" if np.isin(labels, (0, 1)).all() else "probabilities"
        return f"they are {kind}: `labels.argmax(axis=-1)` gives the numbers of the classes"
    if flat.ndim == places and labels.dtype.kind == "f":
        if np.array_equal(flat, np.round(flat)):
            return 'they are whole numbers in floating point: `labels.astype("int64")`'
        return "they are not classes: `mae`, `rmse` and `r2` are metrics of numbers"
    return ""


def check_positive(metric: Metric, classes: int | None) -> None:
    """Check that the model has the positive class. Otherwise every score would be 0, and no IR could have a drop.

    Raises:
        ActionError: it has no class with that number.
    """
    positive = metric.options.positive
    if positive is not None and classes is not None and positive >= classes:
        message = f"`positive` is {positive}, and the model has the classes 0 to {classes - 1}"
        raise ActionError("label-range", message, setting="accuracy.positive")


def same_count(metric: Metric, rows: int, labels: Array) -> None:
    """Check that an output has a row per sample.

    Raises:
        ActionError: it does not follow the batch.
    """
    if rows != len(labels):
        message = f"the output has {rows} rows for {len(labels)} samples; `{metric.name}` needs one per sample"
        raise ActionError("metric-shape", message, setting="accuracy.metric")
