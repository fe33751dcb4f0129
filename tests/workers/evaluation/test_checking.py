"""What is found out about a dataset before anything long is done with it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ovmake.contracts.codec import encode_object
from ovmake.contracts.files.interface import Interface
from ovmake.contracts.params.data import DatasetParams, SampleParams
from ovmake.contracts.params.evaluation import CheckSamplesParams, MetricParams
from ovmake.errors import ActionError
from ovmake.workers.evaluation import checking
from ovmake.workers.evaluation.checking import check_samples
from ovmake.workers.inputs.preparing import Array
from ovmake.workers.ipc.protocol import Request
from tests.workers.inputs.datasets.models import interface, tensor

MODEL = interface(tensor("x", -1, 2), classes=3)
ROWS = np.arange(8.0).reshape(4, 2)


def check(folder: Path, labels: Array | None, metric: str, known: Interface = MODEL) -> dict[str, object]:
    known.write(str(folder / "interface"))
    np.savez(folder / "d.npz", x=ROWS, y=np.zeros(4) if labels is None else labels)
    dataset = DatasetParams(form="arrays", labels=None if labels is None else "y")
    asked = CheckSamplesParams(samples=SampleParams(dataset=dataset), metric=MetricParams(name=metric))
    request = Request(
        id=1,
        kind="check-samples",
        params=encode_object(asked),
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


@pytest.mark.parametrize(
    ("labels", "metric", "cure"),
    [
        (np.eye(3)[[0, 1, 2, 2]], "accuracy", "they are one-hot: `labels.argmax(axis=-1)` gives the numbers of the"),
        (np.eye(3, dtype=int)[[0, 1, 2, 2]], "f1", "they are one-hot: `labels.argmax(axis=-1)`"),
        (np.eye(3, dtype=bool)[[0, 1, 2, 2]], "top-2", "they are one-hot: `labels.argmax(axis=-1)`"),
        ([[0.9, 0.1, 0.0]] * 4, "accuracy", "they are probabilities: `labels.argmax(axis=-1)`"),
        ([0.0, 1.0, 2.0, 2.0], "accuracy", 'they are whole numbers in floating point: `labels.astype("int64")`'),
        ([[0.0], [1.0], [2.0], [2.0]], "top-2", 'they are whole numbers in floating point: `labels.astype("int64")`'),
        ([0.1, 1.0, 2.5, 2.0], "accuracy", "they are not classes: `mae`, `rmse` and `r2` are metrics of numbers"),
        ([0.1, np.nan, 2.5, 2.0], "accuracy", "they are not classes"),
        (["a", "b", "c", "a"], "accuracy", "number them in the order of the model's outputs"),
        ([[0, 1]] * 4, "recall", "they are one-hot"),
        ([[3, 4]] * 4, "recall", ""),
        ([1, 2, 3, 1], "accuracy", "classes are counted from 0: subtract 1 from every label"),
        ([0, 2, 3, 1], "accuracy", ""),
        ([1, 2, 4, 1], "accuracy", ""),
    ],
)
def test_labels_that_are_no_classes_get_their_cure(
    tmp_path: Path, labels: list[object] | Array, metric: str, cure: str
) -> None:
    with pytest.raises(ActionError) as caught:
        check(tmp_path, np.array(labels), metric)

    assert caught.value.help.startswith(cure)
    assert bool(cure) == bool(caught.value.help)


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
            params=encode_object(CheckSamplesParams(samples=SampleParams(dataset=DatasetParams(form="arrays")))),
            inputs={"interface": str(folder / "interface"), "dataset": str(folder / "d.npz")},
            outputs={"checked": str(folder / "checked")},
        )
    )
