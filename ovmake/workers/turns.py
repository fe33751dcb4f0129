"""Sides of a comparison that take turns in short blocks, so that whatever else the machine does hits all of them.

    side.ask("open"); warm_up(side, block_seconds)
    take_turns(sides, seconds=..., least=...)      side.blocks: the times of each block

The order within a round is random (seeded), so that no side always follows the same other. Standard library only: the
process that holds the clock must weigh nothing on what it measures.
"""

from __future__ import annotations

import math
import os
import random
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ovmake.workers.client import WorkerProcess
from ovmake.workers.protocol import ActionError, Request

WARM_UP_BLOCKS = 2
MOST_RUNS = 10_000


@dataclass(slots=True, kw_only=True)
class Side:
    """A model that is timed in a worker, and what was measured. Several may share a worker, each under its `name`.

    `request` is the measurement's; `inputs` are those of its inputs that this side needs, under their plain roles.
    """

    worker: WorkerProcess
    request: Request
    inputs: Mapping[str, str]
    name: str = ""
    runs: int = 1
    opened: Mapping[str, object] = field(default_factory=dict)
    blocks: list[list[int]] = field(default_factory=list)
    throughputs: list[float] = field(default_factory=list)
    peak_bytes: int | None = None

    def ask(self, step: str, **params: object) -> Mapping[str, object]:
        """Do a step and return its facts.

        Raises:
            ActionError: it failed, or the process died.
        """
        asked = Request(
            id=1,
            kind="time",
            params={**self.request.params, "threads": usable_threads(), "name": self.name, "step": step, **params},
            inputs=self.inputs,
            log=self.request.log,
        )
        self.worker.send(asked)
        response = self.worker.receive()
        if response is None:
            raise ActionError("worker-died", self.worker.how_it_died(), notes=tuple(self.worker.said()[-5:]))
        if not response.ok:
            raise ActionError(
                response.code,
                f"{self.worker.name}: {response.message}",
                notes=response.notes,
                help=response.help,
                setting=response.setting,
            )
        return response.facts

    def block(self) -> list[int]:
        """Return the times of one block, in nanoseconds."""
        times = self.ask("block", runs=self.runs)["ns"]
        if not isinstance(times, list):
            raise TypeError("a block is a list of times")
        return times


def warm_up(side: Side, block_seconds: float) -> None:
    """Run until a block's length is known, and the first slow inferences are behind."""
    for _ in range(WARM_UP_BLOCKS):
        typical_seconds = statistics.median(side.block()) / 1e9
        side.runs = max(1, min(MOST_RUNS, round(block_seconds / max(typical_seconds, 1e-9))))


def take_turns(
    sides: Sequence[Side], *, seconds: float, least: int, most: float = math.inf, limit_seconds: float = math.inf
) -> None:
    """Time rounds for about `seconds`, at least `least` and at most `most` of them; none begins after the limit."""
    order = list(sides)
    shuffler = random.Random(0)  # noqa: S311 - an order, not a secret
    started = time.monotonic()
    rounds = 0
    while rounds < most and (passed := time.monotonic() - started) < limit_seconds:
        if rounds >= least and passed >= seconds:
            return
        shuffler.shuffle(order)
        for side in order:
            side.blocks.append(side.block())
        rounds += 1


def usable_threads() -> int:
    """Return how many threads an inference may use: the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
