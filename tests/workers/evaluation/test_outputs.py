"""Outputs are split into samples, written as they come and read as they are needed."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from ovmake.contracts.files.interface import Tensor
from ovmake.workers.evaluation.outputs import Reading, Writing, rows
from ovmake.workers.inputs.preparing import Array


def y(*shape: int) -> Tensor:
    return Tensor(name="y", shape=shape, type="f32")


@pytest.mark.parametrize(
    ("output", "tensor", "count", "fed", "expected"),
    [
        (np.zeros((4, 2)), y(-1, 2), 4, 4, (4, 2)),
        (np.zeros((4, 2)), y(4, 2), 3, 4, (3, 2)),  # the last feed of a fixed batch is filled up
        (np.zeros((8, 2)), y(-1, 2), 4, 4, (4, 2, 2)),  # two rows per sample
        (np.zeros((4, 2)), y(-1, 2), 2, 2, (2, 2, 2)),
        (np.zeros((8, 2)), y(8, 2), 4, 4, (1, 8, 2)),  # as large whatever the batch: kept whole
        (np.zeros(()), y(), 4, 4, (1,)),
        (np.zeros((1, 5, 4)), y(1, 5, 4), 1, 1, (1, 5, 4)),
    ],
)
def test_rows_of_a_feed(output: Array, tensor: Tensor, count: int, fed: int, expected: tuple[int, ...]) -> None:
    assert expected == rows(output, tensor, count=count, fed=fed).shape


def test_what_was_written_is_read_in_any_pieces(tmp_path: Path) -> None:
    whole = {"y": np.random.default_rng(0).normal(size=(9, 2, 3)), "a/b:0": np.arange(9, dtype=np.int64)}
    path = str(tmp_path / "outputs.npz")
    with Writing(path) as written:
        for part in (slice(0, 4), slice(4, 8), slice(8, 9)):
            written.add({name: np.asfortranarray(array[part]) for name, array in whole.items()})

    with Reading(path) as stored:
        parts = [{name: stored.take(name, count) for name in whole} for count in (2, 6, 5)]
        assert 0 == stored.left("y")

    assert [2, 6, 1] == [len(part["y"]) for part in parts]
    with np.load(path) as loaded:
        for name, array in whole.items():
            assert np.array_equal(array, np.concatenate([part[name] for part in parts]))
            assert np.array_equal(array, loaded[name])


def test_same_outputs_are_the_same_bytes(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("one.npz", "two.npz")]
    for path in paths:
        with Writing(str(path)) as written:
            written.add({"y": np.ones((3, 2))})

    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_nothing_is_written_of_what_was_discarded(tmp_path: Path) -> None:
    path = tmp_path / "outputs.npz"
    with Writing(str(path)) as written:
        written.add({"y": np.ones((3, 2))})
        written.discard()

    with np.load(path) as loaded:
        assert [] == loaded.files


def test_an_output_whose_size_changes_is_read_as_it_came(tmp_path: Path) -> None:
    path = str(tmp_path / "outputs.npz")
    parts = [np.ones((1, 2, 3)), np.ones((1, 0, 3)), np.full((2, 5, 3), 2.0), np.full((1, 5, 3), 3.0)]
    with Writing(path) as written:
        for part in parts:
            written.add({"y": part, "plain": np.zeros((len(part), 2))})
        assert {"y"} == written.varied

    with Reading(path) as stored:
        found = [stored.take("y", count) for count in (1, 1, 2, 4)]
        assert 0 == stored.left("y")
        assert (5, 2) == stored.take("plain", 9).shape
    assert [(1, 2, 3), (1, 0, 3), (2, 5, 3), (1, 5, 3)] == [array.shape for array in found]
    assert all(np.array_equal(one, other) for one, other in zip(parts, found, strict=True))


@pytest.mark.parametrize("shape", [(1, 0, 2), (0, 4)])
def test_an_output_that_is_empty_is_one(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = str(tmp_path / "outputs.npz")
    with Writing(path) as written:
        written.add({"y": np.zeros(shape)})

    with Reading(path) as stored:
        assert shape == stored.take("y", shape[0]).shape
        assert 0 == stored.left("y")


def test_what_is_known_to_be_whole_is_no_row_per_sample() -> None:
    """Of a sample with one box, and of one with three: [1, 4] and [3, 4]."""
    assert (1, 1, 4) == rows(np.zeros((1, 4)), y(-1, 4), count=1, fed=1, whole=True).shape
    assert (1, 3, 4) == rows(np.zeros((3, 4)), y(-1, 4), count=1, fed=1, whole=True).shape


def test_memory_holds_a_feed_and_not_the_set(tmp_path: Path) -> None:
    feed, path = np.ones((8, 1 << 16), np.float32), str(tmp_path / "outputs.npz")
    tracemalloc.start()
    with Writing(path) as written:
        for _ in range(32):
            written.add({"y": feed})
    with Reading(path) as stored:
        while stored.left("y"):
            assert (8, 1 << 16) == stored.take("y", 8).shape
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 4 * feed.nbytes
