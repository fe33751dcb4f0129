"""The layers of a compiled model, as the runtime executes them: fused, with the runtime's types.

`precision` is the precision that a layer computes in: `f32`, `bf16`, `i8`. `name` is the name of the first operation of
the IR in the layer.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutedLayer:
    """A layer that computes; layers that only move data are left out."""

    name: str
    type: str
    precision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedLayer:
    """A timed layer: `us` is its mean time per inference. `moves`: it only moves data."""

    name: str
    type: str
    precision: str
    us: float
    moves: bool
