"""What an IR must reach beside its accuracy: the `require` table.

require_of(own) -> Require
"""

from __future__ import annotations

from ovmake.ovfile.meaning.settings import Settings
from ovmake.ovfile.spec import Require
from ovmake.units import memory_of

TABLE = "require"
NUMBERS = ("speedup", "p95-ms", "throughput")


def require_of(own: Settings) -> Require:
    """Return what the Ovfile asks for; the schema has seen to its form."""
    numbers = ((name, own.number(TABLE, name, default=0.0)) for name in NUMBERS)
    memory = memory_of(own.text(TABLE, "memory", default=""))
    return Require(
        size=memory_of(own.text(TABLE, "size", default="")),
        measured=tuple((name, float(least)) for name, least in (*numbers, ("memory", memory or 0)) if least),
    )
