"""name-layers: add the source's layer names to the report of a search.

params      NameLayersParams
inputs      search, as *control* writes it; xml, bin, interface: the float IR; graph and names, or source
outputs     search: with a `layer` beside `name`, where there is one
facts       named: how many

Rule: names are optional. A layer that cannot be traced has none, and the action does not fail.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace

from ovmake.contracts.codec import load, save
from ovmake.contracts.files.search import Search, SearchedLayer
from ovmake.contracts.params.data import SampleParams
from ovmake.contracts.params.model import NameLayersParams
from ovmake.errors import ActionError, message_of
from ovmake.workers.conversion import ir
from ovmake.workers.conversion.reading import frozen_by_tensorflow
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.matching.layer_map import Traced, trace


def name_layers(request: Request) -> dict[str, object]:
    """Write the search with the names of the source."""
    search = load(Search, request.inputs["search"], "search")
    layers = (*search.reverted, *search.worst)
    found = _names(request, {layer.name: layer.type for layer in layers}) if layers else {}

    def named(layers: tuple[SearchedLayer, ...]) -> tuple[SearchedLayer, ...]:
        return tuple(replace(layer, layer=found.get(layer.name, "")) for layer in layers)

    save(replace(search, reverted=named(search.reverted), worst=named(search.worst)), request.outputs["search"])
    return {"named": len(found)}


def _names(request: Request, types: Mapping[str, str]) -> dict[str, str]:
    """Return the source's names of operations; `types` are the operations with their types."""
    try:
        traced = _trace(request)
    except (ActionError, RuntimeError) as error:  # OpenVINO raises RuntimeError if a model does not compile
        sys.stderr.write(f"the layers keep the names of the IR: {message_of(error)}\n")
        return {}
    named = {name: traced.layer_of(name, type_) for name, type_ in types.items()}
    return {name: layer for name, layer in named.items() if layer}


def _trace(request: Request) -> Traced:
    model = ir.read(request.inputs["xml"], request.inputs["bin"])
    asked = request.asked(NameLayersParams)
    converted, given = asked.converted, SampleParams(seed=asked.seed)
    if "graph" in request.inputs or converted.source.kind == "tflite":
        return trace(model, request, converted, given)
    with frozen_by_tensorflow(request, converted.source) as (frozen, response):
        if response is None or not response.ok:
            why = response.message if response else "the TensorFlow worker cannot start"
            raise ActionError("cannot-freeze", why)
        return trace(model, replace(request, inputs={**request.inputs, **frozen}), converted, given)
