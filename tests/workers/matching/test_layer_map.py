"""Which layer of its source an operation of an IR is, on made-up traces."""

from __future__ import annotations

import pytest

from ovmake.sources.layers import Layers

pytestmark = pytest.mark.heavy


def layer_of(operation: str, type_: str, *taps: tuple[str, str, set[str]]) -> str:
    """Return the answer for layers given as name, type and operations, in the order in which they compute."""
    # Loads OpenVINO.
    from ovmake.workers.matching.layer_map import Traced
    from ovmake.workers.matching.probes import Tap

    made = [Tap(layer=name, types=(kind,), tensor=name, spelt=name, inputs=()) for name, kind, _ in taps]
    operations = {number: frozenset(found) for number, (_, _, found) in enumerate(taps)}
    return Traced(layers=Layers([], inputs={}, outputs={}), taps=made, operations=operations).layer_of(operation, type_)


@pytest.mark.parametrize(
    ("operation", "type_", "layer"),
    [
        # All three were folded into the one convolution.
        ("convolution.8", "Convolution", "conv2d_3"),
        ("groupconvolution.9", "GroupConvolution", "depthwise_4"),
        ("dense/MatMul", "MatMul", "dense"),
        ("reducemean.1", "ReduceMean", "pool"),
        # Of no kin that we know, so the first one.
        ("swish.1", "Swish", "odd"),
        ("add.99", "Add", ""),
    ],
)
def test_of_layers_that_became_one_operation_it_is_the_one_of_its_kind(operation: str, type_: str, layer: str) -> None:
    folded = {"convolution.8", "add.9"}
    taps = [
        ("zero_padding", "Pad", folded),
        ("conv2d_3", "Conv2D", folded),
        ("conv2d_3_bn", "FusedBatchNormV3", folded),
        ("depthwise_4", "DepthwiseConv2dNative", {"groupconvolution.9"}),
        ("pool", "Mean", {"reducemean.1"}),
        ("dense", "FULLY_CONNECTED", {"dense/MatMul"}),
        ("odd", "Sigmoid", {"swish.1"}),
        ("odd_mul", "Mul", {"swish.1"}),
    ]

    assert layer == layer_of(operation, type_, *taps)
