"""Limits of one action: minutes, and memory of its worker with all descendants. Pure.

    allowed(ovfile.limits, asked, machine_bytes) -> ResourceLimits
    limits.too_long(seconds), .too_large(bytes) -> Failure | None

The command line overrides the Ovfile. By default time is unlimited, and memory is limited to a share of the machine's:
when memory runs out, the kernel's memory killer may end any process, such as ovmake or the user's editor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ovmake.engine.job import Failure
from ovmake.ovfile.schema.measuring import Limits
from ovmake.ovfile.words import LIMITS
from ovmake.units import size_in_words

SHARE = 0.9

LimitSource = Literal["command line", "Ovfile", "default"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceLimits:
    """The limits (None: no limit), and where each was set."""

    minutes: float | None = None
    minutes_from: LimitSource = "default"
    memory_bytes: int | None = None
    memory_from: LimitSource = "default"

    def too_long(self, seconds: float) -> Failure | None:
        """Return the failure of an action that has run for so long, None if it is within the limit."""
        if self.minutes is None or seconds <= self.minutes * 60:
            return None
        unit = "minute" if self.minutes == 1 else "minutes"
        return Failure(
            code="action-timeout",
            message=f"it took longer than {self.minutes:g} {unit}, and was ended",
            setting=_setting("minutes", self.minutes_from),
            help=_help("time", "take so long", "--timeout", self.minutes_from, "minutes"),
        )

    def too_large(self, held_bytes: int) -> Failure | None:
        """Return the failure of an action whose worker uses so much memory, None if it is within the limit."""
        if self.memory_bytes is None or held_bytes <= self.memory_bytes:
            return None
        most = size_in_words(self.memory_bytes)
        share = f", {SHARE * 100:.0f} % of this machine's memory" if self.memory_from == "default" else ""
        return Failure(
            code="action-memory",
            message=f"it used {size_in_words(held_bytes)} of memory, more than {most}{share}, and was ended",
            setting=_setting("memory", self.memory_from),
            help=_help("memory", "need so much", "--memory", self.memory_from, "memory"),
        )


def allowed(ovfile: Limits, asked: Limits, machine_bytes: int | None) -> ResourceLimits:
    """Return the effective limits. `machine_bytes` is the memory for all processes together, None if unknown."""
    default = None if machine_bytes is None else int(machine_bytes * SHARE)
    minutes, minutes_from = _first(asked.minutes, ovfile.minutes, None)
    memory, memory_from = _first(asked.memory_bytes, ovfile.memory_bytes, default)
    return ResourceLimits(
        minutes=minutes,
        minutes_from=minutes_from,
        memory_bytes=None if memory is None else int(memory),
        memory_from=memory_from,
    )


def _first(asked: float | None, written: float | None, default: float | None) -> tuple[float | None, LimitSource]:
    if asked is not None:
        return asked, "command line"
    return (written, "Ovfile") if written is not None else (default, "default")


def _setting(key: str, said: LimitSource) -> str:
    return f"{LIMITS}.{key}" if said == "Ovfile" else ""


def _help(what: str, needs: str, option: str, said: LimitSource, key: str) -> str:
    place = option if said == "command line" else f"`{key}` in [{LIMITS}], or with {option}"
    return f"allow more {what} with {place}, if it should {needs}"
