"""The form of a dataset: its name decides, and bytes that contradict it are told with both."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ovmake.errors import ActionError
from tests.workers.inputs.datasets.models import IMAGES, interface, paint, samples, tensor, values

X = interface(tensor("x", -1, 2))
ROWS = np.arange(4, dtype=np.float32).reshape(2, 2)


def stored(path: Path) -> Path:
    """Write an .npz under whatever name."""
    with path.open("wb") as file:
        np.savez(file, x=ROWS)
    return path


def test_a_file_whose_name_does_not_tell_is_recognised_by_its_bytes(tmp_path: Path) -> None:
    assert ROWS.tolist() == values(samples(X, stored(tmp_path / "val.data")), "x").tolist()


def test_a_folder_may_be_called_like_a_tfrecord(tmp_path: Path) -> None:
    paint(tmp_path / "val.tfrecord/cat/1.png", 7)

    assert 1 == samples(IMAGES, tmp_path / "val.tfrecord").count


def test_text_that_begins_like_an_archive_is_text(tmp_path: Path) -> None:
    (tmp_path / "val.csv").write_text("PK,b\n1,2\n3,4\n")

    read = samples(X, tmp_path / "val.csv", inputs__x=["PK", "b"])

    assert [[1, 2], [3, 4]] == values(read, "x").tolist()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("val.csv", "`val.csv` is an .npz or .npy, and its name says that it is a .csv"),
        ("val.npz", "`val.npz` is a folder, and its name says that it is an .npz or .npy"),
    ],
)
def test_a_sound_dataset_under_a_wrong_name_is_not_called_damaged(tmp_path: Path, name: str, said: str) -> None:
    if name.endswith(".csv"):
        stored(tmp_path / name)
    else:
        paint(tmp_path / name / "cat/1.png", 7)

    with pytest.raises(ActionError) as refused:
        samples(X, tmp_path / name)

    assert ("dataset-form", said) == (refused.value.code, refused.value.message)
    assert "name it by what it is" == refused.value.help


def test_an_array_is_no_tfrecord(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", ROWS)
    (tmp_path / "x.npy").rename(tmp_path / "x.tfrecord")

    with pytest.raises(ActionError) as refused:
        samples(X, tmp_path / "x.tfrecord")

    said = "`x.tfrecord` is an .npz or .npy, and its name says that it is a TFRecord"
    assert said == refused.value.message


def test_what_is_no_dataset_is_told_with_what_would_be_one(tmp_path: Path) -> None:
    (tmp_path / "val.txt").write_text("1 2\n")

    with pytest.raises(ActionError, match=r"`val\.txt` is no dataset that ovmake can read"):
        samples(X, tmp_path / "val.txt")
