"""The keys of a model's input, and of its cut. `meaning/inputs.py` checks which of them go together."""

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
    """The settings of one input. `shape` and the channels of `mean` and `scale` refer to the source's layout.

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
        doc="Layout of the IR's input; if it differs from the source's, the IR transposes",
        reaches=MODEL,
    )
    model_layout: str | None = key(
        Layout(),
        default=None,
        shown="`NHWC` for four dimensions, `NDHWC` for five, else the value of `layout`",
        doc="Layout of the source's input",
        reaches=MODEL,
    )
    type: str | None = key(
        Choice(words=ELEMENT_TYPES, code="unknown-type", what="element type"),
        default=None,
        shown="the source's",
        doc="Element type of the IR's input; the IR converts it to the source's",
        reaches=MODEL,
    )
    resize: str | None = key(
        Choice(words=RESIZE_ALGORITHMS, code="unknown-resize", what="resize algorithm"),
        default=None,
        shown="no resizing",
        doc="Resize algorithm: the IR takes any height and width, and resizes them to the source's first",
        reaches=MODEL,
    )
    reverse_channels: bool = key(
        Flag(),
        default=False,
        doc="The IR takes BGR if the source takes RGB, and the other way round; a fourth channel (alpha) stays in "
        "place. `mean` and `scale` come later, so they use the source's order of channels",
        reaches=MODEL,
    )
    mean: tuple[float, ...] | None = key(
        PerChannel(),
        default=None,
        shown="0",
        doc="The IR computes (x - mean) / scale, after reversing the channels",
        reaches=MODEL,
    )
    scale: tuple[float, ...] | None = key(
        PerChannel(zero=False),
        default=None,
        shown="1",
        doc="See `mean`: the IR subtracts first, then divides",
        reaches=MODEL,
    )
    value: tuple[ConstantElement, ...] | None = key(
        Constant(),
        default=None,
        doc="Freeze the input to a constant that fills its shape. The IR no longer has this input",
        reaches=MODEL,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Where the IR begins and ends: layers, operations or tensors of the source. Empty: as the source does."""

    inputs: tuple[str, ...] = key(
        STRINGS,
        default=(),
        shown="the source's inputs",
        doc="Begin the IR here. A layer or operation stays in the IR, and its inputs become inputs of the IR. A "
        "tensor, such as `x:0`, becomes an input itself",
        reaches=MODEL,
    )
    outputs: tuple[str, ...] = key(
        STRINGS,
        default=(),
        shown="the source's outputs",
        doc="End the IR with the outputs of these layers or operations, or with these tensors",
        reaches=MODEL,
    )


INPUT = Table(keys=keys_of(Input), title="input")
CUT = Table(keys=keys_of(Cut), title="cut")
