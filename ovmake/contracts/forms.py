"""The forms of dataset, and which one a path names: decided once, when the Ovfile is lowered.

form_of(path) -> DatasetForm

The name decides, for at that time nothing is read yet, and each form has settings of its own. A name that does not tell
is "folder": of images or of TFRecords, which only a look into it can tell; or it is a file, which is recognised by how
it begins. The form travels in the action's params, so that the digest covers it: the same bytes under another name are
read in another way.
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
    """Return the form that the name of a file or folder says."""
    name = path.rpartition("/")[2].lower()
    if TFRECORD in name:
        return "tfrecord"
    suffix = name.rpartition(".")[2] if "." in name else ""
    return SUFFIXES.get(suffix, "folder")
