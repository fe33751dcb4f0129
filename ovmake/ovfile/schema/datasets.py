"""The keys of a dataset's table. Which of them go together is in `meaning/datasets.py`."""

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
    """What is done to an image before it goes into a model. A size, or height and width."""

    resize: tuple[int, ...] | None = key(
        Side(),
        default=None,
        shown="none",
        doc="The shorter side, keeping the aspect, or `[height, width]`; bilinear, antialiased",
        reaches=SAMPLES,
    )
    crop: tuple[int, ...] | None = key(
        Side(), default=None, shown="none", doc="A square or `[height, width]` of the centre", reaches=SAMPLES
    )
    channels: str | None = key(
        Choice(words=CHANNELS, code="unknown-channels", what="order of channels"),
        default=None,
        shown="`gray` where the input takes one channel, else `rgb`",
        doc="`rgb`, `bgr` or `gray`",
        reaches=SAMPLES,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Samples in a file or a folder, or yielded by a function: then `path` is its .py file and `function` its name.

    `arrays` maps a model input to the array, column or feature that feeds it, or to several columns; `labels` names
    what holds the labels. `classes` are names in the order of their numbers. `limit` is how many samples to use after a
    seeded shuffle, `files` is what else is read besides `path`, and `max_overlap` says how many of the samples may also
    be in the validation set when they calibrate.
    """

    name: str
    at: KeyPath
    path: str = key(
        FilePath(),
        default="",
        doc="The samples: an .npz with an array per input, an .npy, a .csv with a header, a .tfrecord, a folder of "
        "images with a sub-folder per class, or a folder of TFRecords; this or `loader` must be there",
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
        shown="those named like the inputs",
        doc='Which array, column or feature feeds which input of the model: `{ image = "x" }`; several columns of '
        'numbers make a vector: `{ x = ["a", "b"] }`',
    )
    labels: str | None = key(
        Text(),
        default=None,
        shown="none; in a folder of images, the place of the sub-folder",
        doc="The array, column or feature of labels; a calibration set needs none",
        reaches=COUNTED,
    )
    classes: tuple[str, ...] = key(
        ListOf(element=Text(), expected="an array of names", once="class"),
        default=(),
        shown="the sub-folders, sorted",
        doc="Names of classes in the order of their numbers, where labels are names",
        reaches=COUNTED,
    )
    images: ImageOptions = table(
        Table(keys=keys_of(ImageOptions)),
        default=ImageOptions,
        doc="How images become samples: 0..255, of the input's size and layout",
    )
    files: tuple[str, ...] = key(
        ListOf(element=FilePath(), expected="an array of paths"),
        default=(),
        shown="none",
        doc="What a .csv names or a loader reads: a change in these files or folders makes IRs stale",
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
        doc="How many of the samples that calibrate INT8 may also be in the gate's dataset",
        reaches=("check-calibration",),
    )

    @property
    def is_labelled(self) -> bool:
        """Whether it has labels, or may: a loader and a folder of images say so only when they are read."""
        return self.labels is not None or bool(self.function) or self.form == "folder"

    @property
    def form(self) -> DatasetForm:
        """What kind of dataset the path names, by its words; what is in a folder, only a look at it can tell."""
        return "loader" if self.function else form_of(self.path)

    @property
    def key(self) -> str:
        """The key that says where the samples are."""
        return "loader" if self.function else "path"

    @property
    def places(self) -> Mapping[KeyPath, str]:
        """Every path that is read, by the key that names it."""
        files = {(*self.at, "files", place): path for place, path in enumerate(self.files)}
        return {(*self.at, self.key): self.path, **files} if self.path else files


DATASET = Table(keys=keys_of(Dataset))
