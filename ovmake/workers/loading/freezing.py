"""freeze: turn a source that OpenVINO cannot read into a frozen graph that it can read.

params      SourceParams
inputs      source
outputs     graph: a GraphDef, inputs are Placeholders; for OpenVINO its path must end in `.pb`
            names: {"format": 1, "way": "Keras 3.15.1", "inputs": {name: tensor}, "outputs": {name: tensor}}
facts       way: how it was loaded

The same source gives the same bytes in any process: see graphs.py.
"""

from __future__ import annotations

import json
from pathlib import Path

from ovmake.contracts.params.source import SourceParams
from ovmake.errors import ActionError
from ovmake.sources.integrity.damaged import explained
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.loading.any_source import load

# protobuf's limit for one message, and so for a graph that contains its weights.
_LIMIT_BYTES = 2**31 - 1


@explained
def freeze(request: Request) -> dict[str, object]:
    """Load `source`; write `graph` and `names`.

    Raises:
        ActionError: it cannot be loaded, or is too large for a frozen graph.
    """
    source = Path(request.inputs["source"])
    asked = request.asked(SourceParams)
    loaded = load(source, kind=asked.kind, signature=asked.signature, tags=asked.tags, allowed=asked.allowed)
    size = loaded.graph_def.ByteSize()
    if size > _LIMIT_BYTES:
        message = f"`{source.name}` is too large for a frozen graph: {size} bytes of at most {_LIMIT_BYTES}"
        raise ActionError("too-large", message, setting="source", help="export it as a SavedModel, which has no limit")
    Path(request.outputs["graph"]).write_bytes(loaded.graph_def.SerializeToString(deterministic=True))
    names = {"format": 1, "way": loaded.way, "inputs": dict(loaded.inputs), "outputs": dict(loaded.outputs)}
    Path(request.outputs["names"]).write_text(json.dumps(names, indent=1) + "\n")
    return {"way": loaded.way}
