"""Every kind of source is loaded as it should be, or refused with what to do. All in one process, as in a worker."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from ovmake.sources.recognise import recognise
from tests.workers.conftest import run_python

pytestmark = pytest.mark.heavy

# name -> source, how it is loaded, what it should compute
GOOD: dict[str, tuple[str, dict[str, Any], str]] = {
    "tf2": ("tf2", {}, "tf2"),
    "other signature": ("tf2", {"signature": "other"}, "tf2-other"),
    "export": ("lstm", {}, "lstm-export"),
    "tf1": ("tf1", {}, "tf1"),
    "other tags": ("tf1", {"tags": ["gpu", "serve"]}, "tf1"),
    "inner input": ("tf1", {"signature": "inner"}, "tf1-inner"),
    "tf1 loader": ("tf1-refused", {}, "tf1-refused"),
    "partitioned": ("partitioned", {}, "partitioned"),
    "frozen": ("frozen.pb", {}, "frozen"),
    "several": ("several.keras", {}, "several"),
    "listed": ("listed.keras", {}, "listed"),
    "lstm": ("lstm.keras", {}, "lstm"),
    "sequential": ("sequential.h5", {}, "sequential"),
    "odd name": ("named-otherwise.bin", {}, "named-otherwise"),
    "old keras": ("old.keras", {}, "old"),
    "old h5": ("old.h5", {}, "old"),
    "old lstm": ("old-lstm.h5", {}, "old-lstm"),
    "checkpoint": ("checkpoint/model-10.meta", {}, "checkpoint"),
    "pipeline": ("pipeline/model.meta", {}, "pipeline"),
}
BAD: dict[str, tuple[str, dict[str, Any]]] = {
    "unknown signature": ("tf2", {"signature": "othre"}),
    "no signature": ("unsigned", {}),
    "unknown tags": ("tf1", {"tags": ["gpu"]}),
    "truncated proto": ("truncated", {}),
    "no variables": ("no-variables", {}),
    "truncated graph": ("truncated.pb", {}),
    "truncated h5": ("truncated.h5", {}),
    "weights": ("only.weights.h5", {}),
    "custom keras": ("custom.keras", {}),
    "custom h5": ("custom.h5", {}),
    "lambda keras": ("lambda.keras", {}),
    "lambda h5": ("lambda.h5", {}),
    "old lambda": ("old-lambda.h5", {}),
    "no tf-keras": ("old.h5", {"without-tf-keras": True}),
    "no data": ("no-data/model-10.meta", {}),
    "no such signature": ("checkpoint/model-10.meta", {"signature": "predict"}),
    "other kind": ("frozen.pb", {"kind": "keras"}),
    "lite": ("float.tflite", {}),
}
EXPORT = "export the model as a SavedModel where its code is available: `model.export(folder)`, and name that folder"
LAMBDA = "has a Lambda layer, which contains Python code; ovmake does not run code from models"
# name -> code, setting, message, help
REFUSED: dict[str, tuple[str, str, str, str]] = {
    "unknown signature": (
        "unknown-signature",
        "signature",
        "the SavedModel has no signature `othre`; it has `other`, `serving_default`",
        "did you mean `other`?",
    ),
    "no signature": (
        "unknown-signature",
        "signature",
        "the SavedModel has no signature `serving_default`; it has none",
        "save the model with one: `tf.saved_model.save(model, folder, signatures=...)`",
    ),
    "unknown tags": (
        "unknown-tags",
        "tags",
        "the SavedModel `tf1` has no graph with the tags `['gpu']`; it has `['serve']` or `['gpu', 'serve']`",
        'set `tags = ["serve"]`',
    ),
    "no variables": (
        "tensorflow-cannot-load",
        "source",
        "the variables of `no-variables` are incomplete: `variables/` contains nothing",
        "copy the whole SavedModel folder, `variables/variables.index` and `variables/variables.data-…` with it",
    ),
    "weights": (
        "weights-only",
        "source",
        "`only.weights.h5` contains only weights: `save_weights` wrote it",
        'save the whole model, `model.save("model.keras")`, and name that file',
    ),
    "custom keras": (
        "unknown-class",
        "source",
        "`custom.keras` uses the class `Mine`, which Keras 3 does not have",
        EXPORT,
    ),
    "custom h5": (
        "unknown-class",
        "source",
        "`custom.h5` uses the class `mine>Mine`, which Keras 3 does not have",
        EXPORT,
    ),
    "lambda keras": ("unsafe-source", "source", f"`lambda.keras` {LAMBDA}", EXPORT),
    "lambda h5": ("unsafe-source", "source", f"`lambda.h5` {LAMBDA}", EXPORT),
    "old lambda": ("unsafe-source", "source", f"`old-lambda.h5` {LAMBDA}", EXPORT),
    "no tf-keras": (
        "unknown-class",
        "source",
        "`old.h5` uses the class `TFOpLambda`, which Keras 3 does not have",
        "it was saved by Keras 2.21.0: install tf-keras, `pip install --no-deps tf-keras`",
    ),
    "no data": (
        "tensorflow-cannot-load",
        "source",
        "`model-10.meta` is the graph of a checkpoint, and its variables are missing: no `model-10.index` beside it",
        "copy `model-10.index` and `model-10.data-…` into the same folder",
    ),
    "no such signature": (
        "unknown-signature",
        "signature",
        "the checkpoint has no signature `predict`; it has none",
        "",
    ),
    "lite": ("no-graph", "source", "`float.tflite` is a .tflite file, which has no TensorFlow graph", ""),
}


if importlib.util.find_spec("tf_keras") is None:  # `pip install --no-deps tf-keras`, which [test] cannot say
    GOOD = {name: case for name, case in GOOD.items() if not case[0].startswith("old")}
    BAD = {name: case for name, case in BAD.items() if not case[0].startswith("old")}
    REFUSED = {name: case for name, case in REFUSED.items() if name in BAD}


def told(answers: dict[str, dict[str, Any]], name: str) -> dict[str, Any]:
    """Return one answer."""
    if name not in answers:
        pytest.skip("needs tf-keras")
    return answers[name]


@pytest.fixture(scope="module")
def answers(sources: Path) -> dict[str, dict[str, Any]]:
    """What came of loading each, twice in one process; the second time is told."""
    cases = {**GOOD, **{name: (*case, "") for name, case in BAD.items()}}
    orders = [
        [source, {"kind": recognise(sources / source).kind, **how}, f"{expected}.npz"]
        for source, how, expected in cases.values()
    ]
    found = json.loads(run_python("load_sources.py", str(sources), stdin=json.dumps(orders + orders)))
    return dict(zip(cases, found[len(orders) :], strict=True))


@pytest.mark.parametrize("name", GOOD)
def test_frozen_graph_computes_what_the_model_did(answers: dict[str, dict[str, Any]], name: str) -> None:
    assert told(answers, name).get("error", told(answers, name)) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("name", ["tf2", "other signature", "export", "tf1", "inner input"])
def test_signature_as_shipped_still_works(answers: dict[str, dict[str, Any]], name: str) -> None:
    assert told(answers, name)["signature"] == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("tf2", "tf.saved_model.load"),
        ("tf1", "tf.saved_model.load"),
        ("tf1 loader", "TF1 loader"),
        ("frozen", "as it is"),
        ("several", "Keras 3."),
        ("sequential", "Keras 3."),
        ("old keras", "tf-keras 2."),
        ("old h5", "tf-keras 2."),
        ("checkpoint", "TF1 checkpoint"),
    ],
)
def test_way_says_how_it_was_loaded(answers: dict[str, dict[str, Any]], name: str, way: str) -> None:
    assert told(answers, name)["way"].startswith(way)


@pytest.mark.parametrize(
    ("name", "inputs", "outputs"),
    [
        (
            "tf2",
            {"q": "Placeholder float32 (None, 3)", "idle": "Placeholder bool (None,)"},
            ["double", "same"],
        ),
        ("other signature", {"n": "Placeholder int64 (None,)", "b": "Placeholder bool (None,)"}, ["chosen"]),
        ("tf1", {"image": "Placeholder float32 (None, 4)"}, ["scores"]),
        ("inner input", {"inner": "Placeholder float32 (None, 4)"}, ["scores"]),
        ("tf1 loader", {"image": "Placeholder float32 (None, 4)"}, ["scores", "weight"]),
        (
            "frozen",
            {"x": "Placeholder float32 (None, 4)", "idle": "Placeholder float32 (None, 4)"},
            ["echo", "scaled", "top", "top:1", "chosen/Identity"],
        ),
        (
            "several",
            {
                "ids": "Placeholder int32 (None, 5)",
                "mask": "Placeholder bool (None, 5)",
                "image": "Placeholder float32 (None, None, None, 3)",
            },
            ["head_boxes", "pair_0", "pair_1", "scores"],
        ),
        ("lstm", {"sequence": "Placeholder float32 (None, None, 3)"}, ["out"]),
        ("old h5", {"x": "Placeholder float32 (None, 4)"}, ["tf.math.multiply", "local"]),
        ("checkpoint", {"x": "Placeholder float32 (None, 4)"}, ["scores"]),
        ("pipeline", {"IteratorGetNext": "Placeholder float32 (None, 4)"}, ["logits"]),
    ],
)
def test_inputs_and_outputs_have_the_names_and_shapes_of_the_model(
    answers: dict[str, dict[str, Any]], name: str, inputs: dict[str, str], outputs: list[str]
) -> None:
    assert (inputs, outputs) == (told(answers, name)["inputs"], told(answers, name)["outputs"])


def test_two_outputs_of_one_layer_have_two_names(answers: dict[str, dict[str, Any]]) -> None:
    assert ["twin", "twin_1"] == answers["listed"]["outputs"][:2]


@pytest.mark.parametrize("name", GOOD)
def test_nothing_of_training_and_no_variable_is_left(answers: dict[str, dict[str, Any]], name: str) -> None:
    unwanted = {"VariableV2", "VarHandleOp", "ReadVariableOp", "PlaceholderWithDefault", "ApplyAdam", "SaveV2"}

    assert set() == unwanted & set(told(answers, name)["operations"])


def test_loops_stay_loops(answers: dict[str, dict[str, Any]]) -> None:
    for name in {"export", "lstm", "old lstm"} & set(answers):
        assert {"While", "StatelessWhile"} & set(told(answers, name)["operations"])
        assert "Enter" not in told(answers, name)["operations"]


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_loaded_says_why_and_what_to_do(answers: dict[str, dict[str, Any]], name: str) -> None:
    found = told(answers, name)

    assert REFUSED[name] == tuple(found.get(key, found) for key in ("code", "setting", "message", "help"))


@pytest.mark.parametrize(
    ("name", "beginning"),
    [
        ("truncated graph", "TensorFlow cannot read `truncated.pb`: Error parsing message with type"),
        ("truncated proto", "TensorFlow cannot read `truncated/saved_model.pb`: Cannot parse file"),
        ("truncated h5", "`truncated.h5` cannot be read: Unable to synchronously open file (truncated file:"),
    ],
)
def test_damaged_file_is_named_with_the_library_s_words(
    answers: dict[str, dict[str, Any]], name: str, beginning: str
) -> None:
    assert told(answers, name)["message"].startswith(beginning)
    assert "damaged or truncated" in told(answers, name)["help"]


def test_file_of_another_kind_than_it_is_said_to_be_is_told(answers: dict[str, dict[str, Any]]) -> None:
    found = answers["other kind"]
    assert "`frozen.pb` cannot be read: File is not a zip file" == found["message"]
    assert ["it was read as a Keras .keras file; by its content it is a frozen .pb graph"] == found["notes"]
    assert "leave `kind` out: ovmake goes by the content" == found["help"]


def test_keras_own_words_are_kept_without_the_whole_model(answers: dict[str, dict[str, Any]]) -> None:
    (note,) = answers["custom keras"]["notes"]

    assert note.startswith("Keras 3: Could not locate class 'Mine'. Make sure custom classes and functions are")
    assert "config" not in note
