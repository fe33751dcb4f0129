"""The keys of a dataset's table; see `schema.py`. Which of them go together is in `datasets.py`."""

from __future__ import annotations

from ovmake.ovfile.schema.functions import UserFunction
from ovmake.ovfile.schema.kinds import Choice, ListOf, Number, OneOrMore, Side, Text
from ovmake.ovfile.schema.tables import Key, Named, Table

IMAGES = Table(
    keys=(
        Key(
            name="resize",
            kind=Side(),
            doc="The shorter side, keeping the aspect, or `[height, width]`; bilinear, antialiased",
            default="none",
        ),
        Key(name="crop", kind=Side(), doc="A square or `[height, width]` of the centre", default="none"),
        Key(
            name="channels",
            kind=Choice(words=("rgb", "bgr", "gray"), code="unknown-channels", what="order of channels"),
            doc="`rgb`, `bgr` or `gray`",
            default="`gray` where the input takes one channel, else `rgb`",
        ),
    ),
)

DATASET = Table(
    keys=(
        Key(
            name="path",
            kind=Text(),
            doc="The samples: an .npz with an array per input, an .npy, a .csv with a header, a .tfrecord, a folder of "
            "images with a sub-folder per class, or a folder of TFRecords; this or `loader` must be there",
        ),
        Key(
            name="loader",
            kind=UserFunction(),
            doc="A function that yields (inputs, label) or inputs, in place of `path`: `data.py:val`",
        ),
        Key(
            name="inputs",
            kind=Named(element=OneOrMore(), what="model input", strict=False),
            doc='Which array, column or feature feeds which input of the model: `{ image = "x" }`; several columns of '
            'numbers make a vector: `{ x = ["a", "b"] }`',
            default="those named like the inputs",
        ),
        Key(
            name="labels",
            kind=Text(),
            doc="The array, column or feature of labels; a calibration set needs none",
            default="none; in a folder of images, the place of the sub-folder",
        ),
        Key(
            name="classes",
            kind=ListOf(element=Text(), expected="an array of names", once="class"),
            doc="Names of classes in the order of their numbers, where labels are names",
            default="the sub-folders, sorted",
        ),
        Key(name="images", kind=IMAGES, doc="How images become samples: 0..255, of the input's size and layout"),
        Key(
            name="files",
            kind=ListOf(element=Text(), expected="an array of paths"),
            doc="What a .csv names or a loader reads: a change in these files or folders makes IRs stale",
            default="none",
        ),
        Key(
            name="limit",
            kind=Number(minimum=1, whole=True),
            doc="Use the first N samples after a seeded shuffle",
            default="all, in their order",
        ),
        Key(
            name="max-overlap",
            kind=Number(minimum=0, whole=True),
            doc="How many of the samples that calibrate INT8 may also be in the gate's dataset",
            default="0",
        ),
    ),
)
