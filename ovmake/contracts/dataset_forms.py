"""The forms of a dataset, as the words of an Ovfile tell them.

form_of("data/val.npz") -> "arrays"
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

DatasetForm = Literal["arrays", "csv", "tfrecord", "folder", "loader"]
# The forms as they stand in messages.
IN_WORDS: Mapping[DatasetForm, str] = {
    "arrays": "an .npz or .npy",
    "csv": "a .csv",
    "tfrecord": "a TFRecord",
    "folder": "a folder",
    "loader": "a loader",
}
# The forms that may hold images: a folder may hold TFRecords too, and these have features.
WITH_IMAGES: tuple[DatasetForm, ...] = ("folder", "csv", "tfrecord")
_BY_SUFFIX: Mapping[str, DatasetForm] = {"npz": "arrays", "npy": "arrays", "csv": "csv"}


def form_of(path: str) -> DatasetForm:
    """Return the form of the dataset at a path, by its name; only a look at a folder can tell what is in it."""
    name = path.rpartition("/")[2].lower()
    if ".tfrec" in name:
        return "tfrecord"
    suffix = name.rpartition(".")[2] if "." in name else ""
    return _BY_SUFFIX.get(suffix, "folder")
