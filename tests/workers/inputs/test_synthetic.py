"""Inputs that are made up: what is drawn, and what is tried where a model refuses it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ovmake.contracts.codec import decode, encode
from ovmake.contracts.files.interface import Tensor
from ovmake.workers.inputs.synthetic import OTHER_RANGES, OTHER_SIZES, SyntheticSizes, notes, search, synthetic_samples

IDS = Tensor(name="ids", shape=(-1, -1), type="i32")
SEGMENTS = Tensor(name="segments", shape=(-1, -1), type="i64")
IMAGE = Tensor(name="image", shape=(-1, 8, 8, 3), type="f32")
COUNT = Tensor(name="k", shape=(), type="i32")
SWITCH = Tensor(name="is_training", shape=(), type="boolean")


def drawn_of(tensor: Tensor, drawn: SyntheticSizes) -> set[int]:
    array = synthetic_samples(tensor, np.random.default_rng(0), count=400, has_batch=bool(tensor.shape), drawn=drawn)
    return {int(value) for value in array.reshape(-1)}


@pytest.mark.parametrize(
    ("tensor", "drawn", "expected"),
    [
        (IDS, SyntheticSizes(size=4), set(range(10))),
        (IDS, SyntheticSizes(size=4, ranges=(("ids", (0, 2)),)), {0, 1}),
        (IDS, SyntheticSizes(size=4, ranges=(("other", (0, 2)),)), set(range(10))),
        (COUNT, SyntheticSizes(), set(range(1, 10))),  # none of nothing
        (COUNT, SyntheticSizes(ranges=(("k", (0, 2)),)), {1}),
        (COUNT, SyntheticSizes(ranges=(("k", (0, 1)),)), {0}),
        (SWITCH, SyntheticSizes(), {0}),
        (Tensor(name="mask", shape=(-1, 4), type="boolean"), SyntheticSizes(), {0, 1}),
        (Tensor(name="pixel", shape=(-1, 400), type="u8"), SyntheticSizes(), set(range(256))),
    ],
)
def test_what_is_drawn(tensor: Tensor, drawn: SyntheticSizes, expected: set[int]) -> None:
    assert expected == drawn_of(tensor, drawn)


def test_dynamic_dimensions_get_the_size_that_was_found() -> None:
    array = synthetic_samples(IDS, np.random.default_rng(0), count=3, has_batch=True, drawn=SyntheticSizes(size=16))

    assert (3, 16) == array.shape


@pytest.mark.parametrize(
    ("fits", "expected"),
    [
        (lambda drawn: drawn.size <= 32, SyntheticSizes(size=16)),
        (lambda drawn: drawn.range_of("segments") == (0, 2), SyntheticSizes(ranges=(("segments", (0, 2)),))),
        (
            lambda drawn: drawn.size <= 8 and drawn.range_of("segments") in {(0, 2), (1, 2)},
            SyntheticSizes(size=8, ranges=(("segments", (0, 2)),)),
        ),
        (
            lambda drawn: drawn.range_of("ids") == (1, 10) and drawn.range_of("segments") in {(1, 10), (1, 2)},
            SyntheticSizes(ranges=(("ids", (1, 10)), ("segments", (1, 10)))),
        ),
        (lambda _: False, None),
    ],
)
def test_the_widest_is_found_that_a_model_accepts(
    fits: Callable[[SyntheticSizes], bool], expected: SyntheticSizes | None
) -> None:
    """As BERT: ids of a hundred words beside segments of two, in a table of so many positions."""
    assert expected == search(fits, [IDS, SEGMENTS, IMAGE])


def test_a_search_ends_soon() -> None:
    tried: list[SyntheticSizes] = []

    def refuses(drawn: SyntheticSizes) -> bool:
        tried.append(drawn)
        return False

    search(refuses, [IDS, SEGMENTS, IMAGE])

    assert (1 + len(OTHER_SIZES)) * (1 + len(OTHER_RANGES)) - 1 == len(tried)
    assert len(tried) == len({str(encode(drawn)) for drawn in tried})


def test_where_nothing_else_can_be_drawn_nothing_is_tried() -> None:
    assert search(lambda _: True, [Tensor(name="x", shape=(2, 3), type="f32")]) is None


def test_what_was_found_is_told() -> None:
    drawn = SyntheticSizes(size=16, ranges=(("ids", (1, 2)), ("k", (0, 2)), ("segments", (0, 2))))

    assert [
        "`is_training` was set to false",
        "`ids` was 1",
        "`k` was 1",
        "`segments` was drawn from 0 to 1",
        "dynamic dimensions had the size 16",
    ] == notes(drawn, [SWITCH, IDS, COUNT, SEGMENTS])
    assert [] == notes(SyntheticSizes(), [IDS, COUNT])


@pytest.mark.parametrize(
    "drawn", [SyntheticSizes(), SyntheticSizes(size=1), SyntheticSizes(size=8, ranges=(("a", (0, 2)), ("b", (1, 10))))]
)
def test_what_was_drawn_is_read_as_it_was_written(drawn: SyntheticSizes) -> None:
    assert drawn == decode(SyntheticSizes, encode(drawn), "plan")
