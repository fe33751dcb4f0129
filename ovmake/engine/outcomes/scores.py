"""The two scores of a gate's metric: read from facts, and in words. Pure.

Scores.of_facts(facts) -> Scores | None
scores.in_words() -> "accuracy 87.20 % → 87.00 %"
"""

from __future__ import annotations

from dataclasses import dataclass

from ovmake.contracts.values import Facts

FACT = "scores"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """The scores of TensorFlow and of the IR on the same samples; `unit` is the metric's, "share" for 0 to 1."""

    metric: str
    unit: str
    tensorflow: float
    openvino: float

    @classmethod
    def of_facts(cls, facts: Facts) -> Scores | None:
        """Return the scores in an action's facts, None if it compared no scores."""
        match facts.get(FACT):
            case (str(metric), str(unit), int() | float() as tensorflow, int() | float() as openvino):
                return cls(metric=metric, unit=unit, tensorflow=tensorflow, openvino=openvino)
        return None

    def in_words(self) -> str:
        """Return both scores: TensorFlow's, then the IR's."""
        first, second = (self._one(score) for score in (self.tensorflow, self.openvino))
        return f"{self.metric} {first} → {second}"

    def _one(self, score: float) -> str:
        return f"{score * 100:.2f} %" if self.unit == "share" else f"{score:.4g}"


def drop_in_words(drop: float) -> str:
    """Return a drop as shown in the line about a target. Adding 0 turns -0 (a rounded tiny drop) into 0."""
    return f"drop {round(drop, 4) + 0:.4f}"
