"""Samples from files, normalization for TensorFlow, and how outputs are gathered and compared."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from ovmake.workers.interface import Interface, Tensor
from ovmake.workers.metrics import difference, score
from ovmake.workers.protocol import ActionError, Request
from ovmake.workers.samples import Array, Collected, Samples, normalized, take


def interface(*inputs: Tensor) -> Interface:
    return Interface(inputs=inputs, outputs=(), fingerprint="")


def f32(name: str, *shape: int) -> Tensor:
    return Tensor(name=name, shape=shape, type="f32")


def taken(folder: Path, known: Interface, params: dict[str, object] | None = None, **arrays: Array) -> Samples:
    path = folder / "samples.npz"
    np.savez(path, allow_pickle=True, **arrays)
    return take(Request(id=1, kind="reference", params=params or {}, inputs={"dataset": str(path)}), known)


def shapes(samples: Samples) -> list[dict[str, tuple[int, ...]]]:
    return [{name: array.shape for name, array in feed.items()} for feed, _ in samples.feeds()]


def test_array_of_objects_that_nobody_asked_for_is_no_obstacle(tmp_path: Path) -> None:
    names = np.array(["a", None], dtype=object)

    samples = taken(tmp_path, interface(f32("x", -1, 3)), x=np.ones((2, 3)), names=names)

    assert 2 == samples.count


def test_inputs_without_a_common_batch_take_one_sample_at_a_time_with_its_dimension(tmp_path: Path) -> None:
    known = interface(f32("x", -1, 4), f32("b", 1, 4), f32("k"))

    samples = taken(tmp_path, known, x=np.ones((2, 4)), b=np.ones((2, 4)), k=np.ones(2))

    assert [{"x": (1, 4), "b": (1, 4), "k": ()}] * 2 == shapes(samples)
    assert {np.ndarray} == {type(array) for feed, _ in samples.feeds() for array in feed.values()}


def test_inputs_with_different_static_batches_want_whole_inputs(tmp_path: Path) -> None:
    known = interface(f32("x", -1, 4), f32("b", 2, 4))

    with pytest.raises(ActionError, match=r"must be whole inputs: \[samples, 2, 4\]"):
        taken(tmp_path, known, x=np.ones((2, 4)), b=np.ones((2, 4)))


@pytest.mark.parametrize("wrong", ["x", "y"])
def test_single_value_is_no_array_of_samples(tmp_path: Path, wrong: str) -> None:
    arrays: dict[str, Array] = {"x": np.ones((2, 3)), "y": np.zeros(2, dtype=int), wrong: np.array(3)}

    with pytest.raises(ActionError, match=f"array `{wrong}` is a single value"):
        taken(tmp_path, interface(f32("x", -1, 3)), {"dataset.labels": "y"}, **arrays)


def test_whole_numbers_that_do_not_fit_are_refused_and_not_wrapped(tmp_path: Path) -> None:
    known = interface(Tensor(name="x", shape=(-1,), type="i8"))

    with pytest.raises(ActionError, match="from 1 to 200, which do not fit into int8"):
        taken(tmp_path, known, x=np.array([1, 200], dtype=np.uint8))


def test_mean_per_channel_of_an_input_of_rank_1() -> None:
    tensor = Tensor(name="v", shape=(3,), type="f32", mean=(1.0, 2.0, 3.0))

    result = normalized({"v": np.array([1, 3, 5], dtype=np.float32)}, interface(tensor))

    assert [0, 1, 2] == result["v"].tolist()


def test_normalized_half_stays_half() -> None:
    tensor = Tensor(name="v", shape=(-1, 1), type="f16", mean=(1.0,), scale=(2.0,))

    result = normalized({"v": np.array([[5]], dtype=np.float16)}, interface(tensor))

    assert ("float16", [[2.0]]) == (result["v"].dtype.name, result["v"].tolist())


def test_several_rows_per_sample_may_end_in_a_smaller_feed() -> None:
    collected = Collected((f32("y", -1, 2),))

    collected.add({"y": np.zeros((8, 2))}, 4, 4)
    collected.add({"y": np.zeros((4, 2))}, 2, 2)

    assert (6, 2, 2) == collected.arrays()["y"].shape


def test_output_that_does_not_follow_the_batch_is_kept_whole() -> None:
    collected = Collected((f32("y", 8, 2),))

    collected.add({"y": np.zeros((8, 2))}, 4, 4)
    collected.add({"y": np.zeros((8, 2))}, 3, 3)

    assert (2, 8, 2) == collected.arrays()["y"].shape


@pytest.mark.parametrize("actual", [-math.inf, math.nan, 1.0])
def test_infinity_is_matched_by_the_same_infinity_only(actual: float) -> None:
    expected = np.array([1.0, math.inf, math.nan])

    assert 0 == difference(expected, expected)["nan_mismatch"]
    assert 1 == difference(expected, np.array([1.0, actual, math.nan]))["nan_mismatch"]


def test_cosine_of_numbers_whose_squares_leave_the_range() -> None:
    huge, tiny = np.array([1e200, 1e200]), np.array([1e-200, -1e-200])

    assert pytest.approx(1) == difference(huge, huge)["cosine"]
    assert pytest.approx(0) == difference(huge, tiny)["cosine"]
    assert pytest.approx(1) == difference(tiny, tiny)["cosine"]
    assert difference(np.array([1.7e308]), np.array([-1.7e308]))["max_abs"] is None


def test_class_ruled_out_by_minus_infinity_is_no_wrong_answer() -> None:
    outputs = np.array([[1.0, 2.0, -math.inf], [math.nan, 1.0, 2.0], [-math.inf] * 3])

    assert pytest.approx(1 / 3) == score("accuracy", outputs, np.array([1, 0, 0]))
