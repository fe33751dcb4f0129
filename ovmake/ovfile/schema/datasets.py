"""The keys of a dataset's table. `meaning/datasets.py` checks which of them go together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ovmake.contracts.forms import DatasetForm, form_of
from ovmake.ovfile.schema.arrays import Side
from ovmake.ovfile.schema.declaring import by_hand, key, keys_of, table
from ovmake.ovfile.schema.functions import UserFunction
from ovmake.ovfile.schema.kinds import Choice, FilePath, ListOf, OneOrMore, Text, Whole
from ovmake.ovfile.schema.reach import COUNTED, SAMPLES
from ovmake.ovfile.schema.tables import Named, Table
from ovmake.ovfile.words import CHANNELS, KeyPath


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageOptions:
    """Image preprocessing before the model. `resize` and `crop` are one size, or height and width."""

    resize: tuple[int, ...] | None = key(
        Side(),
        default=None,
        shown="none",
        doc="Resize the shorter side to this, keeping the aspect ratio; or to `[height, width]`. Bilinear, antialiased",
        reaches=SAMPLES,
    )
    crop: tuple[int, ...] | None = key(
        Side(), default=None, shown="none", doc="Crop a square or `[height, width]` from the centre", reaches=SAMPLES
    )
    channels: str | None = key(
        Choice(words=CHANNELS, code="unknown-channels", what="order of channels"),
        default=None,
        shown="`gray` if the input has one channel, else `rgb`",
        doc="Order of the channels",
        reaches=SAMPLES,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Samples in a file or a folder, or yielded by a function; then `path` is its .py file and `function` its name.

    `arrays` maps a model input to the array, column or feature that feeds it, or to several columns; `labels` names
    the array, column or feature with the labels. `classes` are names in the order of their numbers. `limit` is the
    number of samples to use after a seeded shuffle. `files` are read in addition to `path`. `max_overlap` is the number
    of calibration samples that may also be in the validation set.
    """

    name: str
    at: KeyPath
    path: str = key(
        FilePath(),
        default="",
        doc="The samples: an .npz with an array per input, an .npy, a .csv with a header, a .tfrecord, a folder of "
        "images with a sub-folder per class, or a folder of TFRecords. Either this or `loader` is required",
    )
    function: str = by_hand(
        UserFunction(),
        name="loader",
        default="",
        doc="A function that yields (inputs, label) or inputs, in place of `path`: `data.py:val`",
        reaches=SAMPLES,
    )
    arrays: tuple[tuple[str, tuple[str, ...]], ...] = by_hand(
        Named(element=OneOrMore(), what="model input", strict=False),
        name="inputs",
        default=(),
        shown="arrays with the inputs' names",
        doc='The array, column or feature for each model input: `{ image = "x" }`. Several columns of numbers form a '
        'vector: `{ x = ["a", "b"] }`',
    )
    labels: str | None = key(
        Text(),
        default=None,
        shown="none; in a folder of images, the index of the sub-folder",
        doc="The array, column or feature with the labels. A calibration set needs no labels",
        reaches=COUNTED,
    )
    classes: tuple[str, ...] = key(
        ListOf(element=Text(), expected="an array of names", once="class"),
        default=(),
        shown="the sub-folders, sorted",
        doc="Class names in the order of their numbers, if labels are names",
        reaches=COUNTED,
    )
    images: ImageOptions = table(
        Table(keys=keys_of(ImageOptions)),
        default=ImageOptions,
        doc="How to resize and crop images. Pixels stay 0..255, in the input's layout",
    )
    files: tuple[str, ...] = key(
        ListOf(element=FilePath(), expected="an array of paths"),
        default=(),
        shown="none",
        doc="Files and folders that a .csv names or a loader reads. A change in them makes IRs stale",
    )
    limit: int | None = key(
        Whole(minimum=1),
        default=None,
        shown="all, in their order",
        doc="Use the first N samples after a seeded shuffle",
        reaches=SAMPLES,
    )
    max_overlap: int = key(
        Whole(minimum=0),
        default=0,
        doc="How many calibration samples of INT8 may also be in the gate's dataset",
        reaches=("check-calibration",),
    )

    @property
    def is_labelled(self) -> bool:
        """Whether it has or may have labels: a loader or a folder of images must be read to know."""
        return self.labels is not None or bool(self.function) or self.form == "folder"

    @property
    def form(self) -> DatasetForm:
        """The form of the dataset, by its path only: the content of a folder is not looked at."""
        return "loader" if self.function else form_of(self.path)

    @property
    def key(self) -> str:
        """The key that names the samples: `loader` or `path`."""
        return "loader" if self.function else "path"

    @property
    def places(self) -> Mapping[KeyPath, str]:
        """All paths that are read, by their key paths."""
        files = {(*self.at, "files", place): path for place, path in enumerate(self.files)}
        return {(*self.at, self.key): self.path, **files} if self.path else files


DATASET = Table(keys=keys_of(Dataset))
