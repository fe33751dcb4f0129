"""What a search for layers to give back found, in words. Pure.

    notes(search) -> lines of a missed gate's diagnostic
    advice(search) -> what to do about it

`search` is the JSON that *control* writes (`workers.control.controlling`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Search = Mapping[str, Any]


def notes(search: Search) -> tuple[str, ...]:
    """Return what was tried, what came nearest, and which layers hurt most."""
    early = (f"the search ended early: {search['ended']}",) if search["ended"] else ()
    if not search["trials"]:
        return early
    layers, count = search["layers"], len(search["trials"])
    tried = (
        f"{count} set{'' if count == 1 else 's'} of layers in floating point {'was' if count == 1 else 'were'} tried"
    )
    best = f"{tried}; this is the nearest, with {layers - search['int8']} of {layers}"
    found = [f"plain INT8: {_drop(search['trials'][0])}", best]
    if search["hopeless"]:
        found.append("even with all layers in floating point the promise is not kept")
    found.extend(early)
    if search["worst"]:
        found.append(f"the layers that disturb the outputs most: {worst(search['worst'])}")
    return tuple(found)


def advice(search: Search) -> str:
    """Return what might help."""
    if search["ended"]:
        return "raise the limit; what was tried is remembered, and the search goes on from there"
    if search["hopeless"]:
        return "the float IR misses it too: promise less"
    return "promise less, calibrate on other or more samples, or take `fp16`"


def worst(layers: Sequence[Mapping[str, Any]]) -> str:
    """Return layers with their shares: "`conv.3` (Convolution, 45 %)"."""
    return ", ".join(f"`{layer['name']}` ({layer['type']}, {layer['share']:.0%})" for layer in layers)


def _drop(trial: Mapping[str, Any]) -> str:
    drop = trial["drop"]
    return "missed the promise" if drop is None else f"drop {drop:.4g}"
