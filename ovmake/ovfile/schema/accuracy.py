"""The keys of the gate: the comparison and the allowed drop. `meaning/accuracy.py` combines them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ovmake.contracts.metrics import SUGGESTED
from ovmake.contracts.params.promise import MaxDrop
from ovmake.ovfile.problems import Problems, bad_value, toml, wrong_type
from ovmake.ovfile.schema.declaring import key, keys_of, table
from ovmake.ovfile.schema.functions import FUNCTION
from ovmake.ovfile.schema.functions import form_of as form_of_function
from ovmake.ovfile.schema.kinds import (
    Choice,
    FilePath,
    Flag,
    JsonSchema,
    Number,
    Text,
    Whole,
    in_any_dialect,
    is_number,
    no_number,
)
from ovmake.ovfile.schema.reach import COUNTED, JUDGED
from ovmake.ovfile.schema.tables import Off, Table
from ovmake.ovfile.words import (
    DEFAULT_COSINE,
    DEFAULT_MAX_DROP,
    DEFAULT_MAX_ERROR,
    DEFAULT_RELATIVE_DROP,
    NOISE,
    KeyPath,
)

PERCENT = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,9})?%\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class DropAmount:
    """A number in metric units, or "1%" of TensorFlow's metric. Negative: the IR must be better."""

    expected: str = 'a number such as `0.01`, or a string such as `"1%"`'

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """Report wrong types and bad values. A string that is not a percentage is a bad value."""
        if isinstance(value, str):
            if not PERCENT.match(value):
                problems.add(bad_value(f"{toml(value)}, not a percentage", self.expected, at))
        elif not isinstance(value, int | float) or isinstance(value, bool):
            problems.add(wrong_type(self.expected, value, at))
        elif not is_number(value):
            problems.add(bad_value(no_number(value), self.expected, at))

    def read(self, value: object) -> MaxDrop | None:
        """Return the typed value; None if its form is wrong."""
        return MaxDrop.read(value) if isinstance(value, int | float | str) else None

    def json_schema(self) -> JsonSchema:
        """Return the JSON Schema of the value."""
        return {"anyOf": [{"type": "number"}, {"type": "string", "pattern": in_any_dialect(f"^(?:{PERCENT.pattern})")}]}


METRIC = Choice(
    words=SUGGESTED,
    code="unknown-metric",
    what="metric",
    pattern=rf"top-[1-9][0-9]{{0,8}}|{FUNCTION.pattern}",
    advice=form_of_function,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricOptions:
    """Options of a metric. `contracts/metrics.py` says which metric reads which."""

    output: str | None = key(
        Text(),
        default=None,
        shown="the model's only output; your function gets all outputs",
        doc="The output to compute the metric from",
        reaches=COUNTED,
    )
    threshold: float | None = key(
        Number(),
        default=None,
        shown="0.5",
        doc="An output of one column means class 1 if it is above this: 0.5 for probabilities, 0 for logits",
        reaches=COUNTED,
    )
    positive: int | None = key(
        Whole(minimum=0),
        default=None,
        shown="with two classes 1; with more, the mean over all classes",
        doc="The positive class of `precision`, `recall` and `f1`",
        reaches=COUNTED,
    )
    ignored: int | None = key(
        Whole(minimum=0),
        default=None,
        shown="none",
        doc="`miou` only: pixels with this label do not count",
        reaches=COUNTED,
    )
    annotations: str | None = key(
        FilePath(),
        default=None,
        doc="`coco-map` only, required: a JSON file with boxes in COCO's format. Labels are the images' ids",
    )
    higher_is_better: bool = key(
        Flag(),
        default=True,
        doc="The direction of your function. Required if its name has a word such as `loss` or `error`",
        reaches=COUNTED,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """A gate without labels: minimum cosine, and maximum difference as a share of an output's scale."""

    cosine: float | None = key(
        Number(minimum=-1, maximum=1),
        default=None,
        shown=", ".join(f"{name} {least}" for name, least in DEFAULT_COSINE.items()) + "; with `metric`, none",
        doc="Minimum cosine between TensorFlow's outputs and the IR's",
        reaches=JUDGED,
    )
    max_error: float | None = key(
        Number(minimum=0),
        default=None,
        shown=", ".join(f"{name} {most:g}" for name, most in DEFAULT_MAX_ERROR.items()) + "; with `metric`, fp32 only",
        doc="Maximum difference in an output, as a share of the largest magnitude in TensorFlow's output",
        reaches=JUDGED,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AccuracyKeys:
    """The gate as the Ovfile writes it; `spec.Accuracy` is the gate of one precision."""

    dataset: str | None = key(
        Text(),
        default=None,
        shown="for `agreement`: unused samples of `calibration`, else seeded random inputs",
        doc="The dataset to compare on",
    )
    inputs: str | None = key(
        Choice(words=(NOISE,), code="unknown-inputs", what="kind of inputs"),
        default=None,
        shown="see `dataset`",
        doc="`noise`: compare on seeded random inputs if there is no `dataset`. INT8 is compared on them only if this "
        "key and an `agreement` are set",
    )
    metric: str | None = key(
        METRIC,
        default=None,
        shown="`accuracy` if `max-drop` is given, else none",
        doc="The figure to compare; also any other `top-K`, or your function: `metrics.py:my_metric`. Every metric "
        "needs a dataset with labels, except `cosine` and functions",
        reaches=(*COUNTED, *JUDGED),
    )
    max_drop: MaxDrop | None = key(
        DropAmount(),
        default=None,
        shown=f"with `metric` {DEFAULT_MAX_DROP}, or {DEFAULT_RELATIVE_DROP:.0%} for `mae`, `rmse` and functions; else "
        "none",
        doc='How much worse than TensorFlow the IR may be: absolute, or "1%" of TensorFlow\'s score. Negative: the IR '
        "must be better. Must be below 1 for metrics with a maximum of 1",
        reaches=(*JUDGED, *COUNTED),  # without `metric`, it selects the default metric
    )
    agreement: Agreement = table(Table(keys=keys_of(Agreement)), default=Agreement, doc="A gate without labels")


*_FIRST, _LAST = keys_of(AccuracyKeys)
ACCURACY = Table(keys=(*_FIRST, *keys_of(MetricOptions), _LAST), otherwise=Off(), title="accuracy")
