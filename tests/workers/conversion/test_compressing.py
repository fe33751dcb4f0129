"""Weights in 8 and 4 bits, and constants that NNCF has no scale for: these stay in floating point."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ovmake.contracts.codec import encode_object
from ovmake.contracts.params.quantization import CompressWeightsParams, IgnoredParams, WeightParams
from ovmake.workers.ipc.protocol import Request

pytestmark = pytest.mark.heavy


def constant(*shape: int) -> Any:
    from openvino import opset13 as op

    return op.constant(np.random.default_rng(0).standard_normal(shape).astype(np.float32))


def table() -> Any:
    """Look single numbers up."""
    from openvino import opset13 as op

    ids = op.parameter([-1], np.int32, name="ids")
    return [ids], op.gather(constant(10_000), ids, op.constant(0))


def row() -> Any:
    """Look a number up by an axis that is an input."""
    from openvino import opset13 as op

    axis = op.parameter([], np.int32, name="axis")
    return [axis], op.gather(constant(10_000), op.constant([1, 2, 3]), axis)


def both() -> Any:
    """Look single numbers up, and vectors, and multiply them."""
    from openvino import opset13 as op

    ids = op.parameter([-1], np.int32, name="ids")
    vectors = op.matmul(op.gather(constant(500, 64), ids, op.constant(0)), constant(64, 256), False, False)
    numbers = op.gather(constant(10_000), ids, op.constant(0))
    return [ids], op.multiply(vectors, op.unsqueeze(numbers, op.constant(1)))


def empty() -> Any:
    """Multiply by a weight without rows, beside one with some."""
    from openvino import opset13 as op

    x, none = op.parameter([-1, 256], np.float32, name="x"), op.parameter([-1, 0], np.float32, name="none")
    y = op.add(op.matmul(x, constant(256, 256), False, False), op.matmul(none, constant(0, 256), False, False))
    return [x, none], y


MODELS = {"table": table, "row": row, "both": both, "empty": empty}


NOTHING = IgnoredParams()


def compressed(
    make: Callable[[], Any], mode: str, folder: Path, ignored: IgnoredParams = NOTHING
) -> tuple[dict[str, Any], Any]:
    """Return what *compress-weights* answers, and the IR."""
    import openvino as ov

    from ovmake.workers.conversion import ir
    from ovmake.workers.quantization.quantizing import compress_weights

    inputs, y = make()
    model = ov.Model([ov.opset13.result(y, name="y")], inputs, "m")
    paths = {role: str(folder / f"{role}.{role[-3:]}") for role in ("xml", "bin")}
    made = {role: str(folder / f"made.{role}") for role in ("xml", "bin")}
    ir.write(model, paths["xml"], paths["bin"])
    params = encode_object(CompressWeightsParams(weights=WeightParams(mode=mode, ignored=ignored)))
    request = Request(id=1, kind="compress-weights", params=params, inputs=paths, outputs=made)
    return dict(compress_weights(request)), ir.read(made["xml"], made["bin"])


@pytest.mark.parametrize("mode", ["int8_asym", "int4_sym"])
@pytest.mark.parametrize(
    ("name", "floats"), [("table", [10_000]), ("row", [10_000]), ("both", [10_000]), ("empty", [])]
)
def test_table_of_single_numbers_stays_in_floating_point(
    name: str, floats: list[int], mode: str, tmp_path: Path
) -> None:
    facts, model = compressed(MODELS[name], mode, tmp_path)

    sizes = [
        int(np.prod(list(op.get_shape())))
        for op in model.get_ops()
        if op.get_type_name() == "Constant" and op.get_element_type().to_string() == "f32"
    ]
    assert floats == [size for size in sizes if size > 1]
    assert (name in {"table", "row"}) == ("warnings" in facts)


def test_others_that_are_ignored_stay_ignored(tmp_path: Path) -> None:
    _, plain = compressed(both, "int8_asym", tmp_path)
    _, model = compressed(both, "int8_asym", tmp_path, IgnoredParams(types=("MatMul",)))

    count = [
        sum(op.get_element_type().to_string() == "u8" for op in one.get_ops() if op.get_type_name() == "Constant")
        for one in (plain, model)
    ]
    assert count[0] > count[1] > 0


def test_nothing_compressed_is_said(tmp_path: Path) -> None:
    facts, _ = compressed(table, "int8_asym", tmp_path)

    code, message, *_ = facts["warnings"][0]
    assert "nothing-compressed" == code
    assert message.endswith("so the IR equals that of fp32: 40000 bytes in f32, 8 bytes in i64")
