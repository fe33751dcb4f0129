"""How long a build would take: its plan, played with the real scheduler and a clock that is only counted. Pure.

    foresee(plan) -> Estimate
    in_words(estimate, jobs) -> "; about 12 s with -j 2, from earlier runs"

An action that may run, because something before it will, does not run at the low end and does at the high one. What
never ran, and nothing of its kind did, counts as no time at all and is said to be missing. What runs in this process
takes milliseconds.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ovmake.engine.forecasting.costs import Cost
from ovmake.engine.scheduler import Scheduler
from ovmake.graph.action import Action

MINUTE = 60
HOUR = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a dry run found: `certain` are names of actions that run, `possible` of those that may.

    `costs` has all `actions`; `memory_bytes` is None without a limit.
    """

    actions: Sequence[Action]
    certain: frozenset[str]
    possible: frozenset[str]
    costs: Mapping[str, Cost]
    jobs: int
    memory_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Seconds from `low` to `high`, less the time of `unknown` of the `actions` that run or may run in a worker."""

    low: float
    high: float
    unknown: int
    actions: int


NOTHING = Estimate(low=0.0, high=0.0, unknown=0, actions=0)


def foresee(plan: Plan) -> Estimate:
    """Return how long the build would take."""
    runs = plan.certain | plan.possible
    in_workers = [action.name for action in plan.actions if action.name in runs and action.worker != "here"]
    low = _played(plan, plan.certain)
    return Estimate(
        low=low,
        # With one more action a list's schedule can end earlier (Graham 1969); a range does not turn round for that.
        high=max(low, _played(plan, runs)) if plan.possible else low,
        unknown=sum(plan.costs[name].seconds is None for name in in_workers),
        actions=len(in_workers),
    )


def _played(plan: Plan, runs: frozenset[str]) -> float:
    """Return when the last action ends."""
    scheduler = Scheduler(plan.actions, jobs=plan.jobs, keep_going=True)
    scheduler.weigh(plan.costs, plan.memory_bytes)
    now = 0.0
    ends: list[tuple[float, str]] = []
    while True:
        while (action := scheduler.next()) is not None:
            if action.name in runs:
                scheduler.start(action.name)
                heapq.heappush(ends, (now + (plan.costs[action.name].seconds or 0.0), action.name))
            else:
                scheduler.finish(action.name, ok=True)
        if not ends:
            return now
        now, name = heapq.heappop(ends)
        scheduler.finish(name, ok=True)


def in_words(estimate: Estimate | None, jobs: int) -> str:
    """Return the estimate as it goes on after "nothing was run", "" where no worker has anything to do."""
    if estimate is None or not estimate.actions:
        return ""
    if estimate.unknown == estimate.actions:
        return "; how long it takes is not known before it ran once"
    how = f"with -j {jobs}, from earlier runs"
    if estimate.unknown:
        missing = f"nothing is known of {estimate.unknown} of {estimate.actions} actions"
        return f"; at least {duration(estimate.low)} {how}; {missing}"
    return f"; about {_span(estimate.low, estimate.high)} {how}"


def duration(seconds: float) -> str:
    """Return a time in words, no more exact than it is: "0.4 s", "12 s", "3 min", "2 h 10 min"."""
    if seconds < 9.95:  # noqa: PLR2004 - below ten seconds, tenths
        return f"{seconds:.1f} s"
    if seconds < 2 * MINUTE - 0.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / MINUTE)
    if minutes < HOUR / MINUTE:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def _span(low: float, high: float) -> str:
    """Return "3 to 12 s", in the exactness of the longer time, or one time where both read the same."""
    longest = duration(high)
    number, unit = longest.rsplit(" ", 1)
    if unit == "s":
        shortest = f"{low:.{1 if '.' in number else 0}f}"
        return longest if shortest == number else f"{shortest} to {longest}"
    return longest if duration(low) == longest else f"{duration(low)} to {longest}"
