"""Which files are models, and what they are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from ovmake.commands.inspect import finding
from ovmake.commands.inspect.finding import find, find_data, name_all

TFLITE = b"\x1c\0\0\0TFL3" + bytes(64)
HDF5 = b"\x89HDF\r\n\x1a\n" + bytes(64)


def put(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(HDF5 if name.endswith("5") else TFLITE)


def found_in(root: Path) -> list[tuple[str, str]]:
    return [(str(found.path.relative_to(root)), found.recognised.kind) for found in find([root])]


def test_models_are_known_by_content(tmp_path: Path) -> None:
    put(tmp_path, "b.tflite", "sub/a.h5", "saved/saved_model.pb", "saved/fingerprint.pb", "notes.txt")
    (tmp_path / "page.h5").write_text("<!DOCTYPE html>")

    expected = [
        ("b.tflite", "tflite"),
        ("page.h5", ""),
        ("saved", "saved-model"),
        ("sub/a.h5", "keras-h5"),
    ]
    assert expected == found_in(tmp_path)


def test_folders_without_sources_are_left_out(tmp_path: Path) -> None:
    put(tmp_path, "build/a.tflite", ".hidden/a.tflite", "node_modules/x/a.tflite", "env/a.tflite", "env/pyvenv.cfg")

    assert [] == found_in(tmp_path)


def test_a_file_that_is_named_is_taken_whatever_it_is(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(TFLITE)

    assert ["tflite"] == [found.recognised.kind for found in find([tmp_path / "model.bin"])]


def test_what_is_found_twice_is_there_once(tmp_path: Path) -> None:
    put(tmp_path, "a.tflite")

    assert 1 == len(find([tmp_path, tmp_path / "a.tflite"]))


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["models/digits.pb"], ["digits"]),
        (["models/digits.pb", "models/digits.h5"], ["digits", "digits-h5"]),
        (["mobile/1/saved_model.pb"], ["mobile"]),
        (["a/net.pb", "b/net.pb", "b/net.h5"], ["net", "net-pb", "net-h5"]),
        (["a/net.pb", "b/net.pb", "c/net.pb", "c/net.pb"], ["net", "net-pb", "c-net", "c-net-pb"]),
        (["my model (2).tflite"], ["my-model-2"]),
        (["report.pb"], ["report-pb"]),
        (["ü.pb"], ["model"]),
    ],
)
def test_names_are_legal_and_unique(paths: list[str], names: list[str]) -> None:
    assert names == name_all([Path("/repo") / path for path in paths])


# data


def data_in(root: Path, *models: str) -> list[str]:
    return [str(path.relative_to(root)) for path in find_data([root], [root / model for model in models])]


def test_data_is_known_by_its_names_and_folders_of_images_by_what_they_hold(tmp_path: Path) -> None:
    put(tmp_path, "data/val.npz", "data/val.csv", "data/val.tfrecord", "tfds/mnist.tfrecord-00000-of-00001")
    put(tmp_path, "photos/1.jpg", "val/cat/1.png", "val/dog/1.JPG", "val/dog/more/2.png", "one/only/1.png", "notes.txt")

    assert [
        "data/val.csv",
        "data/val.npz",
        "data/val.tfrecord",
        "one/only",
        "photos",
        "tfds/mnist.tfrecord-00000-of-00001",
        "val",
    ] == sorted(data_in(tmp_path))


def test_data_is_looked_for_in_no_model_and_in_no_folder_without_sources(tmp_path: Path) -> None:
    put(tmp_path, "saved/assets/words.csv", "build/a.npz", ".hidden/a.npz", "env/a.npz", "env/pyvenv.cfg", ".a.npz")

    assert [] == data_in(tmp_path, "saved")


def test_of_many_files_some_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "MOST_DATA", 3)
    put(tmp_path, *(f"data/{number}.npz" for number in range(9)))

    assert ["data/0.npz", "data/1.npz", "data/2.npz"] == data_in(tmp_path)


def test_folder_that_cannot_be_listed_holds_no_images(tmp_path: Path) -> None:
    assert not finding._has_images(tmp_path / "gone")
