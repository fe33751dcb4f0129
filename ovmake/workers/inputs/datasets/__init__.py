"""Readers for all forms of datasets, behind one protocol: columns whose samples are read on request.

    reader = open_dataset(Given.of(request, "dataset"))
    reader.names                               its arrays, columns or features; "" for one without a name
    column = reader.inputs(("x",), tensor)     the column that feeds an input
    column.rows(numbers)                       samples by number -> [n, ...]

    columns.py   Given, Column, Reader, and unpacking compressed files so that they can be mapped
    npz.py       .npz and .npy
    images.py    folders of images, a class per sub-folder
    pictures.py  adapt one image to an input: resize, crop, channels, layout
    decoding.py  limits for images: formats, size, how many are decoded at a time
    manifest.py  .csv with a header: numbers, class names, paths of images and .npy
    tfrecord.py  TFRecord files and folders of them; examples.py: the content of one record
    loader.py    a Python function of the user, which runs in a process of its own (spooling.py)
    yielded.py   fingerprints of a loader's samples, to compare passes

The path decides the form of a dataset: see `open_dataset`. Nothing here imports a framework.
"""

from __future__ import annotations

from pathlib import Path

from ovmake.sources.integrity.fetched import is_pointer
from ovmake.workers.inputs.datasets.columns import Given, Reader

ZIP, NUMPY = b"PK", b"\x93NUMPY"
FORMS = "an .npz or .npy, a .csv, a .tfrecord, a folder of images or of TFRecords"


def open_dataset(given: Given) -> Reader:
    """Return a reader of what `given` names.

    Raises:
        ActionError: it cannot be read, or has an unknown form.
    """
    if given.text("loader"):
        from ovmake.workers.inputs.datasets.loader import run_loader

        return run_loader(given)
    from ovmake.workers.inputs.datasets.tfrecord import TFRecords, shards

    path = Path(given.path)
    try:
        records = shards(path)
        start = b"" if path.is_dir() else _start(path)
        pointer = not path.is_dir() and is_pointer(path)
    except OSError as error:
        raise given.unreadable(error) from error
    if pointer:
        message = f"`{path.name}` is a Git LFS pointer, not the file itself"
        raise given.error("not-fetched", message, help="fetch the file: `git lfs pull`")
    if records:
        return TFRecords.open(records, given)
    return _other(path, start, given)


def _other(path: Path, start: bytes, given: Given) -> Reader:
    if path.is_dir():
        from ovmake.workers.inputs.datasets.images import ImageFolder

        return ImageFolder.open(given)
    if path.suffix.lower() == ".csv":
        from ovmake.workers.inputs.datasets.manifest import Manifest

        return Manifest.open(given)
    if path.suffix.lower() in {".npz", ".npy"} or start.startswith((ZIP, NUMPY)):
        from ovmake.workers.inputs.datasets.npz import Arrays

        return Arrays.open(given)
    raise given.error(
        "dataset-form", f"`{path.name}` is not a dataset that ovmake can read", help=f"it can read {FORMS}"
    )


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(NUMPY))
