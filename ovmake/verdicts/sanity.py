"""Whether the two scores of a metric are believable, before they are compared. Pure.

    scores_of(metric) -> dict | None              both, for whoever shows them
    no_better_than_chance(metric) -> str          why TensorFlow's own score says nothing; "" if it does
    better_by_too_much(metric, drop) -> str       why the two cannot have been asked the same; "" if they may have been

A gate compares an IR with TensorFlow. Where TensorFlow itself only guesses, because its inputs are scaled twice or the
labels are shuffled, an IR that guesses too keeps any promise. And an IR that is far better than what it was made of did
not see the same samples. Neither is told from luck alone: the interval over the samples must say so as well.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from ovmake.verdicts.figures import SLACK, number, score_in_words

# TensorFlow may be better than chance by this share of what chance leaves open, and the samples too few to be sure.
CLOSE = 0.25
# An IR that undoes this share of TensorFlow's errors is better by more than rounding can make it.
UNDONE = 0.5
# Of a share, as many points at least: from 0.990 to 0.996 most errors are undone, by a handful of samples.
POINTS = 0.05


def scores_of(metric: Mapping[str, object]) -> dict[str, object] | None:
    """Return the name and unit of a metric, and both scores as plain numbers; None where one is no number."""
    reference, candidate = number(metric.get("reference")), number(metric.get("candidate"))
    if not (math.isfinite(reference) and math.isfinite(candidate)):
        return None
    named = {"metric": metric.get("name"), "unit": metric.get("unit")}
    return {**named, "tensorflow": reference, "openvino": candidate}


def no_better_than_chance(metric: Mapping[str, object]) -> str:
    """Return that TensorFlow is no better than answers given without looking, within its interval; "" if it is."""
    chance, reference = metric.get("chance"), number(metric.get("reference"))
    if not isinstance(chance, dict) or not math.isfinite(reference):
        return ""
    blind, sure = number(chance.get("score")), number(chance.get("above_low"))
    above = reference - blind if _higher(metric) else blind - reference
    if not (sure <= SLACK and above <= CLOSE * _room(blind, metric)):
        return ""
    name, unit = metric.get("name"), metric.get("unit")
    scores = f"{name} {score_in_words(reference, unit)}, and {chance.get('answer')} gives {score_in_words(blind, unit)}"
    hint = f"; {chance['hint']}" if chance.get("hint") else ""
    return f"TensorFlow itself is no better than chance: {scores}{hint}"


def better_by_too_much(metric: Mapping[str, object], drop: float) -> str:
    """Return that the IR is better than TensorFlow by more than chance or rounding explains; "" if it is not."""
    interval, reference = metric.get("interval"), number(metric.get("reference"))
    if not isinstance(interval, dict) or not number(interval.get("high")) < 0:
        return ""
    much = UNDONE * _room(reference, metric)
    if metric.get("unit") == "share":
        much = max(much, POINTS)
    return "better by more than chance explains: the two were not asked the same" if -drop >= much else ""


def _higher(metric: Mapping[str, object]) -> bool:
    return metric.get("higher_is_better") is not False


def _room(score: float, metric: Mapping[str, object]) -> float:
    """Return how much better than `score` one can be; of a user's function, whose best nobody knows, as much again."""
    bounded = _higher(metric) and (metric.get("unit") == "share" or metric.get("name") in {"r2", "cosine"})
    return 1 - score if bounded else abs(score)
