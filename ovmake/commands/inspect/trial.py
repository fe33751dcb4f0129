"""Try an Ovfile before it is written: build and judge its targets in a scratch folder, and publish no file.

    with trial(where, tell) as attempt:
        tried = attempt(text)            {"digits:int8": TrialOutcome(...)}; attempts share one action cache

The folder is in `.ovmake`. If there was no `.ovmake` before, it is removed at the end.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from ovmake import ledger
from ovmake.contracts.codec import from_bytes
from ovmake.contracts.files.evaluation import Evaluation
from ovmake.engine.events import ActionStarted, Event
from ovmake.engine.executor import Executor, Outcome
from ovmake.engine.results import LOGS
from ovmake.engine.world import Options
from ovmake.graph.action import Action, Graph
from ovmake.graph.query import closure
from ovmake.names import STATE
from ovmake.ovfile.parse import parse
from ovmake.project.repo import LoadedOvfile, Where, build_graph, really_inside
from ovmake.project.session import NO_LIMITS, RunnerWhenNeeded, session_of
from ovmake.project.state_folder import hold_state
from ovmake.store.cas import Cas
from ovmake.store.database import Database
from ovmake.store.files.cleaning import remove_state
from ovmake.store.files.disk import RealDisk
from ovmake.store.toolchain import default_jobs

SCRATCH = f"{STATE}/trial"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialOutcome:
    """The outcome of a target.

    `failure` is the error, "" if the target would be published; `score` is TensorFlow's, None without a metric.
    """

    failure: str = ""
    score: float | None = None


Attempt = Callable[[str], Mapping[str, TrialOutcome]]


@contextlib.contextmanager
def trial(where: Where, tell: Callable[[str], None], busy: Callable[[str], None]) -> Iterator[Attempt]:
    """Yield a function that tries the text of an Ovfile. `busy` gets progress messages.

    Raises:
        OvmakeError: `.ovmake` cannot be created, or holds foreign entries.
    """
    inside = really_inside(where)
    disk = RealDisk(where.root, (STATE,), inside=inside, follow_folders=where.allow_outside)
    made = disk.stat(STATE) is None
    with hold_state(disk.ours, wait=True, tell=tell):
        database = Database.in_memory()
        disk.remove(SCRATCH)
        try:
            with contextlib.closing(_Trial(where, disk, database, busy)) as tried:
                yield tried.attempt
        finally:
            database.close()
            disk.remove(SCRATCH)
            if made:
                remove_state(disk.ours, STATE)


class _Trial:
    """Attempts that share an action cache and workers."""

    def __init__(self, where: Where, disk: RealDisk, database: Database, busy: Callable[[str], None]) -> None:
        self._where = where
        self._disk = disk
        self._database = database
        self._busy = busy
        self._runner = RunnerWhenNeeded(logs=where.root / LOGS, written=NO_LIMITS, asked=NO_LIMITS)

    def close(self) -> None:
        """End the workers."""
        self._runner.close()

    def attempt(self, text: str) -> Mapping[str, TrialOutcome]:
        """Build all targets of an Ovfile's text, except for publishing."""
        ovfile = parse(text, file=self._where.file)
        read = LoadedOvfile(text=text, ovfile=ovfile, state=ledger.state_of(str(self._where.root)))
        session = session_of(self._where, read, self._disk, self._database)
        session.runner = self._runner
        graph = _moved(build_graph(ovfile, self._where.root), [target.name for target in ovfile.targets])
        world = replace(session.world(self._hear), state=SCRATCH)
        options = Options(jobs=default_jobs(), keep_going=True)
        outcome = Executor(graph, world, options).build(list(graph.targets))
        cas = Cas(self._disk, f"{SCRATCH}/cas")
        return {name: _tried(name, graph, outcome, cas) for name in graph.targets}

    def _hear(self, event: Event) -> None:
        if isinstance(event, ActionStarted) and event.action.worker != "in-process":
            self._busy(f"trying {event.action.name} …")


def _moved(graph: Graph, targets: list[str]) -> Graph:
    """Return the graph up to publishing, in the scratch folder; advisory actions and those after them are left out."""
    wanted = {name: f"publish {name}" for name in targets}
    needed = {action.name for action in closure(graph, list(wanted.values())) if not action.advisory}
    return Graph(
        actions={name: _below(graph.actions[name], needed) for name in graph.actions if name in needed}, targets=wanted
    )


def _below(action: Action, kept: set[str]) -> Action:
    outputs = tuple(
        replace(out, place=None if out.place is None else f"{SCRATCH}/{out.place}") for out in action.outputs
    )
    return replace(action, outputs=outputs, after=tuple(name for name in action.after if name in kept))


def _tried(target: str, graph: Graph, outcome: Outcome, cas: Cas) -> TrialOutcome:
    needed = closure(graph, [graph.targets[target]])
    failures = [done.diagnostic.message for action in needed if (done := outcome.actions[action.name]).diagnostic]
    evaluated = outcome.actions.get(f"evaluate {target}")
    score = None
    if evaluated is not None and evaluated.outputs:
        made = from_bytes(Evaluation, cas.read(evaluated.outputs["evaluation"]), "evaluation")
        score = made.figures.metric.reference if made.figures and made.figures.metric else None
    return TrialOutcome(failure=failures[0] if failures else "", score=score)
