"""The metrics that an Ovfile can name, and what holds for each: the one table of them.

WORDS                      what `metric` may be, but for other top-K and functions of the user's
facts_of("top-7") -> MetricFacts(name="top-K", ...)
facts_of("metrics.py:mine") -> OWN
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricFacts:
    """What holds for a metric. `words`: how an Ovfile names it.

    `options`: the keys beside `metric` that it reads. `at_most_one`: its scores are 1 at most. `of_any_size`: its unit
    is the labels' or the user's. `counts_labels`: it needs a dataset with labels.
    """

    name: str
    words: tuple[str, ...]
    options: tuple[str, ...]
    at_most_one: bool = True
    of_any_size: bool = False
    counts_labels: bool = True


_CLASSES = ("output", "threshold", "positive")
METRICS = (
    MetricFacts(name="accuracy", words=("accuracy",), options=("output", "threshold")),
    MetricFacts(name="top-K", words=("top-3", "top-5"), options=("output",)),
    MetricFacts(name="precision", words=("precision",), options=_CLASSES),
    MetricFacts(name="recall", words=("recall",), options=_CLASSES),
    MetricFacts(name="f1", words=("f1",), options=_CLASSES),
    MetricFacts(name="mae", words=("mae",), options=("output",), at_most_one=False, of_any_size=True),
    MetricFacts(name="rmse", words=("rmse",), options=("output",), at_most_one=False, of_any_size=True),
    MetricFacts(name="r2", words=("r2",), options=("output",), at_most_one=False),
    MetricFacts(name="cosine", words=("cosine",), options=("output",), counts_labels=False),
    MetricFacts(name="miou", words=("miou",), options=("output", "threshold", "ignored")),
    MetricFacts(name="coco-map", words=("coco-map",), options=("annotations",)),
)
OWN = MetricFacts(
    name="the user's own function",
    words=(),
    options=("higher-is-better",),
    at_most_one=False,
    of_any_size=True,
    counts_labels=False,
)
WORDS = tuple(word for metric in METRICS for word in metric.words)
_BY_NAME = {metric.name: metric for metric in METRICS}


def facts_of(metric: str) -> MetricFacts:
    """Return what holds for a metric that an Ovfile may name: a function of the user's has a colon in its name."""
    if ":" in metric:
        return OWN
    return _BY_NAME["top-K" if metric.startswith("top-") else metric]
