"""Make a small model of every kind: `python make_sources.py FOLDER`. Those of Keras 2 need tf-keras.

Beside a model, NAME.npz holds what it computes: inputs as `in_<name>`, outputs as `out_<name>`.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow.lite.tools import flatbuffer_utils

v1 = tf.compat.v1
rng = np.random.default_rng(0)


def expect(name: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> None:
    """Write down what a model computes."""
    fed = {f"in_{key}": np.asarray(value) for key, value in inputs.items()}
    given = {f"out_{key}": np.asarray(value) for key, value in outputs.items()}
    np.savez(f"{name}.npz", allow_pickle=False, **fed, **given)


def floats(*shape: int) -> Any:
    """Return random numbers."""
    return rng.normal(size=shape).astype("float32")


def randomize(model: Any) -> Any:
    """Give a Keras model other weights than zeros and ones."""
    model.set_weights([np.abs(floats(*weight.shape)) + 0.1 for weight in model.get_weights()])
    return model


# SavedModels


class Module(tf.Module):  # type: ignore[misc]
    """Two signatures, an input that is not used, an input that is an output."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = tf.Variable(2.0)

    @tf.function(  # type: ignore[untyped-decorator]
        input_signature=[tf.TensorSpec([None, 3], tf.float32, "q"), tf.TensorSpec([None], tf.bool, "idle")]
    )
    def first(self, q: Any, idle: Any) -> Any:  # noqa: ARG002 - idle by name
        """Return the input too."""
        return {"double": q * self.weight, "same": q}

    @tf.function(  # type: ignore[untyped-decorator]
        input_signature=[tf.TensorSpec([None], tf.int64, "n"), tf.TensorSpec([None], tf.bool, "b")]
    )
    def second(self, n: Any, b: Any) -> Any:
        """Take integers and booleans."""
        return {"chosen": tf.where(b, n, -n)}


def saved_models() -> None:
    """TF2, with LSTM, with a table, and what becomes of one when files are missing."""
    module = Module()
    tf.saved_model.save(module, "tf2", signatures={"serving_default": module.first, "other": module.second})
    q, n, b = floats(2, 3), np.array([3, 4]), np.array([True, False])
    expect("tf2", {"q": q, "idle": b}, {"double": 2 * q, "same": q})
    expect("tf2-other", {"n": n, "b": b}, {"chosen": np.array([3, -4])})
    shutil.copytree("tf2", "no-variables", ignore=shutil.ignore_patterns("variables*"))
    shutil.copytree("tf2", "truncated")
    proto = Path("truncated/saved_model.pb")
    proto.write_bytes(proto.read_bytes()[:-100])
    tf.saved_model.save(tf.Module(), "unsigned")


def tf1_saved_models() -> None:
    """A graph with reference variables, two sets of tags; and one whose signature gives out a variable."""
    x = floats(2, 4)
    with tf.Graph().as_default(), v1.Session() as session:
        placed = v1.placeholder(tf.float32, [None, 4], "x")
        weight = v1.get_variable("w", [4, 3], use_resource=False)
        hidden = tf.nn.relu(placed, name="hidden")
        scores = tf.matmul(hidden, weight, name="scores")
        session.run(v1.global_variables_initializer())
        predict = v1.saved_model.predict_signature_def
        builder = v1.saved_model.Builder("tf1")
        plain = predict({"image": placed}, {"scores": scores})
        inner = predict({"inner": hidden}, {"scores": scores})
        builder.add_meta_graph_and_variables(session, ["serve"], {"serving_default": plain, "inner": inner})
        builder.add_meta_graph(["serve", "gpu"], {"serving_default": plain})
        builder.save()
        expect("tf1", {"image": x}, {"scores": session.run(scores, {placed: x})})
        expect("tf1-inner", {"inner": x}, {"scores": session.run(scores, {hidden: x})})
        # "Output 0 of node 'w' has a reference type float_ref"
        builder = v1.saved_model.Builder("tf1-refused")
        giving = predict({"image": placed}, {"scores": scores, "weight": weight})
        builder.add_meta_graph_and_variables(session, ["serve"], {"serving_default": giving})
        builder.save()
        found = session.run({"scores": scores, "weight": weight}, {placed: x})
        expect("tf1-refused", {"image": x}, found)


def partitioned() -> None:
    """A variable in two parts, of which OpenVINO's reader finds the first only."""
    with tf.Graph().as_default(), v1.Session() as session:
        placed = v1.placeholder(tf.float32, [None, 4], "x")
        weight = v1.get_variable("w", [4, 6], partitioner=v1.fixed_size_partitioner(2, axis=1))
        scores = tf.matmul(placed, tf.convert_to_tensor(weight), name="scores")
        session.run(v1.global_variables_initializer())
        builder = v1.saved_model.Builder("partitioned")
        signature = v1.saved_model.predict_signature_def({"x": placed}, {"scores": scores})
        builder.add_meta_graph_and_variables(session, ["serve"], {"serving_default": signature})
        builder.save()
        fed = floats(2, 4)
        expect("partitioned", {"x": fed}, {"scores": session.run(scores, {placed: fed})})


def loop() -> None:
    """A loop as TF1 made them, whose frames a tf.function cannot hold."""
    v1.disable_control_flow_v2()
    with tf.Graph().as_default() as graph:
        start = v1.placeholder(tf.float32, [None, 4], "start")
        weight = tf.constant(floats(4, 4))
        turns = tf.while_loop(lambda turn, _: turn < 3, lambda turn, x: (turn + 1, tf.tanh(x @ weight)), [0, start])
        tf.identity(turns[1], "end")
    v1.enable_control_flow_v2()
    tf.io.write_graph(graph, ".", "loop.pb", as_text=False)


def table() -> None:
    """A lookup table, which no frozen graph can hold."""
    with tf.Graph().as_default(), v1.Session() as session:
        keys = v1.placeholder(tf.int64, [None], "keys")
        pairs = tf.lookup.KeyValueTensorInitializer(tf.constant([1, 2], tf.int64), tf.constant([3, 4], tf.int64))
        values = tf.lookup.StaticHashTable(pairs, 0).lookup(keys)
        builder = v1.saved_model.Builder("table")
        signature = v1.saved_model.predict_signature_def({"keys": keys}, {"values": values})
        builder.add_meta_graph_and_variables(
            session, ["serve"], {"serving_default": signature}, main_op=v1.tables_initializer()
        )
        builder.save()


def as_shipped() -> None:
    """Models that no frozen graph can hold, or that have no signature: TensorFlow calls them as they are."""
    keys, values = tf.constant([1, 5, 9], tf.int64), tf.constant([0.5, 1.5, 2.5])
    module = tf.Module()
    module.table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, values), -1.0)

    def double(k: Any) -> Any:
        found = module.table.lookup(k)
        with tf.name_scope("doubled"):
            return {"v": found * 2.0}

    signed(module, "lookup", double, k=([None], tf.int64))

    module = tf.Module()
    module.ids = keras.layers.IntegerLookup(vocabulary=[1, 3, 5], name="ids")
    module.embedding = keras.layers.Embedding(4, 3, name="embedding")
    module.embedding.build((None, 1))
    signed(module, "shop", lambda shop: {"y": module.embedding(module.ids(shop))}, shop=([None, 1], tf.int64))

    module = tf.Module()
    module.calls, module.weight = tf.Variable(0.0), tf.Variable(floats(4))

    def count(x: Any) -> Any:
        module.calls.assign_add(1.0)
        return {"y": x * module.weight}

    signed(module, "calls", count, x=([None, 4], tf.float32))

    module = tf.Module()
    module.weight = tf.Variable(floats(8, 8, 4))
    signed(module, "rgba", lambda x: {"y": x * module.weight}, x=([None, 8, 8, 4], tf.float32))

    module = tf.Module()
    module.weight = tf.Variable(floats(3))
    module.function = tf.function(lambda x, training=False: x * module.weight * (0.0 if training else 1.0))
    for training in (False, True):
        module.function.get_concrete_function(tf.TensorSpec([None, 3], name="x"), training=training)
    tf.saved_model.save(module, "unsigned-function")
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 4], name="x")
        weight = v1.get_variable("w", initializer=floats(4))
        tf.identity(x * weight, name="y")
        session.run(v1.global_variables_initializer())
        builder = v1.saved_model.Builder("unsigned-tf1")
        builder.add_meta_graph_and_variables(session, ["serve"])
        builder.save()


def signed(module: Any, name: str, function: Any, **inputs: Any) -> None:
    """Save a module with one function as its signature."""
    specs = [tf.TensorSpec(shape, kind, name=key) for key, (shape, kind) in inputs.items()]
    module.function = tf.function(function, input_signature=specs)
    tf.saved_model.save(module, name, signatures=module.function)


# frozen graphs


def frozen() -> None:
    """Ends of all sorts: an echo of an input, two outputs, a default, an unused input."""
    with tf.Graph().as_default() as graph, v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 4], "x")
        v1.placeholder(tf.float32, [None, 4], "idle")
        scale = v1.placeholder_with_default(2.0, (), "scale")
        outputs = {"echo": tf.identity(x, "echo"), "scaled": tf.multiply(x, scale, name="scaled")}
        outputs["top"], outputs["top:1"] = tf.nn.top_k(x, 2, name="top")
        outputs["chosen"] = tf.cond(tf.reduce_sum(x) > 0, lambda: x + 1.0, lambda: x - 1.0, name="chosen")
        fed = floats(2, 4)
        found = session.run(outputs, {x: fed})
    found["chosen/Identity"] = found.pop("chosen")
    tf.io.write_graph(graph, ".", "frozen.pb", as_text=False)
    expect("frozen", {"x": fed, "idle": fed}, found)
    Path("truncated.pb").write_bytes(Path("frozen.pb").read_bytes()[:-20])


# Keras


@keras.saving.register_keras_serializable("mine")
class Mine(keras.layers.Layer):  # type: ignore[misc]
    """A layer of somebody's own."""

    def call(self, x: Any) -> Any:
        """Double."""
        return x * 2


def keras_models() -> None:
    """Several inputs and outputs in structures, recurrent layers, a Sequential; custom layers and lambdas."""
    layers = keras.layers
    ids, mask = keras.Input((5,), dtype="int32", name="ids"), keras.Input((5,), dtype="bool", name="mask")
    image = keras.Input((None, None, 3), name="image")
    words = layers.Embedding(10, 4)(ids)
    words = keras.ops.where(keras.ops.expand_dims(mask, -1), words, 0.0)
    pixels = layers.GlobalAveragePooling2D()(layers.BatchNormalization()(layers.Conv2D(4, 3)(image)))
    joined = layers.Dropout(0.5)(layers.Add()([layers.GlobalAveragePooling1D()(words), pixels]))
    twin = layers.Dense(1, name="twin")
    heads = {"head": {"boxes": layers.Dense(4)(joined)}, "pair": [twin(joined), twin(pixels)]}
    model = randomize(keras.Model([ids, mask, image], {"scores": layers.Dense(2)(joined), **heads}))
    model.save("several.keras")
    fed = [np.array([[1, 2, 3, 4, 5]]), np.array([[True, False, True, True, False]]), floats(1, 8, 9, 3)]
    found = model(fed, training=False)
    flat = {"scores": found["scores"], "head_boxes": found["head"]["boxes"]}
    flat |= {"pair_0": found["pair"][0], "pair_1": found["pair"][1]}
    expect("several", dict(zip(["ids", "mask", "image"], fed, strict=True)), flat)

    listed = randomize(keras.Model(image, [twin(pixels), twin(layers.Dense(4)(pixels)), pixels]))
    listed.save("listed.keras")
    outputs = zip(["twin", "twin_1", listed.layers[3].name], listed(fed[2], training=False), strict=True)
    expect("listed", {"image": fed[2]}, dict(outputs))

    sequence = keras.Input((None, 3), name="sequence")
    recurrent = layers.GRU(4)(layers.LSTM(4, return_sequences=True)(sequence))
    model = randomize(keras.Model(sequence, layers.Dense(2, name="out")(recurrent)))
    model.save("lstm.keras")
    steps = floats(2, 6, 3)
    expect("lstm", {"sequence": steps}, {"out": model(steps, training=False)})
    model.export("lstm", verbose=False)
    expect("lstm-export", {"sequence": steps}, {"output_0": model(steps, training=False)})

    model = randomize(keras.Sequential([layers.Input((4,), name="x"), layers.Dropout(0.5), layers.Dense(3, name="y")]))
    model.save("sequential.h5")
    x = floats(2, 4)
    expect("sequential", {"x": x}, {"y": model(x, training=False)})
    shutil.copy("sequential.h5", "named-otherwise.bin")
    expect("named-otherwise", {"x": x}, {"y": model(x, training=False)})
    model.save_weights("only.weights.h5")
    Path("truncated.h5").write_bytes(Path("sequential.h5").read_bytes()[:-1000])
    for kind in ("keras", "h5"):
        keras.Sequential([layers.Input((4,)), Mine()]).save(f"custom.{kind}")
        keras.Sequential([layers.Input((4,)), layers.Lambda(lambda x: x * 2)]).save(f"lambda.{kind}")


def old_keras_models() -> None:
    """What Keras 3 refuses: a layer that is gone, an operation as a layer, an LSTM with an option that is gone."""
    import tf_keras

    layers = tf_keras.layers
    x = tf_keras.Input((4,), name="x")
    dense = layers.Dense(3, name="dense")(x)
    local = layers.LocallyConnected1D(2, 1, name="local")(layers.Reshape((3, 1))(dense))
    model = randomize(tf_keras.Model(x, [tf.nn.relu(dense) * 2.0, local]))
    fed = floats(2, 4)
    outputs = dict(zip(model.output_names, model(fed, training=False), strict=True))
    for kind in ("keras", "h5"):
        model.save(f"old.{kind}")
    expect("old", {"x": fed}, outputs)
    model = randomize(tf_keras.Sequential([layers.LSTM(4, input_shape=(6, 3)), layers.Dense(2, name="y")]))
    model.save("old-lstm.h5")
    fed = floats(2, 6, 3)
    expect("old-lstm", {"lstm_input": fed}, {"y": model(fed, training=False)})
    tf_keras.Sequential([layers.Dense(4, input_shape=(4,)), layers.Lambda(lambda x: x + 1)]).save("old-lambda.h5")


# checkpoints


def checkpoint() -> None:
    """Training in full: dropout that a placeholder turns on, labels, regularization, metrics, summaries, Adam."""
    with tf.Graph().as_default(), v1.Session() as session:
        x, labels = v1.placeholder(tf.float32, [None, 4], "x"), v1.placeholder(tf.int64, [None], "labels")
        training, rate = v1.placeholder_with_default(False, (), "training"), v1.placeholder(tf.float32, (), "rate")
        first = v1.get_variable("first", [4, 8], use_resource=False)
        hidden = tf.nn.relu(x @ first)
        hidden = tf.cond(training, lambda: tf.nn.dropout(hidden, rate=0.5), lambda: tf.identity(hidden))
        hidden = tf.nn.dropout(hidden, rate=1 - v1.placeholder_with_default(1.0, (), "keep"))
        logits = tf.add(hidden @ v1.get_variable("second", [8, 3]), v1.get_variable("bias", [3]), name="logits")
        scores = tf.nn.softmax(logits, name="scores")
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        loss = tf.reduce_mean(losses) + 0.001 * tf.nn.l2_loss(first)
        hits = tf.equal(tf.argmax(scores, 1), labels)
        v1.summary.scalar("accuracy", tf.reduce_mean(tf.cast(hits, tf.float32)))
        v1.summary.histogram("scores", scores)
        v1.train.AdamOptimizer(rate).minimize(loss, global_step=v1.train.get_or_create_global_step())
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, "checkpoint/model", global_step=10)
        fed = floats(2, 4)
        expect("checkpoint", {"x": fed}, {"scores": session.run(scores, {x: fed})})
    Path("no-data").mkdir()
    shutil.copy("checkpoint/model-10.meta", "no-data/model-10.meta")


def pipeline() -> None:
    """No placeholder: an iterator gives features and labels."""
    with tf.Graph().as_default(), v1.Session() as session:
        data = tf.data.Dataset.from_tensor_slices((np.ones((8, 4), "float32"), np.ones(8, "int64"))).batch(2)
        x, labels = v1.data.make_one_shot_iterator(data).get_next()
        logits = tf.matmul(x, v1.get_variable("w", [4, 3]), name="logits")
        v1.train.GradientDescentOptimizer(0.1).minimize(v1.losses.sparse_softmax_cross_entropy(labels, logits))
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, "pipeline/model")
        fed = floats(2, 4)
        expect("pipeline", {"IteratorGetNext": fed}, {"logits": session.run(logits, {x: fed})})


# TFLite


def lite() -> None:
    """A float model with a dynamic batch, and one in integers."""
    layers = keras.layers
    image = keras.Input((8, 8, 3), name="image")
    hidden = layers.MaxPooling2D(name="pool")(layers.Conv2D(4, 3, activation="relu", name="conv")(image))
    model = randomize(keras.Model(image, layers.Softmax(name="scores")(layers.Dense(3)(layers.Flatten()(hidden)))))
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    Path("float.tflite").write_bytes(converter.convert())
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([floats(1, 8, 8, 3)] for _ in range(8))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    Path("integer.tflite").write_bytes(converter.convert())
    fed = floats(1, 8, 8, 3)
    expect("lite", {"image": fed}, {"scores": model(fed, training=False)})


class Streaming(tf.Module):  # type: ignore[misc]
    """Models whose .tflite files hold variables, or an operation that is none of TFLite's."""

    def __init__(self) -> None:
        super().__init__()
        self.state = tf.Variable(tf.zeros([1, 4]))

    def streaming(self, x: Any) -> Any:
        """Keep half of what was."""
        kept = self.state.read_value() * 0.5 + x
        self.state.assign(kept)
        return {"y": kept * 2.0}

    def custom(self, x: Any) -> Any:
        """Run an operation in the middle that neither TFLite nor OpenVINO has."""
        return {"y": tf.nn.relu(tf.linalg.cross(x * 0.5, x)) * 2.0}


def resources() -> None:
    """.tflite files with a state between calls, and with a custom operation."""
    module = Streaming()
    for name, size in {"streaming": 4, "custom": 3}.items():
        spec = tf.TensorSpec([1, size], tf.float32, name="x")
        function = tf.function(getattr(module, name)).get_concrete_function(spec)
        converter = tf.lite.TFLiteConverter.from_concrete_functions([function], module)
        converter.experimental_enable_resource_variables = True
        converter.allow_custom_ops = name == "custom"
        Path(f"{name}.tflite").write_bytes(converter.convert())


class Coder(tf.Module):  # type: ignore[misc]
    """Two functions, each a signature and a graph of its own in a .tflite file."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = tf.Variable(floats(4, 3))

    @tf.function(input_signature=[tf.TensorSpec([1, 4], tf.float32, "x")])  # type: ignore[untyped-decorator]
    def encode(self, x: Any) -> Any:
        """Make three numbers of four."""
        return {"code": tf.nn.relu(x @ self.weight)}

    @tf.function(input_signature=[tf.TensorSpec([1, 3], tf.float32, "c")])  # type: ignore[untyped-decorator]
    def decode(self, c: Any) -> Any:
        """Make four of three."""
        return {"out": c @ tf.transpose(self.weight) + 1.0}


def numbered_otherwise() -> None:
    """.tflite files of two signatures, and of one that says what its operations are in the new place alone."""
    coder = Coder()
    tf.saved_model.save(coder, "coder", signatures={"encode": coder.encode, "decode": coder.decode})
    Path("coder.tflite").write_bytes(tf.lite.TFLiteConverter.from_saved_model("coder").convert())
    model = flatbuffer_utils.read_model("float.tflite")
    for code in model.operatorCodes:
        code.deprecatedBuiltinCode = 0
    Path("half-numbered.tflite").write_bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def main() -> None:
    """Make them all in the current folder."""
    saved_models()
    tf1_saved_models()
    partitioned()
    table()
    frozen()
    loop()
    keras_models()
    if importlib.util.find_spec("tf_keras") is not None:
        old_keras_models()
    checkpoint()
    pipeline()
    lite()
    resources()
    numbered_otherwise()
    as_shipped()


if __name__ == "__main__":
    import os

    os.chdir(sys.argv[1])
    keras.utils.set_random_seed(0)
    main()
