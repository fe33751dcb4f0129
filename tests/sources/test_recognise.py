"""Sources are told apart by what is in them, from the first bytes; names only make the errors better."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ovmake.contracts.source_kinds import SOURCE_KINDS
from ovmake.sources.recognise import Recognised, companions, recognise, unknown
from tests.graphdefs import message, node

GRAPH = message((1, node("x", "Placeholder", dtype=b"\x30\x01")), (4, message((1, 2474))))
OP_LIST = message((1, message((1, "MatMul"))))
META = message((1, message((2, OP_LIST), (5, "2.21.0"))), (2, GRAPH))
SAVED_MODEL = message((1, 1), (2, META))


def archive(*names: str) -> bytes:
    """Return a zip archive of empty files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name in names:
            file.writestr(zipfile.ZipInfo(name), b"")  # no time: it would be in the names of tests
    return buffer.getvalue()


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def refused(path: Path) -> tuple[str, str]:
    """Return message and help of the error about a source that nobody knows."""
    found = recognise(path)
    assert found.kind == ""
    error = unknown(path, found)
    assert ("unknown-source", "source") == (error.code, error.setting)
    return error.message, error.help


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (GRAPH, "frozen-graph"),
        (message((1, node("v", "Const", value=message((8, b"\0" * 100_000))))), "frozen-graph"),
        (
            message(
                (1, node("f", "__inference_f_12")),
            ),
            "frozen-graph",
        ),
        (META, "checkpoint"),
        (message((1, message((5, "1.15.0"))), (2, GRAPH)), "checkpoint"),
        (message((1, message((1, "v1"), (2, OP_LIST))), (2, GRAPH)), "checkpoint"),
        (message((1, message((2, OP_LIST * 1000))), (2, GRAPH)), "checkpoint"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 100, "keras-h5"),
        (b"\x1c\0\0\0TFL3" + b"\0" * 100, "tflite"),
        (b"\x1c\0\0\0TFL3" + archive("labels.txt"), "tflite"),
        (archive("config.json", "metadata.json", "model.weights.h5"), "keras"),
        (archive("config.json", "model.weights.json", "model.weights.0.h5"), "keras"),
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["model", "model.h5", "model.pb"])
def test_content_decides_and_not_the_name(tmp_path: Path, name: str, content: bytes, kind: str) -> None:
    assert kind == recognise(written(tmp_path, name, content)).kind


@pytest.mark.parametrize("name", ["saved_model.pb", "saved_model.pbtxt"])
def test_folder_with_a_saved_model_is_one(tmp_path: Path, name: str) -> None:
    written(tmp_path, name, SAVED_MODEL)

    assert Recognised(kind="saved-model") == recognise(tmp_path)


def test_truncated_file_is_still_recognised(tmp_path: Path) -> None:
    whole = message((1, node("x", "Placeholder", value=b"\x42\x80\x08" + b"a" * 1024)))

    assert "frozen-graph" == recognise(written(tmp_path, "a.pb", whole[:100])).kind


def test_checkpoint_names_the_files_beside_it(tmp_path: Path) -> None:
    meta = written(tmp_path, "model-10.meta", META)
    index, data = (written(tmp_path, f"model-10.{end}", b"") for end in ("index", "data-00000-of-00001"))
    for other in ("model-100.index", "model-1.data-00000-of-00001", "model-10.data-old", "checkpoint"):
        written(tmp_path, other, b"")

    assert Recognised(kind="checkpoint", beside=(data, index)) == recognise(meta)


def test_checkpoint_of_the_first_format_has_one_file_beside_it(tmp_path: Path) -> None:
    data = written(tmp_path, "old", b"")

    assert (data,) == companions(written(tmp_path, "old.meta", META))


def test_what_is_not_named_meta_has_nothing_beside_it(tmp_path: Path) -> None:
    assert () == companions(written(tmp_path, "graph", META))


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("m.h5", b"<!DOCTYPE html>\n<html>", "`m.h5` is named like a Keras .h5 file, but it is text that begins with"),
        ("m.keras", b"", "`m.keras` is named like a Keras .keras file, but it is empty"),
        ("m.pb", b"\xff\xd8\xff\xe0\0\x10JFIF", "but it begins with the bytes ff d8 ff e0 00 10 4a 46"),
        ("m", b"\x80\x05\x95", "`m` is no model that ovmake knows: it begins with the bytes 80 05 95"),
        ("m.keras", archive("a", "b"), "zip archive without `config.json` and `model.weights.h5`: `a`, `b`"),
        ("m.keras", archive("config.json")[:40], "it is a zip archive that cannot be read: File is not a zip file"),
        ("m.onnx", message((1, 7), (2, "pytorch")), "it begins with the bytes 08 07 12 07 70 79 74 6f"),
    ],
)
def test_unknown_file_is_told_by_what_is_in_it(tmp_path: Path, name: str, content: bytes, expected: str) -> None:
    told, _ = refused(written(tmp_path, name, content))

    assert expected in told


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("m.pb", b"version https://git-lfs.github.com/spec/v1\noid sha256:1", "fetch the file: `git lfs pull`"),
        ("m.zip", archive("a/saved_model.pb"), "unpack the archive, and name the SavedModel folder in it"),
        ("sm/saved_model.pb", SAVED_MODEL, "name the folder that it is in: `sm`"),
        ("m.txt", b"hello", "export the model as a SavedModel, `model.export(folder)` in Keras, and name that folder"),
        ("a/model-1.index", b"", "name the .meta file, which holds the graph"),
    ],
)
def test_help_is_about_what_was_found(tmp_path: Path, name: str, content: bytes, expected: str) -> None:
    _, told = refused(written(tmp_path, name, content))

    assert expected == told


def test_part_of_a_checkpoint_leads_to_its_meta_file(tmp_path: Path) -> None:
    written(tmp_path, "c-1.meta", META)

    told = refused(written(tmp_path, "c-1.data-00000-of-00001", b"\0\0\0"))

    assert (
        "`c-1.data-00000-of-00001` is no model that ovmake knows: it is a part of a TF1 checkpoint that holds no graph",
        "name the .meta file beside it: `c-1.meta`",
    ) == told


def test_folder_without_a_model_is_told_by_its_files(tmp_path: Path) -> None:
    for name in "abcdefg":
        written(tmp_path, f"model/{name}", b"")

    told, _ = refused(tmp_path / "model")

    assert (
        "the folder `model` is no model that ovmake knows: it has no `saved_model.pb` but "
        "`a`, `b`, `c`, `d`, `e` and 2 more"
    ) == told


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("1/saved_model.pb", "name the folder inside: `model/1/`"),
        ("model.ckpt-5.meta", "name the checkpoint's .meta file: `model/model.ckpt-5.meta`"),
    ],
)
def test_folder_around_a_model_leads_to_it(tmp_path: Path, inside: str, expected: str) -> None:
    written(tmp_path, f"model/{inside}", SAVED_MODEL)

    assert expected == refused(tmp_path / "model")[1]


def test_only_the_head_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, "m.pb", GRAPH)
    os.truncate(path, 1 << 40)  # a hole; reading it all would take minutes and the memory

    assert "frozen-graph" == recognise(path).kind


def test_any_bytes_are_answered(tmp_path: Path) -> None:
    for start in range(256):
        path = written(tmp_path, "m", bytes([start, *range(255, 0, -1)]))

        assert recognise(path).kind in {"", *SOURCE_KINDS}


def test_importing_it_loads_no_archive_reader() -> None:
    script = "import sys, ovmake.sources.recognise; print({'zipfile', 'numpy', 'tensorflow'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert "set()\n" == done.stdout
