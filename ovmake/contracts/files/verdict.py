"""verdict.json and kept.json: what a gate says of an IR. Gates write them; `auto`, the record and the report read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from ovmake.contracts.files.evaluation import DropInterval

GateResult = Literal["passed", "missed", "not-measured"]


def gate_result(word: object) -> GateResult:
    """Return a gate's result among an action's facts.

    Raises:
        TypeError: it is none.
    """
    match word:
        case "passed" | "missed" | "not-measured":
            return word
    raise TypeError(f"no result of a gate: {word}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """The scores of both frameworks, by the metric's name and unit."""

    metric: str
    unit: str
    tensorflow: float
    openvino: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a promise is kept. `text` gives the figures; `drop` is in metric units, null without a metric.

    `broken` is the setting that was not kept, "" if all were. `interval` is where the drop lies, and `doubt` says why
    the samples are too few for the result, "" if they are not. `scores` are TensorFlow's and the IR's. What they are
    worth: `at_chance` says that TensorFlow only guesses, "" if it does not; `absurd`, that the IR is better than it can
    be. `help` is what may help where the gate was not passed, "" where nothing is known. `by_default` is null where the
    IR executes in the same way without properties.
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
        """Whether the samples are enough for the result. Agreement is about these samples, and needs no others."""
        return not self.doubt

    def keeps(self, *, promised: bool) -> bool:
        """Whether an IR may be published. Where the Ovfile promised something, what was not measured is not kept."""
        return self.result == "passed" or (self.result == "not-measured" and not promised)


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultVerdict:
    """The same promise, of the IR compiled without properties, which executes floating point in `precision`.

    `needs` is the property that keeps the promise, as `NAME=value`; "" where none is needed.
    """

    precision: str
    verdict: Verdict
    needs: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Whether a candidate of `auto` may be published: the answer alone, so that equal answers measure nothing again."""

    FORMAT: ClassVar[int] = 1

    kept: bool
