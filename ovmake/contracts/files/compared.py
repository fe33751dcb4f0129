"""The output of *compare-layers*: every layer of a source, and the IR's error in it.

    LayerComparisons(samples=4, layers=(LayerComparison(name="conv1", state="matched", ...), ...))

Layers are in execution order. Tensors have their names in the source: `conv1/Relu:0`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["matched", "folded", "unmatched"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerFigures:
    """The IR's error in a layer, over all elements of all samples; see `evaluation/differences.py`.

    None: no finite element to compare. `snr_db` is also None if both are equal, or all of TensorFlow's values are 0.
    `quantum` is the quantization step of an integer tensor, in the unit of the values; None for other tensors.
    """

    snr_db: float | None
    max_abs: float | None
    scale: float | None
    cosine: float | None
    nan_mismatch: int
    quantum: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerComparison:
    """A layer. A matched layer has `figures` and `shape`; otherwise `why` says why it was not matched.

    `operation` is the operation's type in the source; for TFLite, whose types are numbers, its type in the IR.
    `counterpart` is the operation of the IR that computes the layer.
    """

    name: str
    operation: str
    tensor: str
    inputs: tuple[str, ...]
    state: State
    why: str = ""
    shape: tuple[int, ...] = ()
    counterpart: str = ""
    figures: LayerFigures | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerComparisons:
    """All layers, compared on `samples` samples."""

    samples: int
    layers: tuple[LayerComparison, ...]
