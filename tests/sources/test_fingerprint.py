"""Fingerprints are equal across exports of one computation, and of nothing else.

Light: the wire reader and frozen graphs, on bytes made by `tests.graphdefs`.
Heavy: real exports. TensorFlow runs in subprocesses (`EXPORTS`, then `REEXPORT` with another hash
seed), one folder per case; this process never imports it.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovmake.sources.fingerprint import Fingerprint, fingerprint
from ovmake.sources.graphdef import Graph, UnfollowableError
from ovmake.sources.leveldb import table
from ovmake.sources.ops import OPAQUE, PURE
from ovmake.sources.protobuf import Message, ProtobufError, fields, first_text, varint
from tests import warm
from tests.graphdefs import encoded, graph_def, message, node
from tests.workers.tables import written


def frozen(path: Path, *nodes: bytes, functions: tuple[bytes, ...] = ()) -> Fingerprint:
    """Write a GraphDef and fingerprint it."""
    path.write_bytes(graph_def(*nodes, functions=functions))
    return fingerprint(path)


# --- the wire format -------------------------------------------------------------------------


def test_message_gives_fields_by_number_and_defaults_for_absent_ones() -> None:
    read = Message(memoryview(message((1, "conv"), (3, "x"), (3, "w"), (17, 300), (4, message((1, 7))))))

    assert read.text(1) == "conv"
    assert read.texts(3) == ["x", "w"]
    assert read.integer(17) == 300
    assert read.message(4).integer(1) == 7
    assert (read.text(2), read.integer(9), read.views(9), 9 in read) == ("", 0, [], False)


def test_fields_are_slices_and_not_copies() -> None:
    buffer = bytearray(message((8, b"\x00" * 1000)))

    ((number, value),) = fields(memoryview(buffer))
    buffer[-1] = 42

    assert isinstance(value, memoryview)
    assert (number, len(value), value[-1]) == (8, 1000, 42)


def test_fixed_width_fields_come_as_their_bytes() -> None:
    read = Message(memoryview(b"\x35abcd\x09abcdefgh"))

    assert (read.views(6), read.views(1)) == ([memoryview(b"abcd")], [memoryview(b"abcdefgh")])


def test_map_entries_come_by_key() -> None:
    entries = Message(memoryview(message((5, message((1, "T"), (2, b"\x30\x01")))))).entries(5)

    assert entries == {"T": b"\x30\x01"}


def test_first_text_reads_no_further_than_it_must() -> None:
    assert first_text(memoryview(message((1, "name")) + b"\xff\xff"), 1) == "name"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x0a\x05abc", "field 1 ends 2 bytes past the message"),
        (b"\x08\x80", "truncated varint"),
        (b"\x08" + b"\xff" * 11, "varint of more than 64 bits"),
        (b"\x0b", "wire type 3"),
        (b"\x00\x00", "field number 0"),
        (b"\x09abc", "field 1 ends 5 bytes past the message"),
    ],
)
def test_malformed_bytes_are_a_wire_error(content: bytes, reason: str) -> None:
    with pytest.raises(ProtobufError) as caught:
        list(fields(memoryview(content)))

    assert str(caught.value) == reason


@pytest.mark.parametrize(
    ("read", "reason"),
    [
        (lambda m: m.text(1), "singular field 1 given 2 times"),
        (lambda m: m.entries(2), "map key `k` given twice"),
        (lambda m: m.text(3), "a string that is not UTF-8"),
        (lambda m: m.text(4), "a varint instead of bytes"),
        (lambda m: m.integer(3), "field 3 is not a varint"),
    ],
)
def test_what_protobuf_would_put_up_with_is_a_wire_error(read: object, reason: str) -> None:
    entry = message((1, "k"))
    parsed = Message(memoryview(message((1, "a"), (1, "b"), (2, entry), (2, entry), (3, b"\xff"), (4, 1))))

    with pytest.raises(ProtobufError) as caught:
        read(parsed)  # type: ignore[operator]

    assert str(caught.value) == reason


def test_unknown_fields_are_refused_where_the_caller_knows_them_all() -> None:
    with pytest.raises(ProtobufError, match="unknown field 9"):
        Message(memoryview(message((1, 1), (9, 1))), known=range(1, 8))


@given(st.integers(0, 2**64 - 1))
def test_varints_round_trip(value: int) -> None:
    assert varint(memoryview(encoded(value) + b"rest"), 0) == (value, len(encoded(value)))


# --- frozen graphs ---------------------------------------------------------------------------

X = node("x", "Placeholder", dtype=b"\x30\x01")


def test_inner_names_and_node_order_do_not_count(tmp_path: Path) -> None:
    one = frozen(tmp_path / "1.pb", X, node("a", "Relu", "x"), node("y", "Neg", "a"))
    other = frozen(tmp_path / "2.pb", node("y", "Neg", "b_7:0"), node("b_7", "Relu", "x"), X)

    assert one.kind == "computation"
    assert one == other


@pytest.mark.parametrize(
    "nodes",
    [
        [X, node("a", "Relu6", "x"), node("y", "Neg", "a")],
        [X, node("a", "Relu", "x", alpha=b"\x25\x00\x00\x00\x00"), node("y", "Neg", "a")],
        [X, node("a", "Relu", "x"), node("z", "Neg", "a")],
        [node("in", "Placeholder", dtype=b"\x30\x01"), node("a", "Relu", "in"), node("y", "Neg", "a")],
        [X, node("a", "Relu", "x"), node("y", "Neg", "a:1")],
        [X, node("a", "Relu", "x"), node("y", "Neg", "a", "^x")],
        [X, node("a", "Relu", "x", _XlaMustCompile=b"\x28\x01"), node("y", "Neg", "a")],
    ],
    ids=["op", "attribute", "output-name", "input-name", "port", "control-edge", "compiler"],
)
def test_op_attribute_edge_input_and_output_names_count(tmp_path: Path, nodes: list[bytes]) -> None:
    one = frozen(tmp_path / "1.pb", X, node("a", "Relu", "x"), node("y", "Neg", "a"))
    other = frozen(tmp_path / "2.pb", *nodes)

    assert (one.kind, other.kind) == ("computation", "computation")
    assert one.sha256 != other.sha256


def test_one_random_number_used_twice_is_not_two_random_numbers(tmp_path: Path) -> None:
    draws = node("r", "RandomUniform"), node("s", "RandomUniform")
    one = frozen(tmp_path / "1.pb", *draws, node("y", "Sub", "r", "r"), node("z", "Neg", "s"))
    other = frozen(tmp_path / "2.pb", *draws, node("y", "Sub", "r", "s"), node("z", "Neg", "s"))

    assert one.sha256 != other.sha256


def function(name: str, op: str) -> bytes:
    """Encode a FunctionDef of one argument `x` and one output, `op` of `x`."""
    signature = message((1, name), (2, message((1, "x"))), (3, message((1, "y"))))
    returned = message((1, "y"), (2, "n:y:0"))
    return message((1, signature), (3, node("n", op, "x")), (4, returned))


@pytest.mark.parametrize("spelling", ["attribute", "list", "op"])
def test_a_function_counts_by_its_body_and_not_by_its_name(tmp_path: Path, spelling: str) -> None:
    def calling(file: str, name: str, op: str) -> str:
        value = message((10, message((1, name))))
        if spelling == "list":
            value = message((1, message((9, message((1, name))))))
        call = node("y", name, "x") if spelling == "op" else node("y", "Map", "x", f=value)
        made = frozen(tmp_path / file, X, call, functions=(function(name, op),))
        assert made.kind == "computation"
        return made.sha256

    one, renamed, changed = (
        calling("1.pb", "f_1", "Relu"),
        calling("2.pb", "f_2", "Relu"),
        calling("3.pb", "f_1", "Neg"),
    )

    assert one == renamed
    assert one != changed


def test_a_chain_of_5000_nodes_does_not_exhaust_the_stack(tmp_path: Path) -> None:
    def chain(prefix: str, last: str) -> list[bytes]:
        inner = [node(f"{prefix}{i + 1}", "Relu", f"{prefix}{i}") for i in range(5_000)]
        return [X, node(f"{prefix}0", "Neg", "x"), *inner, node("y", last, f"{prefix}5000")]

    one, same, other = (
        frozen(tmp_path / "deep.pb", *chain(prefix, last))
        for prefix, last in [("a", "Neg"), ("b", "Neg"), ("a", "Abs")]
    )

    assert one.kind == "computation"
    assert one == same
    assert one.sha256 != other.sha256


@pytest.mark.parametrize(
    ("nodes", "note"),
    [
        ([], "a graph without nodes"),
        ([node("a", "Relu", "b"), node("b", "Relu", "a")], "node `a` is in a cycle"),
        ([node("y", "Relu", "gone")], "node `gone` is missing"),
        ([X, X], "node name `x` given twice"),
        ([node("v", "VarHandleOp")], "`VarHandleOp` (node `v`) is not followed in a frozen graph"),
        ([node("y", "If", f=message((10, message((1, "g")))))], "function `g` is missing"),
    ],
)
def test_a_graph_that_cannot_be_followed_gets_the_digest_of_its_bytes(
    tmp_path: Path, nodes: list[bytes], note: str
) -> None:
    made = frozen(tmp_path / "g.pb", *nodes)

    assert (made.kind, made.note) == ("bytes", note)


def test_functions_that_call_each_other_forever_end_as_bytes(tmp_path: Path) -> None:
    made = frozen(tmp_path / "g.pb", X, node("y", "f", "x"), functions=(function("f", "f"),))

    assert (made.kind, made.note) == ("bytes", "function `f` is called 40 calls deep")


@given(st.binary(max_size=300))
def test_any_bytes_get_a_fingerprint(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.pb"
    path.write_bytes(content)

    assert fingerprint(path).kind in {"bytes", "computation"}


def test_text_graphs_and_other_files_are_bytes(tmp_path: Path) -> None:
    (tmp_path / "g.pbtxt").write_text('node {\n  name: "x"\n  op: "Placeholder"\n}\n')
    (tmp_path / "m.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    (tmp_path / "empty.pb").write_bytes(b"")

    assert {fingerprint(path).kind for path in tmp_path.iterdir()} == {"bytes"}


def test_a_folder_that_is_no_saved_model_counts_by_paths_and_bytes(tmp_path: Path) -> None:
    def folder(name: str, files: dict[str, str]) -> Fingerprint:
        for path, content in files.items():
            (tmp_path / name / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / path).write_text(content)
        return fingerprint(tmp_path / name)

    one = folder("1", {"a": "1", "sub/b": "2"})

    assert (one.kind, one.note) == ("bytes", "`saved_model.pb`: No such file or directory")
    assert one == folder("2", {"sub/b": "2", "a": "1"})
    assert one != folder("3", {"a": "1", "sub/c": "2"})
    assert one != folder("4", {"a": "1", "sub/b": "3"})


def test_links_are_followed_and_link_loops_end(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "w").write_text("1")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "variables").symlink_to(tmp_path / "shared")
    (tmp_path / "model" / "loop").symlink_to(tmp_path / "model")
    before = fingerprint(tmp_path / "model")

    (tmp_path / "shared" / "w").write_text("2")

    assert fingerprint(tmp_path / "model") != before


def test_a_source_that_is_not_there_is_the_callers_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        fingerprint(tmp_path / "gone.pb")


def test_calls_that_double_at_every_level_are_evaluated_once_each(tmp_path: Path) -> None:
    """30 levels of g(x) = f(x) + f(x) are 2**30 nodes if each call is walked."""
    functions = [function("f0", "Relu")]
    for level in range(1, 30):
        signature = message((1, f"f{level}"), (2, message((1, "x"))), (3, message((1, "y"))))
        calls = [node(name, f"f{level - 1}", "x") for name in ("a", "b")]
        body = [(3, content) for content in [*calls, node("s", "Add", "a:y:0", "b:y:0")]]
        functions.append(message((1, signature), *body, (4, message((1, "y"), (2, "s:z:0")))))

    made = frozen(tmp_path / "g.pb", X, node("y", "f29", "x"), functions=tuple(functions))

    assert made.kind == "computation"


def test_a_missing_function_is_named() -> None:
    with pytest.raises(UnfollowableError, match="function `f` is missing"):
        Graph(memoryview(b"")).function("f")


# --- SavedModels, without variables ------------------------------------------------------------


def saved_model(folder: Path, *nodes: bytes, functions: tuple[bytes, ...] = (), output: str = "y:0") -> Fingerprint:
    """Write a SavedModel of one input `x` and one output `y`, and fingerprint it."""
    graph = message(*[(1, content) for content in [X, *nodes]], (2, message(*[(1, content) for content in functions])))
    inputs, outputs = (
        message((1, key), (2, message((1, name), (2, 1)))) for key, name in [("x", "x:0"), ("y", output)]
    )
    signature = message((1, "serving_default"), (2, message((1, inputs), (2, outputs))))
    folder.mkdir()
    (folder / "saved_model.pb").write_bytes(
        message((1, 1), (2, message((1, message((4, "serve"))), (2, graph), (5, signature))))
    )
    return fingerprint(folder)


def named(function: str) -> bytes:
    return message((10, message((1, function))))


def body(name: str, *nodes: bytes, arguments: tuple[str, ...] = ("x",), output: str = "n:y:0") -> bytes:
    signature = message((1, name), *[(2, message((1, argument))) for argument in arguments], (3, message((1, "y"))))
    return message((1, signature), *[(3, content) for content in nodes], (4, message((1, "y"), (2, output))))


def call(name: str, function: str, *inputs: str, op: str = "PartitionedCall") -> bytes:
    return node(name, op, *inputs, f=named(function))


def test_wrapper_functions_do_not_count(tmp_path: Path) -> None:
    inner = body("inner_12", node("n", "Sub", "a", "b"), arguments=("a", "b"))
    outer = body("outer_7", call("c", "inner_12", "p", "q"), node("i", "Identity", "c:output:0", "^c"),
                 arguments=("p", "q"), output="i:output:0")  # fmt: skip
    twice = node("two", "Neg", "x")

    one = saved_model(tmp_path / "1", twice, call("y", "inner_12", "x", "two"), functions=(inner,))
    wrapped = saved_model(tmp_path / "2", twice, call("y", "outer_7", "x", "two"), functions=(outer, inner))
    swapped = saved_model(tmp_path / "3", twice, call("y", "outer_7", "two", "x"), functions=(outer, inner))

    assert one.kind == "computation"
    assert one == wrapped
    assert one.sha256 != swapped.sha256


def test_a_check_counts_though_no_output_needs_it(tmp_path: Path) -> None:
    def checking(name: str, condition: str) -> Fingerprint:
        checks = body("checks", node("n", "Neg", "x"), node("ok", condition, "x"), node("a", "Assert", "ok:y:0"))
        branch = body("branch", node("n", "If", "x", then_branch=named("checks")))
        guarded = body("guarded", node("n", "Neg", "x"), node("g", "If", "x", then_branch=named("branch")))
        return saved_model(tmp_path / name, call("y", "guarded", "x"), functions=(checks, branch, guarded))

    one, same, other = checking("1", "IsNan"), checking("2", "IsNan"), checking("3", "IsInf")

    assert one.kind == "computation"
    assert one == same
    assert one.sha256 != other.sha256


def test_calls_with_the_same_inputs_are_evaluated_once(tmp_path: Path) -> None:
    functions = [body("f0", node("n", "Relu", "x"))]
    for level in range(1, 35):
        calls = [call(name, f"f{level - 1}", "x") for name in ("a", "b")]
        functions.append(body(f"f{level}", *calls, node("n", "Add", "a:output:0", "b:output:0")))

    assert saved_model(tmp_path / "1", call("y", "f34", "x"), functions=tuple(functions)).kind == "computation"


def test_a_graph_that_is_too_large_once_inlined_ends_as_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ovmake.sources.graphdef.MAX_NODES", 20_000)  # the real one takes three seconds to reach
    functions = [body("f0", node("n", "Relu", "x"))]
    for level in range(1, 35):
        calls = [
            call("a", f"f{level - 1}", "x"),
            node("m", "Neg", "x", level=message((3, level))),
            call("b", f"f{level - 1}", "m:y:0"),
        ]
        functions.append(body(f"f{level}", *calls, node("n", "Add", "a:output:0", "b:output:0")))

    made = saved_model(tmp_path / "1", call("y", "f34", "x"), functions=tuple(functions))

    assert (made.kind, made.note) == ("bytes", "more than 20000 nodes once functions are inlined")


@pytest.mark.parametrize(("levels", "kind"), [(40, "computation"), (41, "bytes")])
def test_deep_nesting_ends_as_bytes_and_not_as_a_recursion_error(tmp_path: Path, levels: int, kind: str) -> None:
    functions = [body("f0", node("n", "Relu", "x"))]
    functions += [body(f"f{i}", node("n", "If", "x", f=named(f"f{i - 1}"))) for i in range(1, levels)]

    made = saved_model(tmp_path / "1", node("y", "If", "x", f=named(f"f{levels - 1}")), functions=tuple(functions))

    assert made.kind == kind


@pytest.mark.parametrize(
    ("nodes", "note"),
    [
        ([node("y", "MyOp", "x")], "`MyOp` (node `y`) has a state, or is an unknown operation"),
        ([node("y", "Merge", "x", "x")], "`Merge` (node `y`) has a state, or is an unknown operation"),
        ([node("z", "Placeholder"), node("y", "Neg", "z")],
         "`Placeholder` (node `z`) has a state, or is an unknown operation"),
        ([node("v", "VarHandleOp"), node("y", "ReadVariableOp", "v")],
         "checkpoint has no index: No such file or directory"),
        ([node("y", "If", "x", f=named("f"), t=message((9, "T")))], "function `f` is missing"),
        ([node("y", "Neg", "x", T=message((9, "T")))], "an attribute that the function's caller fills in"),
    ],
    ids=["custom-op", "tf1-cond", "unfed", "variable", "missing-function", "attribute-of-caller"],
)  # fmt: skip
def test_what_a_saved_model_does_besides_computing_gives_bytes(tmp_path: Path, nodes: list[bytes], note: str) -> None:
    made = saved_model(tmp_path / "1", *nodes)

    assert (made.kind, made.note) == ("bytes", note)


# --- real exports ----------------------------------------------------------------------------

EXPORTS = r"""
import os, sys
import numpy as np, tensorflow as tf, keras
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2
os.chdir(sys.argv[1])

def cnn(strides=1, epsilon=1e-3, activation="relu", seed=0):
    keras.utils.set_random_seed(seed)
    image = keras.Input((12, 12, 1), name="image")
    x = keras.layers.Conv2D(4, 3, padding="same", strides=strides)(image)
    x = keras.layers.BatchNormalization(epsilon=epsilon)(x)
    x = keras.layers.Dropout(0.5)(keras.layers.Activation(activation)(x))
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, keras.layers.Dense(3, activation="softmax")(x))

def export(model, name):
    model.export(name, verbose=False)

spec = tf.TensorSpec([None, 12, 12, 1], tf.float32, name="image")
model = cnn()
model.save("cnn.keras")
export(model, "cnn"); export(model, "again")
loaded = tf.saved_model.load("cnn")
tf.saved_model.save(loaded, "resaved", signatures=loaded.signatures)
second = tf.saved_model.load("resaved")
tf.saved_model.save(second, "resaved-twice", signatures=second.signatures)
module = tf.Module(); module.model = model
serve = tf.function(lambda image: {"output_0": model(image, training=False)}, input_signature=[spec])
compiled = tf.function(serve, jit_compile=True, input_signature=[spec])
plain = tf.function(serve, jit_compile=False, input_signature=[spec])
renamed = tf.function(lambda image: {"probs": model(image, training=False)}, input_signature=[spec])
logits = tf.function(lambda image: {"output_0": 2 * model(image, training=False)}, input_signature=[spec])
tf.saved_model.save(module, "module", signatures={"other": logits, "serving_default": serve})
tf.saved_model.save(module, "plain", signatures=plain)
tf.saved_model.save(module, "compiled", signatures=compiled)
tf.saved_model.save(module, "renamed-output", signatures=renamed)
export(cnn(strides=2), "strides"); export(cnn(epsilon=1.0001e-3), "epsilon")
export(cnn(activation="relu6"), "activation"); export(cnn(seed=1), "seed")
frozen = convert_variables_to_constants_v2(loaded.signatures["serving_default"])
tf.io.write_graph(frozen.graph.as_graph_def(), ".", "cnn.pb", as_text=False)

weights = model.get_weights()
weights[0].flat[5] = np.nextafter(weights[0].flat[5], np.float32(9))
model.set_weights(weights)
export(model, "ulp"); tf.saved_model.save(module, "module-ulp", signatures=serve)

def twins(swap=False, shared=False):
    keras.utils.set_random_seed(0)
    x = keras.Input((6,), name="x")
    one, two = keras.layers.Dense(6, activation="relu"), keras.layers.Dense(6, activation="relu")
    made = keras.Model(x, one(one(x)) if shared else two(one(x)))
    made(np.zeros((1, 6), "float32"))
    first = [np.arange(36, dtype="float32").reshape(6, 6), np.ones(6, "float32")]
    second = first if shared else [first[0] + 1, first[1]]
    one.set_weights(second if swap else first)
    if not shared: two.set_weights(first if swap else second)
    return made
export(twins(), "twins"); export(twins(swap=True), "twins-swapped")
export(twins(shared=True), "shared-layer"); export(twins(shared=True), "shared-layer-again")

class Looping(tf.Module):
    def __init__(self, times, sign=1.0):
        self.w, self.times, self.sign = tf.Variable([1.5, 2.5], name="w"), times, sign
    @tf.function(input_signature=[tf.TensorSpec([2], tf.float32, name="x")])
    def __call__(self, x):
        step = lambda i, v: (i + 1, v * self.w)
        _, v = tf.while_loop(lambda i, v: i < self.times, step, [0, x])
        return {"y": tf.cond(tf.reduce_sum(v) > 0, lambda: v + self.w, lambda: self.sign * v)}
loops = {"loop": Looping(5), "loop-again": Looping(5), "loop-longer": Looping(6), "branch": Looping(5, -1.0)}
for name, made in loops.items():
    tf.saved_model.save(made, name, signatures=made.__call__)

class Checked(tf.Module):
    def __init__(self, limit): self.limit = limit
    @tf.function(input_signature=[tf.TensorSpec([2], tf.float32, name="x")])
    def __call__(self, x):
        tf.debugging.Assert(tf.reduce_sum(x) < self.limit, [x])
        return {"y": x + 1}
for name, made in {"checked": Checked(5.0), "checked-again": Checked(5.0), "checked-more": Checked(6.0)}.items():
    tf.saved_model.save(made, name, signatures=made.__call__)

class Looking(tf.Module):
    def __init__(self):
        columns = tf.lookup.TextFileIndex
        words = tf.lookup.TextFileInitializer("words.txt", tf.string, columns.WHOLE_LINE, tf.int64, columns.LINE_NUMBER)
        self.table = tf.lookup.StaticHashTable(words, -1)
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="x")])
    def __call__(self, x): return {"y": self.table.lookup(x)}
class Drawing(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([2], tf.float32, name="x")])
    def __call__(self, x): return {"y": x + tf.random.uniform([])}
class Counting(tf.Module):
    def __init__(self): self.count = tf.Variable(0.0)
    @tf.function(input_signature=[tf.TensorSpec([2], tf.float32, name="x")])
    def __call__(self, x): return {"y": x + self.count.assign_add(1.0)}
with open("words.txt", "w") as file: file.write("a\nb\n")
for name, made in {"lookup": Looking(), "random": Drawing(), "counter": Counting()}.items():
    tf.saved_model.save(made, name, signatures=made.__call__)

v1 = tf.compat.v1
def tf1(name, resource, prefix, value):
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 2], name="x")
        w = v1.get_variable(prefix + "w", initializer=value, use_resource=resource)
        y = tf.matmul(x, w)
        session.run(v1.global_variables_initializer())
        v1.saved_model.simple_save(session, name, {"x": x}, {"y": y})
value = np.arange(4, dtype="float32").reshape(2, 2)
for resource in (False, True):
    kind = "resource" if resource else "ref"
    tf1("tf1-" + kind, resource, "a/", value); tf1("tf1-" + kind + "-again", resource, "other/", value)
    tf1("tf1-" + kind + "-changed", resource, "a/", value + 1)
with tf.Graph().as_default(), v1.Session() as session:
    x = v1.placeholder(tf.float32, [2], name="x")
    w = v1.get_variable("w", initializer=value[0], use_resource=False)
    with tf.control_dependencies([v1.assign(w, w + 1)]): y = x + w
    session.run(v1.global_variables_initializer())
    v1.saved_model.simple_save(session, "tf1-assign", {"x": x}, {"y": y})

tf.io.gfile.makedirs("same-name")
import shutil
shutil.copytree("twins", "same-name", dirs_exist_ok=True)
saved = saved_model_pb2.SavedModel.FromString(open("twins/saved_model.pb", "rb").read())
for node in saved.meta_graphs[0].graph_def.node:
    if node.op == "VarHandleOp": node.attr["shared_name"].s = b"one"
open("same-name/saved_model.pb", "wb").write(saved.SerializeToString())
"""

REEXPORT = r"""
import os, sys
import keras, tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2
os.chdir(sys.argv[1])
model = keras.models.load_model("cnn.keras")
model.export("reloaded", verbose=False)
loaded = tf.saved_model.load("reloaded")
frozen = convert_variables_to_constants_v2(loaded.signatures["serving_default"])
tf.io.write_graph(frozen.graph.as_graph_def(), ".", "reloaded.pb", as_text=False)
"""


@pytest.fixture(scope="session")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exports")
    for seed, script in (("1", EXPORTS), ("77", REEXPORT)):
        environment = os.environ | {"PYTHONHASHSEED": seed, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
        subprocess.run([sys.executable, "-c", script, str(folder)], env=environment, check=True, timeout=400)
    return folder


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cnn", "again"),
        ("cnn", "reloaded"),
        ("cnn", "resaved"),
        ("cnn", "resaved-twice"),
        ("cnn", "module"),
        ("cnn", "plain"),
        ("ulp", "module-ulp"),
        ("shared-layer", "shared-layer-again"),
        ("loop", "loop-again"),
        ("checked", "checked-again"),
        ("tf1-ref", "tf1-ref-again"),
        ("tf1-resource", "tf1-resource-again"),
        ("cnn.pb", "reloaded.pb"),
    ],
)
def test_one_computation_exported_twice_has_one_fingerprint(exports: Path, one: str, other: str) -> None:
    first, second = fingerprint(exports / one), fingerprint(exports / other)

    assert first.note == ""
    assert first == second


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cnn", "ulp"),
        ("cnn", "strides"),
        ("cnn", "epsilon"),
        ("cnn", "activation"),
        ("cnn", "seed"),
        ("cnn", "renamed-output"),
        ("cnn", "compiled"),
        ("twins", "twins-swapped"),
        ("loop", "loop-longer"),
        ("loop", "branch"),
        ("checked", "checked-more"),
        ("tf1-ref", "tf1-ref-changed"),
        ("tf1-resource", "tf1-resource-changed"),
    ],
)
def test_another_computation_has_another_fingerprint(exports: Path, one: str, other: str) -> None:
    first, second = fingerprint(exports / one), fingerprint(exports / other)

    assert (first.note, second.note) == ("", "")
    assert first.sha256 != second.sha256


@pytest.mark.heavy
def test_another_signature_has_another_fingerprint(exports: Path) -> None:
    default, other = fingerprint(exports / "module"), fingerprint(exports / "module", signature="other")

    assert (default.kind, other.kind) == ("computation", "computation")
    assert default.sha256 != other.sha256


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("lookup", "`VarHandleOp` (node `Variable`) runs when the model is loaded"),
        ("random", "`RandomUniform` (node `random_uniform/RandomUniform`) has a state, or is an unknown operation"),
        ("counter", "`AssignAddVariableOp` (node `AssignAddVariableOp`) has a state, or is an unknown operation"),
        ("tf1-assign", "`Assign` (node `Assign`) has a state, or is an unknown operation"),
        ("same-name", "variable `one` stands for two nodes"),
    ],
)
def test_what_is_not_followed_gets_the_digest_of_the_bytes_and_says_why(exports: Path, name: str, note: str) -> None:
    made = fingerprint(exports / name)

    assert made.kind == "bytes"
    assert made.note.endswith(note)


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("arguments", "note"),
    [
        ({"signature": "gone"}, "no signature `gone`"),
        ({"tags": ("serve", "gpu")}, "0 graphs tagged `serve`, `gpu`"),
    ],
)
def test_a_missing_signature_or_tag_is_named(exports: Path, arguments: dict[str, str], note: str) -> None:
    made = fingerprint(exports / "cnn", **arguments)  # type: ignore[arg-type]

    assert (made.kind, made.note) == ("bytes", note)


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("file", "note"),
    [
        ("variables/variables.index", "checkpoint has no index: No such file or directory"),
        (
            "variables/variables.data-00000-of-00001",
            "cannot read `variables.data-00000-of-00001`: No such file or directory",
        ),
    ],
)
def test_a_missing_checkpoint_file_is_named(exports: Path, tmp_path: Path, file: str, note: str) -> None:
    copy = Path(shutil.copytree(exports / "cnn", tmp_path / "copy"))
    (copy / file).unlink()

    made = fingerprint(copy)

    assert (made.kind, made.note) == ("bytes", note)


@pytest.mark.heavy
@pytest.mark.parametrize(
    "file", ["saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"]
)
def test_a_truncated_file_gives_bytes(exports: Path, tmp_path: Path, file: str) -> None:
    copy = Path(shutil.copytree(exports / "cnn", tmp_path / "copy"))
    content = (copy / file).read_bytes()
    (copy / file).write_bytes(content[: len(content) // 2])

    made = fingerprint(copy)

    assert made.kind == "bytes"
    assert made.note


@pytest.mark.heavy
def test_flipped_bits_never_raise_and_never_pass_for_another_computation(exports: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(exports / "cnn", tmp_path / "copy"))
    path = copy / "saved_model.pb"
    content, dice = path.read_bytes(), random.Random(0)  # noqa: S311 - a repeatable choice
    other = fingerprint(exports / "strides").sha256

    for _ in range(300):
        at = dice.randrange(len(content))
        path.write_bytes(content[:at] + bytes([content[at] ^ 1 << dice.randrange(8)]) + content[at + 1 :])
        assert fingerprint(copy).sha256 != other


@pytest.mark.heavy
@pytest.mark.parametrize("file", ["variables.index", "variables.data-00000-of-00001"])
def test_flipped_bit_of_a_checkpoint_is_seen(exports: Path, tmp_path: Path, file: str) -> None:
    """It flips in what no output needs too, and in the checksums themselves."""
    copy = Path(shutil.copytree(exports / "cnn", tmp_path / "copy"))
    path = copy / "variables" / file
    content, dice = path.read_bytes(), random.Random(0)  # noqa: S311 - a repeatable choice
    read = set(range(len(content))) - unread(content, file)

    for at in dice.sample(sorted(read), 200):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1 << dice.randrange(8)]) + content[at + 1 :])
        assert fingerprint(copy).kind == "bytes", at


def unread(content: bytes, file: str) -> set[int]:
    """Return which bytes TensorFlow does not read: of an index, the empty list of other indexes and what fills up."""
    if file != "variables.index":
        return set()
    footer = memoryview(content)[-48:]
    start, at = varint(footer, 0)
    size, begin = varint(footer, at)
    _, at = varint(footer, begin)
    _, end = varint(footer, at)
    base = len(content) - len(footer)
    return {*range(start, start + size + 5), *range(base, base + begin), *range(base + end, base + 40)}


@pytest.mark.heavy
@pytest.mark.parametrize("wrong", ["bytes", "strings", "type", "shape", "reader"])
def test_checkpoint_that_contradicts_itself_is_seen_though_its_blocks_are_sound(
    exports: Path, tmp_path: Path, wrong: str
) -> None:
    """What an index says of its values is changed, with the checksums of its blocks made right."""
    copy = Path(shutil.copytree(exports / "cnn", tmp_path / "copy"))
    path = copy / "variables/variables.index"
    entries = {key: bytes(value) for key, value in table(memoryview(path.read_bytes()))}
    key = b"_CHECKPOINTABLE_OBJECT_GRAPH" if wrong == "strings" else max(entries)
    if wrong == "reader":
        entries[b""] = message((1, 1), (3, message((1, 1), (2, 2))))
    else:
        entries[key] = contradicting(entries[key], wrong)
    path.write_bytes(written(entries))

    made = fingerprint(copy)

    told = {
        "bytes": "has a value that does not match its checksum",
        "strings": "has a value that does not match its checksum",
        "type": "states a size that contradicts the type and shape of a value",
        "shape": "states a size that contradicts the type and shape of a value",
        "reader": "checkpoint requires a later reader",
    }
    assert (made.kind, told[wrong] in made.note) == ("bytes", True), made.note


def contradicting(entry: bytes, wrong: str) -> bytes:
    """Return a BundleEntryProto with another checksum, type or shape."""
    read = Message(memoryview(entry))
    checksum = bytes(read.view(6))
    if wrong in {"bytes", "strings"}:
        checksum = bytes([checksum[0] ^ 1]) + checksum[1:]
    shape = message((2, message((1, 7))), (2, message((1, 7)))) if wrong == "shape" else bytes(read.view(2))
    kept = [(number, read.integer(number)) for number in (3, 4, 5)]
    return message((1, 9 if wrong == "type" else read.integer(1)), (2, shape), *kept) + b"\x35" + checksum


@pytest.mark.heavy
def test_index_that_is_written_anew_is_the_same(exports: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(exports / "cnn", tmp_path / "copy"))
    path = copy / "variables/variables.index"
    path.write_bytes(written({key: bytes(value) for key, value in table(memoryview(path.read_bytes()))}))

    assert fingerprint(copy) == fingerprint(exports / "cnn")


def test_graph_that_asks_for_another_reader_has_another_fingerprint(tmp_path: Path) -> None:
    one = frozen(tmp_path / "1.pb", X, node("y", "Neg", "x"))
    versions = message((4, message((1, 2474))))
    content = (tmp_path / "1.pb").read_bytes()
    assert content.endswith(versions)
    (tmp_path / "2.pb").write_bytes(content.removesuffix(versions) + message((4, message((1, 2474), (2, 99_999)))))

    assert fingerprint(tmp_path / "2.pb").sha256 != one.sha256


REGISTRY = r"""
from tensorflow.core.framework import op_def_pb2
from tensorflow.python.client import pywrap_tf_session as session
for op in op_def_pb2.OpList.FromString(session.TF_GetBuffer(session.TF_GetAllOpList())).op:
    handles = [argument.type == 20 for argument in op.input_arg]
    if not op.is_stateful and not any([a.is_ref for a in [*op.input_arg, *op.output_arg]] + handles):
        print(op.name)
"""


@pytest.mark.heavy
def test_tensorflow_says_that_the_ops_listed_as_pure_are_stateless() -> None:
    done = warm.run(["-c", REGISTRY], by="tensorflow")

    assert 0 == done.returncode, done.stderr
    assert sorted((PURE | OPAQUE) - set(done.stdout.split())) == []


@pytest.mark.heavy
def test_fingerprinting_imports_no_framework(exports: Path) -> None:
    script = (
        "import sys, pathlib; from ovmake.sources.fingerprint import fingerprint; "
        "assert fingerprint(pathlib.Path(sys.argv[1])).kind == 'computation'; "
        "print(sorted({'tensorflow', 'google', 'google.protobuf', 'numpy', 'keras'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(exports / "cnn")], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout == "[]\n"
