"""Sources and options on real models: frozen graphs, shapes, batches, per-channel mean and scale, gate by agreement."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.conftest import Repo, run_tensorflow

pytestmark = pytest.mark.heavy

MODELS = """
import numpy as np, tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2
rng = np.random.default_rng(0)
kernel = tf.constant(rng.normal(size=(3, 3, 3, 4)).astype("float32"))

class Model(tf.Module):
    def __init__(self):
        self.kernel = tf.Variable(kernel)
    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.float32, name="image")])
    def __call__(self, image):
        return {"features": tf.nn.relu(tf.nn.conv2d(image, self.kernel, 1, "SAME"))}
    @tf.function(input_signature=[tf.TensorSpec([None, 5], tf.int32, name="ids"),
                                  tf.TensorSpec([None, 5], tf.bool, name="mask")])
    def two(self, ids, mask):
        sums = tf.reduce_sum(tf.where(mask, tf.cast(ids, tf.float32), 0.5), axis=1)
        return {"sums": sums, "doubled": 2 * ids}

model = Model()
tf.saved_model.save(model, "saved", signatures=model.__call__)
tf.saved_model.save(model, "two", signatures=model.two)
frozen = convert_variables_to_constants_v2(model.__call__.get_concrete_function())
tf.io.write_graph(frozen.graph, ".", "frozen.pb", as_text=False)
with tf.Graph().as_default() as graph:
    x, y = (tf.compat.v1.placeholder(tf.float32, [None, 4], name) for name in ("x", "y"))
    tf.compat.v1.placeholder(tf.float32, [None, 4], "idle")
    tf.subtract(x, y, "difference")
    tf.cond(tf.reduce_sum(x) > 0, lambda: x + 1.0, lambda: y, name="chosen")
    tf.cast(x * y, tf.bfloat16, "half")
tf.io.write_graph(graph, ".", "several.pb", as_text=False)
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a SavedModel, one with two inputs and outputs, and a frozen graph."""
    folder = tmp_path_factory.mktemp("models")
    run_tensorflow(MODELS, folder)
    return folder


def repo(folder: Path, text: str) -> Repo:
    """Return the folder with an Ovfile."""
    (folder / "Ovfile").write_text(text)
    return Repo(folder=folder)


def record(built: Repo, model: str, precision: str = "fp32") -> dict[str, object]:
    """Return a target's record."""
    content = json.loads((built.folder / f"build/{model}/{precision}/record.json").read_text())
    assert isinstance(content, dict)
    return content


def batch(built: Repo, precision: str) -> object:
    """Return the first dimension of the first input of model `m`."""
    (tensor,) = list(record(built, "m", precision)["inputs"])  # type: ignore[call-overload]
    return tensor["shape"][0]


def test_two_lines_build_a_saved_model_and_compare_it_with_tensorflow(models: Path) -> None:
    built = repo(models, '[models.plain]\nsource = "saved"\n')

    result = built.build()

    assert 0 == result.status, result.stdout
    assert {"plain:fp32": "built", "plain:fp16": "built"} == result.targets
    assert {"result": "passed"}.items() <= dict(record(built, "plain")["gate"]).items()  # type: ignore[call-overload]


def test_frozen_graph_goes_by_its_names_without_colon_zero(models: Path) -> None:
    text = '[models.frozen]\nsource = "frozen.pb"\nbatch = 2\n[models.frozen.inputs.image]\nshape = [-1, 16, 20, 3]\n'
    built = repo(models, text)

    result = built.build()

    assert 0 == result.status, result.stdout
    assert [{"name": "image", "shape": [2, 16, 20, 3], "type": "f32"}] == record(built, "frozen")["inputs"]


def test_frozen_graph_with_an_unused_input_branches_and_outputs_named_as_their_operations(models: Path) -> None:
    built = repo(models, '[models.several]\nsource = "several.pb"\nprecisions = ["fp32"]\n')

    result = built.build()

    assert 0 == result.status, result.stdout
    found = record(built, "several")
    differences = {output["name"]: output["max_abs"] for output in list(found["differences"])}  # type: ignore[call-overload]
    assert {"difference": 0.0, "chosen/Identity": 0.0} == {
        name: differences.pop(name) for name in list(differences)[:2]
    }
    assert differences["half"] < 0.01


def test_mean_and_scale_per_channel_agree_with_tensorflow_on_raw_inputs(models: Path) -> None:
    text = (
        '[models.norm]\nsource = "saved"\nprecisions = ["fp32"]\n'
        "[models.norm.inputs.image]\nmean = [123.675, 116.28, 103.53]\nscale = [58.395, 57.12, 57.375]\n"
        "shape = [1, 32, 32, 3]\n[models.norm.accuracy]\nagreement = { cosine = 0.9999999 }\n"
    )
    built = repo(models, text)

    result = built.build()

    assert 0 == result.status, result.stdout
    (difference,) = list(record(built, "norm")["differences"])  # type: ignore[call-overload]
    assert difference["max_abs"] < 1e-4


def test_integer_and_boolean_inputs_and_two_outputs(models: Path) -> None:
    built = repo(models, '[models.two]\nsource = "two"\nprecisions = ["fp32"]\n')

    result = built.build()

    assert 0 == result.status, result.stdout
    found = record(built, "two")
    assert {"ids", "mask"} == {tensor["name"] for tensor in list(found["inputs"])}  # type: ignore[call-overload]
    assert {0.0} == {output["max_abs"] for output in list(found["differences"])}  # type: ignore[call-overload]


def test_unknown_input_fails_its_target_and_points_at_the_setting(models: Path) -> None:
    built = repo(
        models, '[models.wrong]\nsource = "saved"\nprecisions = ["fp32"]\n[models.wrong.inputs.imag]\nmean = 1\n'
    )

    result = built.ovmake("build")

    assert 1 == result.status
    expected = """\
error[unknown-input]: convert wrong: the model has no input `imag`; its inputs are `image`
 --> Ovfile:5:8
  |
5 | mean = 1
  |        ^
  |
"""
    assert expected in result.stderr
    assert "help: did you mean `image`?" in result.stderr


def test_per_precision_batch_converts_twice_and_shares_nothing_by_mistake(models: Path) -> None:
    text = '[models.m]\nsource = "saved"\n[models.m.fp16]\nbatch = 3\n'
    built = repo(models, text)

    result = built.build()

    assert 0 == result.status, result.stdout
    assert {"convert m", "convert m:fp16"} <= {*result.ran, *result.actions("restored")}
    assert (-1, 3) == (batch(built, "fp32"), batch(built, "fp16"))


def test_gate_turned_off_builds_without_tensorflow_and_says_not_measured(models: Path) -> None:
    built = repo(models, '[models.off]\nsource = "saved"\nprecisions = ["fp32"]\naccuracy = false\n')
    built.workers_started()

    result = built.build("--force")

    assert 0 == result.status, result.stdout
    assert {"worker-openvino.log"} == built.workers_started()
    assert "not-measured" == dict(record(built, "off")["gate"])["result"]  # type: ignore[call-overload]
