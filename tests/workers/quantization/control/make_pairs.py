"""Quantize small models and give layers back: `python make_pairs.py`, JSON on stdout; see test_pair.py."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import nncf
import numpy as np
import openvino as ov
from openvino import opset13 as ops

from ovmake.workers.quantization.control.pair import Pair
from ovmake.workers.quantization.control.probing import NoRowsError, Prober

Made = tuple[Any, Any]
RANDOM = np.random.default_rng(0)


def constant(*shape: int) -> Any:
    """Return small random weights."""
    return ops.constant((RANDOM.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32))


def convolution(value: Any, name: str, channels: tuple[int, int], *, biased: bool = True) -> Any:
    """Return a 3 x 3 convolution with its bias."""
    out, into = channels
    node = ops.convolution(value, constant(out, into, 3, 3), [1, 1], [1, 1], [1, 1], [1, 1], name=name)
    return ops.add(node, constant(1, out, 1, 1), name=f"{name}/bias") if biased else node


def shared(batch: int = -1) -> Any:
    """Two convolutions read one value through a Transpose and a MaxPool; a residual; a MatMul without a bias."""
    image = ops.parameter([batch, 8, 8, 3], np.float32, name="image")
    moved = ops.transpose(image, ops.constant([0, 3, 1, 2]), name="moved")
    first = ops.relu(convolution(moved, "first", (8, 3)), name="first/relu")
    pooled = ops.max_pool(first, [1, 1], [1, 1], [0, 0], [0, 0], [2, 2], name="pooled").output(0)
    left = ops.relu(convolution(pooled, "left", (8, 8)), name="left/relu")
    right = convolution(pooled, "right", (8, 8), biased=False)
    added = ops.add(left, right, name="added")
    mean = ops.reduce_mean(added, ops.constant([2, 3]), keep_dims=False, name="mean")
    scores = ops.matmul(mean, constant(8, 5), transpose_a=False, transpose_b=False, name="scores")
    return ov.Model([ops.result(ops.softmax(scores, 1), name="out")], [image], "shared")


def turned() -> Any:
    """The batch does not come first inside, so that samples cannot be told apart by rows."""
    image = ops.parameter([1, 8, 8, 3], np.float32, name="image")
    moved = ops.transpose(image, ops.constant([2, 0, 1, 3]), name="turned")
    first = ops.relu(convolution(moved, "first", (4, 1)), name="first/relu")
    second = convolution(first, "second", (4, 4))
    mean = ops.reduce_mean(second, ops.constant([0]), keep_dims=True, name="mean")
    return ov.Model([ops.result(mean, name="out")], [image], "turned")


def attention(batch: int = -1) -> Any:
    """One head of attention, for SmoothQuant, which puts a Multiply before a layer and changes its weights."""
    tokens = ops.parameter([batch, 6, 16], np.float32, name="tokens")
    query, key, value = (ops.matmul(tokens, constant(16, 16), False, False, name=name) for name in ("q", "k", "v"))
    weights = ops.softmax(ops.matmul(query, key, False, True, name="scores"), 2, name="weights")
    mixed = ops.matmul(weights, value, False, False, name="mixed")
    summed = ops.add(tokens, ops.matmul(mixed, constant(16, 16), False, False, name="o"), name="residual")
    grown = ops.relu(
        ops.add(ops.matmul(summed, constant(16, 32), False, False, name="up"), constant(1, 1, 32), name="up/bias")
    )
    return ov.Model(
        [ops.result(ops.matmul(grown, constant(32, 16), False, False, name="down"), name="out")], [tokens], "head"
    )


def run(model: Any, feeds: list[Any]) -> Any:
    """Return the outputs of a model, sample by sample."""
    compiled = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return np.stack([np.array(compiled(feed)[0]) for feed in feeds])


def quantized(model: Any, feeds: list[Any]) -> Any:
    """Return the model in INT8."""
    kind = nncf.ModelType.TRANSFORMER if model.get_friendly_name() == "head" else None
    preset = nncf.QuantizationPreset.MIXED
    return nncf.quantize(model, nncf.Dataset(feeds), subset_size=len(feeds), preset=preset, model_type=kind)


def facts(build: Callable[[], Any]) -> dict[str, Any]:
    """Return what is to be seen of a model and its layers."""
    floating = build()
    shape = [1, *(size.get_length() for size in list(floating.input().get_partial_shape())[1:])]
    feeds = [RANDOM.random(shape, dtype=np.float32) for _ in range(32)]
    pair = Pair(floating, quantized(floating, feeds))
    names = [layer.name for layer in pair.layers]
    expected = run(floating, feeds)
    back = pair.with_float(names)
    alone = {
        name: run(pair.with_float([other for other in names if other != name]), feeds) - expected for name in names
    }
    return {
        "layers": [[layer.name, layer.type] for layer in pair.layers],
        "int8_moves": bool(np.abs(run(pair.quantized, feeds) - expected).max() > 1e-5),
        "all_back": bool(np.array_equal(expected, run(back, feeds))),
        "left_when_all_back": [layer.name for layer in Pair(floating, back).layers],
        "left_without": {
            name: [layer.name for layer in Pair(floating, pair.with_float([name])).layers] for name in names
        },
        "effects": effects(pair, feeds, alone),
    }


def effects(pair: Pair, feeds: list[Any], alone: dict[str, Any]) -> dict[str, Any] | str:
    """Return how far the prober's effects are from those of one quantized layer each, and how large these are."""
    try:
        prober = Prober(pair)
        found = np.stack([prober.effects({0: feed})[0] for feed in feeds])
    except NoRowsError as error:
        return str(error)
    return {
        name: [float(np.abs(found[:, place] - effect[:, 0]).max()), float(np.abs(effect).max())]
        for place, (name, effect) in enumerate(alone.items())
    }


if __name__ == "__main__":
    print(json.dumps({"shared": facts(shared), "turned": facts(turned), "attention": facts(attention)}))
