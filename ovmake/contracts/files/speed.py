"""What IRs of one model measured beside each other: the speed check's files, and those of `auto`.

comparison.json     *compare-speed*: an IR of reduced precision beside the FP32 one, round by round
speed.json          *check-speed*: whether it is slower, and why that may be
times.json          *time-candidates*: the candidates that keep their gate, round by round
choice.json         *weigh*: which candidate is chosen, with the figures of all

A round holds the median time of one block of each IR, in µs, by the IR's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedRatio:
    """How many times as fast one side is as the other, 2 for twice as fast, and the range that holds the true ratio."""

    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedComparison:
    """The IR ("ir") beside the FP32 one ("fp32"). `executed` counts the IR's layers by precision, as they run.

    `conversions` is how many layers only convert to INT8. `int8_instructions` are the processor's, null where they are
    not known.
    """

    FORMAT: ClassVar[int] = 2

    threads: int
    rounds: tuple[Mapping[str, float], ...]
    executed: Mapping[str, int]
    conversions: int
    dynamic_inputs: tuple[str, ...]
    int8_instructions: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedCheck:
    """Whether an IR is slower than the FP32 one; `speed` is null with too few rounds to tell.

    `reasons` are likely ones, only where it is slower.
    """

    FORMAT: ClassVar[int] = 2

    slower: bool
    speed: SpeedRatio | None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateTimes:
    """The candidates of `auto` that keep their gate, and the FP32 IR. No rounds where there is nothing to choose from.

    `inputs` says what they ran on: "dataset", "seeded random", or "" where nothing was timed.
    """

    FORMAT: ClassVar[int] = 2

    threads: int
    rounds: tuple[Mapping[str, float], ...] = ()
    inputs: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A precision that `auto` weighed: its gate, and its speed as a ratio to the FP32 IR.

    `kept`: it may be published. `drop` is null without a metric. Without a speed, `not_measured` says why.
    """

    precision: str
    gate: Literal["passed", "missed", "not-measured"]
    text: str
    kept: bool
    drop: float | None
    speed: SpeedRatio | None
    not_measured: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What `auto` chose, "" if no candidate passes its gate; why; and all candidates, the most accurate first."""

    FORMAT: ClassVar[int] = 2

    chosen: str
    why: str
    candidates: tuple[Candidate, ...]
