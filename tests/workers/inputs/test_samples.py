"""Samples from files, normalization for TensorFlow, and how outputs are gathered and compared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ovmake.contracts.files.interface import Interface, Preparation, Tensor
from ovmake.contracts.params.data import DatasetParams, SampleParams
from ovmake.errors import ActionError
from ovmake.workers.inputs.feeding_plan import FeedingPlan
from ovmake.workers.inputs.preparing import Array
from ovmake.workers.inputs.samples import Samples, calibrating, take
from ovmake.workers.inputs.synthetic import SyntheticSizes
from ovmake.workers.ipc.protocol import Request


def interface(*inputs: Tensor) -> Interface:
    return Interface(inputs=inputs, outputs=())


def f32(name: str, *shape: int) -> Tensor:
    return Tensor(name=name, shape=shape, type="f32")


ARRAYS = DatasetParams(form="arrays")


def taken(folder: Path, known: Interface, asked: DatasetParams = ARRAYS, **arrays: Array) -> Samples:
    path = folder / "samples.npz"
    np.savez(path, allow_pickle=True, **arrays)
    return take(Request(id=1, kind="reference", inputs={"dataset": str(path)}), known, SampleParams(dataset=asked))


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
        taken(tmp_path, interface(f32("x", -1, 3)), replace(ARRAYS, labels="y"), **arrays)


def test_whole_numbers_that_do_not_fit_are_refused_and_not_wrapped(tmp_path: Path) -> None:
    known = interface(Tensor(name="x", shape=(-1,), type="i8"))

    with pytest.raises(ActionError, match="from 1 to 200, which do not fit into int8"):
        list(taken(tmp_path, known, x=np.array([1, 200], dtype=np.uint8)).feeds())


@pytest.mark.parametrize(("bounds", "sizes"), [((2, 8), [8, 8]), ((1, 100), [16]), ((20, -1), [20])])
def test_made_up_batches_keep_to_the_bounds(bounds: tuple[int, int], sizes: list[int]) -> None:
    known = interface(Tensor(name="x", shape=(-1, 3), type="f32", bounds=(bounds, (3, 3))))

    samples = take(Request(id=1, kind="reference"), known, SampleParams(seed=0))

    assert sizes == [len(feed.inputs["x"]) for feed in samples.feeds()]


def test_made_up_heights_and_widths_differ_from_what_the_ir_resizes_to() -> None:
    plan = Preparation(
        resize="linear", size=(8, 6), axes=(2, 3), type="f32", shape=(-1, 8, 6, 3), transpose=(0, 2, 3, 1)
    )
    known = interface(Tensor(name="x", shape=(-1, 3, -1, -1), type="u8", prepare=plan))

    image = next(take(Request(id=1, kind="reference"), known, SampleParams(seed=0)).feeds()).inputs["x"]

    assert ((16, 3, 11, 8), "uint8") == (image.shape, image.dtype.name)


def planned(
    folder: Path, plan: FeedingPlan, *, calibrating: int | None = None, limit: int | None = None, **arrays: Array
) -> Samples:
    plan.write(str(folder / "plan.json"))
    inputs = {"plan": str(folder / "plan.json")}
    if arrays:
        np.savez(folder / "cal.npz", allow_pickle=True, **arrays)
        inputs["dataset"] = str(folder / "cal.npz")
    dataset = replace(ARRAYS, limit=limit) if arrays else None
    asked = SampleParams(dataset=dataset, calibrating=calibrating, seed=0)
    return take(Request(id=1, kind="evaluate", inputs=inputs), interface(f32("x", -1, 3)), asked)


@pytest.mark.parametrize(
    "plan", [FeedingPlan(), FeedingPlan(count=4, whole=("y",), drawn=SyntheticSizes(size=8, ranges=(("a", (0, 2)),)))]
)
def test_a_plan_is_read_as_it_was_written(tmp_path: Path, plan: FeedingPlan) -> None:
    plan.write(str(tmp_path / "plan"))

    assert plan == FeedingPlan.of(Request(id=1, kind="evaluate", inputs={"plan": str(tmp_path / "plan")}))


def test_samples_are_fed_as_the_plan_says(tmp_path: Path) -> None:
    plain, few, alone = (
        planned(tmp_path, plan) for plan in (FeedingPlan(), FeedingPlan(count=4), FeedingPlan(count=4, whole=("y",)))
    )  # fmt: skip

    assert ([16], [4], [1, 1, 1, 1]) == tuple([feed.count for feed in one.feeds()] for one in (plain, few, alone))
    assert "noise" == plain.origin


def test_of_a_calibration_set_those_judge_that_do_not_calibrate(tmp_path: Path) -> None:
    rows = np.arange(120, dtype=np.float32).reshape(40, 3)
    judging = planned(tmp_path, FeedingPlan(), calibrating=30, x=rows)
    inputs = {"dataset": str(tmp_path / "cal.npz")}
    request = Request(id=1, kind="quantize", inputs=inputs)

    chosen = set(calibrating(request, interface(f32("x", -1, 3)), SampleParams(dataset=ARRAYS, seed=0), 30).order)

    assert ("calibration", 10) == (judging.origin, judging.count)
    assert set(range(40)) == chosen | set(judging.order)
    assert not chosen & set(judging.order)


@pytest.mark.parametrize("count", [30, 12])
def test_where_all_samples_calibrate_noise_judges_and_says_why(tmp_path: Path, count: int) -> None:
    samples = planned(tmp_path, FeedingPlan(), calibrating=30, x=np.zeros((count, 3), np.float32))

    assert "noise" == samples.origin
    assert f"all {count} samples of the calibration set calibrate" == samples.why


def test_a_limit_holds_for_both(tmp_path: Path) -> None:
    """Who limits a set does not mean for the rest to be read."""
    rows = np.zeros((100, 3), np.float32)

    assert 5 == planned(tmp_path, FeedingPlan(), calibrating=30, limit=35, x=rows).count
    assert "noise" == planned(tmp_path, FeedingPlan(), calibrating=30, limit=30, x=rows).origin
