"""A repo whose build takes a second: two models of three nodes, no gate, so that no TensorFlow is started.

    tiny_repo(folder) -> Repo      `file` is a frozen graph, `folder` a SavedModel
    frozen_graph(scale), saved_model(scale) -> bytes

Both compute x * scale, and the FP32 IR's .bin holds the scale, so that one can see which state was built.
"""

from __future__ import annotations

import struct
from pathlib import Path

from tests.e2e.conftest import Repo
from tests.graphdefs import message, node

OVFILE = """\
[defaults]
precisions = ["fp32"]
accuracy = false

[models.file]
source = "models/file.pb"

[models.folder]
source = "models/folder"
"""

FLOAT = 1
TYPE = message((6, FLOAT))
SHAPE = message((2, message((1, 1))), (2, message((1, 4))))


def graph(scale: float, *extra: bytes) -> bytes:
    """Encode a GraphDef; `extra` are nodes that its output does not need."""
    value = message((1, FLOAT), (2, b""), (4, struct.pack("<f", scale)))
    nodes = [
        node("x", "Placeholder", dtype=TYPE, shape=message((7, SHAPE))),
        node("scale", "Const", dtype=TYPE, value=message((8, value))),
        node("y", "Mul", "x", "scale", T=TYPE),
        *extra,
    ]
    return message(*[(1, one) for one in nodes], (4, message((1, 2474))))


frozen_graph = graph


def saved_model(scale: float, *extra: bytes) -> bytes:
    """Encode a SavedModel without variables; `extra` are nodes that its output does not need."""

    def entry(name: str) -> bytes:
        return message((1, name), (2, message((1, f"{name}:0"), (2, FLOAT), (3, SHAPE))))

    signature = message((1, entry("x")), (2, entry("y")), (3, "tensorflow/serving/predict"))
    named = message((1, "serving_default"), (2, signature))
    return message((1, 1), (2, message((1, message((4, "serve"))), (2, graph(scale, *extra)), (5, named))))


def tiny_repo(folder: Path) -> Repo:
    """Write the models, with scale 1, and their Ovfile."""
    (folder / "models/folder").mkdir(parents=True)
    (folder / "Ovfile").write_text(OVFILE)
    (folder / "models/file.pb").write_bytes(frozen_graph(1))
    (folder / "models/folder/saved_model.pb").write_bytes(saved_model(1))
    return Repo(folder=folder)


def built_scale(repo: Repo, model: str) -> float:
    """Return which scale was built."""
    (scale,) = struct.unpack("<f", (repo.folder / f"build/{model}/fp32/{model}.bin").read_bytes()[:4])
    assert isinstance(scale, float)
    return scale
