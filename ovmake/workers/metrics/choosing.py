"""Which output a metric is about, and which class it names.

    chosen(metric, outputs) -> Array               the metric's output, or the only one
    answers(metric, outputs, expected) -> Answers  a class per sample
    class_labels(metric, labels, classes) -> Array

An output says a class in one of three forms:

    [samples, classes]           a score per class; the largest wins, of equal ones the first
    [samples] or [samples, 1]    floating point: how likely class 1 is; above the threshold it is 1, else 0
    [samples] or [samples, 1]    integers of 32 bits or more: the number of the class itself
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ovmake.workers.metrics.tally import Metric
from ovmake.workers.preparing import Array
from ovmake.workers.protocol import ActionError

TWO_DIMENSIONS = 2
NO_CLASS = -1
# Above it an output of one column says 1: it is taken for a probability.
THRESHOLD = 0.5
# Integers of fewer bits are quantized scores rather than numbers of classes.
CLASS_BYTES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """A class per sample, NO_CLASS where the model gave none; `classes` is how many there are, None if unknown."""

    answers: Array
    classes: int | None


def chosen(metric: Metric, outputs: Mapping[str, Array]) -> Array:
    """Return the output that the metric is about.

    Raises:
        ActionError: the Ovfile names none and there are several, or names one that there is not.
    """
    name = metric.options.output
    listed = ", ".join(f"`{known}`" for known in outputs)
    if name is None:
        if len(outputs) > 1:
            message = f"the model has several outputs ({listed}), and `{metric.name}` is about one"
            hint = f'name it: `output = "{next(iter(outputs))}"` beside the metric'
            raise ActionError("several-outputs", message, setting="accuracy.metric", help=hint)
        return next(iter(outputs.values()))
    if name not in outputs:
        message = f"`{metric.name}` is about output `{name}`, and the model has {listed}"
        raise ActionError("unknown-output", message, setting="accuracy.output")
    return outputs[name]


def answers(metric: Metric, outputs: Mapping[str, Array], expected: Mapping[str, Array]) -> Answers:
    """Return the class that the model names for each sample.

    Raises:
        ActionError: the output names no class.
    """
    array = chosen(metric, outputs)
    if array.ndim == TWO_DIMENSIONS and array.shape[1] > 1:
        return Answers(answers=largest(array), classes=array.shape[1])
    if array.ndim not in {1, TWO_DIMENSIONS}:
        raise no_classes(metric, array)
    column = array.reshape(len(array))
    if metric.options.threshold is None and column.dtype.kind in "iu":
        return Answers(answers=_numbered(metric, column), classes=None)
    if metric.options.threshold is None:
        _check_probabilities(metric, chosen(metric, expected))
    above = column > (THRESHOLD if metric.options.threshold is None else metric.options.threshold)
    return Answers(answers=np.where(np.isfinite(column), above, NO_CLASS).astype(np.int64), classes=2)


def largest(scores: Array) -> Array:
    """Return the place of the largest score of each row; NO_CLASS where the row's largest is not finite.

    A NaN wins every argmax in numpy; a sample without a finite answer is a wrong one. -inf rules a class out.
    """
    return np.where(np.isfinite(scores.max(axis=-1)), scores.argmax(axis=-1), NO_CLASS)


def no_classes(metric: Metric, array: Array) -> ActionError:
    """Return what is wrong with an output that names no class."""
    message = f"`{metric.name}` needs an output of shape [samples, classes] or [samples], not {list(array.shape)}"
    return ActionError("metric-shape", message, setting="accuracy.metric")


def _numbered(metric: Metric, column: Array) -> Array:
    if column.dtype.itemsize < CLASS_BYTES:
        message = (
            f"the output is one column of {column.dtype}, which may be quantized scores: `{metric.name}` cannot tell"
        )
        hint = "give `threshold`, the number above which the answer is 1, beside the metric"
        raise ActionError("metric-type", message, setting="accuracy.metric", help=hint)
    return column.astype(np.int64)


def _check_probabilities(metric: Metric, expected: Array) -> None:
    """A column of logits looks like any other; what is outside of 0 to 1 cannot be a probability."""
    finite = expected[np.isfinite(expected)]
    if finite.size and (finite.min() < 0 or finite.max() > 1):
        message = (
            f"TensorFlow's output runs from {finite.min():.4g} to {finite.max():.4g}: "
            f"one column is taken for a probability, which `{metric.name}` compares with {THRESHOLD}"
        )
        hint = "for logits, give `threshold = 0` beside the metric"
        raise ActionError("metric-range", message, setting="accuracy.metric", help=hint)


def class_labels(metric: Metric, labels: Array | None, classes: int | None) -> Array:
    """Return labels as whole numbers [samples].

    Raises:
        ActionError: they are no whole numbers, or name classes that the model does not have.
    """
    labels = metric.labelled(labels)
    flat = labels.reshape(len(labels), -1)
    if labels.dtype.kind not in "iub" or flat.shape[1] != 1:
        message = f"labels are {labels.dtype} {list(labels.shape)}; `{metric.name}` needs one whole number per sample"
        raise ActionError("label-type", message, setting="dataset")
    numbers = flat[:, 0].astype(np.int64)
    if numbers.min() < 0 or (classes is not None and numbers.max() >= classes):
        known = "" if classes is None else f", the model has {classes} classes"
        message = f"labels run from {numbers.min()} to {numbers.max()}{known}"
        raise ActionError("label-range", message, setting="dataset")
    return numbers


def same_count(metric: Metric, rows: int, labels: Array) -> None:
    """Check that an output has a row per sample.

    Raises:
        ActionError: it does not follow the batch.
    """
    if rows != len(labels):
        message = f"the output has {rows} rows for {len(labels)} samples; `{metric.name}` needs one per sample"
        raise ActionError("metric-shape", message, setting="accuracy.metric")
