"""Models and data for control.py: `python control_models.py depthwise|mobilenet FOLDER`.

    depthwise    a CNN of depthwise convolutions, BatchNormalization and ReLU6, trained on 40,000 images of
                 Fashion-MNIST and kept beside this file, because no two trainings give the same drop; 3,000 test images
    mobilenet    MobileNetV2 at 96 x 96, trained here on 9,600 images; the 100 of 1,500 test images that it hesitates
                 over most, labelled with its own answers: each disagreement with TensorFlow costs a point

Writes FOLDER/NAME (a SavedModel or frozen graph), NAME-val.npz (`x`, `y`) and NAME-calibration.npz (`x`). A script of
its own, for TensorFlow and OpenVINO never share a process.
"""

from __future__ import annotations

import gzip
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
DATA = Path("/usr/share/datasets/fashion-mnist")
SIZE = 96
CALIBRATION = slice(50000, 50300)


def images(part: str) -> Any:
    """Return float32 [n, 28, 28, 1], 0..255."""
    raw = gzip.decompress((DATA / f"{part}-images-idx3-ubyte.gz").read_bytes())
    return np.frombuffer(raw, np.uint8, offset=16).reshape(-1, 28, 28, 1).astype(np.float32)


def labels(part: str) -> Any:
    """Return int64 [n], 0..9."""
    raw = gzip.decompress((DATA / f"{part}-labels-idx1-ubyte.gz").read_bytes())
    return np.frombuffer(raw, np.uint8, offset=8).astype(np.int64)


def depthwise(folder: Path) -> None:
    """Copy the model and write its data: plain INT8 loses 0.9 points on these images."""
    shutil.copy(HERE / "depthwise.pb", folder / "depthwise")
    chosen = slice(3000, 6000)
    np.savez(folder / "depthwise-val.npz", x=images("t10k")[chosen], y=labels("t10k")[chosen])
    np.savez(folder / "depthwise-calibration.npz", x=images("train")[CALIBRATION])


def mobilenet(folder: Path) -> None:
    """Train the model, and write it with its data."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(5)
    model = _mobilenet()
    model.compile(keras.optimizers.Adam(2e-3), "sparse_categorical_crossentropy")
    data = tf.data.Dataset.from_tensor_slices((images("train")[:9600], labels("train")[:9600])).batch(64)
    model.fit(data.map(lambda x, y: (tf.image.resize(x, (SIZE, SIZE)), y)), epochs=1, verbose=2)
    model.export(folder / "mobilenet", verbose=False)
    pictures = tf.image.resize(images("t10k")[:1500], (SIZE, SIZE)).numpy()
    scores = model.predict(pictures, verbose=0)
    best = np.sort(scores, axis=1)
    chosen = np.sort(np.argsort(best[:, -1] - best[:, -2])[:100])
    np.savez(folder / "mobilenet-val.npz", x=pictures[chosen], y=scores[chosen].argmax(axis=1))
    calibration = tf.image.resize(images("train")[CALIBRATION], (SIZE, SIZE)).numpy()
    np.savez(folder / "mobilenet-calibration.npz", x=calibration)


def _mobilenet() -> Any:
    import keras
    from keras import layers

    image = layers.Input((SIZE, SIZE, 1), name="image")
    value = layers.Rescaling(1 / 127.5, offset=-1)(layers.Concatenate()([image] * 3))
    base = keras.applications.MobileNetV2(
        input_shape=(SIZE, SIZE, 3), include_top=False, weights=None, pooling="avg", input_tensor=value
    )
    for layer in base.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = 0.9  # 0.999 wants more steps than these
    return keras.Model(image, layers.Dense(10, activation="softmax", name="scores")(base.output))


if __name__ == "__main__":
    {"depthwise": depthwise, "mobilenet": mobilenet}[sys.argv[1]](Path(sys.argv[2]))
