"""Engines that are wrong on purpose: each law must be able to tell them from the right one.

    Engine         what a law is tried on: a rebuilder, a disk, and tools
    WRONG[name]()  -> one with a mistake; called once per history, so that it may remember what it did before

Most mistakes are a rebuilder's, which decides wrongly. Some are a tool's: it writes what should be in no artifact, or
says what it has not measured. And one is in what the engine believes of the disk.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from ovmake.contracts.values import JsonValue
from ovmake.engine.job import Job
from ovmake.engine.staleness import Decision, OutputState, Reason, Rebuilder, decide
from ovmake.graph.trace import Seen, Trace
from tests.fakes import RIGHT, FakeDisk, Fuse, Tool, TrustingDisk


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What a law is tried on; this one is right."""

    rebuilder: Rebuilder = decide
    disk_of: Callable[[Fuse], FakeDisk] = FakeDisk
    tool: Tool = RIGHT


Keep = Callable[[Reason, Seen, Trace | None], bool]


def _without(keep: Keep) -> Rebuilder:
    def rebuild(
        seen: Seen, trace: Trace | None, outputs: Mapping[str, OutputState], *, forced: bool = False
    ) -> Decision:
        decision = decide(seen, trace, outputs, forced=forced)
        return Decision(reasons=tuple(reason for reason in decision.reasons if keep(reason, seen, trace)))

    return rebuild


def ignoring(*kinds: str) -> Callable[[], Rebuilder]:
    """Overlook some kinds of reason."""
    return lambda: _without(lambda reason, _seen, _trace: reason.kind not in kinds)


def ignoring_first_input() -> Rebuilder:
    """Overlook one input, as a rule does that forgot to declare it."""

    def keep(reason: Reason, seen: Seen, _: Trace | None) -> bool:
        first = next((given.label for given in seen.inputs.values()), "")
        return reason.kind != "input" or reason.name != first

    return _without(keep)


def by_size() -> Rebuilder:
    """Compare inputs by their size, as by size and time where times are not to be trusted."""

    def keep(reason: Reason, seen: Seen, trace: Trace | None) -> bool:
        if reason.kind != "input" or trace is None:
            return True
        now = [given.digest.size_bytes for given in seen.inputs.values() if given.digest]
        before = [given.digest.size_bytes for given in trace.seen.inputs.values() if given.digest]
        return now != before

    return _without(keep)


def always() -> Rebuilder:
    """Find a reason every time."""

    def rebuild(
        seen: Seen, trace: Trace | None, outputs: Mapping[str, OutputState], *, forced: bool = False
    ) -> Decision:
        decision = decide(seen, trace, outputs, forced=forced)
        return Decision(reasons=(*decision.reasons, Reason(kind="forced")))

    return rebuild


def vague() -> Rebuilder:
    """Decide rightly, and give the wrong reasons."""

    def rebuild(
        seen: Seen, trace: Trace | None, outputs: Mapping[str, OutputState], *, forced: bool = False
    ) -> Decision:
        decision = decide(seen, trace, outputs, forced=forced)
        return Decision(reasons=() if decision.fresh else (Reason(kind="never-built"),))

    return rebuild


class NeverCutsOff:
    """What reads an output of a stale action is stale itself, whatever the output turned out to be: make, by time."""

    def __init__(self) -> None:
        self._stale: set[str] = set()

    def __call__(
        self, seen: Seen, trace: Trace | None, outputs: Mapping[str, OutputState], *, forced: bool = False
    ) -> Decision:
        """Decide. `Seen` does not say whose it is, so one stale action makes all that read artifacts stale."""
        decision = decide(seen, trace, outputs, forced=forced)
        artifacts = [given.label for given in seen.inputs.values() if given.label.startswith("`")]
        if decision.fresh and artifacts and self._stale:
            return Decision(reasons=tuple(Reason(kind="input", name=label) for label in artifacts))
        if not decision.fresh:
            self._stale.add(seen.kind)
        return decision


class Moody:
    """Look properly every other time."""

    def __init__(self) -> None:
        self._calls = 0

    def __call__(
        self, seen: Seen, trace: Trace | None, outputs: Mapping[str, OutputState], *, forced: bool = False
    ) -> Decision:
        """Decide, or do not."""
        self._calls += 1
        decision = decide(seen, trace, outputs, forced=forced)
        return decision if self._calls % 2 or trace is None else Decision(reasons=())


def writes_a_path() -> Tool:
    """Leave the place of what was read in the artifact, as OpenVINO's `conversion_parameters` do."""
    return Tool(writes=lambda job, data: data + repr(sorted(job.inputs.values())).encode())


def writes_a_counter() -> Tool:
    """Leave a number in the artifact that grows with every one, as `Transpose_42699` does."""
    numbers = itertools.count()
    return Tool(writes=lambda _, data: data + b" %d" % next(numbers))


def computes_a_path() -> Tool:
    """Take a fingerprint of what stands where, so that an action digest holds the place of the repo."""
    return Tool(computes=lambda path, found: hashlib.sha256(f"{path} {found}".encode()).hexdigest())


def measures_once() -> Tool:
    """Say of an action what was measured for it first."""
    first: dict[str, Mapping[str, JsonValue]] = {}

    def says(job: Job, facts: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
        return first.setdefault(job.action.name, facts)

    return Tool(says=says)


def passes_what_it_misses() -> Tool:
    """Fail, and say that it passed."""
    return Tool(says=lambda _, facts: {**facts, "gate": "passed"} if facts.get("gate") == "missed" else facts)


REBUILDERS: Mapping[str, Callable[[], Rebuilder]] = {
    "ignores inputs": ignoring("input"),
    "ignores the first input": ignoring_first_input,
    "ignores params": ignoring("param"),
    "ignores tools": ignoring("tool"),
    "ignores code": ignoring("code"),
    "ignores the environment": ignoring("environment"),
    "ignores outputs": ignoring("output-missing", "output-edited"),
    "ignores edited outputs": ignoring("output-edited"),
    "by size": by_size,
    "always": always,
    "vague": vague,
    "never cuts off": NeverCutsOff,
    "moody": Moody,
}

TOOLS: Mapping[str, Callable[[], Tool]] = {
    "writes a path": writes_a_path,
    "writes a counter": writes_a_counter,
    "computes a path": computes_a_path,
    "measures once": measures_once,
    "passes what it misses": passes_what_it_misses,
}


def _wrong(name: str) -> Engine:
    if name == "trusts what is stored":
        return Engine(disk_of=TrustingDisk)
    return Engine(tool=TOOLS[name]()) if name in TOOLS else Engine(rebuilder=REBUILDERS[name]())


WRONG: Mapping[str, Callable[[], Engine]] = {
    name: partial(_wrong, name) for name in (*REBUILDERS, *TOOLS, "trusts what is stored")
}
