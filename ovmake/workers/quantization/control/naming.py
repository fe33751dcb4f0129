"""name-layers: how the source calls the layers of a search.

params      kind, signature, tags of a source that is not frozen yet; the model's own, as *convert* has them; seed
inputs      search, as *control* writes it; xml, bin, interface: the float IR; graph and names, or source
outputs     search: with a `layer` beside `name`, where there is one
facts       named: how many

Rule: a name is a courtesy. What cannot be traced has none, and nothing fails for it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ovmake.errors import ActionError, message_of
from ovmake.workers.conversion import ir
from ovmake.workers.conversion.reading import frozen_by_tensorflow
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.matching.layer_map import Traced, trace

LISTS = ("given_back", "worst")


def name_layers(request: Request) -> dict[str, object]:
    """Write the search with the names that were found."""
    search = json.loads(Path(request.inputs["search"]).read_bytes())
    entries = [entry for name in LISTS for entry in search[name]]
    found = _names(request, {entry["name"]: entry["type"] for entry in entries}) if entries else {}
    for entry in entries:
        if entry["name"] in found:
            entry["layer"] = found[entry["name"]]
    Path(request.outputs["search"]).write_text(json.dumps(search, indent=1, allow_nan=False) + "\n")
    return {"named": len(found)}


def _names(request: Request, types: Mapping[str, str]) -> dict[str, str]:
    """Return the source's names of operations, which come with their types."""
    try:
        traced = _trace(request)
    except (ActionError, RuntimeError) as error:  # the latter is what OpenVINO raises where a model does not compile
        sys.stderr.write(f"the layers keep the names of the IR: {message_of(error)}\n")
        return {}
    named = {name: traced.layer_of(name, type_) for name, type_ in types.items()}
    return {name: layer for name, layer in named.items() if layer}


def _trace(request: Request) -> Traced:
    model = ir.read(request.inputs["xml"], request.inputs["bin"])
    if "graph" in request.inputs or request.params.get("kind") == "tflite":
        return trace(model, request)
    with frozen_by_tensorflow(request) as (frozen, response):
        if response is None or not response.ok:
            why = response.message if response else "the TensorFlow worker cannot start"
            raise ActionError("cannot-freeze", why)
        return trace(model, replace(request, inputs={**request.inputs, **frozen}))
