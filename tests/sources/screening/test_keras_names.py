"""Keras files that name what does more than compute: each refused by its name, wherever in the configuration it stands.

The ways are those of CVE-2025-1550, -8747, -9905, -9906, -12058 and -12060, and what tf-keras would do besides. Files
are real ones of Keras', in which one layer is another.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ovmake.errors import ActionError
from ovmake.sources.screening.keras_names import Builtins, screen_keras
from tests.workers.conftest import run_python

BUILTINS = Builtins(library="Keras 3", classes=frozenset({"Dense", "Sequential"}), functions=frozenset({"relu"}))
Layer = dict[str, Any]


def layer(name: str, module: str | None = "keras.layers", **config: Any) -> Layer:
    """Return the configuration of a layer."""
    return {"module": module, "class_name": name, "config": {"name": "harm", **config}, "registered_name": None}


def function(module: str, name: str) -> Layer:
    """Return a dense layer whose activation is a function."""
    named = {"module": module, "class_name": "function", "config": name, "registered_name": name}
    return layer("Dense", units=3, activation=named)


# name -> the layer, and how the message goes on
HARMFUL: dict[str, tuple[Layer, str]] = {
    "TFSMLayer": (
        layer("TFSMLayer", filepath="evil", call_endpoint="serve"),
        "does more than compute: `TFSMLayer` loads another model by its path",
    ),
    "TFSMLayer without a module": (
        layer("TFSMLayer", module=None, filepath="evil"),
        "does more than compute: `TFSMLayer` loads another model by its path",
    ),
    "TorchModuleWrapper": (
        layer("TorchModuleWrapper", pickled={"class_name": "__bytes__", "config": {"value": ""}}),
        "does more than compute: `TorchModuleWrapper` unpickles Python objects",
    ),
    "JaxLayer": (layer("JaxLayer"), "does more than compute: `JaxLayer` runs Python code"),
    "FlaxLayer": (layer("FlaxLayer"), "does more than compute: `FlaxLayer` runs Python code"),
    "Lambda": (
        layer("Lambda", function={"class_name": "__lambda__", "config": {"value": "4wEA"}}),
        "has a Lambda layer, which contains Python code; ovmake does not run code from models",
    ),
    "vocabulary": (
        layer("StringLookup", vocabulary="/etc/passwd"),
        "takes `vocabulary` from the file `/etc/passwd`, which ovmake does not open",
    ),
    "weights of words": (
        layer("TextVectorization", idf_weights="/etc/passwd"),
        "takes `idf_weights` from the file `/etc/passwd`, which ovmake does not open",
    ),
    "file written by an operation": (
        layer("TFOpLambda", function="io.write_file"),
        "does more than compute: `TFOpLambda` calls `tf.io.write_file`",
    ),
    "model loaded by an operation": (
        layer("TFOpLambda", function="saved_model.load"),
        "does more than compute: `TFOpLambda` calls `tf.saved_model.load`",
    ),
    "Python by an operation": (
        layer("TFOpLambda", function="compat.v1.py_func"),
        "does more than compute: `TFOpLambda` calls `tf.compat.v1.py_func`",
    ),
    "operation": (
        layer("TensorFlowOpLayer", node_def=json.dumps({"name": "harm", "op": "WriteFile"})),
        "does more than compute: `TensorFlowOpLayer` runs the operation `WriteFile`",
    ),
}
# What is no part of a model: layer, and what Keras is said to lack.
UNKNOWN: dict[str, tuple[Layer, str]] = {
    "download": (function("keras.utils", "get_file"), "Could not locate function 'get_file'"),
    "safe mode off": (
        function("keras.config", "enable_unsafe_deserialization"),
        "Could not locate function 'enable_unsafe_deserialization'",
    ),
    "function of Keras' own": (function("builtins", "load_model"), "Could not locate function 'load_model'"),
    "class of Keras' own": (layer("Popen", module="keras.src.utils.io_utils"), "Could not locate class 'Popen'"),
    "module to import": (layer("Mine", module="keras_hub.models"), "Could not locate class 'Mine'"),
}


def model(one: Layer) -> Layer:
    """Return the configuration of a model with such a layer."""
    return {"class_name": "Sequential", "module": "keras", "config": {"layers": [one]}}


@pytest.mark.parametrize("name", HARMFUL)
@pytest.mark.parametrize("place", ["layer", "build_config", "compile_config", "wrapped"])
def test_what_does_more_than_compute_is_refused_wherever_it_stands(name: str, place: str) -> None:
    harm, message = HARMFUL[name]
    dense = layer("Dense", units=3)
    held = {
        "layer": harm,
        "build_config": {**dense, "build_config": {"input_shape": [None, 4], "of": [harm]}},
        "compile_config": {**dense, "compile_config": {"optimizer": harm}},
        "wrapped": layer("Dense", layer={"deep": [{"er": harm}]}),
    }

    with pytest.raises(ActionError) as caught:
        screen_keras(Path("m.keras"), model(held[place]), BUILTINS)

    assert ("unsafe-source", f"`m.keras` {message}") == (caught.value.code, caught.value.message)


@pytest.mark.parametrize("name", UNKNOWN)
def test_name_that_is_none_of_a_model_s_parts_is_not_looked_for(name: str) -> None:
    one, message = UNKNOWN[name]

    with pytest.raises(LookupError, match=message):
        screen_keras(Path("m.keras"), model(one), BUILTINS)


@pytest.mark.parametrize(
    "one",
    [
        layer("Dense", units=3, activation="relu", vocabulary=["a", "b"]),
        function("builtins", "relu"),
        layer("TFOpLambda", function="math.multiply", module=None),
        layer("TFOpLambda", function="__operators__.getitem", module=None),
        layer("TFOpLambda", function="compat.v1.nn.dropout", module=None),
        layer("TensorFlowOpLayer", node_def=json.dumps({"op": "AddV2"}), module=None),
        layer("Mine", module="mine"),  # for Keras to say
    ],
)
def test_what_computes_is_let_through(one: Layer) -> None:
    screen_keras(Path("m.keras"), model(one), BUILTINS)


@pytest.mark.heavy
def test_real_files_are_refused_before_keras_acts_on_them(sources: Path, tmp_path: Path) -> None:
    names = [*HARMFUL, *UNKNOWN]
    made = {name: HARMFUL.get(name, UNKNOWN.get(name)) for name in names}
    orders = []
    for place, found in enumerate(made.values()):
        assert found is not None
        for kind in ("keras", "keras-h5"):
            path = tmp_path / f"{place}.{kind.removeprefix('keras-')}"
            (_in_archive if kind == "keras" else _in_h5)(sources, path, found[0])
            orders.append([str(path), {"kind": kind}, ""])

    answers = json.loads(run_python("load_sources.py", str(tmp_path), stdin=json.dumps(orders)))

    wrong = []
    for order, answer in zip(orders, answers, strict=True):
        name = names[int(Path(str(order[0])).stem)]
        refused = answer.get("code") == ("unsafe-source" if name in HARMFUL else "unknown-class")
        if not refused:
            wrong.append((name, order, answer))
    assert [] == wrong


def _in_archive(sources: Path, path: Path, one: Layer) -> None:
    """Write a .keras file with another last layer."""
    with zipfile.ZipFile(sources / "listed.keras") as good, zipfile.ZipFile(path, "w") as bad:
        for entry in good.namelist():
            content = good.read(entry)
            if entry == "config.json":
                content = json.dumps(_with(one)).encode()
            bad.writestr(entry, content)


def _in_h5(sources: Path, path: Path, one: Layer) -> None:
    import h5py

    shutil.copy(sources / "sequential.h5", path)
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = json.dumps(_with(one))


def _with(one: Layer) -> Layer:
    taken = {"module": "keras.layers", "class_name": "InputLayer", "config": {"batch_shape": [None, 4], "name": "x"}}
    return {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"name": "m", "layers": [taken, one]},
        "registered_name": None,
    }
