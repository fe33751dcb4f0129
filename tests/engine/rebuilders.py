"""Rebuilders that are wrong on purpose: each law must be able to tell them from `staleness.decide`.

WRONG[name]()  -> a rebuilder; called once per history, so that one may remember what it decided before
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ovmake.engine.staleness import Decision, OutputState, Reason, Rebuilder, decide
from ovmake.graph.trace import Seen, Trace

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


WRONG: Mapping[str, Callable[[], Rebuilder]] = {
    "ignores inputs": ignoring("input"),
    "ignores the first input": ignoring_first_input,
    "ignores params": ignoring("param"),
    "ignores tools": ignoring("tool"),
    "ignores the environment": ignoring("environment"),
    "ignores outputs": ignoring("output-missing", "output-edited"),
    "ignores edited outputs": ignoring("output-edited"),
    "by size": by_size,
    "always": always,
    "vague": vague,
    "never cuts off": NeverCutsOff,
    "moody": Moody,
}
