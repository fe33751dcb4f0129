"""The forms of dataset. The path decides the form, once, when the Ovfile is lowered.

form_of(path) -> DatasetForm

Only the name decides, because each form has settings of its own and lowering reads no data. Any other name is a
"folder": a folder of images or of TFRecords, or a file that its first bytes identify; the reader finds out which. The
form is part of the action's params, so the digest covers it: the same bytes under a different name may be read
differently.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

DatasetForm = Literal["arrays", "csv", "tfrecord", "folder", "loader"]

SUFFIXES: Mapping[str, DatasetForm] = {"npz": "arrays", "npy": "arrays", "csv": "csv"}
# `val.tfrecord`, `val.tfrecords.gz`, `val.tfrec`, and TFDS's `mnist-test.tfrecord-00000-of-00001`.
TFRECORD = ".tfrec"
# The forms of dataset that may hold images.
WITH_IMAGES: tuple[DatasetForm, ...] = ("folder", "csv", "tfrecord")
WORDS: Mapping[DatasetForm, str] = {
    "arrays": "an .npz or .npy",
    "csv": "a .csv",
    "tfrecord": "a TFRecord",
    "folder": "a folder",
    "loader": "a loader",
}


def form_of(path: str) -> DatasetForm:
    """Return the form of the dataset at `path`, by its name."""
    name = path.rpartition("/")[2].lower()
    if TFRECORD in name:
        return "tfrecord"
    suffix = name.rpartition(".")[2] if "." in name else ""
    return SUFFIXES.get(suffix, "folder")
