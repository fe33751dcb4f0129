"""Names of layers: what `cut.inputs` and `cut.outputs` mean, on graphs as Keras, TF1 and tf.Module leave them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ovmake.errors import ActionError
from ovmake.sources.layers import Cut, Layers, Op, SourceLayer, ops_of_graph
from tests import warm

ROOT = Path(__file__).parent.parent.parent

CALL = "StatefulPartitionedCall"
NET = f"{CALL}/net_1"


def graph(*lines: str) -> tuple[Op, ...]:
    """Return ops from lines such as `Relu a/relu <- a/conv b:1`."""
    ops = []
    for line in lines:
        made, _, taken = line.partition("<-")
        kind, name = made.split()
        ops.append(
            Op(name=name, type=kind, inputs=tuple(t if ":" in t else f"{t}:0" for t in taken.split())),
        )
    return tuple(ops)


# A convolution, a batch normalization of several ops, a residual addition, two heads; as an exported Keras 3 model.
KERAS_3 = graph(
    "Placeholder image",
    f"Identity Func/{CALL}/input/_0 <- image",
    "Const unknown",
    f"Identity Func/{CALL}/input/_1 <- unknown",
    f"Identity {NET}/conv2d_1/convolution/ReadVariableOp <- Func/{CALL}/input/_1",
    f"Conv2D {NET}/conv2d_1/convolution <- Func/{CALL}/input/_0 {NET}/conv2d_1/convolution/ReadVariableOp",
    f"Rsqrt {NET}/bn_1/batchnorm/Rsqrt <- unknown",
    f"Mul {NET}/bn_1/batchnorm/mul <- {NET}/bn_1/batchnorm/Rsqrt unknown",
    f"Mul {NET}/bn_1/batchnorm/mul_1 <- {NET}/conv2d_1/convolution {NET}/bn_1/batchnorm/mul",
    f"AddV2 {NET}/bn_1/batchnorm/add_1 <- {NET}/bn_1/batchnorm/mul_1 unknown",
    f"Conv2D {NET}/conv2d_1_1/convolution <- {NET}/bn_1/batchnorm/add_1 unknown",
    f"AddV2 {NET}/add_1/Add <- {NET}/bn_1/batchnorm/add_1 {NET}/conv2d_1_1/convolution",
    f"MatMul {NET}/left_1/MatMul <- {NET}/add_1/Add unknown",
    f"MatMul {NET}/right_1/MatMul <- {NET}/add_1/Add unknown",
    f"Identity {CALL}/Identity <- {NET}/left_1/MatMul",
    f"Identity {CALL}/Identity_1 <- {NET}/right_1/MatMul",
    f"Identity Func/{CALL}/output/_2 <- {CALL}/Identity",
    f"Identity Identity <- Func/{CALL}/output/_2",
    f"Identity Identity_1 <- {CALL}/Identity_1",
)


def keras_3() -> Layers:
    return Layers(KERAS_3, inputs={"image": "image:0"}, outputs={"left_out": "Identity:0", "right_out": "Identity_1:0"})


def names(layers: Layers) -> list[str]:
    return [layer.name for layer in layers.layers()]


# names of Keras 3


def test_layers_are_called_as_in_keras() -> None:
    assert ["image", "conv2d", "bn", "conv2d_1", "add", "left", "right"] == names(keras_3())


def test_a_layer_lists_its_operations_once_and_weights_are_no_inputs() -> None:
    bn = keras_3().layers()[2]

    expected = SourceLayer(
        name="bn",
        types=("Mul", "AddV2"),
        inputs=(f"{NET}/conv2d_1/convolution:0",),
        outputs=(f"{NET}/bn_1/batchnorm/add_1:0",),
    )
    assert expected == bn


@pytest.mark.parametrize(
    "name",
    [
        "conv2d_1",  # as Keras calls it; the scope of layer `conv2d` has the same name
        "conv2d_1_1",  # its scope
        "net/conv2d_1",
        "net_1/conv2d_1_1",
        f"{NET}/conv2d_1_1",
        "conv2d_1/convolution",
        f"{NET}/conv2d_1_1/convolution",
        f"{NET}/conv2d_1_1/convolution:0",
    ],
)
def test_a_layer_has_many_names(name: str) -> None:
    assert f"{NET}/conv2d_1_1/convolution:0" == keras_3().output(name)


def test_what_flows_into_a_layer_is_named_past_plumbing() -> None:
    assert ("image:0",) == keras_3().inputs("conv2d")


def test_a_layer_with_two_inputs_is_cut_at_both() -> None:
    assert (f"{NET}/bn_1/batchnorm/add_1:0", f"{NET}/conv2d_1_1/convolution:0") == keras_3().inputs("add")


def test_a_tensor_name_means_that_tensor() -> None:
    assert (f"{NET}/add_1/Add:0",) == keras_3().inputs(f"{NET}/add_1/Add:0")


def test_inputs_and_outputs_of_the_model_have_their_own_names() -> None:
    assert ("image:0",) == keras_3().inputs("image")
    assert "Identity_1:0" == keras_3().output("right_out")


def test_a_lone_scope_that_ends_in_a_number_is_found_with_it_and_without() -> None:
    layers = Layers(graph("Placeholder x", "Const w", "MatMul sequential_1/dense_2_1/MatMul <- x w"))

    assert ["x", "dense_2_1"] == names(layers)
    assert "sequential_1/dense_2_1/MatMul:0" == layers.output("dense_2_1") == layers.output("dense_2")


def test_a_layer_called_twice_is_ambiguous_and_each_call_has_a_name() -> None:
    layers = Layers(
        graph(
            "Placeholder a",
            "Placeholder b",
            "MatMul net_1/shared_1/MatMul <- a w",
            "MatMul net_1/shared_3/MatMul <- b w",
            "ConcatV2 net_1/cat_1/concat <- net_1/shared_1/MatMul net_1/shared_3/MatMul",
            "Const w",
        ),
    )

    assert ["a", "shared_1", "b", "shared_3", "cat"] == names(layers)
    assert "net_1/shared_3/MatMul:0" == layers.output("shared_3")
    with pytest.raises(ActionError) as failed:
        layers.output("shared")
    assert "ambiguous-layer" == failed.value.code
    assert "`shared` may mean `shared_1`, `shared_3`" == failed.value.message


def test_a_scope_whose_name_was_taken_has_another_number() -> None:
    layers = Layers(
        graph(
            "Placeholder x",
            "Const w",
            "Conv2D net_1/conv2d_1/Conv2D <- x w",
            "Relu net_1/relu_1/Relu <- net_1/conv2d_1/Conv2D",
            "Conv2D net_1/conv2d_1_2/Conv2D <- net_1/relu_1/Relu w",
        ),
    )

    assert ["x", "conv2d", "relu", "conv2d_1"] == names(layers)
    assert "net_1/conv2d_1_2/Conv2D:0" == layers.output("conv2d_1")


NESTED = graph(
    "Placeholder x",
    "Const w",
    "Conv2D outer/backbone/stem/Conv2D <- x w",
    "BiasAdd outer/backbone/stem/BiasAdd <- outer/backbone/stem/Conv2D w",
    "Relu outer/backbone/relu/Relu <- outer/backbone/stem/BiasAdd",
    "Conv2D outer/stem/Conv2D <- outer/backbone/relu/Relu w",
    "Softmax outer/softmax/Softmax <- outer/stem/Conv2D",
)


def test_a_model_in_a_model_is_a_layer_that_holds_layers() -> None:
    layers = Layers(NESTED)

    assert ["x", "backbone", "backbone/stem", "relu", "stem", "softmax"] == names(layers)
    assert [0, 2, 0, 0, 0, 0] == [layer.parts for layer in layers.layers()]
    assert "outer/backbone/relu/Relu:0" == layers.output("backbone")


def test_a_name_means_the_layer_of_the_model_before_that_of_a_model_in_it() -> None:
    assert "outer/stem/Conv2D:0" == Layers(NESTED).output("stem")
    assert "outer/backbone/stem/BiasAdd:0" == Layers(NESTED).output("backbone/stem")


# other makers of graphs


def test_keras_2_keeps_numbers_as_they_are() -> None:
    layers = Layers(
        graph(
            "Placeholder x",
            "Const w",
            "Conv2D model/conv2d_1/Conv2D <- x w",
            "Conv2D model/conv2d_2/Conv2D <- model/conv2d_1/Conv2D w",
            "Identity model/dropout/Identity <- model/conv2d_2/Conv2D",
            "Relu model/re_lu/Relu <- model/dropout/Identity",
        ),
    )

    assert ["x", "conv2d_1", "conv2d_2", "dropout", "re_lu"] == names(layers)
    assert "model/dropout/Identity:0" == layers.output("dropout")


def test_a_shared_layer_of_keras_2_gives_two_tensors() -> None:
    layers = Layers(
        graph(
            "Placeholder a",
            "Placeholder b",
            "Const w",
            "MatMul model/shared/MatMul <- a w",
            "MatMul model/shared/MatMul_1 <- b w",
            "AddV2 model/add/add <- model/shared/MatMul model/shared/MatMul_1",
        ),
    )

    assert ("a:0", "b:0") == layers.inputs("shared")
    with pytest.raises(ActionError) as failed:
        layers.output("shared")
    assert "ambiguous-layer" == failed.value.code
    assert "`shared` has 2 output tensors: `model/shared/MatMul:0`, `model/shared/MatMul_1:0`" == failed.value.message


def test_scopes_of_tf1_are_layers_and_branches_keep_their_numbers() -> None:
    layers = Layers(
        graph(
            "Placeholder input",
            "Const w",
            "Conv2D Inception/Conv2d_1a/Conv2D <- input w",
            "FusedBatchNorm Inception/Conv2d_1a/BatchNorm/FusedBatchNorm <- Inception/Conv2d_1a/Conv2D w",
            "Relu6 Inception/Conv2d_1a/Relu6 <- Inception/Conv2d_1a/BatchNorm/FusedBatchNorm",
            "Conv2D Inception/Mixed_5b/Branch_0/Conv2D <- Inception/Conv2d_1a/Relu6 w",
            "Relu6 Inception/Mixed_5b/Branch_0/Relu6 <- Inception/Mixed_5b/Branch_0/Conv2D",
            "Relu Inception/Mixed_5b/Branch_1/Relu <- Inception/Conv2d_1a/Relu6",
            "ConcatV2 Inception/Mixed_5b/concat <- Inception/Mixed_5b/Branch_0/Relu6 Inception/Mixed_5b/Branch_1/Relu",
        ),
    )

    assert ["input", "Conv2d_1a", "Mixed_5b", "Branch_0", "Branch_1", "concat"] == names(layers)
    assert "Inception/Conv2d_1a/Relu6:0" == layers.output("Inception/Conv2d_1a/Relu6")


def test_without_scopes_every_op_is_a_layer() -> None:
    layers = Layers(graph("Placeholder x", "Const w", "MatMul a <- x w", "Relu b <- a", "Split c <- b", "Neg d <- c:1"))

    assert ["x", "a", "b", "c", "d"] == names(layers)
    assert "c:1" == layers.output("c")


def test_a_function_of_a_tf_module_is_taken_apart_into_ops_and_scopes() -> None:
    layers = Layers(
        graph(
            "Placeholder image",
            "Const w",
            f"Conv2D {CALL}/Conv2D <- image w",
            f"Relu {CALL}/Relu <- {CALL}/Conv2D",
            f"Mean {CALL}/head/Mean <- {CALL}/Relu w",
            f"MatMul {CALL}/head/matmul <- {CALL}/head/Mean w",
            f"Identity {CALL}/Identity <- {CALL}/head/matmul",
        ),
    )

    assert ["image", "Conv2D", "Relu", "head"] == names(layers)


def test_a_reshape_with_a_computed_shape_is_one_layer() -> None:
    layers = Layers(
        graph(
            "Placeholder x",
            "Const c",
            "Shape flatten/Shape <- x",
            "Pack flatten/Reshape/shape <- flatten/Shape c",
            "Reshape flatten/Reshape <- x flatten/Reshape/shape",
            "Relu relu/Relu <- flatten/Reshape",
        ),
    )

    assert ["x", "flatten", "relu"] == names(layers)
    assert ("x:0",) == layers.inputs("flatten")


def test_a_loop_of_tf1_is_no_endless_loop() -> None:
    layers = Layers(
        graph("Placeholder x", "Merge m <- x n", "Add a <- m one", "NextIteration n <- a", "Exit e <- m", "Const one"),
    )

    assert {"x", "m", "a", "n", "e"} == set(names(layers))


# names that mean nothing, or too much


def test_the_nearest_name_is_proposed() -> None:
    with pytest.raises(ActionError) as failed:
        keras_3().inputs("conv2d1")

    assert ("unknown-layer", "cut.inputs") == (failed.value.code, failed.value.setting)
    assert "the model has no layer `conv2d1`" == failed.value.message
    assert "did you mean `conv2d_1`? `ovmake inspect MODEL` lists all names" == failed.value.help


def test_candidates_are_listed_by_names_that_are_not_ambiguous() -> None:
    with pytest.raises(ActionError) as failed:
        keras_3().output("convolution")

    assert ("ambiguous-layer", "cut.outputs") == (failed.value.code, failed.value.setting)
    assert "`convolution` may mean `conv2d/convolution`, `conv2d_1/convolution`" == failed.value.message


def test_of_many_candidates_the_first_are_listed() -> None:
    lines = [f"Relu net/l{index}/Relu <- x" for index in range(20)]
    with pytest.raises(ActionError) as failed:
        Layers(graph("Placeholder x", *lines)).output("Relu")

    assert failed.value.message.endswith("`l7/Relu` and 12 more")


# cuts


def test_a_cut_from_the_top_takes_what_flowed_into_the_layer() -> None:
    cut = keras_3().check_cut(["add"], ["left"])

    inputs = (f"{NET}/bn_1/batchnorm/add_1:0", f"{NET}/conv2d_1_1/convolution:0")
    assert Cut(inputs=inputs, outputs=(f"{NET}/left_1/MatMul:0",), originals=()) == cut


def test_a_cut_from_the_bottom_keeps_the_inputs_it_needs() -> None:
    layers = Layers(graph("Placeholder a", "Placeholder b", "Relu r <- a", "Add s <- r b"))

    assert Cut(inputs=("a:0",), outputs=("r:0",), originals=("a",)) == layers.check_cut([], ["r"])


def test_no_cut_is_the_model() -> None:
    expected = Cut(inputs=("image:0",), outputs=("Identity:0", "Identity_1:0"), originals=("image",))
    assert expected == keras_3().check_cut([], [])


@pytest.mark.parametrize(
    ("inputs", "outputs", "code", "message"),
    [
        (
            [f"{NET}/conv2d_1_1/convolution:0"],
            [],
            "dangling-input",
            "input `image` of the model is still needed: `add` depends on it, around the cut",
        ),
        (
            [f"{NET}/left_1/MatMul:0"],
            ["left", "right"],
            "cut-without-effect",
            f"the cut begins at `{NET}/left_1/MatMul:0`, whose input is already an output of the cut: nothing is left",
        ),
        (["left"], ["bn"], "cut-without-effect", "`left` does not lead to any output: the cut ends at `bn`"),
        (
            ["add", "image"],
            [],
            "cut-without-effect",
            "`image` does not lead to any output: other cuts are in between",
        ),
        (
            ["unknown"],
            [],
            "cut-without-effect",
            "`unknown` is computed from constants: no input of the model flows into it",
        ),
        (
            [],
            ["unknown"],
            "cut-without-effect",
            "`unknown` is computed from constants: no input of the model leads to it",
        ),
    ],
)
def test_cuts_that_leave_no_model(inputs: list[str], outputs: list[str], code: str, message: str) -> None:
    with pytest.raises(ActionError) as failed:
        keras_3().check_cut(inputs, outputs)

    assert (code, message) == (failed.value.code, failed.value.message)
    assert failed.value.setting == ("cut.inputs" if inputs else "cut.outputs")


def test_an_output_beside_the_cut_still_needs_the_input() -> None:
    layers = Layers(graph("Placeholder x", "Relu a <- x", "Neg b <- a", "Abs c <- x"))

    with pytest.raises(ActionError) as failed:
        layers.check_cut(["b"], [])

    assert "input `x` of the model is still needed: an output depends on it, around the cut" == failed.value.message
    assert 'add "x" to cut.inputs to keep it, or move the cut' == failed.value.help


def test_an_output_that_flows_into_the_cut_has_to_go() -> None:
    layers = Layers(graph("Placeholder x", "Relu a <- x", "Softmax b <- a"), outputs={"logits": "a:0", "scores": "b:0"})

    with pytest.raises(ActionError) as failed:
        layers.check_cut(["b"], [])

    assert "name the outputs to keep in cut.outputs" == failed.value.help
    assert Cut(inputs=("a:0",), outputs=("b:0",), originals=()) == layers.check_cut(["b"], ["scores"])


def test_an_input_that_is_named_is_kept() -> None:
    layers = Layers(graph("Placeholder x", "Relu a <- x", "Neg b <- a", "Add c <- x b"))

    cut = layers.check_cut(["b", "x"], [])

    assert Cut(inputs=("a:0", "x:0"), outputs=("c:0",), originals=("x",)) == cut


# real graphs

FREEZE = """
import sys
import keras
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2 as freeze

layers = keras.layers
image = keras.Input((16, 16, 3), name="image")
x = layers.Conv2D(4, 3, name="stem")(image)
x = layers.BatchNormalization(name="bn")(x)
x = layers.ReLU(name="act")(x)
backbone = keras.Model(image, x, name="backbone")
left, right = keras.Input((16, 16, 3), name="left"), keras.Input((16, 16, 3), name="right")
a = layers.GlobalAveragePooling2D(name="pool_a")(backbone(left))
b = layers.GlobalAveragePooling2D(name="pool_b")(layers.Conv2D(4, 3, name="stem")(right))
y = layers.Dense(3, name="head")(layers.Add(name="sum")([a, b]))
model = keras.Model([left, right], y, name="two_eyed")
model.export(sys.argv[1], verbose=False)
loaded = tf.saved_model.load(sys.argv[1])
frozen = freeze(loaded.signatures["serving_default"], lower_control_flow=False)
open(sys.argv[2], "wb").write(frozen.graph.as_graph_def().SerializeToString())
traced = tf.function(lambda l, r: model([l, r], training=False))
shape = tf.TensorSpec((None, 16, 16, 3), tf.float32)
frozen = freeze(traced.get_concrete_function(shape, shape), lower_control_flow=False)
open(sys.argv[3], "wb").write(frozen.graph.as_graph_def().SerializeToString())
"""


@pytest.mark.heavy
def test_an_exported_and_a_traced_keras_3_model_have_the_names_of_keras(tmp_path: Path) -> None:
    exported, traced = tmp_path / "exported.pb", tmp_path / "traced.pb"
    done = warm.run(["-c", FREEZE, str(tmp_path / "saved"), str(exported), str(traced)], by="tensorflow")
    assert 0 == done.returncode, done.stderr

    for path in (exported, traced):
        layers = Layers(ops_of_graph(path.read_bytes()))
        found = [name for name in names(layers) if name not in {"left", "right", "l", "r"}]
        expected = ["backbone", "backbone/stem", "bn", "act", "pool_a", "stem", "pool_b", "sum", "head"]
        assert expected == found
        assert layers.output("backbone") == layers.output("act")
        assert layers.inputs("pool_a") == (layers.output("backbone"),)
        with pytest.raises(ActionError, match="`sum` depends on it"):
            layers.check_cut(["pool_a"], [])
        assert 2 == len(layers.check_cut(["pool_a", "pool_b"], ["sum"]).inputs)


# the ops of a layer


@pytest.mark.parametrize("name", ["bn", f"{NET}/bn_1", f"{NET}/bn_1/batchnorm/mul_1", f"{NET}/bn_1/batchnorm/add_1:0"])
def test_ops_of_a_layer_by_its_name_its_path_an_op_or_a_tensor_in_it(name: str) -> None:
    found = keras_3().ops_in(name, "ignored.names")

    assert {f"{NET}/bn_1/batchnorm/mul_1", f"{NET}/bn_1/batchnorm/add_1"} <= found
    assert f"{NET}/conv2d_1/convolution" not in found


def test_ops_of_a_layer_that_is_not_there() -> None:
    with pytest.raises(ActionError) as refusal:
        keras_3().ops_in("bm", "ignored.names")

    assert ("unknown-layer", "ignored.names") == (refusal.value.code, refusal.value.setting)


def test_name_of_thousands_of_scopes_is_an_op_in_none() -> None:
    deep = "a/" * 5_000 + "y"

    layers = Layers(graph("Placeholder x", "Relu block/one <- x", f"Relu {deep} <- block/one"))

    assert "block/one:0" == layers.output("block/one")
    assert [] == [layer.name for layer in layers.layers() if "a/a/a/a" in layer.name]
