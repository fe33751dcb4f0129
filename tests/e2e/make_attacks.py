"""Make models that do more than compute: `python make_attacks.py FOLDER`. TARGET and SECRET lie beside them.

Each would write `FOLDER/written`, or carry what is in `FOLDER/secret` into what is built of it.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

v1 = tf.compat.v1
TARGET, SECRET = "written", "secret"


def at(name: str) -> str:
    """Return a file of the folder, as an attacker would have to know it."""
    return str(Path(name).absolute())


def dense(x: Any, *, use_resource: bool = True) -> Any:
    """Return something to compute."""
    return tf.matmul(x, v1.get_variable("w", [4, 3], use_resource=use_resource))


def tf1(name: str, main_op: Callable[[], Any] | None = None) -> None:
    """Save a TF1 model, with an init op if asked for."""
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 4], "x")
        scores = tf.identity(dense(x), name="scores")
        signature = v1.saved_model.predict_signature_def({"x": x}, {"scores": scores})
        made = main_op() if main_op else None
        session.run(v1.global_variables_initializer())
        builder = v1.saved_model.Builder(name)
        builder.add_meta_graph_and_variables(session, ["serve"], {"serving_default": signature}, main_op=made)
        builder.save()


def edited(source: str, name: str, edit: Callable[[Any], None]) -> None:
    """Copy a SavedModel and change its first graph."""
    shutil.copytree(source, name)
    path = Path(name, "saved_model.pb")
    proto = SavedModel.FromString(path.read_bytes())
    edit(proto.meta_graphs[0])
    path.write_bytes(proto.SerializeToString())


def writing() -> Any:
    """Return an operation that writes."""
    return tf.io.write_file(at(TARGET), "harm")


def with_write(graph_def: Any) -> str:
    """Add a WriteFile to a graph; return its name."""
    with tf.Graph().as_default() as graph:
        tf.io.write_file(at(TARGET), "harm", name="harm")
    graph_def.node.extend(node for node in graph.as_graph_def().node)
    return "harm"


def restore_op() -> None:
    """The saver's restore op depends on a WriteFile; of a SavedModel, and of a checkpoint."""

    def edit(meta: Any) -> None:
        name = with_write(meta.graph_def)
        node = next(node for node in meta.graph_def.node if node.name == meta.saver_def.restore_op_name)
        node.input.append(f"^{name}")

    edited("good-tf1", "restore-op", edit)
    for path in Path("good-meta").iterdir():
        Path("restore-meta").mkdir(exist_ok=True)
        shutil.copy(path, "restore-meta")
    meta_graph = v1.MetaGraphDef.FromString(Path("restore-meta/model.meta").read_bytes())
    edit(meta_graph)
    Path("restore-meta/model.meta").write_bytes(meta_graph.SerializeToString())


def variable_read() -> None:
    """Freezing in a session reads variables; tf.saved_model.load refuses a signature that gives one out."""
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 4], "x")
        given = v1.get_variable("given", [3], use_resource=False)
        scores = tf.identity(dense(x), name="scores")
        signature = v1.saved_model.predict_signature_def({"x": x}, {"scores": scores, "given": given})
        session.run(v1.global_variables_initializer())
        builder = v1.saved_model.Builder("good-read")
        builder.add_meta_graph_and_variables(session, ["serve"], {"serving_default": signature})
        builder.save()

    def edit(meta: Any) -> None:
        name = with_write(meta.graph_def)
        next(node for node in meta.graph_def.node if node.name == "w/Read/ReadVariableOp").input.append(f"^{name}")

    edited("good-read", "variable-read", edit)


def printing() -> None:
    """A signature of TF2 prints to a file."""

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, "x")])  # type: ignore[untyped-decorator]
    def serve(x: Any) -> Any:
        tf.print("harm", output_stream=f"file://{at(TARGET)}")
        return {"scores": x * 2.0}

    tf.saved_model.save(tf.Module(), "printing", signatures={"serving_default": serve})


def saving() -> None:
    """A signature of TF2 writes a checkpoint."""

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, "x")])  # type: ignore[untyped-decorator]
    def serve(x: Any) -> Any:
        tf.raw_ops.SaveV2(prefix=at(TARGET), tensor_names=["x"], shape_and_slices=[""], tensors=[x])
        return {"scores": x * 2.0}

    tf.saved_model.save(tf.Module(), "saving", signatures={"serving_default": serve})


def reading() -> None:
    """An init op puts a secret into a variable; another signature gives it away."""
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 4], "x")
        known = v1.get_variable("known", [32], tf.float32, use_resource=False)
        scores = tf.identity(dense(x, use_resource=False) + tf.reduce_sum(known), name="scores")
        given = tf.identity(tf.expand_dims(known, 0) + tf.reduce_sum(x), name="given")
        content = tf.cast(tf.io.decode_raw(tf.io.read_file(at(SECRET)), tf.uint8), tf.float32)
        leak = tf.group(v1.assign(known, content))
        session.run(v1.global_variables_initializer())
        predict = v1.saved_model.predict_signature_def
        builder = v1.saved_model.Builder("reading")
        signatures = {
            "serving_default": predict({"x": x}, {"scores": scores}),
            "other": predict({"x": x}, {"g": given}),
        }
        builder.add_meta_graph_and_variables(session, ["serve"], signatures, main_op=leak)
        builder.save()


def frozen() -> None:
    """A frozen graph of which importing it reads a file: it computes constants."""
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [1, 4], "x")
        content = tf.cast(tf.io.decode_raw(tf.io.read_file(at(SECRET)), tf.uint8), tf.float32)
        tf.add(tf.reduce_sum(x), content, name="scores")
    tf.io.write_graph(graph, ".", "reading.pb", as_text=False)


def meta() -> None:
    """A checkpoint; its graph is for training: it reads files and writes summaries, and none of that is run."""
    Path("records").mkdir()
    for name, harm in (("good-meta", False), ("reading-meta", True)):
        Path(name).mkdir()
        with tf.Graph().as_default(), v1.Session() as session:
            queue = v1.train.string_input_producer(["records/a"], name="files")
            _, line = v1.TextLineReader().read(queue)
            row = tf.ensure_shape(tf.strings.to_number(tf.strings.split([line], ",").values), [4])
            batch = v1.train.batch([row], 2)
            x = v1.placeholder_with_default(batch, [None, 4], "x")
            if harm:
                x = x + tf.strings.to_number(tf.io.read_file(at(SECRET)))
            tf.identity(dense(x), name="scores")
            v1.summary.scalar("size", tf.size(tf.io.read_file(at(SECRET))))
            v1.py_func(lambda: 1.0, [], tf.float32)
            session.run(v1.variables_initializer(v1.global_variables()))
            v1.train.Saver().save(session, f"{name}/model")


def records() -> None:
    """A checkpoint as training leaves it: records, Python, summaries, initial values out of another checkpoint."""
    Path("good-records").mkdir()
    with tf.io.TFRecordWriter("records/a.tfrecord") as writer:
        writer.write(tf.io.serialize_tensor(tf.ones([4])).numpy())
    with tf.Graph().as_default(), v1.Session() as session:
        data = tf.data.TFRecordDataset("records/a.tfrecord")
        data = data.map(lambda one: tf.ensure_shape(tf.io.parse_tensor(one, tf.float32), [4])).repeat().batch(2)
        x = v1.data.make_one_shot_iterator(data).get_next()
        logits = tf.identity(dense(x), name="logits")
        v1.train.init_from_checkpoint("good-meta/model", {"w": "w"})
        (mean,) = v1.py_func(lambda value: value, [tf.reduce_mean(logits)], [tf.float32])
        with tf.summary.create_file_writer("events").as_default():
            tf.summary.write("mean", mean, step=tf.constant(0, tf.int64))
        loss = tf.reduce_mean(tf.square(logits))
        v1.train.AdamOptimizer(0.1).minimize(loss)
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, "good-records/model")
    shutil.rmtree("records")
    shutil.rmtree("events", ignore_errors=True)


def asset() -> None:
    """A table of TF2's, filled from an asset; and one whose asset lies elsewhere."""
    Path("vocabulary.txt").write_text("a\nb\n")

    class Words(tf.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            file = tf.lookup.TextFileInitializer(
                "vocabulary.txt",
                tf.string,
                tf.lookup.TextFileIndex.WHOLE_LINE,
                tf.int64,
                tf.lookup.TextFileIndex.LINE_NUMBER,
            )
            self.table = tf.lookup.StaticHashTable(file, -1)
            self.w = tf.Variable(tf.ones([4, 3]))

        @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, "x")])  # type: ignore[untyped-decorator]
        def serve(self, x: Any) -> Any:
            return {"scores": x @ self.w}

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "word")])  # type: ignore[untyped-decorator]
        def look_up(self, word: Any) -> Any:
            return {"number": self.table.lookup(word)}

    words = Words()
    tf.saved_model.save(words, "good-table", signatures={"serving_default": words.serve, "look_up": words.look_up})

    def edit(meta: Any) -> None:
        meta.asset_file_def[0].filename = f"../../{SECRET}"

    edited("good-table", "outside-asset", edit)

    def linked(name: str) -> None:
        shutil.copytree("good-table", name)
        (path,) = Path(name, "assets").iterdir()
        path.unlink()
        path.symlink_to(at(SECRET))

    linked("linked-asset")
    tf1_table("good-table-1", "vocabulary.txt", kept=True)
    tf1_table("constant-path", at(SECRET), kept=False)


def tf1_table(name: str, file: str, *, kept: bool) -> None:
    """A table of TF1's, filled from an asset or from any file."""
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 4], "x")
        scores = tf.identity(dense(x), name="scores")
        path = tf.constant(file, name="path")
        whole, line = tf.lookup.TextFileIndex.WHOLE_LINE, tf.lookup.TextFileIndex.LINE_NUMBER
        tf.lookup.StaticHashTable(tf.lookup.TextFileInitializer(path, tf.string, whole, tf.int64, line), -1)
        signature = v1.saved_model.predict_signature_def({"x": x}, {"scores": scores})
        if not kept:
            v1.get_default_graph().clear_collection(v1.GraphKeys.ASSET_FILEPATHS)
        session.run(v1.global_variables_initializer())
        builder = v1.saved_model.Builder(name)
        builder.add_meta_graph_and_variables(
            session,
            ["serve"],
            {"serving_default": signature},
            assets_collection=v1.get_collection(v1.GraphKeys.ASSET_FILEPATHS),
            main_op=v1.tables_initializer(),
        )
        builder.save()


def strings() -> None:
    """What serves records and images as strings, prints, and was loaded and saved once more."""

    class Serving(tf.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.w = tf.Variable(tf.ones([2, 2]))

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "records")])  # type: ignore[untyped-decorator]
        def parse(self, records: Any) -> Any:
            parsed = tf.io.parse_example(records, {"x": tf.io.FixedLenFeature([2], tf.float32)})
            tf.print("parsed", tf.shape(records))
            return {"y": parsed["x"] @ self.w}

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "jpegs")])  # type: ignore[untyped-decorator]
        def decode(self, jpegs: Any) -> Any:
            def pixels(jpeg: Any) -> Any:
                return tf.image.resize(tf.io.decode_jpeg(jpeg, channels=3), [8, 8])

            return {"y": tf.map_fn(pixels, jpegs, fn_output_signature=tf.float32)}

    module = Serving()
    tf.saved_model.save(module, "good-strings", signatures={"serving_default": module.parse, "decode": module.decode})
    loaded = tf.saved_model.load("good-strings")
    tf.saved_model.save(loaded, "good-again", signatures=loaded.signatures)


def lite() -> None:
    """TFLite, with an operation of TensorFlow's."""

    @tf.function(input_signature=[tf.TensorSpec([1, 4], tf.float32, "x")])  # type: ignore[untyped-decorator]
    def serve(x: Any) -> Any:
        tf.raw_ops.WriteFile(filename=at(TARGET), contents="harm")
        return x * 2.0

    converter = tf.lite.TFLiteConverter.from_concrete_functions([serve.get_concrete_function()])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    Path("writing.tflite").write_bytes(converter.convert())


def main() -> None:
    """Make them all in the current folder."""
    Path(SECRET).write_text("0123456789abcdef0123456789ABCDEF")
    tf1("good-tf1")
    tf1("init-op", writing)
    variable_read()
    printing()
    saving()
    reading()
    frozen()
    meta()
    restore_op()
    records()
    asset()
    strings()
    lite()
    Path(TARGET).unlink(missing_ok=True)


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    main()
