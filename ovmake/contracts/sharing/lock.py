"""Ovfile.lock: the inputs and outputs of each target. `ovmake/lockfile/` reads and writes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedTarget:
    """One block of the lock. It names its own inputs, so that a block that a merge combined wrongly is out of date.

    `inputs` is the digest of the target's settings and sources, but not of tools, machine or ovmake.
    `settings` is the part of it that the Ovfile decides. `sources` are digests by path, `outputs` digests by the path
    below the build folder, both as `Digest.encoded`. `versions` are those of the tools that made it, ovmake's too;
    `isa` are the instruction sets that its bytes depend on, "" if they do not.

    `metric` is "" if nothing was promised. `tensorflow` and `openvino` are scores, `drop` is in the metric's unit, and
    `drop_low` to `drop_high` is its interval; None is not measured. `reverted` are the layers that accuracy control
    left in floating point, by their names in the IR.
    """

    inputs: str
    settings: str
    sources: Mapping[str, str]
    outputs: Mapping[str, str]
    versions: Mapping[str, str]
    isa: str = ""
    metric: str = ""
    tensorflow: float | None = None
    openvino: float | None = None
    drop: float | None = None
    drop_low: float | None = None
    drop_high: float | None = None
    reverted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """The whole file: blocks by the target's name."""

    targets: Mapping[str, LockedTarget] = field(default_factory=dict)
