"""The layers of a compiled model, as the runtime executes them: fused, and by its own types.

`precision` is what a layer is computed in: `f32`, `bf16`, `i8`. `name` is that of the first operation of the IR in it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutedLayer:
    """A layer that computes; what only moves data is none."""

    name: str
    type: str
    precision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedLayer:
    """A layer that was timed: `us` is its mean time in an inference. `moves`: it computes nothing, and moves data."""

    name: str
    type: str
    precision: str
    us: float
    moves: bool
