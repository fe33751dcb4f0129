"""How far two arrays are apart, at once and in parts."""

from __future__ import annotations

import math
from dataclasses import asdict

import numpy as np
import pytest

from ovmake.errors import ActionError
from ovmake.workers.evaluation.differences import Difference, difference, largest


@pytest.mark.parametrize("actual", [-math.inf, math.nan, 1.0])
def test_infinity_is_matched_by_the_same_infinity_only(actual: float) -> None:
    expected = np.array([1.0, math.inf, math.nan])

    assert 0 == difference(expected, expected).nan_mismatch
    assert 1 == difference(expected, np.array([1.0, actual, math.nan])).nan_mismatch


def test_cosine_of_numbers_whose_squares_leave_the_range() -> None:
    huge, tiny = np.array([1e200, 1e200]), np.array([1e-200, -1e-200])

    assert pytest.approx(1) == difference(huge, huge).cosine
    assert pytest.approx(0) == difference(huge, tiny).cosine
    assert pytest.approx(1) == difference(tiny, tiny).cosine
    assert difference(np.array([1.7e308]), np.array([-1.7e308])).max_abs is None


def test_figures_of_a_difference() -> None:
    expected = np.array([[1.0, 2.0, -4.0], [0.0, 0.0, 4.0]])
    actual = np.array([[1.0, 2.5, -4.0], [0.001, 0.0, 4.0]])

    figures = difference(expected, actual)

    assert (4.0, 0.5, 0.25) == (figures.scale, figures.max_abs, figures.max_rel)
    assert pytest.approx(10 * math.log10((1 + 4 + 16 + 16) / (0.25 + 1e-6))) == figures.snr_db
    assert (1.0, 0, 0) == (figures.argmax, figures.nonfinite_expected, figures.nonfinite_actual)


def test_equal_outputs_have_no_noise_and_single_columns_no_argmax() -> None:
    figures = difference(np.ones((4, 1)), np.ones((4, 1)))

    assert (None, None, 0.0, 1.0) == (figures.snr_db, figures.argmax, figures.max_abs, figures.cosine)


def test_nan_and_infinity_are_counted_on_each_side() -> None:
    figures = difference(np.array([math.nan, 1.0, 2.0]), np.array([1.0, math.inf, math.nan]))

    assert (1, 2, 3) == (figures.nonfinite_expected, figures.nonfinite_actual, figures.nan_mismatch)
    assert figures.max_abs is None


@pytest.mark.parametrize("scale", [1e-170, 1.0, 1e170])
@pytest.mark.parametrize("part", [1, 3, 10])
def test_parts_have_the_figures_of_the_whole(scale: float, part: int) -> None:
    rng = np.random.default_rng(0)
    expected = rng.normal(size=(10, 4)) * scale * np.geomspace(1e-3, 1e3, 10)[:, np.newaxis]
    actual = expected + rng.normal(size=(10, 4)) * scale * 1e-3
    expected[3, 0] = actual[3, 0] = math.inf
    expected[4, 1] = math.nan

    found = Difference(scale=largest(expected))
    for start in range(0, 10, part):
        found.add(expected[start : start + part], actual[start : start + part])

    assert asdict(difference(expected, actual)) == pytest.approx(asdict(found.figures()), rel=1e-12)
    finite = np.isfinite(expected)
    first, second = expected[finite] / scale, actual[finite] / scale
    cosine = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
    ratio = 20 * math.log10(np.linalg.norm(first) / np.linalg.norm(first - second))
    figures = found.figures()
    assert [pytest.approx(cosine), pytest.approx(ratio)] == [figures.cosine, figures.snr_db]
    assert pytest.approx(np.abs(first - second).mean() * scale) == figures.mean_abs


def test_nothing_finite_has_no_figures_but_counts() -> None:
    figures = difference(np.full((2, 2), math.nan), np.ones((2, 2)))

    assert (None, None, 4) == (figures.max_abs, figures.cosine, figures.nan_mismatch)


def test_one_side_of_zeros_has_no_direction() -> None:
    assert 0 == difference(np.zeros(3), np.ones(3)).cosine
    assert 1 == difference(np.zeros(3), np.zeros(3)).cosine


def test_other_shape_is_refused() -> None:
    with pytest.raises(ActionError, match=r"TensorFlow's output has shape \[2, 3\], the IR's \[2, 4\]"):
        difference(np.zeros((2, 3)), np.zeros((2, 4)))


def test_an_output_that_was_always_empty_has_no_elements() -> None:
    assert 0 == difference(np.zeros((1, 0, 2)), np.zeros((1, 0, 2))).elements
    assert 6 == difference(np.full((2, 3), math.nan), np.zeros((2, 3))).elements


def test_of_an_output_whose_size_depends_on_the_data_what_one_side_lacks_counts_as_nothing() -> None:
    found = Difference(scale=4.0, varies=True)
    found.add(np.array([[1.0, 4.0]]), np.array([[1.0]]))
    found.add(np.array([[2.0]]), np.array([[2.0, 0.5]]))
    found.add(np.array([[3.0]]), np.array([[3.0]]))

    figures = found.figures()

    assert (2, 4.0, 5) == (figures.other_sizes, figures.max_abs, figures.elements)
    assert 0 == difference(np.ones(3), np.ones(3)).other_sizes


@pytest.mark.parametrize(("varies", "shape"), [(False, (1, 2)), (True, (1, 2, 1))])
def test_other_sizes_are_an_error_where_none_are_to_be_expected(*, varies: bool, shape: tuple[int, ...]) -> None:
    with pytest.raises(ActionError, match="TensorFlow's output has shape"):
        Difference(scale=1.0, varies=varies).add(np.ones((1, 3)), np.ones(shape))
