"""Whether the two scores of a metric are believable, before they are compared. Pure.

    scores_of(metric) -> Scores | None            both, for whoever shows them
    no_better_than_chance(metric) -> str          why TensorFlow's own score says nothing; "" if it does
    better_by_too_much(metric, drop) -> str       why the two cannot have been asked the same; "" if they may have been

A gate compares an IR with TensorFlow. Where TensorFlow itself only guesses, because its inputs are scaled twice or the
labels are shuffled, an IR that guesses too keeps any promise. And an IR that is far better than what it was made of did
not see the same samples. Neither is told from luck alone: the interval over the samples must say so as well.
"""

from __future__ import annotations

from ovmake.contracts.files.evaluation import Metric
from ovmake.contracts.files.verdict import Scores
from ovmake.verdicts.figures import SLACK, number, score_in_words

# TensorFlow may be better than chance by this share of what chance leaves open, and the samples too few to be sure.
CLOSE = 0.25
# An IR that undoes this share of TensorFlow's errors is better by more than rounding can make it.
UNDONE = 0.5
# Of a share, as many points at least: from 0.990 to 0.996 most errors are undone, by a handful of samples.
POINTS = 0.05


def scores_of(metric: Metric) -> Scores | None:
    """Return both scores with the name and unit of their metric; None where one is no number."""
    if metric.reference is None or metric.candidate is None:
        return None
    return Scores(metric=metric.name, unit=metric.unit, tensorflow=metric.reference, openvino=metric.candidate)


def no_better_than_chance(metric: Metric) -> str:
    """Return that TensorFlow is no better than answers given without looking, within its interval; "" if it is."""
    chance, reference = metric.chance, metric.reference
    if chance is None or reference is None:
        return ""
    blind = chance.score
    above = reference - blind if metric.higher_is_better else blind - reference
    if not (chance.above_low <= SLACK and above <= CLOSE * _room(blind, metric)):
        return ""
    own, theirs = (score_in_words(score, metric.unit) for score in (reference, blind))
    scores = f"{metric.name} {own}, and {chance.answer} gives {theirs}"
    hint = f"; {chance.hint}" if chance.hint else ""
    return f"TensorFlow itself is no better than chance: {scores}{hint}"


def better_by_too_much(metric: Metric, drop: float) -> str:
    """Return that the IR is better than TensorFlow by more than chance or rounding explains; "" if it is not."""
    if metric.interval is None or metric.interval.high >= 0:
        return ""
    much = UNDONE * _room(number(metric.reference), metric)
    if metric.unit == "share":
        much = max(much, POINTS)
    return "better by more than chance explains: the two were not asked the same" if -drop >= much else ""


def _room(score: float, metric: Metric) -> float:
    """Return how much better than `score` one can be; of a user's function, whose best nobody knows, as much again."""
    bounded = metric.higher_is_better and (metric.unit == "share" or metric.name in {"r2", "cosine"})
    return 1 - score if bounded else abs(score)
