"""checked.json: what is odd about samples that calibrate INT8. *check-calibration* writes it, the gate repeats it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedCalibration:
    """How many samples calibrate, how many of them judge as well (null: nothing judges), and what is odd, in words."""

    FORMAT: ClassVar[int] = 2

    samples: int
    overlap: int | None
    doubts: tuple[str, ...]
