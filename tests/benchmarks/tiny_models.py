"""Tiny SavedModels for noop.py: `python tiny_models.py FOLDER SEED...` writes FOLDER/SEED, one matrix of 16 x 16 each.

A script of its own, for it imports TensorFlow. Another seed gives other weights, and files of the same sizes.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

SIZE = 16


def save(folder: Path, seed: int) -> None:
    """Write relu(x @ w), under a name that it has once it is whole."""
    module = tf.Module()
    module.w = tf.Variable(np.random.default_rng(seed).normal(size=(SIZE, SIZE)).astype(np.float32), name="w")
    taken = [tf.TensorSpec([None, SIZE], tf.float32, name="x")]
    module.predict = tf.function(lambda x: {"y": tf.nn.relu(x @ module.w)}, input_signature=taken)
    partial = folder / f"partial-{seed}"
    tf.saved_model.save(module, str(partial), signatures={"serving_default": module.predict})
    (partial / "assets").rmdir()  # empty: git would not keep it either
    partial.rename(folder / str(seed))


if __name__ == "__main__":
    for word in sys.argv[2:]:
        save(Path(sys.argv[1]), int(word))
