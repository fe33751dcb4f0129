"""Describe the result of a search for layers to revert to float, in words. Pure.

    notes(search) -> lines of a missed gate's diagnostic
    advice(search) -> what to do about it
    facts(search) -> how many layers are in INT8, for the target's line

`search` is the output of *control*, with the names that *name-layers* found.
"""

from __future__ import annotations

from collections.abc import Sequence

from ovmake.contracts.files.search import Search, SearchedLayer, SearchTrial
from ovmake.contracts.values import JsonValue

# A smaller share is shown as "under 1%", not as 0 %.
LEAST_SHARE = 0.005


def notes(search: Search) -> tuple[str, ...]:
    """Return the number of trials, the best one, and the layers that change the outputs most."""
    early = (f"the search ended early: {search.ended}",) if search.ended else ()
    if not search.trials:
        return early
    layers, sets = search.layers, len(search.trials) - 1
    found = [f"plain INT8: {_drop(search.trials[0])}"]
    if sets > 0:
        tried = (
            "1 set of layers in floating point was" if sets == 1 else f"{sets} sets of layers in floating point were"
        )
        found.append(f"{tried} tried; the closest has {layers - search.int8} of {layers}")
    if search.hopeless:
        found.append("even with all layers in floating point the gate is missed")
    found.extend(early)
    if search.worst:
        found.append(f"the layers whose quantization changes the outputs most: {worst(search.worst)}")
    return tuple(found)


def advice(search: Search) -> str:
    """Return what might help against the missed gate."""
    if search.ended:
        return "raise the limit; the trials are stored, and the search continues from there"
    if search.hopeless:
        return "the float IR misses the gate too: relax it"
    return "relax the gate, calibrate on more or different samples, or use `fp16`"


def facts(search: Search) -> dict[str, JsonValue]:
    """Return how many layers are in INT8, and how many quantization selected."""
    return {"int8_layers": search.int8, "layers": search.layers}


def note(search: Search) -> str:
    """Return "7 of 8 layers in INT8"; "" if no layer was reverted."""
    int8, layers = search.int8, search.layers
    return "" if int8 == layers else f"{int8} of {layers} layers in INT8"


def worst(layers: Sequence[SearchedLayer]) -> str:
    """Return layers with their shares, under the source's names if known: "`conv2d_3` (Convolution, 45%)"."""
    return ", ".join(f"`{layer.layer or layer.name}` ({layer.type}, {_share(layer.share)})" for layer in layers)


def _share(share: float | None) -> str:
    if share is None:
        return "share not measured"
    return f"{share:.0%}" if share >= LEAST_SHARE else "under 1%"


def _drop(trial: SearchTrial) -> str:
    return "missed the gate" if trial.drop is None else f"drop {trial.drop:.4g}"
