"""Check that the two scores of a metric are plausible. Pure.

    scores_of(metric) -> Scores | None            both scores, for display
    no_better_than_chance(metric) -> str          that TensorFlow only guesses, with figures; "" if it does not
    better_by_too_much(metric, drop) -> str       that the two did not see the same samples; "" if they may have

A gate compares an IR with TensorFlow. If TensorFlow only guesses (inputs scaled twice, labels shuffled), an IR that
guesses too passes every gate. And an IR that is much better than its source did not see the same samples. Luck can look
like both, so the interval over the samples must confirm each finding.
"""

from __future__ import annotations

from ovmake.contracts.files.evaluation import Metric
from ovmake.contracts.files.verdict import Scores
from ovmake.verdicts.figures import SLACK, number, score_in_words

# TensorFlow counts as close to chance if its gain is at most this share of the gap between chance and a perfect score.
CLOSE = 0.25
# An IR that corrects this share of TensorFlow's errors is better than rounding can explain.
UNDONE = 0.5
# The least gain for metrics that are shares: from 0.990 to 0.996 a handful of samples corrects most errors.
POINTS = 0.05


def scores_of(metric: Metric) -> Scores | None:
    """Return both scores with the name and unit of their metric; None if one is missing."""
    if metric.reference is None or metric.candidate is None:
        return None
    return Scores(metric=metric.name, unit=metric.unit, tensorflow=metric.reference, openvino=metric.candidate)


def no_better_than_chance(metric: Metric) -> str:
    """Return that TensorFlow's score is not certainly above chance, with both scores; "" if it is."""
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
    """Return that the IR is better than TensorFlow by more than chance or rounding explains, else ""."""
    if metric.interval is None or metric.interval.high >= 0:
        return ""
    much = UNDONE * _room(number(metric.reference), metric)
    if metric.unit == "share":
        much = max(much, POINTS)
    return "better by more than chance explains: the two did not see the same samples" if -drop >= much else ""


def _room(score: float, metric: Metric) -> float:
    """Return the largest possible gain over `score`; `score` itself if the best is unknown (a user's function)."""
    bounded = metric.higher_is_better and (metric.unit == "share" or metric.name in {"r2", "cosine"})
    return 1 - score if bounded else abs(score)
