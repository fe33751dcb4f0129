"""Options that meet each other, on models that are odd: built, and in agreement with TensorFlow, or not measured."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.e2e.conftest import Repo, Result
from tests.once import copy_of
from tests.workers.conftest import run_python, sources_once

pytestmark = pytest.mark.heavy

HEAD = """\
[defaults]
precisions = ["fp32"]
[datasets.small]
path = "data.npz"
[datasets.big]
path = "data.npz"
inputs = { image = "big" }
"""
FIXED = "inputs.gain.value = 0.5\ninputs.unused = { value = 0, shape = [1, 4] }\n"

# model -> its table in the Ovfile, inputs, outputs
CASES: dict[str, tuple[str, list[str], list[str]]] = {
    "value-and-batch": (
        'source = "several"\nbatch = 2\ninputs.gain.value = 0.5',
        ["image f32 [2, 8, 8, 3]", "unused f32 [2, 4]"],
        ["again", "a", "b", "echo"],
    ),
    "echo-of-a-constant": (
        'source = "several"\nbatch = 2\ninputs.image.value = 0.25',
        ["gain f32 []", "unused f32 [2, 4]"],
        ["again", "a", "b", "echo"],
    ),
    "raw-pixels": (
        'source = "several"\n' + FIXED + 'inputs.image = { type = "u8", layout = "NCHW", mean = [1, 2, 3], '
        "scale = [4, 5, 6], reverse-channels = true }",
        ["image u8 [-1, 3, 8, 8]"],
        ["again", "a", "b", "echo"],
    ),
    "resize-with-dataset": (
        'source = "several"\naccuracy = { dataset = "big" }\n'
        + FIXED
        + 'inputs.image = { type = "u8", resize = "linear", mean = 100, scale = 50 }',
        ["image u8 [-1, -1, -1, 3]"],
        ["again", "a", "b", "echo"],
    ),
    "swapped-outputs": (
        'source = "several"\noutputs = { a = "b", b = "a" }',
        ["gain f32 []", "image f32 [-1, 8, 8, 3]", "unused f32 [-1, 4]"],
        ["again", "b", "a", "echo"],
    ),
    # an assignment that no output needs, which a frozen graph cannot hold
    "counting": ('source = "counting"', ["x f32 [-1, 4]"], ["y"]),
    "constant-output": ('source = "constant"', ["x f32 [-1, 4]"], ["c", "y"]),
    "rank-given": ('source = "ranks"\ninputs.x.shape = [2, "1..7"]', ["x f32 [2, -1]"], ["y"]),
    "bounded-batch": (
        (
            'source = "two.keras"\naccuracy = { dataset = "small" }\n'
            'inputs.image = { shape = ["1..4", 8, 8, 3], type = "u8" }\ninputs.extra.shape = ["1..4", 4]'
        ),
        ["image u8 [-1, 8, 8, 3]", "extra f32 [-1, 4]"],
        ["out", "add"],
    ),
    "settings-of-cut-inputs": (
        (
            'source = "two.keras"\ncut.inputs = ["add"]\nbatch = 3\n'
            'inputs."add.0" = { mean = 0.5, type = "f16" }\ninputs."add.1".value = 1'
        ),
        ["add.0 f16 [3, 4]"],
        ["out", "add"],
    ),
    "one-layer": (
        (
            'source = "two.keras"\ncut.inputs = ["gap"]\ncut.outputs = ["gap"]\n'
            'inputs.gap = { layout = "NCHW", mean = [1, 2, 3, 4] }'
        ),
        ["gap f32 [-1, 4, 6, 6]"],
        ["gap"],
    ),
    "lite-cut": ('source = "float.tflite"\ncut.inputs = ["pool"]', ["pool f32 [-1, 6, 6, 4]"], ["output_0"]),
    "lite-one-layer": (
        'source = "float.tflite"\ncut.inputs = ["pool"]\ncut.outputs = ["pool"]\nbatch = 2\ninputs.pool.mean = 0.5',
        ["pool f32 [2, 6, 6, 4]"],
        ["pool"],
    ),
    "lite-value": ('source = "float.tflite"\nbatch = 1\ninputs.image.value = 0.5', [], ["output_0"]),
    "lite-resize": (
        'source = "float.tflite"\naccuracy = { dataset = "big" }\ninputs.image = { type = "u8", resize = "nearest" }',
        ["image u8 [-1, -1, -1, 3]"],
        ["output_0"],
    ),
    "variants": ('source = "two.keras"\ncut.outputs = ["gap"]', ["image f32 [-1, 8, 8, 3]"], ["gap"]),
}
VARIANTS = """
[models.variants.variants.one]
batch = 1
[models.variants.variants.thumb]
inputs.image.shape = [2, 16, 9, 3]
"""
# model -> its table, why TensorFlow cannot run what the IR computes
NOT_MEASURED = {
    "batched": ('source = "single"\nbatch = 4', "Cannot reshape a tensor with 1024 elements to shape [1,256]"),
}


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """A repo with all of them."""
    folder = copy_of(sources_once(tmp_path_factory), tmp_path_factory.mktemp("odd") / "sources")
    run_python("../e2e/make_odd.py", str(folder))
    tables = {name: table for name, (table, *_) in {**CASES, **NOT_MEASURED}.items()}
    text = "".join(f"[models.{name}]\n{table}\n" for name, table in tables.items())
    (folder / "Ovfile").write_text(HEAD + text + VARIANTS)
    return Repo(folder=folder)


@pytest.fixture(scope="module")
def result(repo: Repo) -> Result:
    """What came of building them."""
    return repo.build("-k")


def shapes(found: dict[str, Any]) -> list[str]:
    """Return the inputs of a record in a line each."""
    return [f"{tensor['name']} {tensor['type']} {tensor['shape']}" for tensor in found["inputs"]]


@pytest.mark.parametrize("model", CASES)
def test_options_agree_with_tensorflow(repo: Repo, result: Result, model: str) -> None:
    _, inputs, outputs = CASES[model]
    messages = [event["diagnostic"]["message"] for event in result.events if "diagnostic" in event]
    assert "built" == result.targets[f"{model}:fp32"], messages
    found = repo.record(model)
    assert "passed" == found["gate"]["result"]
    assert sorted(inputs) == sorted(shapes(found))
    assert outputs == [tensor["name"] for tensor in found["outputs"]]


def test_variants_share_what_is_frozen(repo: Repo, result: Result) -> None:
    done = [*result.actions("ran"), *result.actions("restored")]
    assert ["freeze variants"] == [name for name in done if name.startswith("freeze variants")]
    assert ["image f32 [1, 8, 8, 3]"] == shapes(repo.record("variants@one"))
    assert ["image f32 [2, 16, 9, 3]"] == shapes(repo.record("variants@thumb"))


@pytest.mark.parametrize("model", NOT_MEASURED)
def test_what_tensorflow_cannot_run_is_not_measured_and_the_record_says_why(
    repo: Repo, result: Result, model: str
) -> None:
    assert "built" == result.targets[f"{model}:fp32"]
    found = repo.record(model)
    assert "not-measured" == found["gate"]["result"]
    assert f"TensorFlow cannot run this part of the graph: {NOT_MEASURED[model][1]}" in found["gate"]["text"]
    assert ([], None) == (found["differences"], found["gate"]["drop"])
    assert not {"tensorflow", "openvino"} & set(found)
    gates = {e["target"]: e.get("gate") for e in result.events if e["event"] == "target-finished"}
    assert "not-measured" == gates[f"{model}:fp32"]


SWAPPED = """
import json, sys
import numpy as np, openvino as ov
feed = {"image": np.ones((1, 8, 8, 3), "float32"), "gain": np.float32(1), "unused": np.zeros((1, 4), "float32")}
compiled = ov.Core().compile_model("build/swapped-outputs/fp32/swapped-outputs.xml", "CPU")
print(json.dumps([[sorted(port.names) for port in compiled.outputs], float(compiled(feed)["b"].sum())]))
"""


@pytest.mark.usefixtures("result")
def test_swapped_outputs_answer_to_their_new_names_only(repo: Repo) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SWAPPED], cwd=repo.folder, capture_output=True, text=True, check=True, timeout=120
    )

    names, scores = json.loads(done.stdout)
    assert [["again", "b"], ["again", "b"], ["a"], ["echo", "image"]] == names
    assert 1 == pytest.approx(scores)  # of a softmax, which was called `a`


EDITS: dict[str, tuple[str, str, set[str]]] = {
    "mean": ("mean = 0.5, type", "mean = 0.25, type", {"convert settings-of-cut-inputs"}),
    "type": ('type = "f16"', 'type = "f32"', {"convert settings-of-cut-inputs"}),
    "cut": ('["add"]', '["add", "image"]', {"convert settings-of-cut-inputs"}),
    "output name": ('outputs = { a = "b", b = "a" }', 'outputs = { a = "c" }', {"convert swapped-outputs"}),
    "shape of a variant": ("[2, 16, 9, 3]", "[2, 16, 10, 3]", {"convert variants@thumb"}),
    "bounds": ('["1..4", 4]', '["1..5", 4]', {"convert bounded-batch"}),
    "dataset of the gate": (
        'two.keras"\naccuracy = { dataset = "small" }',
        'two.keras"\naccuracy = { dataset = "small", agreement = { cosine = 0.9 } }',
        {"gate bounded-batch"},
    ),
    "array of a dataset": (
        'inputs = { image = "big" }',
        'inputs = { image = "image" }',
        {
            f"{kind} {name}"
            for name in ("lite-resize", "resize-with-dataset")
            for kind in ("check-samples", "reference", "evaluate")
        },
    ),
}


@pytest.mark.usefixtures("result")
@pytest.mark.parametrize("edit", EDITS)
def test_edit_makes_stale_what_uses_the_setting_and_what_follows(repo: Repo, edit: str) -> None:
    old, new, expected = EDITS[edit]
    before = (repo.folder / "Ovfile").read_text()
    repo.edit(old, new)

    events = repo.build("-n").events

    (repo.folder / "Ovfile").write_text(before)
    stale = {
        f"{event['action']} {event['target'].removesuffix(':fp32')}"
        for event in events
        if event["event"] == "action-finished"
        and event["action"] != "publish"  # whose record repeats every setting
        and not all("may change" in reason for reason in event["reasons"])
    }
    assert expected == stale


@pytest.mark.usefixtures("result")
def test_going_back_restores_with_a_frozen_graph_on_the_way(repo: Repo) -> None:
    repo.edit("mean = 0.5, type", "mean = 0.75, type")
    changed = repo.build("settings-of-cut-inputs")
    repo.edit("mean = 0.75, type", "mean = 0.5, type")
    repo.workers_started()

    back = repo.build("settings-of-cut-inputs")

    kinds = ("convert {}", "evaluate {}:fp32", "gate {}:fp32", "publish {}:fp32", "reference {}")
    assert [kind.format("settings-of-cut-inputs") for kind in kinds] == changed.ran
    assert ([], set()) == (back.ran, repo.workers_started())
    assert [] == repo.build().ran
