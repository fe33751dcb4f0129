"""Facts of models and of data that workers report to `ovmake inspect` and `ovmake init`.

    SourceFacts        TensorFlow's half: inputs, outputs, operations and layers of a source
    ConversionFacts    OpenVINO's half: the converted model, or why the conversion fails
    Data               the content of a file or folder that may be a dataset

Shapes are the source's: -1 is a dynamic dimension, None an unknown rank. Types have OpenVINO's names: `f32`, `i64`,
`boolean`. Operations are counted by type, the most frequent first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ovmake.contracts.codec import named


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantization:
    """TFLite's quantization: an integer represents (integer - zero_point) * scale."""

    scale: float
    zero_point: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """An input or output of a model, or an output of a layer. `quantization` is set for TFLite's integers."""

    name: str
    shape: tuple[int, ...] | None
    type: str
    quantization: Quantization | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerDescription:
    """A layer that a model can be cut at. `parts` counts the layers inside it, if it is a model itself."""

    name: str
    operations: tuple[str, ...]
    parts: int = field(metadata=named("layers_inside"))
    outputs: tuple[Port, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A signature of a model. `tags` are the tags of its graph."""

    name: str
    tags: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFacts:
    """A source as TensorFlow loads it. `way` says how it was loaded.

    `signature` and `tags` are the inspected ones of `signatures`; empty if the source has none. `parameters` is the
    number of weights.
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
    """A source as OpenVINO converts it: operations, inputs and outputs.

    If it does not convert, `message` is OpenVINO's message, and `missing` are the operations that OpenVINO lacks.
    """

    converts: bool
    operations: Mapping[str, int] = field(default_factory=dict)
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()
    message: str = ""
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DataColumn:
    """An array, a column or a feature. `shape` is the shape of one sample.

    `low` and `high` are the range in the first samples; for labels (one number per sample) in all samples, or in as
    many records as are quick to read. `common` is the share of the most frequent label, 0..1. `words` are the distinct
    words of a column, sorted; for images of a table, their folders.
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
    """The content of a file or folder: `count` samples. `classes` are the subfolders of a folder of images."""

    form: Literal["arrays", "images", "table", "records"]
    count: int
    columns: tuple[DataColumn, ...]
    classes: tuple[str, ...] = ()
