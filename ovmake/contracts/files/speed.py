"""IRs of one model, timed in turns: the files of the speed check and of `auto`.

comparison.json     *compare-speed*: an IR of reduced precision and the FP32 IR, round by round
speed.json          *check-speed*: whether it is slower, and likely reasons
times.json          *time-candidates*: the candidates that pass their gate, round by round
choice.json         *weigh*: the chosen candidate, with the figures of all

A round holds the median time of one block of each IR, in µs, by the IR's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedRatio:
    """How many times as fast one side is as the other (2: twice as fast), and the confidence interval."""

    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedComparison:
    """The IR ("ir") and the FP32 IR ("fp32"), timed in turns. `executed` counts the IR's layers by executed precision.

    `conversions` is the number of layers that only convert to INT8. `int8_instructions` are the processor's, null if
    unknown.
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
    """Whether an IR is slower than the FP32 IR; `speed` is null if there are too few rounds.

    `reasons` are likely reasons; empty unless it is slower.
    """

    FORMAT: ClassVar[int] = 2

    slower: bool
    speed: SpeedRatio | None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateTimes:
    """The candidates of `auto` that pass their gate, and the FP32 IR. `rounds` is empty if there is no choice.

    `inputs` is "dataset", "seeded random", or "" if nothing was timed.
    """

    FORMAT: ClassVar[int] = 2

    threads: int
    rounds: tuple[Mapping[str, float], ...] = ()
    inputs: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A candidate of `auto`: its gate, and its speed relative to the FP32 IR.

    `kept`: it may be published. `drop` is null without a metric. If `speed` is null, `not_measured` says why.
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
