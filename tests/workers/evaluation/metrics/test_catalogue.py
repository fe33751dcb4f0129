"""Every metric of the Ovfile is there, and labels are looked at before a model runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ovmake.contracts.files.interface import Interface, Tensor
from ovmake.contracts.metrics import METRICS, SUGGESTED
from ovmake.errors import ActionError
from ovmake.workers.evaluation.metrics import check_labels
from ovmake.workers.evaluation.metrics.catalogue import CATALOGUE
from ovmake.workers.inputs.preparing import Array
from tests.workers.evaluation.metrics.counting import metric


def interface(*shapes: tuple[int, ...]) -> Interface:
    outputs = tuple(Tensor(name=f"y{place}", shape=shape, type="f32") for place, shape in enumerate(shapes))
    return Interface(inputs=(), outputs=outputs)


@pytest.mark.parametrize("name", [*SUGGESTED, "top-7", "some/metrics.py:f"])
def test_metric_that_an_ovfile_may_name_has_a_direction_and_a_unit(name: str) -> None:
    assert (name not in {"mae", "rmse"}) == metric(name).higher_is_better
    units = {"mae": "labels", "rmse": "labels", "r2": "none", "cosine": "none", "some/metrics.py:f": "none"}
    assert units.get(name, "share") == metric(name).unit


def test_every_metric_of_the_table_is_counted_and_no_other() -> None:
    assert list(METRICS) == list(CATALOGUE)


@pytest.mark.parametrize("name", ["top-0", "top-k", "own", "Accuracy"])
def test_metric_that_there_is_not(name: str) -> None:
    with pytest.raises(ActionError, match=f"unknown metric `{name}`"):
        metric(name)


@pytest.mark.parametrize(
    ("name", "shape", "labels", "problem"),
    [
        ("accuracy", (-1, 3), np.array([0, 3]), "the model has 3 classes"),
        ("f1", (-1, 3), np.array(["a"]), "needs one whole number per sample"),
        ("accuracy", (-1, -1), np.array([-1]), "labels run from -1 to -1"),
        ("miou", (-1, 4, 4, 2), np.full((1, 4, 4), 2), "the model has 2 classes"),
        ("miou", (-1, 4, 4, 2), np.array([1]), r"needs whole numbers \[samples, height, width\]"),
        ("mae", (-1, 3), np.zeros((2, 2)), r"the output has shape \[3\] per sample, labels have \[2\]"),
        ("r2", (-1, 3), None, "`r2` needs labels"),
    ],
)
def test_labels_that_do_not_fit(name: str, shape: tuple[int, ...], labels: Array | None, problem: str) -> None:
    with pytest.raises(ActionError, match=problem):
        check_labels(metric(name), labels, interface(shape))


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"positive": 3}, "`positive` is 3, and the model has the classes 0 to 2"),
        ({"output": "y7"}, "`f1` uses output `y7`, but the model has `y0`"),
    ],
)
def test_options_that_do_not_fit_the_model(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(ActionError, match=problem):
        check_labels(metric("f1", **options), np.array([0, 2]), interface((-1, 3)))


@pytest.mark.parametrize(
    ("name", "shapes", "labels"),
    [
        ("accuracy", [(-1, 3)], np.array([[0], [2]])),
        ("accuracy", [(-1, 1)], np.array([False, True])),
        ("accuracy", [(-1, 3), (-1, 2)], np.array([0, 2])),  # which output is meant, the first feed will tell
        ("mae", [(-1, -1)], np.zeros((2, 3))),
        ("mae", [(-1, 1)], np.zeros(2)),
        ("miou", [(-1, 4, 4)], np.full((1, 4, 4), 7)),
        ("cosine", [(-1, 3)], None),
    ],
)
def test_labels_that_may_fit(name: str, shapes: list[tuple[int, ...]], labels: Array | None) -> None:
    check_labels(metric(name), labels, interface(*shapes))


def test_labels_are_held_against_the_output_that_the_ovfile_names() -> None:
    with pytest.raises(ActionError, match="the model has 2 classes"):
        check_labels(metric("accuracy", output="y1"), np.array([0, 2]), interface((-1, 3), (-1, 2)))
