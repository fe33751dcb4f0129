"""The order of actions. Pure: the scheduler knows names and needs of actions, not their work.

    scheduler = Scheduler(actions, jobs=2, keep_going=False)
    scheduler.next() -> Action | None       ready now, and within the number of jobs and the memory
    scheduler.fetch(name)                   a remote cache is asked for its result
    scheduler.start(name)                   it runs
    scheduler.finish(name, ok=...)          it is finished
    scheduler.again(names, before=other)    their outputs are lost: they run again, and `other` waits
    scheduler.weigh(costs, memory)          from now on order by costs; before, by the order of the graph

Rule 1: critical path first: the action with the longest path to the end of the build, its own time included. Ties go by
        the order of the graph, so equal costs always give the same order.
Rule 2: an action whose memory does not fit next to the running ones waits; later ones may overtake it. If nothing runs,
        any action may start.
Rule 3: an exclusive action measures this machine. It starts when no action runs and no different one is ready.
Rule 4: an action that a remote cache is asked for takes no place among the jobs: it waits for a network.

Costs are read only when an action must run, so a no-op build never reads them. For that, the first action that must run
is put back, and costs choose among all ready ones.

The states of an action, and its transitions:

    WAITING ──(last need succeeded)──> READY ──next()──> TAKEN ──start()──> RUNNING
       │                               ^ ^                 │ │                │
       │ (a need failed,               │ └─── put_back() ──┤ └─fetch()─┐      │
       │  or the build stops)          │                   │           v      │
       └──> SKIPPED                    └── put_back() ─────┼─────── FETCHING  │
                                                           └─── finish() ──┴──┴──> SUCCEEDED | FAILED

    again():  SUCCEEDED ──> READY | WAITING; actions after it that have not started: READY | TAKEN ──> WAITING
"""

from __future__ import annotations

import enum
import heapq
from collections.abc import Collection, Mapping, Sequence

from ovmake.engine.forecasting.costs import Cost
from ovmake.graph.action import Action
from ovmake.graph.query import consumers


class State(enum.Enum):
    """The state of an action; the value is its precondition."""

    WAITING = "some of its needs are not done"
    READY = "all of its needs succeeded; it waits for its turn"
    TAKEN = "its inputs are known; whether it must run is being decided"
    FETCHING = "a remote cache is asked for its result"
    RUNNING = "a runner has it"
    SUCCEEDED = "its outputs are known: it was fresh, restored or run"
    FAILED = "it ran and failed, or could not be started"
    SKIPPED = "an action that it needs failed, or the build stopped before its turn"


TRANSITIONS: dict[State, tuple[State, ...]] = {
    State.WAITING: (State.READY, State.SKIPPED),
    State.READY: (State.TAKEN, State.SKIPPED, State.WAITING),
    State.TAKEN: (State.READY, State.FETCHING, State.RUNNING, State.SUCCEEDED, State.FAILED, State.WAITING),
    State.FETCHING: (State.READY, State.SUCCEEDED, State.FAILED),
    State.RUNNING: (State.SUCCEEDED, State.FAILED),
    State.SUCCEEDED: (State.READY, State.WAITING),
    State.FAILED: (),
    State.SKIPPED: (),
}


# An entry of the queue: the sort key of a ready action, and its name.
_Entry = tuple[float, int, str]


class Scheduler:
    """The order of one build."""

    def __init__(self, actions: Sequence[Action], *, jobs: int, keep_going: bool) -> None:
        self._actions = {action.name: action for action in actions}
        self._order = {name: index for index, name in enumerate(self._actions)}
        self._consumers = consumers(actions)
        self._missing = {action.name: len(action.needs) for action in actions}
        self._states = dict.fromkeys(self._actions, State.WAITING)
        self._ready: list[_Entry] = []
        self._ready_alone: list[_Entry] = []
        self._running: set[str] = set()
        self._fetching: set[str] = set()
        self._ways: Mapping[str, float] = {}
        self._needed_bytes: Mapping[str, int] = {}
        self._memory_bytes: int | None = None
        self._jobs = jobs
        self._keep_going = keep_going
        self._stopped = False
        for name, missing in self._missing.items():
            if missing == 0:
                self._make_ready(name)

    def state(self, name: str) -> State:
        """Return the state of an action."""
        return self._states[name]

    @property
    def running(self) -> bool:
        """Whether any action runs, or is being fetched."""
        return bool(self._running or self._fetching)

    @property
    def room(self) -> bool:
        """Whether one more action may run now."""
        alone = any(self._actions[name].exclusive for name in self._running)
        return len(self._running) < self._jobs and not alone

    def next(self) -> Action | None:
        """Take the next ready action, None if there is none now."""
        if self._stopped or not self.room:
            return None
        alone = self._ready_alone if not (self._ready or self.running) else []
        name = self._first_that_fits(self._ready or alone)
        if name is None:
            return None
        self._move(name, State.TAKEN)
        return self._actions[name]

    def _first_that_fits(self, ready: list[_Entry]) -> str | None:
        too_large = []
        while ready and not self._fits(ready[0][-1]):
            too_large.append(heapq.heappop(ready))
        name = heapq.heappop(ready)[-1] if ready else None
        for entry in too_large:
            heapq.heappush(ready, entry)
        return name

    def _fits(self, name: str) -> bool:
        if self._memory_bytes is None or not self._running:
            return True
        needed = self._needed_bytes
        return sum(needed[running] for running in self._running) + needed[name] <= self._memory_bytes

    def weigh(self, costs: Mapping[str, Cost], memory_bytes: int | None) -> None:
        """Order by costs from now on. `costs` has every action; `memory_bytes` limits all running ones, None: no limit.

        An unknown cost counts as 0: the action comes late, and always fits.
        """
        ways: dict[str, float] = {}
        for name in reversed(self._actions):  # the graph has needs first
            after = max((ways[consumer] for consumer in self._consumers[name]), default=0.0)
            ways[name] = (costs[name].seconds or 0.0) + after
        self._ways = ways
        self._needed_bytes = {name: costs[name].memory_bytes or 0 for name in self._actions}
        self._memory_bytes = memory_bytes
        for heap in (self._ready, self._ready_alone):
            heap[:] = [self._entry(name) for _, _, name in heap]
            heapq.heapify(heap)

    def put_back(self, name: str) -> None:
        """Return an action to the queue: it must run, but a different one may go first."""
        self._fetching.discard(name)
        self._make_ready(name)

    def fetch(self, name: str) -> None:
        """A remote cache is asked for the action's result now."""
        self._move(name, State.FETCHING)
        self._fetching.add(name)

    def start(self, name: str) -> None:
        """The action runs now."""
        self._move(name, State.RUNNING)
        self._running.add(name)

    def finish(self, name: str, *, ok: bool) -> list[Action]:
        """The action is finished. Returns the actions that its failure skips, in the order of the graph."""
        self._running.discard(name)
        self._fetching.discard(name)
        self._move(name, State.SUCCEEDED if ok else State.FAILED)
        if not ok:
            self._stopped = self._stopped or not (self._keep_going or self._actions[name].advisory)
            return self._skip_after(name)
        for consumer in self._consumers[name]:
            self._wait_less(consumer)
        return []

    def _wait_less(self, name: str) -> None:
        self._missing[name] -= 1
        if self._missing[name] == 0 and self._states[name] is State.WAITING:
            self._make_ready(name)

    def again(self, names: Collection[str], *, before: str) -> None:
        """The outputs of these actions are lost: run them again, and then `before`, which was taken and needs them.

        All other actions that need them wait too, unless they have started: those have read their inputs, or will
        report the loss.
        """
        self._move(before, State.WAITING)
        for name in names:
            for consumer in self._consumers[name]:
                self._missing[consumer] += 1
                if self._states[consumer] is State.READY:
                    self._make_wait(consumer)
        for name in names:
            if self._missing[name]:  # it needs another one of them
                self._move(name, State.WAITING)
            else:
                self._make_ready(name)

    def left_over(self) -> list[Action]:
        """After the last action: skip and return the actions that a stopped build did not reach."""
        names = [name for name, state in self._states.items() if state in {State.WAITING, State.READY}]
        for name in names:
            self._move(name, State.SKIPPED)
        return [self._actions[name] for name in names]

    def _skip_after(self, name: str) -> list[Action]:
        skipped: set[str] = set()
        pending = [name]
        while pending:
            failed = self._actions[pending.pop()]
            for consumer in self._consumers[failed.name]:
                if failed.advisory and failed.name not in self._actions[consumer].made_by:
                    self._wait_less(consumer)  # the failure of an advisory action skips no other
                elif self._states[consumer] is State.WAITING:
                    self._move(consumer, State.SKIPPED)
                    skipped.add(consumer)
                    pending.append(consumer)
        return [self._actions[name] for name in sorted(skipped, key=self._order.__getitem__)]

    def _make_ready(self, name: str) -> None:
        self._move(name, State.READY)
        heap = self._ready_alone if self._actions[name].exclusive else self._ready
        heapq.heappush(heap, self._entry(name))

    def _entry(self, name: str) -> _Entry:
        return -self._ways.get(name, 0.0), self._order[name], name

    def _make_wait(self, name: str) -> None:
        self._move(name, State.WAITING)
        heap = self._ready_alone if self._actions[name].exclusive else self._ready
        heap.remove(self._entry(name))
        heapq.heapify(heap)

    def _move(self, name: str, state: State) -> None:
        if state not in TRANSITIONS[self._states[name]]:
            raise AssertionError(f"`{name}` cannot go from {self._states[name].name} to {state.name}")
        self._states[name] = state
