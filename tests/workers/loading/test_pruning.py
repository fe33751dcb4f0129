"""The training part of a checkpoint's graph that is removed: TensorFlow never sees it, so its damage is found here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import warm

pytestmark = pytest.mark.heavy

SCRIPT = """
import json
import tensorflow as tf
from ovmake.sources.protobuf import ProtobufError
from ovmake.workers.loading.pruning import prune

v1 = tf.compat.v1
with tf.Graph().as_default():
    x = v1.placeholder(tf.float32, [None, 2], name="x")
    tf.matmul(x, v1.get_variable("w", [2, 2]), name="scores")
    sound = v1.train.export_meta_graph(saver_def=v1.train.Saver(sharded=True).as_saver_def())

def changed(change):
    meta = type(sound).FromString(sound.SerializeToString())
    change(next(node for node in meta.graph_def.node if node.op == "MergeV2Checkpoints"))
    try:
        prune(meta, frozenset())
    except ProtobufError as error:
        return str(error)
    return "pruned"

print(json.dumps([
    changed(lambda node: None),
    changed(lambda node: node.input.pop(0)),
    changed(lambda node: node.input.insert(0, "w")),
    changed(lambda node: node.input.insert(0, "nowhere:1")),
    changed(lambda node: node.input.append("^nowhere")),
]))
"""


def test_a_removed_node_must_have_its_inputs(tmp_path: Path) -> None:
    done = warm.run(["-c", SCRIPT], by="tensorflow", cwd=tmp_path)

    assert 0 == done.returncode, done.stderr
    assert [
        "pruned",
        "node `save/MergeV2Checkpoints` has 1 inputs, and MergeV2Checkpoints takes 2",
        "node `save/MergeV2Checkpoints` has 3 inputs, and MergeV2Checkpoints takes 2",
        "`nowhere:1`, an input of node `save/MergeV2Checkpoints`, does not exist",
        "`^nowhere`, an input of node `save/MergeV2Checkpoints`, does not exist",
    ] == json.loads(done.stdout.splitlines()[-1])
