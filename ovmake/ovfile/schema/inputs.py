"""The keys of a model's input, and of what is cut off the model. Which of them go together: `meaning/inputs.py`."""

from __future__ import annotations

from dataclasses import dataclass

from ovmake.ovfile.schema.arrays import Constant, ConstantElement, Dimension, Layout, PerChannel, Shape
from ovmake.ovfile.schema.declaring import key, keys_of
from ovmake.ovfile.schema.kinds import STRINGS, Choice, Flag
from ovmake.ovfile.schema.reach import MODEL
from ovmake.ovfile.schema.tables import Table
from ovmake.ovfile.words import ELEMENT_TYPES, RESIZE_ALGORITHMS


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """What an Ovfile says about one input. `shape` and the channels of `mean` and `scale` speak of the source's layout.

    The IR takes `type` in `layout` and computes, in this order: resize, reverse the channels, (x - mean) / scale,
    transpose to `model_layout`. A dimension of `shape` is a size, -1 (dynamic) or "1..8" (bounded). `value` freezes the
    input to a constant instead.
    """

    name: str
    shape: tuple[Dimension, ...] | None = key(
        Shape(),
        default=None,
        shown="the source's",
        doc='Reshape, in the source\'s layout; -1 is dynamic, "1..8" bounded',
        reaches=MODEL,
    )
    layout: str | None = key(
        Layout(),
        default=None,
        shown="the source's",
        doc="Layout that the IR takes; where it is not the source's, the IR transposes",
        reaches=MODEL,
    )
    model_layout: str | None = key(
        Layout(),
        default=None,
        shown="`NHWC` for four dimensions, `NDHWC` for five, else that of `layout`",
        doc="Layout of the source",
        reaches=MODEL,
    )
    type: str | None = key(
        Choice(words=ELEMENT_TYPES, code="unknown-type", what="element type"),
        default=None,
        shown="the source's",
        doc="Element type that the IR takes, and converts",
        reaches=MODEL,
    )
    resize: str | None = key(
        Choice(words=RESIZE_ALGORITHMS, code="unknown-resize", what="resize algorithm"),
        default=None,
        shown="no resizing",
        doc="The IR takes any height and width, and resizes first of all",
        reaches=MODEL,
    )
    reverse_channels: bool = key(
        Flag(),
        default=False,
        doc="The IR takes BGR where the source wants RGB, or the other way round (alpha, the fourth of four, stays): "
        "reversed before `mean` and `scale`, which speak of the source's channels",
        reaches=MODEL,
    )
    mean: tuple[float, ...] | None = key(
        PerChannel(),
        default=None,
        shown="0",
        doc="Made part of the IR, which computes (x - mean) / scale, after it has reversed the channels",
        reaches=MODEL,
    )
    scale: tuple[float, ...] | None = key(
        PerChannel(zero=False),
        default=None,
        shown="1",
        doc="See `mean`: subtracted first, divided then",
        reaches=MODEL,
    )
    value: tuple[ConstantElement, ...] | None = key(
        Constant(),
        default=None,
        doc="Freeze the input to a constant, which fills its shape; the IR has no such input",
        reaches=MODEL,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Where the IR begins and ends, by layers, operations or tensors of the source; empty where the source does."""

    inputs: tuple[str, ...] = key(
        STRINGS,
        default=(),
        shown="the source's inputs",
        doc="Start the IR here. A layer or operation stays in the IR, which takes what flowed into it; a tensor, "
        "such as `x:0`, is taken itself",
        reaches=MODEL,
    )
    outputs: tuple[str, ...] = key(
        STRINGS,
        default=(),
        shown="the source's outputs",
        doc="End the IR with what these layers, operations or tensors give",
        reaches=MODEL,
    )


INPUT = Table(keys=keys_of(Input), title="input")
CUT = Table(keys=keys_of(Cut), title="cut")
