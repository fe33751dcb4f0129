"""What one action may take: minutes, and memory of its worker with everything that it started. Pure.

    allowed(ovfile.limits, asked, machine_bytes) -> Allowance
    allowance.too_long(seconds), .too_large(bytes) -> Failure | None

The command line wins over the Ovfile. Without either there is no limit on time, and a share of the machine's memory:
past all of it the kernel's memory killer ends whatever it likes, perhaps another action, ovmake or the user's editor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ovmake.engine.job import Failure
from ovmake.ovfile.schema.measuring import Limits
from ovmake.ovfile.words import LIMITS
from ovmake.units import size_in_words

SHARE = 0.9

Said = Literal["command line", "Ovfile", "nobody"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceLimits:
    """Limits, None for none, and who said so."""

    minutes: float | None = None
    minutes_said: Said = "nobody"
    memory_bytes: int | None = None
    memory_said: Said = "nobody"

    def too_long(self, seconds: float) -> Failure | None:
        """Return the failure of an action that runs for so long, None if it may."""
        if self.minutes is None or seconds <= self.minutes * 60:
            return None
        unit = "minute" if self.minutes == 1 else "minutes"
        return Failure(
            code="action-timeout",
            message=f"it took longer than {self.minutes:g} {unit}, and was ended",
            setting=_setting("minutes", self.minutes_said),
            help=_help("time", "take so long", "--timeout", self.minutes_said, "minutes"),
        )

    def too_large(self, held_bytes: int) -> Failure | None:
        """Return the failure of an action whose worker holds so much, None if it may."""
        if self.memory_bytes is None or held_bytes <= self.memory_bytes:
            return None
        most = size_in_words(self.memory_bytes)
        share = f", {SHARE * 100:.0f} % of what this machine has" if self.memory_said == "nobody" else ""
        return Failure(
            code="action-memory",
            message=f"it needed {size_in_words(held_bytes)} of memory, more than {most}{share}, and was ended",
            setting=_setting("memory", self.memory_said),
            help=_help("memory", "need so much", "--memory", self.memory_said, "memory"),
        )


def allowed(ovfile: Limits, asked: Limits, machine_bytes: int | None) -> ResourceLimits:
    """Return what holds. `machine_bytes` is what all processes may have together, None where that is not known."""
    default = None if machine_bytes is None else int(machine_bytes * SHARE)
    minutes, minutes_said = _first(asked.minutes, ovfile.minutes, None)
    memory, memory_said = _first(asked.memory_bytes, ovfile.memory_bytes, default)
    return ResourceLimits(
        minutes=minutes,
        minutes_said=minutes_said,
        memory_bytes=None if memory is None else int(memory),
        memory_said=memory_said,
    )


def _first(asked: float | None, written: float | None, default: float | None) -> tuple[float | None, Said]:
    if asked is not None:
        return asked, "command line"
    return (written, "Ovfile") if written is not None else (default, "nobody")


def _setting(key: str, said: Said) -> str:
    return f"{LIMITS}.{key}" if said == "Ovfile" else ""


def _help(what: str, needs: str, option: str, said: Said, key: str) -> str:
    place = option if said == "command line" else f"`{key}` in [{LIMITS}], or with {option}"
    return f"allow more {what} with {place}, if it should {needs}"
