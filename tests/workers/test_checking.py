"""What is found out about a dataset before anything long is done with it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ovmake.workers import checking
from ovmake.workers.checking import check_samples
from ovmake.workers.interface import Interface
from ovmake.workers.preparing import Array
from ovmake.workers.protocol import ActionError, Request
from tests.workers.datasets.models import interface, tensor

MODEL = interface(tensor("x", -1, 2), classes=3)
ROWS = np.arange(8.0).reshape(4, 2)


def check(folder: Path, labels: Array | None, metric: str, known: Interface = MODEL) -> dict[str, object]:
    known.write(str(folder / "interface"))
    np.savez(folder / "d.npz", x=ROWS, y=np.zeros(4) if labels is None else labels)
    params: dict[str, object] = {"accuracy.metric": metric}
    request = Request(
        id=1,
        kind="check-samples",
        params=params if labels is None else {**params, "dataset.labels": "y"},
        inputs={"interface": str(folder / "interface"), "dataset": str(folder / "d.npz")},
        outputs={"checked": str(folder / "checked")},
    )
    check_samples(request)
    found = json.loads((folder / "checked").read_bytes())
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("labels", [[0, 1, 2, 2], [[0], [1], [2], [0]]])
def test_labels_that_are_classes_pass(tmp_path: Path, labels: list[int]) -> None:
    assert {"format": 1, "samples": 4} == check(tmp_path, np.array(labels), "accuracy")


@pytest.mark.parametrize(
    ("labels", "metric", "message"),
    [
        ([0, 1, 3, 2], "accuracy", "labels run from 0 to 3, the model has 3 classes"),
        ([0, -1, 0, 2], "top-2", "labels run from -1 to 2, the model has 3 classes"),
        ([0.0, 1.0, 2.0, 2.0], "accuracy", "labels are float64 .*; `accuracy` needs one whole number"),
        ([[0, 1]] * 4, "recall", "labels are int64 .*; `recall` needs one whole number"),
        (["a", "b", "c", "a"], "accuracy", "labels are <U1"),
    ],
)
def test_labels_that_are_no_classes_are_refused(
    tmp_path: Path, labels: list[object], metric: str, message: str
) -> None:
    with pytest.raises(ActionError, match=message):
        check(tmp_path, np.array(labels), metric)


def test_labels_are_looked_at_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "LABELS", 1)

    with pytest.raises(ActionError, match="labels run from 3 to 3"):
        check(tmp_path, np.array([0, 1, 3, 2]), "accuracy")


def test_metric_without_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ActionError, match="`mae` needs labels"):
        check(tmp_path, None, "mae")


def test_values_that_do_not_fit_are_found_without_running_anything(tmp_path: Path) -> None:
    known = interface(tensor("x", -1, 2, kind="u8"))

    with pytest.raises(ActionError, match="which do not fit into uint8"):
        check_whole(tmp_path, known, np.full((4, 2), 300))


def check_whole(folder: Path, known: Interface, rows: Array) -> None:
    known.write(str(folder / "interface"))
    np.savez(folder / "d.npz", x=rows)
    check_samples(
        Request(
            id=1,
            kind="check-samples",
            inputs={"interface": str(folder / "interface"), "dataset": str(folder / "d.npz")},
            outputs={"checked": str(folder / "checked")},
        )
    )
