"""How inputs are moved to see what rounding does to a model."""

from __future__ import annotations

import numpy as np

from ovmake.workers.inputs.perturbation import perturbation_size, perturbed


def test_numbers_move_by_what_the_largest_is_rounded_by() -> None:
    image = np.linspace(-1, 200, 1000, dtype=np.float32)

    moved = perturbed({"image": image})

    assert moved is not None
    steps = (moved["image"].astype(np.float64) - image) / float(np.spacing(np.float32(200)))
    assert np.float32 == moved["image"].dtype
    assert np.abs(steps).max() <= 1
    assert {-1, 0, 1} <= set(steps.round(3))


def test_they_move_the_same_way_every_time() -> None:
    feed = {"image": np.ones((3, 4), np.float32), "sound": np.ones(7, np.float32)}

    first, second = perturbed(feed), perturbed(feed)

    assert first is not None
    assert second is not None
    assert all(np.array_equal(first[name], second[name]) for name in feed)


def test_integers_stay_beside_numbers_that_move() -> None:
    moved = perturbed({"ids": np.arange(5), "image": np.ones(5, np.float32), "none": np.zeros(0, np.float32)})

    assert moved is not None
    assert [0, 1, 2, 3, 4] == moved["ids"].tolist()
    assert (0,) == moved["none"].shape


def test_integers_alone_cannot_be_moved() -> None:
    assert perturbed({"ids": np.arange(5)}) is None


def test_how_far_inputs_are_moved_is_a_share_of_the_largest() -> None:
    assert 2.0**-23 == perturbation_size({"x": np.array([0.25, -1.0], np.float32), "n": np.array([7])})
    assert 2.0**-10 == perturbation_size({"x": np.array([1.0], np.float16)})
    assert 0.0 == perturbation_size(
        {"n": np.array([7]), "x": np.zeros((0, 3), np.float32), "z": np.zeros(2, np.float32)}
    )
