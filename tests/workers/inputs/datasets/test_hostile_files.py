"""Datasets of strangers that state more than they hold, or hold more than a disk: refused before memory is taken."""

from __future__ import annotations

import gzip
import io
import shutil
import struct
import zipfile
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest

from ovmake.errors import ActionError
from ovmake.workers.inputs.datasets import npz
from tests.workers.hostile_keras import archive, changed, lying
from tests.workers.inputs.datasets.models import IMAGES, interface, labels, samples, tensor, values
from tests.workers.inputs.datasets.test_tfrecord import example, framed

X = interface(tensor("x", -1, 3))
ROWS = np.arange(12, dtype=np.float32).reshape(4, 3)


def npy(shape: str, data: bytes = ROWS.tobytes(), kind: str = "'<f4'", version: int = 1) -> bytes:
    """Return an .npy whose header says what it likes."""
    header = f"{{'descr': {kind}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(header)) + header + data


def refusal(path: Path, **params: object) -> ActionError:
    with pytest.raises(ActionError) as caught:
        list(samples(X, path, **params).feeds())
    return caught.value


# what a header says -> what is said of it
LIES = {
    "huge": (npy("(1099511627776, 3)"), "its header states an array of 13,194,139,533,312 bytes, and the file has 48"),
    "overflow": (npy("(4611686018427387904, 4)"), "its header states an array of 73,786,976,294,838,206,464 bytes"),
    "negative": (npy("(-4, 3)"), r"its header states the shape \[-4, 3\]"),
    "boolean": (npy("(True, 3)"), r"its header states the shape \[True, 3\]"),
    "hollow": (npy("(1099511627776, 0)"), "its header states 1,099,511,627,776 empty samples"),
    "hollow type": (npy("(1099511627776, 3)", kind="'<U0'"), "its header states 1,099,511,627,776 empty samples"),
    "large type": (npy("(4, 3)", kind="'|V2000000000'"), "its header states an array of 24,000,000,000 bytes"),
    "deep": (npy("(" * 5000), "its header is damaged, or too large for an array of numbers"),
    "version": (npy("(4, 3)", version=9), "it is an .npy of version 9.0, and only 1.0 to 3.0 are supported"),
    "pickle": (npy("(4, 3)", kind="'|O'"), "object arrays are pickles, which are not loaded"),
}


@pytest.mark.parametrize("method", [None, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("lie", LIES)
def test_header_that_lies_takes_no_memory(tmp_path: Path, lie: str, method: int | None) -> None:
    data, words = LIES[lie]
    path = tmp_path / ("d.npy" if method is None else "d.npz")
    path.write_bytes(data) if method is None else archive(path, [("x.npy", data)], method)

    with pytest.raises(ActionError, match=f"cannot read the samples: {words}"):
        samples(X, path)


def test_array_in_an_archive_ends_where_its_member_ends(tmp_path: Path) -> None:
    path = archive(tmp_path / "d.npz", [("x.npy", npy("(40, 3)")), ("y.npy", bytes(4000))], zipfile.ZIP_STORED)

    assert "its header states an array of 480 bytes, and the file has 48" in refusal(path).message


@pytest.mark.parametrize("version", [1, 2, 3])
def test_each_version_of_a_header_is_read(tmp_path: Path, version: int) -> None:
    (tmp_path / "d.npy").write_bytes(npy("(4, 3)", version=version))

    assert np.array_equal(ROWS, values(samples(X, tmp_path / "d.npy"), "x"))


def test_npy_that_a_csv_names_and_that_lies_is_named(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("x,y\na.npy,b.npy\n")
    np.save(tmp_path / "a.npy", ROWS[0])
    (tmp_path / "b.npy").write_bytes(npy("(1099511627776, 3)"))
    files = [tmp_path / "a.npy", tmp_path / "b.npy"]

    with pytest.raises(ActionError, match=r"cannot read `b.npy`: its header states an array of 13,194,"):
        labels(samples(X, tmp_path / "d.csv", *files, labels="y"))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_array_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "d.npz", [("x.npy", npy("(4, 3)")), ("x.npy", npy("(4, 3)"))])

    assert "`x.npy` in it occurs twice" in refusal(path).message


@pytest.mark.parametrize(
    ("at", "value", "words"),
    [(8, b"\1", "`x.npy` in it is encrypted"), (10, b"\x63", "`x.npy` in it uses an unsupported compression method")],
)
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_encrypted_or_oddly_packed_array_is_refused(
    tmp_path: Path, at: int, value: bytes, words: str, method: int
) -> None:
    path = changed(archive(tmp_path / "d.npz", [("x.npy", npy("(4, 3)"))], method), "x.npy", at, value)

    assert words in refusal(path).message


@pytest.mark.parametrize("large", [0, 1 << 30])
def test_array_that_unpacks_to_more_than_is_stated_is_refused(
    tmp_path: Path, large: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(npz, "LARGE_BYTES", large)
    path = archive(tmp_path / "d.npz", [("x.npy", npy("(4, 3)") + bytes(1 << 24))])

    assert "Bad CRC-32" in refusal(lying(path, "x.npy", 200)).message


def test_names_that_are_no_paths_may_look_like_some(tmp_path: Path) -> None:
    archive(tmp_path / "d.npz", [("x:0.npy", npy("(4, 3)")), ("/a/../b.npy", npy("(4, 3)"))])

    assert np.array_equal(ROWS, values(samples(X, tmp_path / "d.npz", inputs__x="x:0"), "x"))


def test_message_shows_some_of_a_thousand_names(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text(",".join(f"c{number}" for number in range(1000)) + "\n" + "1," * 999 + "1\n")

    assert refusal(tmp_path / "d.csv").message.endswith("`c19` and 980 more")


# --- disks --------------------------------------------------------------------------------------------------

Usage = namedtuple("Usage", "total used free")  # noqa: PYI024 - what shutil returns


def gzipped(path: Path, size: int) -> Path:
    with gzip.open(path, "wb") as file:
        file.write(framed(example(x=[1.0, 2.0, 3.0])) * (size // 40))
    return path


def deflated(path: Path, size: int) -> Path:
    data = io.BytesIO()
    np.save(data, np.zeros((size // 12, 3), np.float32))
    return archive(path, [("x.npy", data.getvalue())])


@pytest.mark.parametrize("name", ["d.tfrecord.gz", "d.npz"])
def test_bomb_is_refused_before_it_fills_the_disk(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npz, "LARGE_BYTES", 0)
    path = (gzipped if name.endswith(".gz") else deflated)(tmp_path / name, 8 << 20)
    samples(X, path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1 << 30, 0, 1 << 22))

    error = refusal(path)

    assert "dataset-too-large" == error.code
    assert "of the free space on the disk may be used" in error.message


# --- nothing ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["d.tfrecord", "d.tfrecord.gz"])
def test_tfrecord_without_records_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(gzip.compress(b"") if name.endswith(".gz") else b"")

    error = refusal(tmp_path / name)

    assert ("dataset-empty", f"the dataset has no samples: there is no record in `{name}`") == (
        error.code,
        error.message,
    )


def test_record_without_features_has_none(tmp_path: Path) -> None:
    (tmp_path / "d.tfrecord").write_bytes(framed(b""))

    assert "the dataset has no feature `x` for input `x`; it has none" == refusal(tmp_path / "d.tfrecord").message


@pytest.mark.parametrize(("text", "words"), [("", "the .csv is empty"), ("x,y\n", "ends after the header")])
def test_csv_without_rows_holds_no_samples(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "d.csv").write_text(text)

    error = refusal(tmp_path / "d.csv")

    assert "dataset-empty" == error.code
    assert words in error.message


def test_csv_with_a_huge_field_says_where(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("x,y\n1,2\n" + "1" * 200_000 + ",2\n")

    words = r"cannot read the samples: after line 2, field larger than field limit"
    with pytest.raises(ActionError, match=words):
        samples(X, tmp_path / "d.csv")


@pytest.mark.parametrize("folders", [[], ["cat", "dog"]])
def test_folder_without_images_says_what_images_are(tmp_path: Path, folders: list[str]) -> None:
    for folder in folders:
        (tmp_path / folder).mkdir()
    (tmp_path / "notes.txt").touch()

    with pytest.raises(ActionError) as caught:
        samples(IMAGES, tmp_path)

    assert f"the dataset has no samples: `{tmp_path.name}` contains no images" == caught.value.message
    assert "images are files whose names end in .bmp, .gif, .jpeg, .jpg," in caught.value.help


@pytest.mark.parametrize("name", ["val.npz", "val.npy", "val.csv", "val.tfrecord", "val"])
def test_pointer_of_git_lfs_is_named_as_one(tmp_path: Path, name: str) -> None:
    """Not as a zip file that is none, nor as a table with a column `version https://…`."""
    (tmp_path / name).write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 4\n")

    error = refusal(tmp_path / name)

    assert f"`{name}` is a Git LFS pointer, not the file itself" == error.message
    assert ("not-fetched", "fetch the file: `git lfs pull`") == (error.code, error.help)
