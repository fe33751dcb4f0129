"""The progress and the remaining time of a running build, from earlier runs.

    forecast = Forecast(actions, costs, built=..., jobs=..., memory_bytes=...)
    forecast.begin("convert m", now); forecast.end("convert m", fresh=False)
    forecast.look(now) -> BuildProgressed, None if the last one is recent enough

Not counted: in-process actions, which take milliseconds, and actions that turn out to be fresh. Undecided actions count
as if they ran. Simulating the rest of a build takes time. It is repeated after fifty times that time, so it costs at
most 2 %; this is the only use of a clock here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from ovmake.engine.events import BuildProgressed
from ovmake.engine.forecasting.costs import Cost
from ovmake.engine.forecasting.estimate import Plan, estimate_build
from ovmake.graph.action import Action

SHARE = 50


class Forecast:
    """The forecast of one build. `built` are the names of actions that have run in an earlier one, and may be fresh."""

    def __init__(
        self,
        actions: Sequence[Action],
        costs: Mapping[str, Cost],
        *,
        built: Collection[str],
        jobs: int,
        memory_bytes: int | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._actions = actions
        self._costs = costs
        self._built = built
        self._jobs = jobs
        self._memory_bytes = memory_bytes
        self._clock = clock
        self._left = {action.name for action in actions if action.worker != "in-process"}
        self._of = len(self._left)
        self._running: dict[str, float] = {}
        self._due = 0.0

    def begin(self, name: str, now: float) -> None:
        """An action started."""
        self._running[name] = now

    def end(self, name: str, *, fresh: bool) -> None:
        """An action is finished; `fresh`: it did not have to run."""
        self._running.pop(name, None)
        if name in self._left:
            self._left.discard(name)
            self._of -= fresh

    def look(self, now: float) -> BuildProgressed | None:
        """Return the progress at `now`, in seconds; None if the last forecast is recent enough."""
        if now < self._due:
            return None
        started = self._clock()
        found = self._look(now)
        self._due = now + SHARE * (self._clock() - started)
        return found

    def _look(self, now: float) -> BuildProgressed:
        done = self._of - len(self._left)
        estimate = estimate_build(
            Plan(
                actions=self._actions,
                certain=frozenset(self._left),
                possible=frozenset(),
                costs={**self._costs, **{name: self._less(name, now) for name in self._running}},
                jobs=self._jobs,
                memory_bytes=self._memory_bytes,
            )
        )
        if estimate.unknown == estimate.actions:
            return BuildProgressed(done=done, of=self._of)
        undecided = self._left - self._running.keys()
        return BuildProgressed(
            done=done,
            of=self._of,
            seconds_left=estimate.low,
            unknown=estimate.unknown,
            most=not undecided.isdisjoint(self._built),
        )

    def _less(self, name: str, now: float) -> Cost:
        """Return the cost of a running action, minus the time that it has run."""
        cost = self._costs[name]
        return (
            cost if cost.seconds is None else replace(cost, seconds=max(0.0, cost.seconds - now + self._running[name]))
        )
