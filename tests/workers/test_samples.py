"""Samples from files, normalization for TensorFlow, and how outputs are gathered and compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ovmake.workers.interface import Interface, Preparation, Tensor
from ovmake.workers.preparing import Array
from ovmake.workers.protocol import ActionError, Request
from ovmake.workers.samples import Samples, take


def interface(*inputs: Tensor) -> Interface:
    return Interface(inputs=inputs, outputs=())


def f32(name: str, *shape: int) -> Tensor:
    return Tensor(name=name, shape=shape, type="f32")


def taken(folder: Path, known: Interface, params: dict[str, object] | None = None, **arrays: Array) -> Samples:
    path = folder / "samples.npz"
    np.savez(path, allow_pickle=True, **arrays)
    return take(Request(id=1, kind="reference", params=params or {}, inputs={"dataset": str(path)}), known)


def shapes(samples: Samples) -> list[dict[str, tuple[int, ...]]]:
    return [{name: array.shape for name, array in feed.inputs.items()} for feed in samples.feeds()]


def test_array_of_objects_that_nobody_asked_for_is_no_obstacle(tmp_path: Path) -> None:
    names = np.array(["a", None], dtype=object)

    samples = taken(tmp_path, interface(f32("x", -1, 3)), x=np.ones((2, 3)), names=names)

    assert 2 == samples.count


def test_inputs_without_a_common_batch_take_one_sample_at_a_time_with_its_dimension(tmp_path: Path) -> None:
    known = interface(f32("x", -1, 4), f32("b", 1, 4), f32("k"))

    samples = taken(tmp_path, known, x=np.ones((2, 4)), b=np.ones((2, 4)), k=np.ones(2))

    assert [{"x": (1, 4), "b": (1, 4), "k": ()}] * 2 == shapes(samples)
    assert {np.ndarray} == {type(array) for feed in samples.feeds() for array in feed.inputs.values()}


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
        list(taken(tmp_path, known, x=np.array([1, 200], dtype=np.uint8)).feeds())


@pytest.mark.parametrize(("bounds", "sizes"), [((2, 8), [8, 8]), ((1, 100), [16]), ((20, -1), [20])])
def test_made_up_batches_keep_to_the_bounds(bounds: tuple[int, int], sizes: list[int]) -> None:
    known = interface(Tensor(name="x", shape=(-1, 3), type="f32", bounds=(bounds, (3, 3))))

    samples = take(Request(id=1, kind="reference"), known)

    assert sizes == [len(feed.inputs["x"]) for feed in samples.feeds()]


def test_made_up_heights_and_widths_differ_from_what_the_ir_resizes_to() -> None:
    plan = Preparation(
        resize="linear", size=(8, 6), axes=(2, 3), type="f32", shape=(-1, 8, 6, 3), transpose=(0, 2, 3, 1)
    )
    known = interface(Tensor(name="x", shape=(-1, 3, -1, -1), type="u8", prepare=plan))

    image = next(take(Request(id=1, kind="reference"), known).feeds()).inputs["x"]

    assert ((16, 3, 11, 8), "uint8") == (image.shape, image.dtype.name)
