"""Descriptions as the workers would give them."""

from __future__ import annotations

from dataclasses import replace

from ovmake.commands.inspect.description import ConversionProblem, Description
from ovmake.contracts.files.inspected import LayerDescription, Port, Quantization, Signature

IMAGE = Port(name="image", shape=(-1, 96, 96, 3), type="f32")
SCORES = Port(name="scores", shape=(-1, 10), type="f32")

MOBILE = Description(
    source="models/mobile",
    kind="saved-model",
    way="tf.saved_model.load",
    size_bytes=14_427_469,
    parameters=3_538_984,
    signature="serving_default",
    tags=("serve",),
    signatures=(
        Signature(name="features", tags=("serve",), inputs=("image",), outputs=("map", "mask")),
        Signature(name="serving_default", tags=("serve",), inputs=("image",), outputs=("scores",)),
    ),
    inputs=(IMAGE,),
    outputs=(SCORES,),
    layers=(
        LayerDescription(
            name="backbone",
            operations=("Conv2D", "BiasAdd", "Relu6"),
            outputs=(Port(name="a:0", shape=(-1, 3, 3, 1280), type="f32"),),
            parts=2,
        ),
        LayerDescription(
            name="backbone/a_layer_with_quite_a_long_name_in_it",
            operations=("Conv2D", "BiasAdd", "Relu6"),
            outputs=(Port(name="b:0", shape=(-1, 3, 3, 1280), type="f32"),),
            parts=0,
        ),
        LayerDescription(
            name="split",
            operations=("Split",),
            outputs=(
                Port(name="net/split/split:0", shape=(-1, 5), type="f32"),
                Port(name="net/split/split:1", shape=None, type="f32"),
            ),
            parts=0,
        ),
    ),
    operations={"Conv2D": 35, "Relu6": 35, "BiasAdd": 1, "Split": 1},
    converted={"Convolution": 35, "Clamp": 35},
)

MISSING = ConversionProblem(
    code="unsupported-operations",
    message="OpenVINO has no conversion rule for `Betainc`, `MatrixSolve`",
    operations=("Betainc", "MatrixSolve"),
    notes=("Model wasn't fully converted.\n-- No conversion rule found for operations: Betainc, MatrixSolve",),
)

UNSUPPORTED = replace(MOBILE, source="models/odd", converted=None, problems=(MISSING,))

QUANTIZED = Description(
    source="models/tiny.tflite",
    kind="tflite",
    way="tf.lite.Interpreter",
    size_bytes=999,
    parameters=77_706,
    inputs=(
        Port(name="x", shape=(1, 32, 32, 3), type="i8", quantization=Quantization(scale=0.0078125, zero_point=-128)),
    ),
    outputs=(Port(name="y", shape=(1, 10), type="i8", quantization=Quantization(scale=0.25, zero_point=0)),),
    layers=(),
    operations={},
    converted={"Convolution": 9},
)
