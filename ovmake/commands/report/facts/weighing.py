"""What was timed beside the FP32 IR: the candidates of `auto`, and an INT8 IR in the speed check. Typed, and in words.

    Weighing.of(choice)     what `auto` weighed, from the file that *weigh* made
    SpeedCheck.of(check)    from the file that *check-speed* made

Pure: JSON comes in. Speeds are ratios to the FP32 IR, 2 for twice as fast, with the range that holds the true one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """A ratio of speeds and its range."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, body: Mapping[str, float] | None) -> Speed | None:
        """Read a ratio; None where there is none."""
        return None if body is None else cls(median=body["median"], low=body["low"], high=body["high"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A precision that `auto` weighed. `drop` is None without a metric; without a speed, `unmeasured` says why."""

    precision: str
    gate: str
    text: str
    drop: float | None
    speed: Speed | None
    unmeasured: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    """What `auto` chose, "" if no candidate kept its gate; why; and all candidates, the most accurate first."""

    chosen: str
    why: str
    candidates: tuple[Candidate, ...]
    body: Mapping[str, Any]

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Weighing:
        """Read what *weigh* wrote."""
        candidates = tuple(
            Candidate(
                precision=one["precision"],
                gate=one["gate"],
                text=one["text"],
                drop=one["drop"],
                speed=Speed.of(one["speed"]),
                unmeasured=one.get("not_measured", ""),
            )
            for one in body["candidates"]
        )
        return cls(chosen=body["chosen"] or "", why=body["why"], candidates=candidates, body=body)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedCheck:
    """Whether an IR is slower than the FP32 one; `speed` is None with too few rounds to tell."""

    slower: bool
    speed: Speed | None
    reasons: tuple[str, ...]
    body: Mapping[str, Any]

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> SpeedCheck:
        """Read what *check-speed* wrote."""
        return cls(slower=body["slower"], speed=Speed.of(body["speed"]), reasons=tuple(body["reasons"]), body=body)
