"""Implausible scores: TensorFlow that guesses, and an IR that is too good."""

from __future__ import annotations

import math
from typing import Any

import pytest

from ovmake.contracts.files.evaluation import Metric
from ovmake.contracts.files.verdict import Scores
from ovmake.verdicts.sanity import better_by_too_much, no_better_than_chance, scores_of
from tests.evaluations import a_metric


def metric(reference: float | None, candidate: float | None = None, **changed: Any) -> Metric:
    """Return an evaluation's metric."""
    return a_metric(reference=reference, candidate=candidate, **changed)


def beside(reference: float, blind: float, low: float, **changed: Any) -> str:
    """Return the text about a score and a blind one, if the gain's interval begins at `low`."""
    chance = {"answer": "always answering 1", "score": blind, "above_low": low}
    return no_better_than_chance(metric(reference, chance=chance, **changed))


def test_hint_is_shown_only_for_a_guess() -> None:
    guess: dict[str, Any] = {
        "answer": "always answering 1",
        "score": 0.5,
        "hint": "with every label one lower it would be 0.9",
    }

    said = no_better_than_chance(metric(0.1, chance={**guess, "above_low": -0.5}))

    assert said.endswith("always answering 1 gives 0.5000; with every label one lower it would be 0.9")
    assert not no_better_than_chance(metric(0.9, chance={**guess, "above_low": 0.3}))


LOWER = {"name": "mae", "unit": "labels", "higher_is_better": False}


@pytest.mark.parametrize(
    ("reference", "blind", "low", "changed"),
    [
        (0.495, 0.51, -0.1, {}),
        (0.51, 0.51, 0.0, {}),
        (0.54, 0.52, -0.08, {}),  # shuffled labels of two classes, 100 samples
        (0.96, 0.955, -0.01, {}),  # nearly all of one class: accuracy means nothing
        (0.0, 0.0, 0.0, {}),
        (12.0, 11.5, -2.0, LOWER),
        (11.0, 11.5, -0.5, LOWER),
        (-0.2, 0.0, -0.4, {"name": "r2", "unit": "none"}),
        (0.31, 0.3, -0.1, {"name": "metrics.py:share", "unit": "none"}),
    ],
)
def test_score_at_chance(reference: float, blind: float, low: float, changed: dict[str, Any]) -> None:
    assert beside(reference, blind, low, **changed).startswith("TensorFlow itself is no better than chance: ")


@pytest.mark.parametrize(
    ("reference", "blind", "low", "changed"),
    [
        (0.87, 0.1, 0.75, {}),
        (0.53, 0.5, 0.01, {}),  # a small gain, but many samples
        (0.9, 0.6, -0.05, {}),  # ten samples: undecided, so no warning
        (0.97, 0.95, -0.001, {}),
        (3.0, 11.5, 7.0, LOWER),
        (6.0, 11.5, -1.0, LOWER),
        (0.6, 0.0, -0.1, {"name": "r2", "unit": "none"}),
    ],
)
def test_score_above_chance(reference: float, blind: float, low: float, changed: dict[str, Any]) -> None:
    assert not beside(reference, blind, low, **changed)


def test_without_a_blind_score_nothing_is_said() -> None:
    assert not no_better_than_chance(metric(0.1))


def test_missing_score_is_left_to_the_gate() -> None:
    assert not no_better_than_chance(
        metric(None, chance={"answer": "always answering 1", "score": 0.5, "above_low": -1.0})
    )
    assert scores_of(metric(0.5, None)) is None
    assert scores_of(metric(math.nan, 0.5)) is None
    both = Scores(metric="accuracy", unit="share", tensorflow=0.5, openvino=0.25)
    assert both == scores_of(metric(0.5, 0.25))


def gained(reference: float, candidate: float, high: float, **changed: Any) -> bool:
    """Whether an IR with this score is refused if the upper end of its drop is `high`."""
    found = metric(
        reference, candidate, interval={"low": -9.0, "high": high, "level": 0.95, "replicates": 1000}, **changed
    )
    drop = reference - candidate if found.higher_is_better else candidate - reference
    return bool(better_by_too_much(found, drop))


@pytest.mark.parametrize(
    ("reference", "candidate", "high", "changed"),
    [
        (0.30, 0.94, -0.56, {}),
        (0.10, 0.87, -0.7, {}),
        (0.90, 0.97, -0.01, {}),
        (20.0, 4.0, -12.0, LOWER),
        (-3.0, 0.9, -2.0, {"name": "r2", "unit": "none"}),
        (0.2, 0.7, -0.3, {"name": "metrics.py:share", "unit": "none"}),
    ],
)
def test_implausible_gain(reference: float, candidate: float, high: float, changed: dict[str, Any]) -> None:
    assert gained(reference, candidate, high, **changed)


@pytest.mark.parametrize(
    ("reference", "candidate", "high", "changed"),
    [
        (0.872, 0.874, 0.003, {}),
        (0.872, 0.880, -0.002, {}),  # a gain that is certain, but small
        (0.990, 0.996, -0.001, {}),  # corrects most errors: six of 10,000 images
        (0.5, 0.9, 0.1, {}),  # four samples of eight: luck
        (0.872, 0.80, 0.09, {}),
        (20.0, 15.0, -3.0, LOWER),
        (0.2, 0.25, -0.01, {"name": "metrics.py:share", "unit": "none"}),
    ],
)
def test_plausible_gain(reference: float, candidate: float, high: float, changed: dict[str, Any]) -> None:
    assert not gained(reference, candidate, high, **changed)


def test_without_an_interval_no_gain_is_refused() -> None:
    assert not better_by_too_much(metric(0.1, 1.0), -0.9)
