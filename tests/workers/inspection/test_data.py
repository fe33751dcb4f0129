"""What `init` is told of data: columns, ranges, labels; of files that are none, nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ovmake.contracts.codec import decode
from ovmake.contracts.files.inspected import Data, DataColumn
from ovmake.errors import ActionError
from ovmake.workers.inspection.data import inspect_data
from ovmake.workers.ipc.protocol import Request


def told(path: Path) -> Data:
    """Return the facts as the other side of the pipe reads them."""
    facts = inspect_data(Request(id=1, kind="inspect-data", inputs={"dataset": str(path)}))
    return decode(Data, json.loads(json.dumps(facts)), "facts")


def test_arrays(tmp_path: Path) -> None:
    x = np.arange(4 * 6, dtype=np.uint8).reshape(4, 2, 3)
    np.savez(
        tmp_path / "a.npz", x=x, y=np.array([0, 1, 1, 1]), names=np.array(["a", "b"]), one=np.float32(3), few=np.ones(2)
    )

    assert told(tmp_path / "a.npz") == Data(
        form="arrays",
        count=4,
        columns=(
            DataColumn(name="x", kind="integers", shape=(2, 3), low=0.0, high=23.0),
            DataColumn(name="y", kind="integers", low=0.0, high=1.0, common=0.75),
        ),
    )


def test_labels_are_read_to_the_end_and_numbers_that_are_none_are_passed_over(tmp_path: Path) -> None:
    labels = np.zeros(1000, dtype=np.int64)
    labels[-1] = 7
    np.savez(tmp_path / "a.npz", y=labels, z=np.full(1000, np.nan), w=np.array([np.inf, 2.0] * 500))

    columns = told(tmp_path / "a.npz").columns

    assert [(0.0, 7.0), (0.0, 0.0), (2.0, 2.0)] == [(one.low, one.high) for one in columns]


def test_table(tmp_path: Path) -> None:
    rows = ["file,kind,size,price", "photos/1.png,dog,3,0.5", "photos/2.png,cat,4,1.5", "more/3.png,dog,5,2"]
    (tmp_path / "a.csv").write_text("\n".join(rows))

    found = told(tmp_path / "a.csv")

    columns = found.columns
    assert ("table", 3) == (found.form, found.count)
    assert [("file", "image", ("more", "photos")), ("kind", "words", ("cat", "dog"))] == [
        (one.name, one.kind, one.words) for one in columns[:2]
    ]
    assert [("size", "integers", 5.0), ("price", "floats", 2.0)] == [
        (one.name, one.kind, one.high) for one in columns[2:]
    ]


def test_folder_of_images(tmp_path: Path) -> None:
    for name in ("cat/1.png", "dog/1.png", "dog/2.png", "dog/3.png"):
        (tmp_path / "val" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4)).save(tmp_path / "val" / name)

    assert told(tmp_path / "val") == Data(
        form="images",
        count=4,
        columns=(DataColumn(name="", kind="image", common=0.75),),
        classes=("cat", "dog"),
    )
    loose = told(tmp_path / "val/dog")
    assert ((), 3) == (loose.classes, loose.count)


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.npz", b"no zip"), ("a.csv", b""), ("a.csv", b"x,y\n1\n"), ("a.tfrecord", b"short"), ("a.txt", b"words")],
)
def test_what_is_no_dataset_is_an_error_of_its_own(name: str, data: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)

    with pytest.raises(ActionError):
        told(tmp_path / name)
