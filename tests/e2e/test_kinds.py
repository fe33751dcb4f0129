"""Every kind of source, built by `ovmake build`: the gate passes, and the record says how it was read."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, Repo, Result, environment
from tests.once import copy_of
from tests.workers.conftest import sources_once

pytestmark = pytest.mark.heavy

DIRECT = "by OpenVINO's own reader"
ONLY_FUNCTION = "frozen by TensorFlow (tf.saved_model.load, its only function `function`)"
SEVERED = f"{DIRECT}, of the part that TensorFlow cut out of the file"
LOADED, KERAS = "frozen by TensorFlow (tf.saved_model.load)", "frozen by TensorFlow (Keras VERSION)"
TF_KERAS, CHECKPOINT = "frozen by TensorFlow (tf-keras VERSION)", "frozen by TensorFlow (TF1 checkpoint)"
X = ["x f32 [-1, 4]"]

# model -> its table in the Ovfile, how it is read, inputs, outputs
KINDS: dict[str, tuple[str, str, list[str], list[str]]] = {
    "saved-model": ('source = "tf2"', DIRECT, ["idle boolean [-1]", "q f32 [-1, 3]"], ["double", "same"]),
    "other-signature": (
        'source = "tf2"\nsignature = "other"',
        LOADED,
        ["b boolean [-1]", "n i64 [-1]"],
        ["chosen"],
    ),
    "recurrent": ('source = "lstm"', DIRECT, ["sequence f32 [-1, -1, 3]"], ["output_0"]),
    "tf1": ('source = "tf1"', DIRECT, ["image f32 [-1, 4]"], ["scores"]),
    "other-tags": ('source = "tf1"\ntags = ["serve", "gpu"]', LOADED, ["image f32 [-1, 4]"], ["scores"]),
    "inner-input": ('source = "tf1"\nsignature = "inner"', LOADED, ["inner f32 [-1, 4]"], ["scores"]),
    # tf.saved_model.load refuses it
    "tf1-loader": (
        'source = "tf1-refused"\ncut.outputs = ["scores"]',
        "frozen by TensorFlow (TF1 loader)",
        ["image f32 [-1, 4]"],
        ["scores"],
    ),
    "fallback": ('source = "partitioned"', f"{LOADED}, because OpenVINO cannot convert `partitioned`", X, ["scores"]),
    # no frozen graph holds these: TensorFlow calls them as shipped
    "table": ('source = "lookup"', DIRECT, ["k i64 [-1]"], ["v"]),
    "table-and-weights": ('source = "shop"', DIRECT, ["shop i64 [-1, 1]"], ["y"]),
    "table-fixed-batch": ('source = "shop"\nbatch = 2', DIRECT, ["shop i64 [2, 1]"], ["y"]),
    "table-tf1": ('source = "table"', DIRECT, ["keys i64 [-1]"], ["values"]),
    "after-table": (
        'source = "lookup"\ncut.inputs = ["doubled"]\ninputs.doubled.shape = [-1]',
        LOADED,
        ["doubled f32 [-1]"],
        ["v"],
    ),
    "counter-of-calls": ('source = "calls"', DIRECT, ["x f32 [-1, 4]"], ["y"]),
    # no signature
    "only-function": (
        'source = "unsigned-function"',
        f"{ONLY_FUNCTION}, because OpenVINO cannot convert `unsigned-function`",
        ["x f32 [-1, 3]"],
        ["output_0"],
    ),
    "unsigned-tf1": (
        'source = "unsigned-tf1"',
        "frozen by TensorFlow (TF1 loader, without a signature), because OpenVINO cannot convert `unsigned-tf1`",
        X,
        ["y"],
    ),
    "frozen-graph": (
        'source = "frozen.pb"',
        DIRECT,
        ["x f32 [-1, 4]", "idle f32 [-1, 4]"],
        ["chosen/Identity", "echo", "scaled", "top"],
    ),
    "frozen-cut-inside": (
        'source = "frozen.pb"\ncut.inputs = ["x", "scale:0"]\ncut.outputs = ["scaled"]',
        DIRECT,
        ["x f32 [-1, 4]", "scale f32 []"],
        ["scaled"],
    ),
    "frozen-cut": ('source = "frozen.pb"\ncut.outputs = ["scaled"]', DIRECT, ["x f32 [-1, 4]"], ["scaled"]),
    "tf1-loop": ('source = "loop.pb"', DIRECT, ["start f32 [-1, 4]"], ["end", "while/Exit"]),
    "keras": (
        'source = "several.keras"',
        KERAS,
        ["ids i32 [-1, 5]", "mask boolean [-1, 5]", "image f32 [-1, -1, -1, 3]"],
        ["head_boxes", "pair_0", "pair_1", "scores"],
    ),
    "keras-recurrent": ('source = "lstm.keras"', KERAS, ["sequence f32 [-1, -1, 3]"], ["out"]),
    "keras-h5": ('source = "sequential.h5"', KERAS, X, ["y"]),
    "kind-given": ('source = "named-otherwise.bin"\nkind = "keras-h5"', KERAS, X, ["y"]),
    "tflite": ('source = "float.tflite"', DIRECT, ["image f32 [-1, 8, 8, 3]"], ["output_0"]),
    "tflite-int8": ('source = "integer.tflite"', DIRECT, ["image i8 [-1, 8, 8, 3]"], ["output_0"]),
    "tflite-half-numbered": (
        'source = "half-numbered.tflite"',
        f"{DIRECT}, of the file rewritten by TensorFlow",
        ["image f32 [-1, 8, 8, 3]"],
        ["output_0"],
    ),
    "tflite-first-signature": ('source = "coder.tflite"\nsignature = "decode"', DIRECT, ["c f32 [1, 3]"], ["out"]),
    "tflite-before-custom": (
        'source = "custom.tflite"\ncut.outputs = ["mul"]',
        SEVERED,
        ["x f32 [1, 3]"],
        ["mul"],
    ),
    "tflite-after-custom": (
        'source = "custom.tflite"\ncut.inputs = ["Cross:0"]',
        SEVERED,
        ["Cross f32 [1, 3]"],
        ["y"],
    ),
    "tflite-after-state": (
        'source = "streaming.tflite"\ncut.inputs = ["add:0"]',
        SEVERED,
        ["add f32 [1, 4]"],
        ["y"],
    ),
    "checkpoint": ('source = "checkpoint/model-10.meta"', CHECKPOINT, X, ["scores"]),
    "pipeline": ('source = "pipeline/model.meta"', CHECKPOINT, ["IteratorGetNext f32 [-1, 4]"], ["logits"]),
}
if importlib.util.find_spec("tf_keras") is not None:  # `pip install --no-deps tf-keras`, which [test] cannot say
    KINDS |= {
        "old-keras": ('source = "old.keras"', TF_KERAS, X, ["tf.math.multiply", "local"]),
        "old-h5": ('source = "old.h5"', TF_KERAS, X, ["tf.math.multiply", "local"]),
        "old-recurrent": ('source = "old-lstm.h5"', TF_KERAS, ["lstm_input f32 [-1, 6, 3]"], ["y"]),
    }


def ovfile(tables: dict[str, str], defaults: str = "") -> str:
    """Return an Ovfile with these models."""
    head = f'[defaults]\nprecisions = ["fp32"]\n{defaults}'
    return head + "".join(f"[models.{name}]\n{table}\n" for name, table in tables.items())


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models; see tests/workers/make_sources.py."""
    return copy_of(sources_once(tmp_path_factory), tmp_path_factory.mktemp("kinds") / "sources")


@pytest.fixture(scope="module")
def repo(sources: Path) -> Repo:
    """A repo with all models in it."""
    (sources / "Ovfile").write_text(ovfile({name: table for name, (table, *_) in KINDS.items()}))
    return Repo(folder=sources)


@pytest.fixture(scope="module")
def result(repo: Repo) -> Result:
    """What came of building them."""
    return repo.build("-k")


@pytest.mark.parametrize("model", KINDS)
def test_every_kind_is_built_and_agrees_with_tensorflow(repo: Repo, result: Result, model: str) -> None:
    _, way, inputs, outputs = KINDS[model]
    diagnostics = [event["diagnostic"]["message"] for event in result.events if "diagnostic" in event]
    assert "built" == result.targets[f"{model}:fp32"], diagnostics
    found = repo.record(model)
    assert "passed" == found["gate"]["result"]
    assert way == re.sub(r"\d+\.\d+\.\d+", "VERSION", found["source"]["read_by"]).partition(": ")[0]
    assert inputs == [f"{tensor['name']} {tensor['type']} {tensor['shape']}" for tensor in found["inputs"]]
    assert outputs == [tensor["name"] for tensor in found["outputs"]]


def test_alpha_that_stays_is_told(sources: Path, tmp_path: Path) -> None:
    shutil.copytree(sources / "rgba", tmp_path / "rgba")
    table = 'source = "rgba"\ninputs.x.reverse-channels = true'
    (tmp_path / "Ovfile").write_text(ovfile({"rgba": table}))

    done = Repo(folder=tmp_path).ovmake("build")

    told = "input `x` has 4 channels: `reverse-channels` reverses the first three, the fourth (alpha) stays"
    assert f"warning[alpha-stays]: convert rgba: {told}\n --> Ovfile:5:29" in done.stderr
    assert "passed" == Repo(folder=tmp_path).record("rgba")["gate"]["result"]


def test_other_signatures_of_a_tflite_file_are_told(sources: Path, tmp_path: Path) -> None:
    shutil.copy(sources / "coder.tflite", tmp_path)
    (tmp_path / "Ovfile").write_text(ovfile({"coder": 'source = "coder.tflite"'}, "accuracy = false\n"))

    done = Repo(folder=tmp_path).ovmake("build")

    told = "`coder.tflite` has the signatures `decode`, `encode`; the IR is of its first graph, that of `decode`"
    assert f"warning[other-signatures]: convert coder: {told}" in done.stderr
    assert 'help: if this is intended, set `signature = "decode"`' in done.stderr


@pytest.mark.usefixtures("result")
@pytest.mark.parametrize("model", ["table", "table-and-weights", "table-tf1"])
def test_tables_give_what_they_hold(repo: Repo, model: str) -> None:
    """To the last bit, and not only next to it: another row of a table would be far off."""
    (difference,) = repo.record(model)["differences"]

    assert (0.0, True) == (difference["max_abs"], difference["scale"] > 0)


def test_all_are_good_and_no_record_names_a_place_of_the_machine(repo: Repo, result: Result) -> None:
    assert 0 == result.status
    assert [] == [model for model in KINDS if str(repo.folder) in json.dumps(repo.record(model))]


@pytest.mark.usefixtures("result")
def test_second_build_runs_nothing(repo: Repo) -> None:
    repo.workers_started()

    again = repo.build()

    assert (0, [], set()) == (again.status, again.ran, repo.workers_started())


@pytest.mark.usefixtures("result")
def test_checkpoint_is_stale_when_only_its_data_changes(repo: Repo, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(repo.folder, folder, symlinks=True)
    data = folder / "checkpoint" / "model-10.data-00000-of-00001"
    content = bytearray(data.read_bytes())
    content[-1] ^= 1
    data.write_bytes(content)

    dry = Repo(folder=folder).ovmake("build", "-n", "--json", "checkpoint")

    found = [e for e in dry.events if e["event"] == "action-finished" and e["action"] == "freeze"]
    changed = r"checkpoint/model-10\.data-00000-of-00001 changed: \w{12} → \w{12}  Ovfile:\d+"
    assert re.fullmatch(changed, found[0]["reasons"][0]), found
    assert 1 == len(found[0]["reasons"])


NO_TENSORFLOW = """\
import pathlib
pathlib.Path(__file__).with_name("imported").touch()
raise ModuleNotFoundError("No module named 'tensorflow'", name="tensorflow")
"""


@pytest.fixture
def no_tensorflow(tmp_path: Path) -> Path:
    """A folder for PYTHONPATH: TensorFlow cannot be imported, and who tries leaves the file `imported`."""
    stub = tmp_path / "stub" / "tensorflow"
    stub.mkdir(parents=True)
    (stub / "__init__.py").write_text(NO_TENSORFLOW)
    return stub.parent


def build_without(tensorflow: Path, folder: Path) -> Result:
    """Run `ovmake build -k` where TensorFlow cannot be imported."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "ovmake", "build", "-k", "--json"],
        cwd=folder,
        env={**environment(), "PYTHONPATH": os.pathsep.join([str(ROOT), str(tensorflow)])},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return Result(status=done.returncode, stdout=done.stdout, stderr=done.stderr)


def test_plain_conversions_start_no_tensorflow(sources: Path, tmp_path: Path, no_tensorflow: Path) -> None:
    plain = {
        "saved-model": 'source = "tf2"',
        "tf1": 'source = "tf1"',
        "frozen-graph": 'source = "frozen.pb"',
        "frozen-cut": 'source = "frozen.pb"\ncut.outputs = ["scaled"]',
        "tflite": 'source = "float.tflite"',
        "tflite-cut": 'source = "float.tflite"\ncut.outputs = ["pool"]',
    }
    for name in ("tf2", "tf1"):
        shutil.copytree(sources / name, tmp_path / name)
    for name in ("frozen.pb", "float.tflite"):
        shutil.copy(sources / name, tmp_path / name)
    (tmp_path / "Ovfile").write_text(ovfile(plain, "accuracy = false\n"))

    built = build_without(no_tensorflow, tmp_path)

    assert {f"{name}:fp32": "built" for name in plain} == built.targets, built.stdout
    assert {"worker-openvino.log"} == Repo(folder=tmp_path).workers_started()
    assert not (no_tensorflow / "tensorflow" / "imported").exists()
