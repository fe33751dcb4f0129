"""The estimated time of a build: its plan, simulated with the real scheduler and a simulated clock. Pure.

    estimate_build(plan) -> Estimate
    in_words(estimate, jobs) -> "; about 12 s with -j 2, from earlier runs"

An action may run if one before it will run. The low end of the estimate assumes that it does not, the high end that it
does. An action without any earlier run of its kind counts as 0 s, and the estimate names the number of such actions.
In-process actions take milliseconds and are not counted.
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
    """The plan from a dry run: `certain` are names of actions that will run, `possible` of those that may run.

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
    """Seconds from `low` to `high`. Of the `actions` that run or may run in a worker, `unknown` are not included."""

    low: float
    high: float
    unknown: int
    actions: int


NOTHING = Estimate(low=0.0, high=0.0, unknown=0, actions=0)


def estimate_build(plan: Plan) -> Estimate:
    """Return the estimated time of the build."""
    runs = plan.certain | plan.possible
    in_workers = [action.name for action in plan.actions if action.name in runs and action.worker != "in-process"]
    low = _played(plan, plan.certain)
    return Estimate(
        low=low,
        # List scheduling may end earlier with one more action (Graham 1969); keep low <= high.
        high=max(low, _played(plan, runs)) if plan.possible else low,
        unknown=sum(plan.costs[name].seconds is None for name in in_workers),
        actions=len(in_workers),
    )


def _played(plan: Plan, runs: frozenset[str]) -> float:
    """Return the simulated time at which the last action ends."""
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
    """Return the estimate as the continuation of "nothing was run"; "" if no action needs a worker."""
    if estimate is None or not estimate.actions:
        return ""
    if estimate.unknown == estimate.actions:
        return "; the time is unknown before the first run"
    how = f"with -j {jobs}, from earlier runs"
    if estimate.unknown:
        missing = f"the time of {estimate.unknown} of {estimate.actions} actions is unknown"
        return f"; at least {duration(estimate.low)} {how}; {missing}"
    return f"; about {_span(estimate.low, estimate.high)} {how}"


def duration(seconds: float) -> str:
    """Return a time in words, rounded: "0.4 s", "12 s", "3 min", "2 h 10 min"."""
    if seconds < 9.95:  # noqa: PLR2004 - below ten seconds, tenths
        return f"{seconds:.1f} s"
    if seconds < 2 * MINUTE - 0.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / MINUTE)
    if minutes < HOUR / MINUTE:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def _span(low: float, high: float) -> str:
    """Return "3 to 12 s", rounded as the longer time is; or one time if both round to the same."""
    longest = duration(high)
    number, unit = longest.rsplit(" ", 1)
    if unit == "s":
        shortest = f"{low:.{1 if '.' in number else 0}f}"
        return longest if shortest == number else f"{shortest} to {longest}"
    return longest if duration(low) == longest else f"{duration(low)} to {longest}"
