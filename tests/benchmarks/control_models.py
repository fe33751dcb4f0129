"""Train a model for control.py: `python control_models.py depthwise|mobilenet FOLDER`.

Writes FOLDER/NAME (SavedModel), NAME-val.npz (`x`, `y`) and NAME-calibration.npz (`x`). TensorFlow and OpenVINO never
share a process, so this is a script of its own.
"""

from __future__ import annotations

import gzip
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from keras import layers

DATA = Path("/usr/share/datasets/fashion-mnist")
BATCH = 128
SIZE = 96


def images(part: str) -> Any:
    """Return float32 [n, 28, 28, 1], 0..255."""
    raw = gzip.decompress((DATA / f"{part}-images-idx3-ubyte.gz").read_bytes())
    return np.frombuffer(raw, np.uint8, offset=16).reshape(-1, 28, 28, 1).astype(np.float32)


def labels(part: str) -> Any:
    """Return int64 [n], 0..9."""
    raw = gzip.decompress((DATA / f"{part}-labels-idx1-ubyte.gz").read_bytes())
    return np.frombuffer(raw, np.uint8, offset=8).astype(np.int64)


def depthwise() -> Any:
    """Return a small MobileNet-like network: depthwise convolutions, BatchNormalization, ReLU6."""

    def normalized(value: Any) -> Any:
        return layers.ReLU(6.0)(layers.BatchNormalization(momentum=0.9)(value))

    image = layers.Input((28, 28, 1), name="image")
    value = layers.Rescaling(1 / 255)(image)
    value = normalized(layers.Conv2D(16, 3, padding="same", use_bias=False)(value))
    for channels, stride in ((32, 2), (32, 1), (64, 2), (64, 1), (128, 2), (128, 1)):
        value = normalized(layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False)(value))
        value = normalized(layers.Conv2D(channels, 1, use_bias=False)(value))
    value = layers.GlobalAveragePooling2D()(value)
    return keras.Model(image, layers.Dense(10, activation="softmax", name="scores")(value))


def mobilenet() -> Any:
    """Return MobileNetV2 for grey images of 96 x 96."""
    image = layers.Input((SIZE, SIZE, 1), name="image")
    value = layers.Rescaling(1 / 127.5, offset=-1)(layers.Concatenate()([image] * 3))
    base = keras.applications.MobileNetV2(
        input_shape=(SIZE, SIZE, 3), include_top=False, weights=None, pooling="avg", input_tensor=value
    )
    for layer in base.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = 0.9  # 0.999 wants more steps than these
    return keras.Model(image, layers.Dense(10, activation="softmax", name="scores")(base.output))


def trained(model: Any, seed_images: Any, seed_labels: Any, *, epochs: int, rate: float, size: int | None) -> Any:
    """Return the model after some epochs."""

    def sized(batch: Any, answers: Any) -> Any:
        return (tf.image.resize(batch, (size, size)) if size else batch), answers

    data = tf.data.Dataset.from_tensor_slices((seed_images, seed_labels)).batch(BATCH).map(sized).prefetch(2)
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    model.fit(data, epochs=epochs, verbose=2)
    return model


def hesitant(model: Any, pictures: Any, count: int) -> tuple[Any, Any]:
    """Return the images whose two best scores are nearest to each other, and the model's own answers."""
    scores = model.predict(pictures, verbose=0)
    best = np.sort(scores, axis=1)
    chosen = np.sort(np.argsort(best[:, -1] - best[:, -2])[:count])
    return pictures[chosen], scores[chosen].argmax(axis=1)


def main(name: str, folder: Path) -> None:
    """Train and write."""
    keras.utils.set_random_seed(SEEDS[name])
    pictures, answers = images("train"), labels("train")
    if name == "depthwise":
        model = trained(depthwise(), pictures[:30000], answers[:30000], epochs=3, rate=RATE, size=None)
        validation = images("t10k")[:3000], labels("t10k")[:3000]
        calibration = pictures[50000:50300]
    else:
        model = trained(mobilenet(), pictures[:9600], answers[:9600], epochs=1, rate=2e-3, size=SIZE)
        validation = hesitant(model, tf.image.resize(images("t10k")[:1500], (SIZE, SIZE)).numpy(), 100)
        calibration = tf.image.resize(pictures[50000:50300], (SIZE, SIZE)).numpy()
    model.export(folder / name, verbose=False)
    np.savez(folder / f"{name}-calibration.npz", x=calibration)
    np.savez(folder / f"{name}-val.npz", x=validation[0], y=validation[1])


SEEDS = {"depthwise": 3, "mobilenet": 5}
RATE = 5e-3

if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
