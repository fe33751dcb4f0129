"""Manifests: numbers, names of classes, and files, which must be declared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ovmake.errors import ActionError
from tests.workers.inputs.datasets.models import IMAGES, interface, labels, paint, samples, tensor, values

PAIR = interface(tensor("x", -1, 2))


def write(folder: Path, text: str) -> Path:
    (folder / "d.csv").write_text(text)
    return folder / "d.csv"


def test_columns_of_numbers_are_a_vector(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b,y\n1,2.5,0\n3,4,1\n")

    read = samples(PAIR, path, inputs__x=["a", "b"], labels="y")

    assert ([[1, 2.5], [3, 4]], [0, 1]) == (values(read, "x").tolist(), labels(read))


@pytest.mark.parametrize(("shape", "expected"), [((-1,), [1, 3]), ((-1, 1), [[1], [3]])])
def test_column_feeds_the_input_of_its_name(tmp_path: Path, shape: tuple[int, ...], expected: list[object]) -> None:
    path = write(tmp_path, "x\n1\n3\n")

    assert expected == values(samples(interface(tensor("x", *shape)), path), "x").tolist()


def test_names_of_classes_are_labels(tmp_path: Path) -> None:
    path = write(tmp_path, "x,kind\n1,dog\n2,cat\n")

    assert [1, 0] == labels(samples(interface(tensor("x", -1)), path, labels="kind", classes=["cat", "dog"]))


def test_name_that_is_no_class_is_refused_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, "x,kind\n1,dog\n2,cow\n")

    with pytest.raises(ActionError, match="line 3 has `cow` in column `kind`"):
        samples(interface(tensor("x", -1)), path, labels="kind", classes=["cat", "dog"])


def test_words_for_labels_need_classes(tmp_path: Path) -> None:
    path = write(tmp_path, "x,kind\n1,dog\n")

    with pytest.raises(ActionError, match="contains words, such as `dog`, and labels must be numbers") as caught:
        samples(interface(tensor("x", -1)), path, labels="kind")

    assert "`classes = [" in caught.value.help


def test_images_and_arrays_are_relative_to_the_csv(tmp_path: Path) -> None:
    paint(tmp_path / "files/a.png", (255, 0, 0))
    np.save(tmp_path / "files/a.npy", np.array([5.0, 6.0]))
    paint(tmp_path / "files/mask.png", 9, (2, 2))
    path = write(tmp_path, "image,x,mask\nfiles/a.png,files/a.npy,./files/mask.png\n")
    known = interface(tensor("image", -1, 4, 4, 3), tensor("x", -1, 2))

    read = samples(known, path, tmp_path / "files", labels="mask")

    assert [255, 0, 0] == values(read, "image")[0, 0, 0].tolist()
    assert [[5, 6]] == values(read, "x").tolist()
    assert [[[9, 9], [9, 9]]] == labels(read)


@pytest.mark.parametrize("name", ["other/a.png", "../a.png", "files-too/a.png"])
def test_file_that_is_not_declared_is_refused(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, f"image\n{name}\n")

    with pytest.raises(ActionError, match="which is not among the dataset's `files`") as caught:
        samples(IMAGES, path, tmp_path / "files")

    assert "dataset.files" == caught.value.setting


def test_file_that_is_missing_is_found_at_a_look(tmp_path: Path) -> None:
    read = samples(IMAGES, write(tmp_path, "image\na.png\n"), tmp_path)

    look = read.columns["image"].look
    assert look is not None
    with pytest.raises(ActionError, match=r"cannot read `a\.png`: No such file"):
        look(read.order)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the dataset has no samples: the .csv is empty"),
        ("x\n", "has no samples"),
        ("x,x\n1,2\n", "two columns have the same name"),
        ("x,y\n1,2\n3\n", "line 3 has 1 fields, the first line 2"),
        ("x,y\n1,2\n\n3,4,5\n", "line 4 has 3 fields"),
        ('x\n"1\n', "cannot read the samples: after line 1, unexpected end of data"),
    ],
)
def test_csv_that_is_none(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ActionError, match=message):
        samples(interface(tensor("x", -1)), write(tmp_path, text))


def test_word_among_numbers_is_named_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b\n1,2\n3,n/a\n")

    with pytest.raises(ActionError, match="column `b` must contain numbers, and line 3 has `n/a`"):
        samples(PAIR, path, inputs__x=["a", "b"])


def test_text_of_a_spreadsheet_with_its_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_bytes("\ufeffx\r\n1\r\n".encode())

    assert [1] == values(samples(interface(tensor("x", -1)), tmp_path / "d.csv"), "x").tolist()


def test_whole_numbers_must_fit_the_input(tmp_path: Path) -> None:
    read = samples(interface(tensor("x", -1, kind="u8")), write(tmp_path, "x\n255\n256\n"))

    with pytest.raises(ActionError, match="from 255 to 256, which do not fit into uint8"):
        list(read.feeds())
