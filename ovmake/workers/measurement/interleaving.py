"""Interleave the sides of a comparison in short blocks, so that any other load on the machine hits all of them.

    side.ask("open"); warm_up(side, block_seconds)
    take_turns(sides, seconds=..., least=...)      side.blocks: the times of each block

The order within a round is random (seeded), so that no side always follows the same side. Standard library only: the
timing process must not slow down what it measures.
"""

from __future__ import annotations

import math
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ovmake.contracts.codec import decode, encode_object
from ovmake.contracts.files.timing import ExecutedIr, OpenedModel, Profile
from ovmake.contracts.params.helping import TimeParams
from ovmake.contracts.values import JsonObject
from ovmake.errors import ActionError
from ovmake.workers.ipc.client import WorkerProcess
from ovmake.workers.ipc.protocol import Request

STEADY = 3
NO_FASTER = 0.95
MOST_RUNS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUp:
    """The number of inferences before the timed ones. Not `steady`: they still got faster at the time limit."""

    inferences: int
    steady: bool


@dataclass(slots=True, kw_only=True)
class Side:
    """A timed model in a worker, and its measurements. Several may share a worker, each with its `name`.

    `request` is the measurement's, and `time` its params for this side; `inputs` are those of its inputs that this side
    needs, under their plain roles.
    `start` starts a new process of the same kind, if the side has one of its own that is quick to start; `process`
    counts them.
    """

    worker: WorkerProcess
    request: Request
    time: TimeParams
    inputs: Mapping[str, str]
    name: str = ""
    runs: int = 1
    opened: OpenedModel | None = None
    blocks: list[list[int]] = field(default_factory=list)
    start: Callable[[], WorkerProcess] | None = None
    process: int = 0

    def ask(self, operation: str, *, runs: int = 1, seconds: float = 0.0) -> JsonObject:
        """Send an operation (`step`) to the worker and return its facts.

        Raises:
            ActionError: it failed, or the process died.
        """
        asked = Request(
            id=1,
            kind="time",
            params=encode_object(replace(self.time, operation=operation, name=self.name, runs=runs, seconds=seconds)),
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

    def open(self) -> OpenedModel:
        """Load the model and run it once.

        Raises:
            ActionError: see `ask`.
        """
        self.opened = decode(OpenedModel, self.ask("open"), "open")
        return self.opened

    def layers(self) -> ExecutedIr:
        """Return the IR as the runtime executes it. Raises what `ask` raises."""
        return decode(ExecutedIr, self.ask("layers"), "layers")

    def peak_bytes(self) -> int | None:
        """Return the peak memory of the process so far; None if the system does not report it."""
        found = self.ask("memory")["peak_bytes"]
        return found if isinstance(found, int) else None

    def profile(self, seconds: float) -> Profile:
        """Return the layers with their times. Errors are those of `ask`."""
        return decode(Profile, self.ask("profile", seconds=seconds), "profile")

    def restart(self) -> bool:
        """Replace the worker by a new process, and open the model in it; return whether this side can.

        Raises:
            ActionError: the new process fails or dies.
        """
        if self.start is None:
            return False
        self.worker.end()
        self.worker = self.start()
        self.process += 1
        self.open()
        self.ask("feeds")
        return True

    def block(self) -> list[int]:
        """Return the times of one block, in nanoseconds."""
        times = self.ask("block", runs=self.runs)["ns"]
        if not isinstance(times, list):
            raise TypeError("a block must be a list of times")
        return times


def warm_up(side: Side, block_seconds: float, *, limit_seconds: float = 3.0) -> WarmUp:
    """Run blocks until they get no faster, and set the number of inferences per block.

    The first inferences are slow: memory is touched for the first time, functions are traced, kernels are chosen. Their
    number depends on the framework and the model. A side is warm when none of STEADY consecutive blocks was clearly
    faster than the blocks before.
    """
    started = time.monotonic()
    fastest, in_a_row, inferences = math.inf, 0, 0
    while in_a_row < STEADY and (not inferences or time.monotonic() - started < limit_seconds):
        times = side.block()
        inferences += len(times)
        typical_seconds = statistics.median(times) / 1e9
        in_a_row = in_a_row + 1 if typical_seconds > fastest * NO_FASTER else 0
        fastest = min(fastest, typical_seconds)
        side.runs = max(1, min(MOST_RUNS, round(block_seconds / max(typical_seconds, 1e-9))))
    return WarmUp(inferences=inferences, steady=in_a_row >= STEADY)


def take_turns(
    sides: Sequence[Side], *, seconds: float, least: int, most: float = math.inf, limit_seconds: float = math.inf
) -> None:
    """Time rounds for about `seconds`, at least `least` and at most `most`; no round begins after the limit."""
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
