"""What workers tell of models and of data, for `ovmake inspect` and `ovmake init`.

    SourceFacts        TensorFlow's half: what a source takes, gives and is made of
    ConversionFacts    OpenVINO's half: what it makes of the source, or why it makes nothing of it
    Data               what is in a file or folder that may be a dataset

Shapes speak of the source: -1 is a dynamic dimension, None an unknown rank. Types are spelt as OpenVINO spells them:
`f32`, `i64`, `boolean`. Operations are counted by their type, the most frequent first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ovmake.contracts.codec import named


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantization:
    """What TFLite's integers stand for: (integer - zero_point) * scale."""

    scale: float
    zero_point: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """An input, an output, or what comes out of a layer. `quantization` is that of TFLite's integers."""

    name: str
    shape: tuple[int, ...] | None
    type: str
    quantization: Quantization | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerDescription:
    """Something one can cut at. `parts` counts the layers in it, where it is a model itself."""

    name: str
    operations: tuple[str, ...]
    parts: int = field(metadata=named("layers_inside"))
    outputs: tuple[Port, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One way to call a model. `tags` are those of the graph that it is in."""

    name: str
    tags: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFacts:
    """A source as TensorFlow has it. `way`: how it was loaded, in words.

    `signature` and `tags` are those that were looked at, of `signatures`; empty for a source that has none.
    `parameters` counts the numbers in weights.
    """

    way: str
    parameters: int
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    operations: Mapping[str, int]
    layers: tuple[LayerDescription, ...]
    signature: str = ""
    tags: tuple[str, ...] = ()
    signatures: tuple[Signature, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionFacts:
    """What OpenVINO makes of a source: its operations, inputs and outputs.

    Where it cannot convert it: `message` in OpenVINO's own words, and the operations that it has no rule for.
    """

    converts: bool
    operations: Mapping[str, int] = field(default_factory=dict)
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()
    message: str = ""
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DataColumn:
    """An array, a column or a feature. `shape` is one sample's.

    `low` and `high` are of the first samples; of labels (a number a sample) of all, or of as many records as are
    quickly read. `common` is the share of the most frequent label, 0..1. `words` are the different ones of a column of
    words, in order; of a table's images, the folders that they are in.
    """

    name: str
    kind: Literal["integers", "floats", "image", "words"]
    shape: tuple[int, ...] = ()
    low: float = 0.0
    high: float = 0.0
    common: float = 0.0
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """What is in a file or folder: `count` samples. `classes` are the folders of a folder of images."""

    form: Literal["arrays", "images", "table", "records"]
    count: int
    columns: tuple[DataColumn, ...]
    classes: tuple[str, ...] = ()
