"""Load a source by TensorFlow's own means and run it: `python oracle.py KIND SOURCE NPZ`, of published.py. No ovmake.

Prints `loads` once it is loaded, and then how far its outputs are from those of the IR, relative to their scale; or
ends with a traceback. Of TFLite, loading is all that it does before anything is fed.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

v1 = tf.compat.v1
Arrays = Mapping[str, Any]


def loads() -> None:
    """Say that the source is loaded."""
    print("loads", flush=True)


def saved_model(source: str, fed: Arrays) -> Arrays:
    """Call the signature; where `tf.saved_model.load` refuses, as TF1 does."""
    try:
        call = tf.saved_model.load(source, tags=["serve"]).signatures["serving_default"]
        loads()
        given: Arrays = call(**{name: tf.constant(one) for name, one in fed.items()})
    except Exception:  # noqa: BLE001 - TF1's loader has its turn
        with tf.Graph().as_default(), v1.Session() as session:
            signature = v1.saved_model.load(session, ["serve"], source).signature_def["serving_default"]
            loads()
            feed = {signature.inputs[name].name: value for name, value in fed.items()}
            given = session.run({name: info.name for name, info in signature.outputs.items()}, feed)
    return given


def graph(source: str, fed: Arrays, wanted: list[str]) -> Arrays:
    """Run a frozen graph."""
    content = v1.GraphDef()
    with open(source, "rb") as file:  # noqa: PTH123
        content.ParseFromString(file.read())
    with tf.Graph().as_default(), v1.Session() as session:
        tf.import_graph_def(content, name="")
        loads()
        return _fetched(session, fed, wanted)


def checkpoint(source: str, fed: Arrays, wanted: list[str]) -> Arrays:
    """Restore and run."""
    with tf.Graph().as_default(), v1.Session() as session:
        saver = v1.train.import_meta_graph(source, clear_devices=True)
        saver.restore(session, source.removesuffix(".meta"))
        loads()
        return _fetched(session, fed, wanted)


def _fetched(session: Any, fed: Arrays, wanted: list[str]) -> Arrays:
    def tensor(name: str) -> str:
        return name if ":" in name else f"{name}:0"

    found = session.run([tensor(name) for name in wanted], {tensor(name): value for name, value in fed.items()})
    return dict(zip(wanted, found, strict=True))


def keras_model(source: str, fed: Arrays) -> Arrays:
    """Load in safe mode and call."""
    model = keras.models.load_model(source, compile=False, safe_mode=True)
    loads()
    given = model(next(iter(fed.values())) if len(fed) == 1 else dict(fed), training=False)
    return given if isinstance(given, dict) else {"": given}


def lite(source: str, fed: Arrays) -> Arrays:
    """Run TFLite's interpreter."""
    interpreter = tf.lite.Interpreter(source)
    loads()
    details = interpreter.get_input_details()
    values = list(fed.values())
    for detail in details:
        interpreter.resize_tensor_input(detail["index"], _of(detail["name"], fed, values).shape)
    interpreter.allocate_tensors()
    for detail in details:
        interpreter.set_tensor(detail["index"], _of(detail["name"], fed, values))
    interpreter.invoke()
    return {one["name"]: interpreter.get_tensor(one["index"]) for one in interpreter.get_output_details()}


def _of(name: str, fed: Arrays, values: list[Any]) -> Any:
    return fed.get(name, values[0])


def error(given: Arrays, expected: Arrays) -> float:
    """Return the largest difference, as a share of the output's scale."""
    worst = 0.0
    for name, one in expected.items():
        other = np.asarray(given[name] if name in given else next(iter(given.values())), dtype="float64")
        one = np.asarray(one, dtype="float64")  # noqa: PLW2901
        if one.shape != other.shape:
            return float("inf")
        if np.array_equal(one, other, equal_nan=True):
            continue
        known = np.isfinite(one) & np.isfinite(other)
        if not np.array_equal(np.isnan(one), np.isnan(other)) or not np.array_equal(one[~known], other[~known], True):
            return float("inf")
        worst = max(
            worst, float(np.max(np.abs(one - other)[known], initial=0) / max(np.max(np.abs(other[known])), 1e-30))
        )
    return worst


def main(kind: str, source: str, npz: str) -> None:
    """Load, run, compare."""
    with np.load(npz) as stored:
        fed = {name.removeprefix("in_"): stored[name] for name in stored.files if name.startswith("in_")}
        expected = {name.removeprefix("out_"): stored[name] for name in stored.files if name.startswith("out_")}
    wanted = list(expected)
    match kind:
        case "tf2" | "tf1":
            given = saved_model(source, fed)
        case "frozen":
            given = graph(source, fed, wanted)
        case "checkpoint":
            given = checkpoint(source, fed, wanted)
        case "keras" | "h5":
            given = keras_model(source, fed)
        case _:
            given = lite(source, fed)
    print("apart", error({name: np.asarray(value) for name, value in given.items()}, expected))


if __name__ == "__main__":
    main(*sys.argv[1:])
