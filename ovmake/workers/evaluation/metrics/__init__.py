"""Metrics: how good a model's answers are, counted feed by feed, and how sure a drop is.

    metric = metric_of(MetricParams(name="accuracy"), request)
    tally = metric.tally()
    tally.add(outputs, labels, expected)                one feed's real samples
    tally.score() -> float
    drop_interval(reference, candidate, seed=0)         paired bootstrap over the samples
    check_labels(metric, labels, interface)             before anything runs

A tally keeps what its score needs of each sample, mostly a number or two, and not the outputs.

    tally.py      what a metric and a tally are
    catalogue.py  the metrics by name; their directions and units
    classes.py    accuracy, top-k, precision, recall, f1
    numbers.py    mae, rmse, r2
    agreeing.py   cosine, with TensorFlow's outputs
    masks.py      miou
    boxes.py      coco-map
    own.py        a function of the user's
    choosing.py   which output a metric is about, and what it says
    bootstrap.py  intervals
"""

from __future__ import annotations

from ovmake.workers.evaluation.metrics.bootstrap import Interval, drop_interval
from ovmake.workers.evaluation.metrics.catalogue import check_labels, metric_of
from ovmake.workers.evaluation.metrics.tally import Metric, Tally

__all__ = ["Interval", "Metric", "Tally", "check_labels", "drop_interval", "metric_of"]
