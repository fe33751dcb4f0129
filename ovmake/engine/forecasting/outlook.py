"""What a build may cost, as far as earlier runs tell: for the order of its actions, its estimate and its progress.

outlook = Outlook(world, options)
outlook.plan(actions)                     before the build
outlook.costs                             read when the first action must run, because it takes time
outlook.foretell(outcomes)                an action is about to run: progress is told from now on
outlook.begin(name); outlook.end(name, fresh=...); outlook.tell()
outlook.estimate(outcomes) -> Estimate    of the build that a dry run planned
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from ovmake.engine.events import ActionStatus
from ovmake.engine.forecasting.costs import Cost, costs_of
from ovmake.engine.forecasting.estimate import NOTHING, Estimate, Plan, estimate_build
from ovmake.engine.forecasting.forecast import Forecast
from ovmake.engine.world import Options, World
from ovmake.graph.action import Action

# The statuses of actions so far.
Statuses = Mapping[str, ActionStatus]


class Outlook:
    """The costs of one build."""

    def __init__(self, world: World, options: Options) -> None:
        self._world = world
        self._options = options
        self._actions: Sequence[Action] = ()
        self._costs: Mapping[str, Cost] | None = None
        self._built: frozenset[str] = frozenset()
        self._forecast: Forecast | None = None

    def plan(self, actions: Sequence[Action]) -> None:
        """These are the actions of the build."""
        self._actions = actions

    @property
    def known(self) -> bool:
        """Whether the costs were read."""
        return self._costs is not None

    @property
    def costs(self) -> Mapping[str, Cost]:
        """The likely costs of all actions."""
        if self._costs is None:
            traces = self._world.database.traces()
            self._costs, self._built = costs_of(self._actions, traces), frozenset(traces)
        return self._costs

    def estimate(self, statuses: Statuses) -> Estimate | None:
        """Return the estimated time of the build that a dry run planned; None if nobody asked."""
        if not self._options.estimate:
            return None
        certain = frozenset(name for name, status in statuses.items() if status == "would-run")
        possible = frozenset(name for name, status in statuses.items() if status == "may-run")
        if not (certain or possible):
            return NOTHING
        return estimate_build(
            Plan(
                actions=self._actions,
                certain=certain,
                possible=possible,
                costs=self.costs,
                jobs=self._options.jobs,
                memory_bytes=self._world.memory_bytes(),
            )
        )

    def foretell(self, statuses: Statuses) -> None:
        """The first action is about to run: tell progress from now on, if it was asked for."""
        if not self._options.progress:
            return
        self._forecast = Forecast(
            self._actions,
            self.costs,
            built=self._built,
            jobs=self._options.jobs,
            memory_bytes=self._world.memory_bytes(),
        )
        for name, status in statuses.items():
            self._forecast.end(name, fresh=status == "fresh")

    def begin(self, name: str) -> None:
        """An action runs now."""
        if self._forecast is not None:
            self._forecast.begin(name, time.monotonic())

    def end(self, name: str, *, fresh: bool) -> None:
        """An action is finished."""
        if self._forecast is not None:
            self._forecast.end(name, fresh=fresh)

    def tell(self) -> None:
        """Emit the progress of the build, if it changed."""
        if self._forecast is not None and (progress := self._forecast.look(time.monotonic())) is not None:
            self._world.emit(progress)
