"""What a search for layers to revert to float found, in words. Pure.

    notes(search) -> lines of a missed gate's diagnostic
    advice(search) -> what to do about it
    facts(search) -> how many layers are in INT8, for the line about the target

`search` is what *control* wrote, with the names that *name-layers* found.
"""

from __future__ import annotations

from collections.abc import Sequence

from ovmake.contracts.files.search import Search, SearchedLayer, SearchTrial
from ovmake.contracts.values import JsonValue

# What is less does not become 0 %.
LEAST_SHARE = 0.005


def notes(search: Search) -> tuple[str, ...]:
    """Return what was tried, what came nearest, and which layers hurt most."""
    early = (f"the search ended early: {search.ended}",) if search.ended else ()
    if not search.trials:
        return early
    layers, sets = search.layers, len(search.trials) - 1
    found = [f"plain INT8: {_drop(search.trials[0])}"]
    if sets > 0:
        tried = (
            "1 set of layers in floating point was" if sets == 1 else f"{sets} sets of layers in floating point were"
        )
        found.append(f"{tried} tried; this is the nearest, with {layers - search.int8} of {layers}")
    if search.hopeless:
        found.append("even with all layers in floating point the promise is not kept")
    found.extend(early)
    if search.worst:
        found.append(f"the layers whose quantization changes the outputs most: {worst(search.worst)}")
    return tuple(found)


def advice(search: Search) -> str:
    """Return what might help."""
    if search.ended:
        return "raise the limit; what was tried is remembered, and the search goes on from there"
    if search.hopeless:
        return "the float IR misses it too: promise less"
    return "promise less, calibrate on other or more samples, or take `fp16`"


def facts(search: Search) -> dict[str, JsonValue]:
    """Return how many of the layers that quantization took are in INT8."""
    return {"int8_layers": search.int8, "layers": search.layers}


def note(search: Search) -> str:
    """Return what is notable of a target: "7 of 8 layers in INT8"; "" where none was reverted."""
    int8, layers = search.int8, search.layers
    return "" if int8 == layers else f"{int8} of {layers} layers in INT8"


def worst(layers: Sequence[SearchedLayer]) -> str:
    """Return layers with their shares, by the source's names where they are known: "`conv2d_3` (Convolution, 45%)"."""
    return ", ".join(f"`{layer.layer or layer.name}` ({layer.type}, {_share(layer.share)})" for layer in layers)


def _share(share: float | None) -> str:
    if share is None:
        return "share not measured"
    return f"{share:.0%}" if share >= LEAST_SHARE else "under 1%"


def _drop(trial: SearchTrial) -> str:
    return "missed the promise" if trial.drop is None else f"drop {trial.drop:.4g}"
