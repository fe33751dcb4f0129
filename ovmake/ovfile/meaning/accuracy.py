"""Read the gate of a target: the metric and its options, the allowed drop, and the agreement.

    accuracy_of(own, precision, datasets, problems, int8=...) -> Accuracy | None
    function_file(metric) -> str | None             the file of a metric that is the user's function

The workers check what needs the labels or the model: whether labels are classes, whether the output exists.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

from ovmake.contracts.metrics import METRICS, OWN, MetricKind, metric_kind
from ovmake.contracts.params.promise import MaxDrop
from ovmake.ovfile.meaning.reading import read
from ovmake.ovfile.meaning.settings import Settings
from ovmake.ovfile.problems import Also, Problem, Problems
from ovmake.ovfile.schema.accuracy import AccuracyKeys, MetricOptions
from ovmake.ovfile.schema.compression import Calibration
from ovmake.ovfile.schema.datasets import Dataset
from ovmake.ovfile.schema.declaring import declared, keys_of
from ovmake.ovfile.schema.kinds import one_of
from ovmake.ovfile.spec import Accuracy
from ovmake.ovfile.words import (
    DEFAULT_COSINE,
    DEFAULT_MAX_DROP,
    DEFAULT_MAX_ERROR,
    DEFAULT_RELATIVE_DROP,
    DEFAULT_SAMPLES,
    NOISE,
    KeyPath,
)

DEFAULT_METRIC = "accuracy"
# Words in the name of a function for which lower values are probably better.
LOWER = frozenset({
    *("loss", "losses", "error", "errors", "err", "mae", "mse", "rmse", "msle", "rmsle", "mape", "smape", "mad"),
    *("distance", "dist", "divergence", "kl", "perplexity", "ppl", "nll", "crossentropy", "entropy", "brier"),
    *("wer", "cer", "eer", "ece", "fid", "rms", "deviation", "hamming", "misses"),
})  # fmt: skip
PER_CENT = 100
WORD = re.compile(r"[A-Z]*[a-z]+|[A-Z]+")


def accuracy_of(
    own: Settings, precision: str, datasets: Mapping[str, Dataset], problems: Problems, *, int8: Settings | None = None
) -> Accuracy | None:
    """Return the gate, and report what it lacks; None if it is turned off.

    `int8` has the settings of INT8, if the same source has an INT8 target: samples that do not calibrate it judge all
    precisions, so that TensorFlow runs once.
    """
    if own.get("accuracy") is False:
        return None
    asked = read(AccuracyKeys, own, "accuracy")
    metric, drop = asked.metric, asked.max_drop
    options = MetricOptions()
    cosine, error = asked.agreement.cosine, asked.agreement.max_error
    given = tuple(key for key, value in (("cosine", cosine), ("max-error", error)) if value is not None)
    promised = bool(metric or drop or given)
    if metric or drop:
        metric = metric or DEFAULT_METRIC
        drop = drop or _default_drop(metric)
        _check_labelled(own, metric, datasets.get(asked.dataset or ""), problems)
        _check_options(own, metric, problems)
        _check_drop(own, metric, drop, problems)
        options = _options(own, metric)
    elif cosine is None:
        cosine = DEFAULT_COSINE.get(precision)  # `auto` has no cosine: its candidates have
    # FP32 changes only the order of sums: it must agree element by element, also if labels decide.
    if error is None and (metric is None or precision == "fp32"):
        error = DEFAULT_MAX_ERROR.get(precision)
    noise = _noise(own, asked, precision, promised=promised, problems=problems)
    calibrated = None if asked.dataset or noise or int8 is None else read(Calibration, int8)
    judges = calibrated is not None and calibrated.calibration in datasets
    return Accuracy(
        dataset=asked.dataset,
        calibration=calibrated.calibration if calibrated and judges else None,
        calibrating=calibrated.samples if calibrated and calibrated.calibration else DEFAULT_SAMPLES,
        noise=noise,
        metric=metric,
        options=options,
        max_drop=drop,
        cosine=cosine,
        max_error=error,
        promised=promised,
        given=given,
    )


def _noise(own: Settings, asked: AccuracyKeys, precision: str, *, promised: bool, problems: Problems) -> bool:
    """Return whether synthetic inputs judge, and warn if they cannot."""
    if asked.inputs != NOISE:
        return False
    without = "there is a `dataset`" if asked.dataset else ""
    if precision == "int8" and not promised:
        without = without or "INT8 has no default for noise: set an `agreement`"
    if without:
        problems.add(
            Problem(
                code="unused-option",
                at=own.origins["accuracy.inputs"],
                on="key",
                message=f"`inputs` has no effect: {without}",
                help="remove it, or the setting that makes it useless",
                severity="warning",
            )
        )
    return not without


def function_file(metric: str | None) -> str | None:
    """Return the file of a metric such as `metrics.py:recall`; None for ovmake's own metrics."""
    return posixpath.normpath(metric.rpartition(":")[0]) if metric and ":" in metric else None


def _options(own: Settings, metric: str) -> MetricOptions:
    """Return the options of the metric. A farther table may have options of a different metric; they are ignored."""
    theirs = _kind_of(metric).options
    plain = MetricOptions()
    others = {field: getattr(plain, field) for field, key in declared(MetricOptions).items() if key.name not in theirs}
    return read(MetricOptions, own, "accuracy", **others)


def _kind_of(metric: str) -> MetricKind:
    """Return the kind of a metric. The schema has checked the name."""
    return metric_kind(metric) or METRICS[DEFAULT_METRIC]


def _default_drop(metric: str) -> MaxDrop:
    if _kind_of(metric).any_size:  # an absolute 0.01 would be arbitrary
        return MaxDrop(amount=DEFAULT_RELATIVE_DROP, relative=True)
    return MaxDrop(amount=DEFAULT_MAX_DROP)


def _check_labelled(own: Settings, metric: str, dataset: Dataset | None, problems: Problems) -> None:
    """Report a metric without a dataset, or with a dataset that lacks labels. A few metrics need no labels."""
    key = "metric" if own.origin("accuracy", "metric") else "max-drop"
    place = own.origins[f"accuracy.{key}"]
    named = own.origin("accuracy", "dataset")
    counts_labels = _kind_of(metric).needs_labels
    if named is None and metric != "cosine":
        message = f"`{key}` needs a dataset{' with labels' if counts_labels else ''}"
        hint = 'name one: `dataset = "val"`; without labels use `agreement = { cosine = 0.999 }`'
        problems.add(Problem(code="missing-dataset", at=place, on="key", message=message, help=hint))
    elif named and dataset and not dataset.is_labelled and counts_labels:
        problems.add(
            Problem(
                code="unlabelled-dataset",
                at=named,
                message=f"dataset `{dataset.name}` has no labels, and `{key}` needs them",
                also=Also(at=dataset.at, text="has no `labels`"),
                help=f'name the array with the labels: `labels = "y"` in [datasets.{dataset.name}]',
            )
        )


def _check_options(own: Settings, metric: str, problems: Problems) -> None:
    """Warn about options of a different metric in the metric's table; report required ones that are missing."""
    beside = own.origin("accuracy", "metric") or own.origin("accuracy", "max-drop") or ()
    for option in (key.name for key in keys_of(MetricOptions)):
        place = own.origin("accuracy", option)
        if place and place[:-1] == beside[:-1] and option not in _kind_of(metric).options:
            metrics = [name for name, kind in METRICS.items() if option in kind.options and name != OWN]
            theirs = one_of(metrics) if metrics else OWN
            problems.add(
                Problem(
                    code="unused-option",
                    at=place,
                    on="key",
                    message=f"`{option}` has no effect on `{metric}`: it is for {theirs}",
                    help="remove it, or choose a metric that uses it",
                    severity="warning",
                )
            )
    if metric == "coco-map" and not own.origin("accuracy", "annotations"):
        problems.add(
            Problem(
                code="missing-annotations",
                at=own.origins["accuracy.metric"],
                message="`coco-map` compares with boxes, and `annotations` is missing",
                help='name the file with the boxes: `annotations = "val/instances.json"`, in COCO\'s format',
            )
        )


def _check_drop(own: Settings, metric: str, drop: MaxDrop, problems: Problems) -> None:
    """Refuse a promise that cannot be broken, and a metric whose name leaves its direction in doubt."""
    place = own.origin("accuracy", "max-drop")
    if place and _kind_of(metric).up_to_one and drop.amount >= 1:
        written = drop.written if drop.relative else f"{drop.amount:g}"
        told = 'a share: `"5%"` of TensorFlow\'s score, or `0.05` for five points'
        if not drop.relative and 1 <= drop.amount < PER_CENT:
            told = (
                f'a share: `"{drop.amount:g}%"` of TensorFlow\'s score, or `{drop.amount / PER_CENT:g}` of the metric'
            )
        problems.add(
            Problem(
                code="drop-too-large",
                at=place,
                message=f"`{metric}` is at most 1: with a `max-drop` of {written} the gate cannot fail",
                help=f"give {told}",
            )
        )
    named = own.origin("accuracy", "metric")
    if named and _kind_of(metric).name == OWN and not own.origin("accuracy", "higher-is-better"):
        _check_direction(metric, named, problems)


def _check_direction(metric: str, at: KeyPath, problems: Problems) -> None:
    function = metric.rpartition(":")[2]
    word = next((word for word in WORD.findall(function) if word.lower() in LOWER), "")
    if word:
        message = f"lower values of `{function}` may be better: its name contains `{word}`"
        hint = "set `higher-is-better = false`, or `true`, in the table of the metric"
        problems.add(Problem(code="missing-direction", at=at, message=message, help=hint))
