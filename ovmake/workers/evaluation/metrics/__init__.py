"""Metrics: the quality of a model's answers, counted feed by feed, and the confidence interval of a drop.

    metric = metric_of(MetricParams(name="accuracy"), request)
    tally = metric.tally()
    tally.add(outputs, labels, expected)                one feed's real samples
    tally.score() -> float
    drop_interval(reference, candidate, seed=0)         paired bootstrap over the samples
    check_labels(metric, labels, interface)             before anything runs

A tally stores what its score needs from each sample, mostly one or two numbers, instead of the outputs.

    tally.py      what a metric and a tally are
    catalogue.py  the metrics by name; their directions and units
    classes.py    accuracy, top-k, precision, recall, f1
    numbers.py    mae, rmse, r2
    agreeing.py   cosine, with TensorFlow's outputs
    masks.py      miou
    boxes.py      coco-map
    own.py        a function of the user
    choosing.py   the output that a metric uses, and the classes that it names
    bootstrap.py  confidence intervals
"""

from __future__ import annotations

from ovmake.workers.evaluation.metrics.bootstrap import Interval, drop_interval
from ovmake.workers.evaluation.metrics.catalogue import check_labels, metric_of
from ovmake.workers.evaluation.metrics.tally import Metric, Tally

__all__ = ["Interval", "Metric", "Tally", "check_labels", "drop_interval", "metric_of"]
