"""verdict.json and kept.json: the verdict of a gate. Gates write them; `auto`, the record and the report read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from ovmake.contracts.files.evaluation import DropInterval

GateResult = Literal["passed", "missed", "not-measured"]


def gate_result(word: object) -> GateResult:
    """Return `word` as the result of a gate.

    Raises:
        TypeError: it is not a result of a gate.
    """
    match word:
        case "passed" | "missed" | "not-measured":
            return word
    raise TypeError(f"not a result of a gate: {word}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """The scores of both frameworks, and the metric's name and unit."""

    metric: str
    unit: str
    tensorflow: float
    openvino: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether an IR keeps the promise. `text` gives the figures; `drop` is in metric units, null without a metric.

    `broken` is the setting that was missed, "" if none. `interval` is the confidence interval of the drop; `doubt` says
    why the samples are too few for the result, "" if they suffice. `scores` are TensorFlow's and the IR's. `at_chance`
    says that TensorFlow only guesses, "" if it does not; `absurd`: the IR's score is implausibly good. `help` may help
    if the gate was not passed, "" if nothing is known. `by_default` is null if the IR executes in the same way without
    properties.
    """

    FORMAT: ClassVar[int] = 1

    result: GateResult
    text: str
    drop: float | None
    interval: DropInterval | None
    broken: str = ""
    doubt: str = ""
    scores: Scores | None = None
    at_chance: str = ""
    absurd: bool = False
    help: str = ""
    by_default: DefaultVerdict | None = None

    @property
    def decided(self) -> bool:
        """Whether the samples are enough for the result. Agreement is about these samples only."""
        return not self.doubt

    def keeps(self, *, promised: bool) -> bool:
        """Whether an IR may be published. If `promised`, an unmeasured promise is not kept."""
        return self.result == "passed" or (self.result == "not-measured" and not promised)


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultVerdict:
    """The verdict for the IR compiled without properties; it executes floating point in `precision`.

    `needs` is the property that keeps the promise, as `NAME=value`; "" if none is needed.
    """

    precision: str
    verdict: Verdict
    needs: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Whether a candidate of `auto` may be published. It holds nothing else, so an equal answer triggers no timing."""

    FORMAT: ClassVar[int] = 1

    kept: bool
