"""Samples from files, normalization for TensorFlow, and how outputs are gathered and compared."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from ovmake.workers.differences import difference
from ovmake.workers.interface import Interface, Preparation, Tensor
from ovmake.workers.metrics import metric_of
from ovmake.workers.preparing import Array
from ovmake.workers.protocol import ActionError, Request
from ovmake.workers.samples import Collected, Samples, take


def interface(*inputs: Tensor) -> Interface:
    return Interface(inputs=inputs, outputs=())


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

    tally = metric_of("accuracy", Request(id=1, kind="evaluate")).tally()
    tally.add({"y": outputs}, np.array([1, 0, 0]), {"y": outputs})

    assert pytest.approx(1 / 3) == tally.score()


def test_figures_of_a_difference() -> None:
    expected = np.array([[1.0, 2.0, -4.0], [0.0, 0.0, 4.0]])
    actual = np.array([[1.0, 2.5, -4.0], [0.001, 0.0, 4.0]])

    figures = difference(expected, actual)

    assert (4.0, 0.5, 0.25) == (figures["scale"], figures["max_abs"], figures["max_rel"])
    assert pytest.approx(10 * math.log10((1 + 4 + 16 + 16) / (0.25 + 1e-6))) == figures["snr_db"]
    assert (1.0, 0, 0) == (figures["argmax"], figures["nonfinite_expected"], figures["nonfinite_actual"])


def test_equal_outputs_have_no_noise_and_single_columns_no_argmax() -> None:
    figures = difference(np.ones((4, 1)), np.ones((4, 1)))

    assert (None, None, 0.0, 1.0) == (figures["snr_db"], figures["argmax"], figures["max_abs"], figures["cosine"])


def test_nan_and_infinity_are_counted_on_each_side() -> None:
    figures = difference(np.array([math.nan, 1.0, 2.0]), np.array([1.0, math.inf, math.nan]))

    assert (1, 2, 3) == (figures["nonfinite_expected"], figures["nonfinite_actual"], figures["nan_mismatch"])
    assert figures["max_abs"] is None


@pytest.mark.parametrize(("bounds", "sizes"), [((2, 8), [8, 8]), ((1, 100), [16]), ((20, -1), [20])])
def test_made_up_batches_keep_to_the_bounds(bounds: tuple[int, int], sizes: list[int]) -> None:
    known = interface(Tensor(name="x", shape=(-1, 3), type="f32", bounds=(bounds, (3, 3))))

    samples = take(Request(id=1, kind="reference"), known)

    assert sizes == [len(feed["x"]) for feed, _ in samples.feeds()]


def test_made_up_heights_and_widths_differ_from_what_the_ir_resizes_to() -> None:
    plan = Preparation(
        resize="linear", size=(8, 6), axes=(2, 3), type="f32", shape=(-1, 8, 6, 3), transpose=(0, 2, 3, 1)
    )
    known = interface(Tensor(name="x", shape=(-1, 3, -1, -1), type="u8", prepare=plan))

    feed, _ = next(take(Request(id=1, kind="reference"), known).feeds())

    assert ((16, 3, 11, 8), "uint8") == (feed["x"].shape, feed["x"].dtype.name)
