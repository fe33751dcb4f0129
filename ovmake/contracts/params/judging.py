"""The params of the actions that judge figures other than accuracy: speed, choice, size and measurement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSpeedParams:
    """*check-speed*: the precision whose speed is judged."""

    KEBAB: ClassVar[bool] = True

    precision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WeighParams:
    """*weigh*: the precisions that `auto` chooses from, in order of preference."""

    KEBAB: ClassVar[bool] = True

    candidates: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeLimit:
    """The largest size of the two files of an IR, in bytes."""

    KEBAB: ClassVar[bool] = True

    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSizeParams:
    """*check-size*."""

    KEBAB: ClassVar[bool] = True

    require: SizeLimit


@dataclass(frozen=True, slots=True, kw_only=True)
class RequireParams:
    """*require*: what a measurement must show, by the Ovfile's key: speedup, p95-ms, throughput, memory (bytes)."""

    KEBAB: ClassVar[bool] = True

    require: Mapping[str, float]
