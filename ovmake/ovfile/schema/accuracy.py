"""The keys of the gate: what is compared, and how far it may drop. What they mean together: `meaning/accuracy.py`."""

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
        """A string that is no percentage is a bad value, not a wrong type."""
        if isinstance(value, str):
            if not PERCENT.match(value):
                problems.add(bad_value(f"{toml(value)}, which is no percentage", self.expected, at))
        elif not isinstance(value, int | float) or isinstance(value, bool):
            problems.add(wrong_type(self.expected, value, at))
        elif not is_number(value):
            problems.add(bad_value(no_number(value), self.expected, at))

    def read(self, value: object) -> MaxDrop | None:
        """Return what the value means; None where its form is wrong."""
        return MaxDrop.read(value) if isinstance(value, int | float | str) else None

    def json_schema(self) -> JsonSchema:
        """Return what an editor is told."""
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
    """What an Ovfile says of a metric beyond its name. Which metric reads which: `contracts/metrics.py`."""

    output: str | None = key(
        Text(),
        default=None,
        shown="the model's only one; a function of yours gets all",
        doc="The output that the metric is about",
        reaches=COUNTED,
    )
    threshold: float | None = key(
        Number(),
        default=None,
        shown="0.5, for probabilities",
        doc="Above it an output of one column says 1 and not 0; 0 for logits",
        reaches=COUNTED,
    )
    positive: int | None = key(
        Whole(minimum=0),
        default=None,
        shown="1 of two classes; of more, the mean over all of them",
        doc="The class that `precision`, `recall` and `f1` are about",
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
        doc="`coco-map` only, and required there: a JSON file of boxes as COCO has them; labels are the images' ids",
    )
    higher_is_better: bool = key(
        Flag(),
        default=True,
        doc="The direction of a function of yours; to be said where its name has a word such as `loss` or `error`",
        reaches=COUNTED,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """A gate without labels: the least cosine, and the largest difference as a share of an output's scale."""

    cosine: float | None = key(
        Number(minimum=-1, maximum=1),
        default=None,
        shown=", ".join(f"{name} {least}" for name, least in DEFAULT_COSINE.items()) + "; with `metric`, none",
        doc="Least cosine between TensorFlow's outputs and the IR's",
        reaches=JUDGED,
    )
    max_error: float | None = key(
        Number(minimum=0),
        default=None,
        shown=", ".join(f"{name} {most:g}" for name, most in DEFAULT_MAX_ERROR.items()) + "; with `metric`, fp32 only",
        doc="Largest difference in an output, as a share of its scale: of the largest magnitude in TensorFlow's",
        reaches=JUDGED,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The gate as the Ovfile asks for it; `spec.Accuracy` is what follows for one precision."""

    dataset: str | None = key(
        Text(),
        default=None,
        shown="for `agreement` only: samples of `calibration` that do not calibrate, else seeded random inputs",
        doc="The dataset to compare on",
    )
    inputs: str | None = key(
        Choice(words=(NOISE,), code="unknown-inputs", what="kind of inputs"),
        default=None,
        shown="see `dataset`",
        doc="Where there is no `dataset`: seeded random inputs, also for INT8, which is else not measured on them; "
        "for INT8 beside `agreement` only",
    )
    metric: str | None = key(
        METRIC,
        default=None,
        shown="`accuracy` where `max-drop` is given, else none",
        doc="What is compared; also any other `top-K`, or a function of yours: `metrics.py:my_metric`. All but "
        "`cosine` and functions need a dataset with labels",
        reaches=(*COUNTED, *JUDGED),
    )
    max_drop: MaxDrop | None = key(
        DropAmount(),
        default=None,
        shown=f"{DEFAULT_MAX_DROP} where `metric` is given, or {DEFAULT_RELATIVE_DROP:.0%} for `mae`, `rmse` and "
        "functions; else none",
        doc='How much worse than TensorFlow the IR may be: absolute, or "1%" of TensorFlow\'s; negative: better. '
        "Below 1 for metrics that are 1 at most",
        reaches=(*JUDGED, *COUNTED),  # alone, it asks for a metric to count
    )
    agreement: Agreement = table(Table(keys=keys_of(Agreement)), default=Agreement, doc="A gate without labels")


*_FIRST, _LAST = keys_of(Asked)
ACCURACY = Table(keys=(*_FIRST, *keys_of(MetricOptions), _LAST), otherwise=Off(), title="accuracy")
