"""search.json: a search for layers to revert to float. *control* writes it, *name-layers* adds names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchedLayer:
    """A layer of the search. `share` is its share of the quantization error of all layers, null if not measured.

    `name` is its name in the IR, `layer` in the source, "" if it was not found there. `in_int8` is the drop with this
    layer in INT8 again, null if that was not tried, or not on all samples.
    """

    name: str
    type: str
    share: float | None
    in_int8: float | None = None
    layer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchTrial:
    """A set of layers that was tried: how many layers were reverted, and the result on `samples` samples.

    `drop` is in metric units, null without a metric; if the trial `ended_early`, it is the drop so far.
    """

    reverted: int
    kept: bool
    drop: float | None
    samples: int
    ended_early: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A search. The first trial is plain INT8; `reverted` is the best set that was found.

    `int8` of `layers` stay in INT8. `worst` are the layers with the largest quantization error. `kept`: the best set
    keeps the promise. `hopeless`: the float model misses it too. `ended` is the limit that ended the search, or why it
    could not begin; "" if it was completed. `inferences` is the number of samples that trials and ranking ran.

    `replayed`: `reverted` are the layers that a lock names, and nothing was searched.

    It holds no times and nothing about the journal, so an interrupted search gives the same result.
    """

    FORMAT: ClassVar[int] = 3

    layers: int
    int8: int
    reverted: tuple[SearchedLayer, ...]
    worst: tuple[SearchedLayer, ...]
    trials: tuple[SearchTrial, ...]
    kept: bool
    hopeless: bool
    ended: str
    inferences: int
    replayed: bool = False
