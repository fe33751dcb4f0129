"""Run the layers of a graph with a loop of TF1: `python run_loop_layers.py FOLDER`. Prints the values by tensor."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

from ovmake.contracts.files.interface import Interface, Tensor
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.reference.layer_values import run_layers

TENSORS = ["doubled:0", "scores:0"]


def main(folder: Path) -> None:
    """Double three times, in a loop with frames; then halve. What comes out of the loop is `doubled`."""
    tf.compat.v1.disable_control_flow_v2()
    with tf.Graph().as_default() as graph:
        image = tf.compat.v1.placeholder(tf.float32, [1, 2], name="image")
        _, after = tf.while_loop(lambda turn, _: turn < 3, lambda turn, now: (turn + 1, now * 2.0), [0, image])
        tf.multiply(tf.identity(after, name="doubled"), 0.5, name="scores")
    (folder / "loop.pb").write_bytes(graph.as_graph_def().SerializeToString())
    np.savez(folder / "feeds.npz", allow_pickle=False, **{"0_image": np.array([[1, 3]], np.float32)})
    ends = {name: (Tensor(name=name, shape=(1, 2), type="f32", tensor=f"{name}:0"),) for name in ("image", "scores")}
    Interface(inputs=ends["image"], outputs=ends["scores"]).write(str(folder / "interface.json"))
    request = Request(
        id=1,
        kind="layers",
        params={"source": {"kind": "frozen-graph"}, "tensors": TENSORS},
        inputs={
            "source": str(folder / "loop.pb"),
            "interface": str(folder / "interface.json"),
            "feeds": str(folder / "feeds.npz"),
        },
        outputs={"values": str(folder / "values.npz")},
    )
    run_layers(request)
    with np.load(folder / "values.npz", allow_pickle=False) as stored:
        print(json.dumps({tensor: stored[f"0_{place}"].tolist() for place, tensor in enumerate(TENSORS)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
