"""The metrics: names, directions, units, options, and the library that computes each.

METRICS["mae"].higher_is_better -> False
metric_kind("top-5") -> METRICS["top-K"]; metric_kind("metrics.py:recall") -> METRICS[OWN]

The Ovfile's reader, the rules and the workers share this table. `workers/evaluation/metrics` computes the scores.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

# The unit of a score: a share of 1, the unit of the labels, or none.
Unit = Literal["share", "labels", "none"]

OWN = "the user's own function"
TOP_K = "top-K"
_PATTERNS = {TOP_K: re.compile(r"top-[1-9][0-9]*"), OWN: re.compile(r"[^:]+\.py:[A-Za-z_]\w*")}


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricKind:
    """A metric, or a family of metrics.

    `options` are the Ovfile keys that it accepts. `up_to_one`: nearly all scores are 0 to 1, so no IR drops by 1.
    `any_size`: scores have no fixed scale, so the default `max-drop` is relative. `library` is the package whose
    version affects the score, "" if ovmake computes it. `suggested` are its names in lists and hints.
    """

    name: str
    unit: Unit = "share"
    higher_is_better: bool = True
    needs_labels: bool = True
    up_to_one: bool = False
    any_size: bool = False
    options: tuple[str, ...] = ("output",)
    library: str = ""
    suggested: tuple[str, ...] = ()


_SCIKIT = "scikit-learn"
_OF_CLASSES = ("output", "threshold", "positive")
_KINDS = (
    MetricKind(name="accuracy", up_to_one=True, options=("output", "threshold"), suggested=("accuracy",)),
    MetricKind(name=TOP_K, up_to_one=True, suggested=("top-3", "top-5")),
    MetricKind(name="precision", up_to_one=True, options=_OF_CLASSES, library=_SCIKIT, suggested=("precision",)),
    MetricKind(name="recall", up_to_one=True, options=_OF_CLASSES, library=_SCIKIT, suggested=("recall",)),
    MetricKind(name="f1", up_to_one=True, options=_OF_CLASSES, library=_SCIKIT, suggested=("f1",)),
    MetricKind(name="mae", unit="labels", higher_is_better=False, any_size=True, suggested=("mae",)),
    MetricKind(name="rmse", unit="labels", higher_is_better=False, any_size=True, suggested=("rmse",)),
    MetricKind(name="r2", unit="none", suggested=("r2",)),
    MetricKind(name="cosine", unit="none", needs_labels=False, up_to_one=True, library=_SCIKIT, suggested=("cosine",)),
    MetricKind(name="miou", up_to_one=True, options=("output", "threshold", "ignored"), suggested=("miou",)),
    MetricKind(
        name="coco-map",
        up_to_one=True,
        options=("annotations",),
        library="pycocotools",
        suggested=("coco-map",),
    ),
    MetricKind(name=OWN, unit="none", needs_labels=False, any_size=True, options=("higher-is-better",)),
)
METRICS: Mapping[str, MetricKind] = {kind.name: kind for kind in _KINDS}
SUGGESTED = tuple(name for kind in _KINDS for name in kind.suggested)


def metric_kind(name: str) -> MetricKind | None:
    """Return the kind of the metric that an Ovfile names, None if the name is unknown."""
    family = next((family for family, pattern in _PATTERNS.items() if pattern.fullmatch(name)), "")
    return METRICS[family] if family else None if name in _PATTERNS else METRICS.get(name)
