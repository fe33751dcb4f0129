"""size.json and requirements.json: the results of the Ovfile's requirements other than accuracy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

Result = Literal["passed", "missed", "not-measured"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """A requirement of the Ovfile: `name` is the key, such as "speedup"; `wanted` and `measured` are text.

    `decided` is false if the confidence interval contains the wanted value. `text` is a sentence without a final
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
    """All requirements of a measured IR."""

    FORMAT: ClassVar[int] = 2

    requirements: tuple[Requirement, ...]
