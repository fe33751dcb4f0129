"""The IR does to its inputs inside what numpy does outside for TensorFlow: by definition, and when it is run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ovmake.contracts.codec import decode
from ovmake.contracts.files.interface import Constant, Interface, Preparation, Tensor
from ovmake.contracts.params.model import InputParams
from ovmake.errors import ActionError
from ovmake.workers.inputs.preparing import NUMPY_TYPES, filled, prepared, unprepared


def brought(array: Any, plan: Preparation) -> Any:
    tensor = Tensor(name="x", shape=array.shape, type="f32", prepare=plan)
    return prepared({"x": array}, Interface(inputs=(tensor,), outputs=()))["x"]


def test_channels_are_reversed_before_mean_and_scale() -> None:
    bgr = np.array([[3, 2, 1]], dtype=np.uint8)
    plan = Preparation(reverse=1, mean=(1.0, 1.0, 1.0), scale=(1.0, 2.0, 4.0), channels=1, type="f32")

    assert [[0.0, 0.5, 0.5]] == brought(bgr, plan).tolist()


def test_alpha_stays_behind_the_colours() -> None:
    bgra = np.array([[[3, 2, 1, 9]], [[6, 5, 4, 8]]], dtype=np.uint8).transpose(0, 2, 1)
    plan = Preparation(reverse=1, colours=4, mean=(1.0, 1.0, 1.0, 0.0), channels=1, type="f32")

    assert [[0, 1, 2, 9], [3, 4, 5, 8]] == brought(bgra, plan)[:, :, 0].tolist()


def test_mean_of_a_vector_is_per_element() -> None:
    plan = Preparation(mean=(1.0, 2.0, 3.0), channels=0, type="f32")

    assert [0, 1, 2] == brought(np.array([1, 3, 5], dtype=np.float32), plan).tolist()


def test_prepared_half_stays_half() -> None:
    result = brought(np.array([[5]], dtype=np.float16), Preparation(mean=(1.0,), scale=(2.0,), type="f16"))

    assert ("float16", [[2.0]]) == (result.dtype.name, result.tolist())


def test_linear_resizing_is_half_pixel_and_repeats_the_edge() -> None:
    row = np.array([[[0.0], [4.0]]], dtype=np.float32)

    result = brought(row, Preparation(resize="linear", axes=(1,), size=(4,), type="f32"))

    assert [0.0, 1.0, 3.0, 4.0] == result.ravel().tolist()


def test_unprepared_values_come_back() -> None:
    plan = Preparation(reverse=1, mean=(1.0, 2.0, 3.0), scale=(4.0, 5.0, 6.0), channels=1, type="f32")
    unit = np.array([[0.25, -0.5, 1.0]], dtype=np.float32)

    assert np.allclose(unit, brought(unprepared(unit, plan).astype(np.float32), plan))


@pytest.mark.parametrize(
    ("constant", "expected"),
    [
        (Constant(name="k", shape=(), type="boolean", values=(False,)), False),
        (Constant(name="k", shape=(2, 2), type="f32", values=(0.5,)), [[0.5, 0.5], [0.5, 0.5]]),
        (Constant(name="k", shape=(2, 2), type="i64", values=(1, 2, 3, 4)), [[1, 2], [3, 4]]),
        (Constant(name="k", shape=(3, 2), type="i32", values=(1, 2)), [[1, 2], [1, 2], [1, 2]]),
    ],
)
def test_constant_fills_the_shape(constant: Constant, expected: object) -> None:
    assert expected == filled(constant).tolist()


@pytest.mark.parametrize(
    ("constant", "code"),
    [
        (Constant(name="k", shape=(2, 2), type="f32", values=(1, 2, 3)), "frozen-shape"),
        (Constant(name="k", shape=(2,), type="i32", values=(0.5,)), "frozen-type"),
        (Constant(name="k", shape=(2,), type="u8", values=(300,)), "frozen-type"),
        (Constant(name="k", shape=(2,), type="boolean", values=(2,)), "frozen-type"),
    ],
)
def test_constant_that_does_not_fit_is_refused(constant: Constant, code: str) -> None:
    with pytest.raises(ActionError) as refusal:
        filled(constant)

    assert code == refusal.value.code


SETTINGS: list[dict[str, Any]] = [
    {"mean": [1.5], "scale": [2.0]},
    {"mean": [10.0, 20.0, 30.0], "scale": [2.0, 3.0, 4.0], "reverse-channels": True},
    {"layout": "NCHW"},
    {"layout": "NCHW", "type": "u8", "reverse-channels": True, "mean": [1.0, 2.0, 3.0], "scale": [5.0]},
    {"type": "i64"},
    {"type": "f16", "scale": [255.0]},
    {"type": "u8", "resize": "linear"},
    {"resize": "cubic", "layout": "NCHW", "mean": [0.1, 0.2, 0.3]},
    {"resize": "nearest", "type": "u8", "reverse-channels": True},
    {"model-layout": "NHWC", "layout": "NWHC", "reverse-channels": True, "scale": [1.0, 2.0, 3.0]},
]
WITH_ALPHA: list[dict[str, Any]] = [
    {"reverse-channels": True},
    {"reverse-channels": True, "layout": "NCHW", "type": "u8", "mean": [1.0, 2.0, 3.0, 4.0], "scale": [5.0]},
    {"reverse-channels": True, "resize": "linear"},
]


@pytest.mark.heavy
@pytest.mark.parametrize(("settings", "channels"), [*((one, 3) for one in SETTINGS), *((one, 4) for one in WITH_ALPHA)])
@pytest.mark.parametrize("seed", [0, 1])
def test_ir_does_inside_what_numpy_does_outside(settings: dict[str, Any], channels: int, seed: int) -> None:
    import openvino as ov

    from ovmake.workers.conversion import ir
    from ovmake.workers.conversion.preprocessing import preprocess

    model, preparations = preprocess(_identity([-1, 6, 8, channels]), {"x": decode(InputParams, settings, "settings")})
    plan = preparations["x"]
    generator = np.random.default_rng(seed)
    sizes = dict(zip(settings.get("model-layout", "NHWC"), [2, 6, 8, channels], strict=True))
    if "resize" in settings:
        sizes |= {"H": int(generator.integers(3, 15)), "W": int(generator.integers(3, 15))}
    raw = (generator.random([sizes[letter] for letter in settings.get("layout", "NHWC")]) * 255).astype(
        NUMPY_TYPES[settings.get("type", "f32")]
    )

    compiled = ov.Core().compile_model(model, "CPU", ir.COMPILE_PROPERTIES)
    inside = next(iter(compiled.create_infer_request().infer([raw]).values()))

    outside = brought(raw, plan)
    assert (2, 6, 8, channels) == outside.shape == inside.shape
    assert np.abs(inside - outside).max() <= 1e-4 * max(1.0, float(np.abs(outside).max()))


def _identity(shape: list[int]) -> Any:
    import openvino as ov
    from openvino import opset13

    given = opset13.parameter(shape, np.float32, name="x")
    given.output(0).get_tensor().set_names({"x"})
    result = opset13.result(opset13.multiply(given, opset13.constant(np.float32(1))), name="y")
    return ov.Model([result], [given], "identity")


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("shape", "settings", "code"),
    [
        ([-1, 6, 8, 1], {"reverse-channels": True}, "channel-count"),
        ([-1, 6, 8, 1], {"reverse-channels": True, "layout": "NCHW"}, "channel-count"),
        ([-1, 6, 8, 2], {"reverse-channels": True, "resize": "linear"}, "channel-count"),
        ([-1, 6, 8, -1], {"reverse-channels": True, "model-layout": "NHWC"}, "channel-count"),
        ([-1, 3], {"reverse-channels": True, "layout": "NX"}, "channel-count"),
        ([-1, 6, 8, 3], {"mean": [1.0, 2.0]}, "channel-count"),
        ([-1, 6, 8, 3], {"layout": "NCHW", "mean": [1.0, 2.0]}, "channel-count"),
        ([-1, 6, 8, 3], {"layout": "NCW"}, "layout-rank"),
        ([-1, 6, 8, 3], {"layout": "NDHW"}, "layout-mismatch"),
        ([-1, -1, -1, 3], {"resize": "linear"}, "resize-shape"),
        ([-1, 6], {"resize": "linear"}, "resize-shape"),
        ([-1, 6, 8, 7], {"reverse-channels": True}, "channel-count"),
    ],
)
def test_setting_that_does_not_fit_its_input_is_refused(shape: list[int], settings: dict[str, Any], code: str) -> None:
    from ovmake.workers.conversion.preprocessing import preprocess

    with pytest.raises(ActionError) as refusal:
        preprocess(_identity(shape), {"x": decode(InputParams, settings, "settings")})

    assert code == refusal.value.code
