"""What *compare-layers* writes: every layer of a source, and how far the IR is from TensorFlow there.

    LayerComparisons(samples=4, layers=(LayerComparison(name="conv1", state="matched", ...), ...))

The layers are in the order in which they compute. Tensors are spelt as in the source: `conv1/Relu:0`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["matched", "folded", "unmatched"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerFigures:
    """How far a layer is from TensorFlow's, over all its elements in all samples; see `evaluation/differences.py`.

    None: no finite element to compare; of `snr_db` also where both are equal, or TensorFlow gives nothing but 0.
    `quantum` is the step of a tensor of integers, in the unit of the values; None of others.
    """

    snr_db: float | None
    max_abs: float | None
    scale: float | None
    cosine: float | None
    nan_mismatch: int
    quantum: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerComparison:
    """A layer. `figures` and `shape` are there when it was matched, else `why` says why it was not.

    `operation` is of the source, but for TFLite's, which have numbers for names: then it is the IR's. `counterpart` is
    the operation of the IR that computes it.
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
    """All layers, compared on so many samples."""

    samples: int
    layers: tuple[LayerComparison, ...]
