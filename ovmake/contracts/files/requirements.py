"""size.json and requirements.json: what became of what the Ovfile asks for beside accuracy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

Result = Literal["passed", "missed", "not-measured"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """What the Ovfile asks for: `name` is the key, such as "speedup"; `wanted` and `measured` are words.

    `decided` is false where the measurement's range holds what is wanted; `text` is the whole sentence, without a final
    period.
    """

    FORMAT: ClassVar[int] = 1

    name: str
    wanted: str
    measured: str
    result: Result
    decided: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """All that is asked of a measured IR."""

    FORMAT: ClassVar[int] = 2

    requirements: tuple[Requirement, ...]
