"""Train the example's network and write everything the Ovfile beside it names.

    python train.py [--data DIR] [--epochs N] [--out DIR]

Makes, under OUT (default: this folder):

    models/fashion/         SavedModel; `image` float32 [batch, 28, 28, 1], normalised,
                            -> `probabilities` float32 [batch, 10], rows sum to 1
    data/val.npz            the first 5,000 test images: `x` uint8 [n, 28, 28, 1], 0..255,
                            and `y` uint8 [n], 0..9
    data/calibration.npz    the first 1,000 training images, `x` and `y` likewise

The network takes (pixel - mean) / scale, the data files hold pixels. The Ovfile's `mean`
and `scale` close the gap: ovmake bakes them into the IR, which so takes raw pixels. Both
come from the training images; the script warns when the Ovfile says something else.

Needs TensorFlow 2.21 (Keras 3) and Debian's package `dataset-fashion-mnist`. The seed is
fixed and every op deterministic: the same machine and versions give the same weights.

Data: Fashion-MNIST, (c) 2017 Zalando SE, MIT licence (data/LICENSE);
https://github.com/zalandoresearch/fashion-mnist
"""

from __future__ import annotations

import argparse
import gzip
import shutil
import sys
import tomllib
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from keras import layers

Bytes: TypeAlias = npt.NDArray[np.uint8]
Floats: TypeAlias = npt.NDArray[np.float32]

HERE = Path(__file__).resolve().parent
DEBIAN = Path("/usr/share/datasets/fashion-mnist")
SEED = 20_170_828
BATCH = 128
VALIDATION_SAMPLES = 5_000
CALIBRATION_SAMPLES = 1_000
# `idx` files open with 00 00, the element type (8: uint8) and the number of dimensions.
IDX_UINT8 = 8


class DatasetError(Exception):
    """The dataset cannot be used; the message says what to do about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Images, uint8 [n, 28, 28, 1], 0..255, and their labels, uint8 [n], 0..9."""

    x: Bytes
    y: Bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalisation:
    """What the network is fed: (pixel - mean) / scale, both in 0..255."""

    mean: float
    scale: float

    def __call__(self, x: Bytes) -> Floats:
        """Return the normalised images, float32, of the same shape."""
        return (x.astype(np.float32) - np.float32(self.mean)) / np.float32(self.scale)


def read_idx(path: Path) -> Bytes:
    """Return the array in a gzipped `idx` file of bytes.

    Raises:
        DatasetError: the file is missing or is something else.

    """
    try:
        raw = gzip.decompress(path.read_bytes())
    except FileNotFoundError:
        message = f"{path}: not found; try `apt install dataset-fashion-mnist` or --data"
        raise DatasetError(message) from None
    except (OSError, EOFError, zlib.error) as error:
        message = f"{path}: {error}; is it the right file?"
        raise DatasetError(message) from None
    if raw[:3] != bytes([0, 0, IDX_UINT8]):
        message = f"{path}: not an idx file of bytes; is it the right file?"
        raise DatasetError(message)
    shape = np.frombuffer(raw, ">i4", count=raw[3], offset=4)
    return np.frombuffer(raw, np.uint8, offset=4 + shape.nbytes).reshape(shape)


def read_split(folder: Path, name: str) -> Split:
    """Return the split called `train` or `t10k`."""
    x = read_idx(folder / f"{name}-images-idx3-ubyte.gz")
    y = read_idx(folder / f"{name}-labels-idx1-ubyte.gz")
    return Split(x=x[..., np.newaxis], y=y)


def normalisation_of(x: Bytes) -> Normalisation:
    """Return mean and standard deviation of all pixels, short enough to copy by hand."""
    return Normalisation(mean=round(float(x.mean()), 2), scale=round(float(x.std()), 2))


def conv_block(x: keras.KerasTensor, name: str, filters: int, size: int = 3, strides: int = 1) -> keras.KerasTensor:
    """Return convolution, BatchNorm and ReLU: one operation once OpenVINO has fused it."""
    conv = layers.Conv2D(filters, size, strides, padding="same", use_bias=False, name=name)
    return normalise_and_clip(conv(x), name)


def depthwise_block(x: keras.KerasTensor, name: str, strides: int) -> keras.KerasTensor:
    """Return the same for a convolution that keeps the channels apart."""
    conv = layers.DepthwiseConv2D(3, strides, padding="same", use_bias=False, name=name)
    return normalise_and_clip(conv(x), name)


def normalise_and_clip(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Return BatchNorm, then ReLU."""
    # Keras' default momentum, 0.99, leaves the statistics behind the weights in a training
    # of a few epochs: good accuracy in training, bad afterwards.
    x = layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def network() -> keras.Model:
    """Return the untrained network: 149,930 weights, 11.5 million multiply-adds an image."""
    image = keras.Input((28, 28, 1), name="image")
    x = conv_block(image, "stem", 32)
    x = conv_block(x, "conv_14", 32, strides=2)
    x = conv_block(x, "wide_14", 64)
    x = depthwise_block(x, "depthwise_7", strides=2)
    x = conv_block(x, "pointwise_7", 128, size=1)
    x = conv_block(x, "wide_7", 96)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dropout(0.2, seed=SEED, name="dropout")(x)
    x = layers.Dense(10, activation="softmax", name="classifier")(x)
    return keras.Model(image, x, name="fashion")


def train(x: Floats, y: Bytes, epochs: int) -> keras.Model:
    """Return the network trained on `x` (normalised) and `y`."""
    keras.utils.set_random_seed(SEED)
    tf.config.experimental.enable_op_determinism()
    model = network()
    steps = epochs * -(-len(x) // BATCH)
    model.compile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(3e-3, steps)),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=False,
    )
    model.fit(x, y, batch_size=BATCH, epochs=epochs, verbose=2)
    return model


def export(model: keras.Model, folder: Path) -> None:
    """Write `model` for inference as a SavedModel, in place of what `folder` holds.

    A bare `tf.Module` instead of `model.export()`: the signature's output gets a name of its
    own, there is one signature, and no layer objects or random seeds travel with it.
    """

    def predict(image: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"probabilities": model(image, training=False)}

    spec = tf.TensorSpec([None, 28, 28, 1], tf.float32, name="image")
    module = tf.Module(name="fashion")
    # `weights`, not `variables`: the latter counts the dropout's seed in.
    module.weights = [weight.value for weight in model.weights]
    module.predict = tf.function(predict, input_signature=[spec])
    shutil.rmtree(folder, ignore_errors=True)
    tf.saved_model.save(module, str(folder), signatures={"serving_default": module.predict})
    # Always empty here, and git keeps no empty folders: a clone should equal what was written.
    (folder / "assets").rmdir()


def save_samples(path: Path, split: Split, count: int) -> None:
    """Write the first `count` samples; the same samples give the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, x=split.x[:count], y=split.y[:count])


def accuracy(model: keras.Model, x: Floats, y: Bytes) -> float:
    """Return the share of images, 0..1, whose likeliest class is their label."""
    likeliest = model.predict(x, batch_size=500, verbose=0).argmax(axis=1)
    return float((likeliest == y).mean())


def check_ovfile(path: Path, normalisation: Normalisation) -> None:
    """Warn when the Ovfile's `mean` and `scale` are not those the network was fed."""
    if not path.exists():
        return
    image = tomllib.loads(path.read_text())["models"]["fashion"]["inputs"]["image"]
    if Normalisation(mean=image["mean"], scale=image["scale"]) != normalisation:
        say(f"warning: {path} has another mean or scale; copy the above into it")


def say(line: str) -> None:
    """Write one line for the human who watches."""
    sys.stderr.write(line + "\n")


def parse_args() -> argparse.Namespace:
    """Return the command line's options: data, epochs and out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, default=DEBIAN, help="the four idx files")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--out", type=Path, default=HERE)
    return parser.parse_args()


def run(data: Path, epochs: int, out: Path) -> None:
    """Read, train, measure and write."""
    training, test = read_split(data, "train"), read_split(data, "t10k")
    normalisation = normalisation_of(training.x)
    model = train(normalisation(training.x), training.y, epochs)
    score = accuracy(model, normalisation(test.x), test.y)
    export(model, out / "models" / "fashion")
    save_samples(out / "data" / "val.npz", test, VALIDATION_SAMPLES)
    save_samples(out / "data" / "calibration.npz", training, CALIBRATION_SAMPLES)
    say(f"accuracy = {score:.4f} on all {len(test.y):,} test images")
    say(f"mean = {normalisation.mean}\nscale = {normalisation.scale}")
    check_ovfile(out / "Ovfile", normalisation)


def main() -> int:
    """Return the exit status: 0, or 1 when the dataset cannot be used."""
    args = parse_args()
    try:
        run(args.data, args.epochs, args.out)
    except DatasetError as error:
        say(f"error: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
