"""Readers for all forms of datasets, behind one protocol: columns whose samples are read on request.

    reader = open_dataset(Given.of(request, "dataset", params))
    reader.names                               its arrays, columns or features; "" for one without a name
    column = reader.inputs(("x",), tensor)     the column that feeds an input
    column.rows(numbers)                       samples by number -> [n, ...]

    columns.py   Given, Column, Reader, and unpacking compressed files so that they can be mapped
    npz.py       .npz and .npy
    images.py    folders of images, a class per sub-folder
    pictures.py  adapt one image to an input: resize, crop, channels, layout
    decoding.py  limits for images: formats, size, how many are decoded at a time
    manifest.py  .csv with a header: numbers, class names, paths of images and .npy
    tfrecord.py  TFRecord files and folders of them
    examples.py  the content of one record
    loader.py    a Python function of the user's, which runs in a process of its own
    spooling.py  the work of that process
    yielded.py   whether a loader yields the same in each pass

The path decides the form of a dataset when the Ovfile is read (`contracts.forms`); the form is a param. Readers look at
bytes only if the name does not decide; a contradiction is an error. Nothing here imports a framework.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ovmake.contracts.forms import WORDS, DatasetForm
from ovmake.sources.integrity.fetched import is_pointer
from ovmake.workers.inputs.datasets.columns import Given, Reader

ZIP, NUMPY = b"PK\x03\x04", b"\x93NUMPY"
EMPTY_ZIP = b"PK\x05\x06"
FORMS = "an .npz or .npy, a .csv, a .tfrecord, a folder of images or of TFRecords"
# What no file of a form begins with: no text has these bytes, and no record is so long.
NEVER: Mapping[DatasetForm, tuple[bytes, ...]] = {"csv": (ZIP, EMPTY_ZIP, NUMPY), "tfrecord": (NUMPY,)}


def open_dataset(given: Given) -> Reader:
    """Return a reader of what `given` names, in its form.

    Raises:
        ActionError: it cannot be read, or is of another form than its name says, or of none that is known.
    """
    form, path = given.params.form, Path(given.path)
    if form == "loader":
        from ovmake.workers.inputs.datasets.loader import run_loader

        return run_loader(given)
    try:
        is_folder = path.is_dir()
        start = b"" if is_folder else _start(path)
        pointer = not is_folder and is_pointer(path)
    except OSError as error:
        raise given.unreadable(error) from error
    if pointer:
        message = f"`{path.name}` is a Git LFS pointer, not the file itself"
        raise given.error("not-fetched", message, help="fetch the file: `git lfs pull`")
    _check_name(path, start, given, is_folder=is_folder)
    if form == "folder" and not is_folder:
        form = _form_of_file(path, start, given)
    return _open(path, form, given)


def _check_name(path: Path, start: bytes, given: Given, *, is_folder: bool) -> None:
    """Refuse data whose name says a different form: the Ovfile's settings were checked for the form of the name."""
    form = given.params.form
    found = "a folder" if is_folder and form in {"csv", "arrays"} else ""
    if start.startswith(NEVER.get(form, ())):
        found = WORDS["arrays"]
    if found:
        message = f"`{path.name}` is {found}, and its name says that it is {WORDS[form]}"
        raise given.error("dataset-form", message, help="name it by what it is")


def _form_of_file(path: Path, start: bytes, given: Given) -> DatasetForm:
    """Return the form of a file by its first bytes, if its name does not decide."""
    if start.startswith((ZIP, EMPTY_ZIP, NUMPY)):
        return "arrays"
    raise given.error("dataset-form", f"`{path.name}` is no dataset that ovmake can read", help=f"it can read {FORMS}")


def _open(path: Path, form: DatasetForm, given: Given) -> Reader:
    if form == "csv":
        from ovmake.workers.inputs.datasets.manifest import Manifest

        return Manifest.open(given)
    if form == "arrays":
        from ovmake.workers.inputs.datasets.npz import Arrays

        return Arrays.open(given)
    from ovmake.workers.inputs.datasets.tfrecord import TFRecords, shards

    try:
        records = shards(path)
    except OSError as error:
        raise given.unreadable(error) from error
    if records:
        return TFRecords.open(records, given)
    from ovmake.workers.inputs.datasets.images import ImageFolder

    return ImageFolder.open(given)


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(NUMPY))
