"""checked.json: doubts about the calibration samples of INT8. *check-calibration* writes it, the gate repeats it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedCalibration:
    """The calibration samples: their number, how many are also in the validation set (null without one), and doubts."""

    FORMAT: ClassVar[int] = 2

    samples: int
    overlap: int | None
    doubts: tuple[str, ...]
