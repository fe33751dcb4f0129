"""search.json: a search for layers to revert to float. *control* writes it, *name-layers* adds names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchedLayer:
    """A layer of the search. `share` is its part of the quantization error of all layers, null if it was not measured.

    `name` is the IR's, `layer` the source's, "" where it was not found. `in_int8` is the drop with this layer in INT8
    again, null where that was not tried, or not on all samples.
    """

    name: str
    type: str
    share: float | None
    in_int8: float | None = None
    layer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchTrial:
    """A set of layers that was tried: how many were given back, and what came of it on so many samples.

    `drop` is in the unit of the metric, null without one; where the trial `ended_early`, it is the drop so far.
    """

    reverted: int
    kept: bool
    drop: float | None
    samples: int
    ended_early: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A search. The first trial is plain INT8; `reverted` is the best set that was found.

    `int8` of `layers` are left in INT8. `worst` are the layers that disturb most. `kept`: the best set keeps the
    promise. `hopeless`: the float model misses it too. `ended` is the limit that ended the search, or why it could not
    begin; "" if it went to its end. `inferences` are the samples that trials and ranking ran.

    `replayed`: `reverted` are the layers that a lock names, and nothing was searched.

    It holds no time and does not say what the journal knew: it is the same whether the search was interrupted or not.
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
