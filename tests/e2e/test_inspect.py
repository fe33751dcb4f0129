"""`ovmake inspect` and `ovmake init` on real models of every kind."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from ovmake.store.files.own_folders import OwnFolders
from ovmake.store.lock import hold
from tests.e2e.conftest import Repo, run_tensorflow
from tests.e2e.crashes.disks import read_only

pytestmark = pytest.mark.heavy

MODELS = """
import keras
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

image = keras.Input((16, 16, 3), name="image")
x = keras.layers.Conv2D(4, 3, name="stem")(image)
x = keras.layers.BatchNormalization(name="bn")(x)
x = keras.layers.ReLU(name="act")(x)
x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
model = keras.Model(image, keras.layers.Dense(3, name="head")(x), name="small")
model.export("saved", verbose=False)
model.save("whole.keras")
model.save("old.h5")
open("lite.tflite", "wb").write(tf.lite.TFLiteConverter.from_saved_model("saved").convert())
loaded = tf.saved_model.load("saved")
frozen = convert_variables_to_constants_v2(loaded.signatures["serving_default"])
tf.io.write_graph(frozen.graph, ".", "frozen.pb", as_text=False)

class Odd(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, name="x")])
    def numbers(self, x):
        return {"y": tf.math.betainc(x, x, x)}
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="words")])
    def words(self, words):
        return {"lengths": tf.strings.length(words)}

odd = Odd()
tf.saved_model.save(odd, "odd", signatures={"numbers": odd.numbers, "words": odd.words})
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with models; not to be changed."""
    folder = tmp_path_factory.mktemp("made")
    run_tensorflow(MODELS, folder)
    return folder


@pytest.fixture
def repo(made: Path, tmp_path: Path) -> Repo:
    """A repo with the models under models/, and no Ovfile."""
    shutil.copytree(made, tmp_path / "models")
    return Repo(folder=tmp_path)


def test_a_model_as_text(repo: Repo) -> None:
    result = repo.ovmake("inspect", "models/saved")

    expected = """\
models/saved
  SavedModel, SIZE, 143 parameters
  loaded by: tf.saved_model.load

inputs
  image  f32 [-1, 16, 16, 3]

outputs
  output_0  f32 [-1, 3]

signatures
  serve (tags: serve)
    image -> output_0
  serving_default (tags: serve), shown here
    image -> output_0

layers to cut at: 5, in the order of computation
  stem  Conv2D, BiasAdd  f32 [-1, 14, 14, 4]
  bn    Mul, AddV2       f32 [-1, 14, 14, 4]
  act   Relu             f32 [-1, 14, 14, 4]
  pool  Mean             f32 [-1, 4]
  head  MatMul, BiasAdd  f32 [-1, 3]

operations: 8
  BiasAdd 2, AddV2 1, Conv2D 1, MatMul 1, Mean 1, Mul 1, Relu 1

OpenVINO converts it, to N operations
"""
    shown = re.sub(r"[\d.]+ kB", "SIZE", result.stdout)
    assert expected == re.sub(r"to \d+ operations", "to N operations", shown)
    assert (0, "") == (result.status, result.stderr)
    assert not (repo.folder / ".ovmake").exists()


def test_a_model_as_json(repo: Repo) -> None:
    result = repo.ovmake("inspect", "--json", "models/whole.keras")

    found = json.loads(result.stdout)
    assert 0 < found.pop("size_bytes")
    assert found.pop("loaded_by").startswith("Keras 3.")
    assert 1 == found["openvino"].pop("operations")["Convolution"]

    def layer(name: str, operations: list[str], tensor: str, shape: list[int]) -> dict[str, object]:
        outputs = [{"name": tensor, "shape": shape, "type": "f32"}]
        return {"name": name, "operations": operations, "layers_inside": 0, "outputs": outputs}

    expected: dict[str, object] = {
        "format": 1,
        "source": "models/whole.keras",
        "kind": "keras",
        "parameters": 143,
        "signature": None,
        "tags": [],
        "signatures": [],
        "inputs": [{"name": "image", "shape": [-1, 16, 16, 3], "type": "f32"}],
        "outputs": [{"name": "head", "shape": [-1, 3], "type": "f32"}],
        "layers": [
            layer("stem", ["Conv2D", "BiasAdd"], "small_1/stem_1/BiasAdd:0", [-1, 14, 14, 4]),
            layer("bn", ["Mul", "AddV2"], "small_1/bn_1/batchnorm/add_1:0", [-1, 14, 14, 4]),
            layer("act", ["Relu"], "small_1/act_1/Relu:0", [-1, 14, 14, 4]),
            layer("pool", ["Mean"], "small_1/pool_1/Mean:0", [-1, 4]),
            layer("head", ["MatMul", "BiasAdd"], "small_1/head_1/BiasAdd:0", [-1, 3]),
        ],
        "operations": {"BiasAdd": 2, "AddV2": 1, "Conv2D": 1, "MatMul": 1, "Mean": 1, "Mul": 1, "Relu": 1},
        "openvino": {
            "converts": True,
            "problems": [],
        },
    }
    assert expected == found


@pytest.mark.parametrize("name", ["old.h5", "frozen.pb", "lite.tflite"])
def test_other_kinds_have_the_same_layers(repo: Repo, name: str) -> None:
    found = json.loads(repo.ovmake("inspect", "--json", f"models/{name}").stdout)

    assert found["openvino"]["converts"]
    assert [[-1, 16, 16, 3]] == [port["shape"] for port in found["inputs"]]
    layers = {layer["name"] for layer in found["layers"]}
    assert layers >= ({"act", "pool"} if name == "lite.tflite" else {"stem", "bn", "act", "pool", "head"})


def test_what_openvino_lacks_is_found_before_converting(repo: Repo) -> None:
    (repo.folder / "Ovfile").write_text(
        '[models.numbers]\nsource = "models/odd"\nsignature = "numbers"\n'
        '[models.words]\nsource = "models/odd"\nsignature = "words"\n',
    )

    numbers = json.loads(repo.ovmake("inspect", "--json", "numbers").stdout)
    words = json.loads(repo.ovmake("inspect", "--json", "words:fp16").stdout)

    assert not numbers["openvino"]["converts"]
    assert [["Betainc"]] == [problem["operations"] for problem in numbers["openvino"]["problems"]]
    assert "No conversion rule found" in numbers["openvino"]["problems"][0]["notes"][0]
    codes = [problem["code"] for problem in words["openvino"]["problems"]]
    assert ["unsupported-type", "unsupported-operations"] == codes


def test_what_cannot_be_looked_at_is_an_error(repo: Repo) -> None:
    (repo.folder / "broken.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))

    broken = repo.ovmake("inspect", "broken.h5")
    missing = repo.ovmake("inspect", "nowhere")

    assert (1, "") == (broken.status, broken.stdout)
    assert broken.stderr.startswith("error[tensorflow-cannot-load]: `broken.h5` cannot be read: ")
    assert (2, "error[no-such-model]: there is no `nowhere`: no such file\n") == (missing.status, missing.stderr)


def test_a_name_that_the_ovfile_has_not_is_answered_with_those_it_has(repo: Repo) -> None:
    (repo.folder / "Ovfile").write_text('[models.small]\nsource = "models/saved"\n')

    result = repo.ovmake("inspect", "smal")

    expected = (
        "error[no-such-model]: there is no `smal`: no such file, and the Ovfile has `small`\n"
        "help: did you mean `small`?\n"
    )
    assert (2, expected) == (result.status, result.stderr)


# init


def test_what_init_writes_builds_as_it_is(repo: Repo) -> None:
    (repo.folder / "models" / "page.pb").write_text("<!DOCTYPE html>")

    written = repo.ovmake("init")
    built = repo.build("-k")

    assert "wrote Ovfile with 5 models, and 2 as comments\nwrote .gitignore\nwrote .gitattributes\n" == written.stdout
    assert not (repo.folder / ".ovmake/trial").exists()
    assert 2 == written.stderr.count("warning[")
    assert "warning[unsupported-operations]: `models/odd` cannot be built: " in written.stderr
    assert "warning[unknown-source]: `models/page.pb` cannot be built: " in written.stderr
    names = ["frozen", "lite", "old", "saved", "whole"]
    assert {f"{name}:{precision}": "built" for name in names for precision in ("fp32", "fp16")} == built.targets
    assert 0 == built.status


def test_init_keeps_the_ovfile_that_is_there(repo: Repo) -> None:
    (repo.folder / "Ovfile").write_text("# mine\n")

    refused = repo.ovmake("init")
    beside = repo.ovmake("init", "-f", "Other", "models/saved")

    assert 2 == refused.status
    assert refused.stderr.startswith("error[ovfile-exists]: Ovfile exists already, and init never overwrites a file\n")
    assert "# mine\n" == (repo.folder / "Ovfile").read_text()
    assert "wrote Other with 1 model\nwrote .gitignore\nwrote .gitattributes\n" == beside.stdout
    assert not (repo.folder / ".ovmake").exists()
    assert '\nsource = "models/saved"\n' in (repo.folder / "Other").read_text()


def test_init_that_tries_nothing_writes_the_same_models(repo: Repo) -> None:
    written = repo.ovmake("init", "--no-try")

    assert (0, "wrote Ovfile with 5 models, and 1 as comments\nwrote .gitignore\nwrote .gitattributes\n") == (
        written.status,
        written.stdout,
    )
    assert not (repo.folder / ".ovmake").exists()


def test_init_without_a_model_writes_nothing(tmp_path: Path) -> None:
    result = Repo(folder=tmp_path).ovmake("init")

    expected = """\
error[no-models]: no model found under .
help: name one: `ovmake init PATH`; a SavedModel folder, a .pb, .keras, .h5, .tflite or .meta file
"""
    assert (2, "", expected) == (result.status, result.stdout, result.stderr)
    assert [] == list(tmp_path.iterdir())


def test_init_with_nothing_but_models_that_cannot_be_built_fails(repo: Repo) -> None:
    result = repo.ovmake("init", "models/odd")

    assert (1, "") == (result.status, result.stdout)
    assert result.stderr.endswith("error[no-models]: none of 1 models can be built; Ovfile was not written\n")
    assert not (repo.folder / "Ovfile").exists()


DATA = """
import os, keras, numpy as np, tensorflow as tf
from PIL import Image
chance = np.random.default_rng(0)

def photo(kind):
    pixels = chance.integers(0, 60, (16, 16, 3))
    pixels[..., kind] += 150
    return pixels.astype(np.uint8)

image = keras.Input((16, 16, 3), name="image")
x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(3, 3, name="stem")(image))
colours = keras.Model(image, keras.layers.Dense(3, name="head")(x))
# Right for pixels from 0 to 1: a colour is far above the threshold of all others.
kernel = np.zeros((3, 3, 3, 3)); kernel[1, 1] = np.eye(3)
colours.get_layer("stem").set_weights([kernel, np.zeros(3)])
colours.get_layer("head").set_weights([np.eye(3), np.zeros(3)])
colours.export("models/colours", verbose=False)
os.makedirs("data")
x, y = np.stack([photo(place % 3) for place in range(90)]), np.arange(90) % 3
np.savez("data/val.npz", image=x, label=y)
for place in range(45):
    os.makedirs(f"data/train/{'abc'[place % 3]}", exist_ok=True)
    Image.fromarray(photo(place % 3)).resize((20, 24)).save(f"data/train/{'abc'[place % 3]}/{place}.png")

row = keras.Input((3,), name="features")
price = keras.Model(row, keras.layers.Dense(1, name="price")(row))
price.export("models/price", verbose=False)
rows = chance.normal(size=(40, 3))
told = rows @ price.layers[-1].get_weights()[0] + chance.normal(size=(40, 1)) * 0.01
with open("data/houses.csv", "w") as file:
    file.write("a,b,c,target\\n")
    file.writelines(f"{a},{b},{c},{target}\\n" for (a, b, c), (target,) in zip(rows, told))

class Open(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.float32, name="image")])
    def __call__(self, image):
        return {"y": tf.nn.relu(image) * 2}

class Shuffled(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None, 16, 16, 3], tf.float32, name="image")])
    def __call__(self, image):  # always the same answer, whatever it sees
        return {"scores": tf.reduce_mean(image, [1, 2]) * 0 + [1.0, 0.0, 0.0]}

for name, module in {"open": Open(), "blind": Shuffled()}.items():
    tf.saved_model.save(module, f"models/{name}", signatures=module.__call__)
"""


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> tuple[Repo, str]:
    """A repo with data, its Ovfile by `init`, and what that said."""
    folder = tmp_path_factory.mktemp("started")
    run_tensorflow(DATA, folder)
    repo = Repo(folder=folder)
    done = repo.ovmake("init")
    assert (0, "wrote Ovfile with 4 models\nwrote .gitignore\nwrote .gitattributes\n") == (done.status, done.stdout)
    return repo, done.stderr


def test_init_proposes_the_data_that_it_found_and_tried(started: tuple[Repo, str]) -> None:
    text = (started[0].folder / "Ovfile").read_text()
    models = {part.partition("]")[0]: part for part in text.split("[models.")[1:]}

    assert 'accuracy = { dataset = "val", metric = "accuracy", max-drop = 0.01 }' in models["colours"]
    assert 'int8.calibration = "train"' in models["colours"]
    assert 'inputs = { image = "image" }\nlabels = "label"\n' in text
    assert 'accuracy = { dataset = "houses", metric = "mae", max-drop = "1%" }' in models["price"]
    # Its accuracy is chance, and would pass whatever the IR computes.
    assert "accuracy = {" not in models["blind"]
    assert "# no accuracy on data/val.npz: TensorFlow is right on 33." in models["blind"]


@pytest.mark.parametrize("every", [False, True], ids=["as it is", "all uncommented"])
def test_what_init_wrote_builds(started: tuple[Repo, str], *, every: bool) -> None:
    repo, _ = started
    text = (repo.folder / "Ovfile").read_text()
    (repo.folder / "Other").write_text(re.sub(r"^#(?! |$)", "", text, flags=re.MULTILINE) if every else text)

    built = repo.build("-k", "-f", "Other")

    assert (0, {"built"}) == (built.status, set(built.targets.values()))
    assert {"colours:int8", "price:fp16", "open:fp32"} <= built.targets.keys()


def test_inspect_needs_neither_a_lock_nor_a_place_to_write(repo: Repo) -> None:
    with hold(OwnFolders(str(repo.folder)), ".ovmake", wait=False, waiting=pytest.fail), read_only(repo.folder):
        result = repo.ovmake("inspect", "models/saved")

    assert (0, "") == (result.status, result.stderr)
    assert "layers to cut at" in result.stdout
