"""The facts of a machine, for every measurement. `ovmake/machine.py` reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A machine. This process may use `cores` of `cores_online`; `cpu_limit` is a container's, in cores.

    `governor` is the kernel's frequency policy; `boost`: frequencies may exceed the nominal one. `memory_limit_bytes`
    is a container's. A fact is null if it is unknown, and `missing` says why.
    """

    processor: str
    instruction_sets: tuple[str, ...]
    int8_instructions: tuple[str, ...] | None
    bf16_instructions: tuple[str, ...] | None
    cores: int
    cores_online: int
    threads_per_core: int | None
    governor: str | None
    boost: bool | None
    cpu_limit: float | None
    memory_bytes: int | None
    memory_limit_bytes: int | None
    system: str
    kernel: str
    virtual: bool | None
    python: str
    missing: Mapping[str, str] = field(default_factory=dict)
