"""freeze: turn a source that OpenVINO cannot read into a frozen graph that it can read.

params      kind (default saved-model); signature and tags if the kind has them (default `serving_default`, ["serve"])
inputs      source
outputs     graph: a GraphDef, inputs are Placeholders; for OpenVINO its path must end in `.pb`
            names: {"format": 1, "way": "Keras 3.15.1", "inputs": {name: tensor}, "outputs": {name: tensor}}
facts       way: how it was loaded

The same source gives the same bytes in any process: see graphs.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from ovmake.errors import ActionError
from ovmake.sources.integrity.damaged import explained
from ovmake.sources.screening.screen import allowed_of
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.loading.any_source import DEFAULT_SIGNATURE, DEFAULT_TAGS, load

# protobuf's limit for one message, and so for a graph that contains its weights.
_LIMIT_BYTES = 2**31 - 1


@explained
def freeze(request: Request) -> dict[str, object]:
    """Load `source`; write `graph` and `names`.

    Raises:
        ActionError: it cannot be loaded, or is too large for a frozen graph.
    """
    source = Path(request.inputs["source"])
    tags = request.params.get("tags", DEFAULT_TAGS)
    loaded = load(
        source,
        kind=str(request.params.get("kind", "saved-model")),
        signature=str(request.params.get("signature", DEFAULT_SIGNATURE)),
        tags=tuple(str(tag) for tag in tags) if isinstance(tags, Iterable) else DEFAULT_TAGS,
        allowed=allowed_of(request),
    )
    size = loaded.graph_def.ByteSize()
    if size > _LIMIT_BYTES:
        message = f"`{source.name}` is too large for a frozen graph: {size} bytes of at most {_LIMIT_BYTES}"
        raise ActionError("too-large", message, setting="source", help="export it as a SavedModel, which has no limit")
    Path(request.outputs["graph"]).write_bytes(loaded.graph_def.SerializeToString(deterministic=True))
    names = {"format": 1, "way": loaded.way, "inputs": dict(loaded.inputs), "outputs": dict(loaded.outputs)}
    Path(request.outputs["names"]).write_text(json.dumps(names, indent=1) + "\n")
    return {"way": loaded.way}
