"""What the tests of metrics share: a metric of a few options, and its tally over feeds of uneven size."""

from __future__ import annotations

from typing import Any

import numpy as np

from ovmake.contracts.params.evaluation import MetricParams
from ovmake.workers.evaluation.metrics import Metric, Tally, metric_of
from ovmake.workers.inputs.preparing import Array
from ovmake.workers.ipc.protocol import Request

FEED = 7


def metric(name: str, *, inputs: dict[str, str] | None = None, **options: Any) -> Metric:
    """Return the metric of an Ovfile with these options beside it."""
    return metric_of(MetricParams(name=name, **options), Request(id=1, kind="evaluate", inputs=inputs or {}))


def counted(
    of: Metric, outputs: Array | dict[str, Array], labels: Array | None, expected: Array | None = None
) -> Tally:
    """Return the tally of a whole set, which comes in feeds of 7 samples."""
    named = outputs if isinstance(outputs, dict) else {"y": outputs}
    theirs = named if expected is None else {"y": expected}
    tally = of.tally()
    for start in range(0, len(next(iter(named.values()))), FEED):
        part = slice(start, start + FEED)
        tally.add(
            {name: array[part] for name, array in named.items()},
            None if labels is None else labels[part],
            {name: array[part] for name, array in theirs.items()},
        )
    return tally


def agrees_with_itself(tally: Tally) -> bool:
    """Whether the bootstrap's formula gives the score when each sample is drawn once, and twice."""
    once = np.ones((1, tally.count))
    drawn = tally.scores(np.concatenate([once, 2 * once]) / np.array([[1.0], [2.0]]))
    return bool(np.allclose(drawn, tally.score()))
