"""What accuracy control did: which layers of an INT8 IR are in floating point, and how that was found. Typed.

    Search.of(body)     from the JSON that *control* writes, with the names that *name-layers* found

Pure: JSON comes in. A `drop` is in the unit of the target's metric, None where the promise is not about one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchedLayer:
    """A layer of the search. `share`: of the disturbance that all layers cause.

    `name` is the IR's, `layer` the source's, "" where it was not found. `in_int8` is the drop with this one in INT8
    again, None where that was not tried, or not on all samples.
    """

    name: str
    layer: str
    type: str
    share: float
    in_int8: float | None

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> SearchedLayer:
        """Read an entry of `given_back` or `worst`."""
        return cls(
            name=body["name"],
            layer=body.get("layer", ""),
            type=body["type"],
            share=body["share"],
            in_int8=body.get("in_int8"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A set of layers that was tried: how many were given back, and what came of it on so many samples."""

    given_back: int
    kept: bool
    drop: float | None
    samples: int
    ended_early: bool

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Trial:
        """Read an entry of `trials`."""
        return cls(
            given_back=body["given_back"],
            kept=body["kept"],
            drop=body["drop"],
            samples=body["samples"],
            ended_early=body["ended_early"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A search for layers to give back. The first trial is plain INT8; `given_back` is the best set that was found.

    `kept`: it keeps the promise. `hopeless`: the float model misses it too. `ended` is the limit that ended the search,
    or why it could not begin; "" if it went to its end.
    """

    layers: int
    int8: int
    given_back: tuple[SearchedLayer, ...]
    worst: tuple[SearchedLayer, ...]
    trials: tuple[Trial, ...]
    kept: bool
    hopeless: bool
    ended: str
    body: Mapping[str, Any]

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Search:
        """Read the search of a target."""
        return cls(
            layers=body["layers"],
            int8=body["int8"],
            given_back=tuple(SearchedLayer.of(one) for one in body["given_back"]),
            worst=tuple(SearchedLayer.of(one) for one in body["worst"]),
            trials=tuple(Trial.of(one) for one in body["trials"]),
            kept=body["kept"],
            hopeless=body["hopeless"],
            ended=body["ended"],
            body=body,
        )
