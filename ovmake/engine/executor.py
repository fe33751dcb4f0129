"""The main loop of a build.

    Executor(graph, world, options).build(targets) -> Outcome

For every action, after all that it needs:

    look (observe.py) -> decide (staleness.py) -> fresh | restored from the cache | run (runner.py) -> keep (results.py)

If the stored inputs of an action that must run are damaged, the actions that made them run again first.
A dry run is the same loop. An action that would run has unknown outputs; the actions after it see inputs without a
digest.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ovmake.contracts.problem import ActionProblem
from ovmake.contracts.values import Facts
from ovmake.diagnostics import Diagnostic, OvmakeError
from ovmake.engine.events import (
    ActionFinished,
    ActionProgressed,
    ActionStarted,
    ActionStatus,
    BuildFinished,
    BuildStarted,
    TargetStatus,
)
from ovmake.engine.explain import all_in_words
from ovmake.engine.forecasting.costs import Cost, costs_of
from ovmake.engine.forecasting.estimate import NOTHING, Estimate, Plan, estimate_build
from ovmake.engine.forecasting.forecast import Forecast
from ovmake.engine.job import Completion, Failure, Progress, ignore_progress
from ovmake.engine.observe import Observer, link_outside
from ovmake.engine.results import ResultStore
from ovmake.engine.scheduler import Scheduler
from ovmake.engine.staleness import Decision
from ovmake.engine.target_outcome import EndedAction, finished
from ovmake.engine.world import Options, World
from ovmake.graph.action import Action, Artifact, Graph, Source
from ovmake.graph.digest import Digest
from ovmake.graph.query import closure
from ovmake.graph.trace import Seen, Trace
from ovmake.ledger import Files
from ovmake.store.cas import FOLDER, Cas
from ovmake.store.files.disk import DigestMismatchError


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionOutcome:
    """The outcome of an action. `outputs` is None if it failed, was skipped, or (dry run) would run."""

    status: ActionStatus
    seen: Seen | None = None
    decision: Decision | None = None
    outputs: Mapping[str, Digest] | None = None
    facts: Facts = field(default_factory=dict)
    diagnostic: Diagnostic | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The outcome of a build."""

    exit_status: int
    targets: Mapping[str, TargetStatus]
    actions: Mapping[str, ActionOutcome]


class Executor:
    """One build of one graph."""

    def __init__(self, graph: Graph, world: World, options: Options) -> None:
        cas = Cas(world.disk, f"{world.state}/cas")
        self._graph = graph
        self._world = world
        self._options = options
        self._looker = Observer(world, cas)
        self._results = ResultStore(world, cas)
        self._outcomes: dict[str, ActionOutcome] = {}
        self._looked: dict[str, tuple[Seen, Decision]] = {}
        self._again: set[str] = set()
        self._actions: Sequence[Action] = ()
        self._costs: Mapping[str, Cost] | None = None
        self._built: frozenset[str] = frozenset()
        self._forecast: Forecast | None = None

    def build(self, targets: Sequence[str]) -> Outcome:
        """Bring the targets up to date; in a dry run, report what would run."""
        started = time.monotonic()
        emit = self._world.emit
        emit(BuildStarted(targets=tuple(targets)))
        self._actions = closure(self._graph, [self._graph.targets[name] for name in targets])
        if not self._options.dry_run:
            self._results.clear_up(self._actions)
        scheduler = Scheduler(self._actions, jobs=self._options.jobs, keep_going=self._options.keep_going)
        try:
            self._loop(scheduler)
        finally:
            self._looker.remember()
        for action in scheduler.left_over():
            self._skip(action, "the build stopped at a failure (-k continues with the rest)")
        statuses = {name: self._finish_target(name) for name in targets}
        exit_status = 1 if {"failed", "skipped"} & set(statuses.values()) else 0
        done = [outcome.status for outcome in self._outcomes.values()]
        emit(
            BuildFinished(
                exit_status=exit_status,
                ran=done.count("ran"),
                restored=done.count("restored"),
                seconds=time.monotonic() - started,
                estimate=self._estimate() if self._options.estimate else None,
            ),
        )
        return Outcome(exit_status=exit_status, targets=statuses, actions=self._outcomes)

    def looked_at(self, action: Action) -> Files:
        """Return every file and folder that the build checked to decide about an action, with their states then."""
        return self._looker.looked_at(action)

    def _known_costs(self) -> Mapping[str, Cost]:
        """Return the likely costs of actions. Computed when the first action must run, because it takes time."""
        if self._costs is None:
            traces = self._world.database.traces()
            self._costs, self._built = costs_of(self._actions, traces), frozenset(traces)
        return self._costs

    def _estimate(self) -> Estimate:
        """Return the estimated time of the build that a dry run planned."""
        certain = frozenset(name for name, done in self._outcomes.items() if done.status == "would-run")
        possible = frozenset(name for name, done in self._outcomes.items() if done.status == "may-run")
        if not (certain or possible):
            return NOTHING
        return estimate_build(
            Plan(
                actions=self._actions,
                certain=certain,
                possible=possible,
                costs=self._known_costs(),
                jobs=self._options.jobs,
                memory_bytes=self._world.memory_bytes(),
            )
        )

    def _loop(self, scheduler: Scheduler) -> None:
        while True:
            while (action := scheduler.next()) is not None:
                self._consider(action, scheduler)
            if not scheduler.running:
                return
            self._tell_how_far()
            self._complete(self._world.runner.wait(), scheduler)

    def _tell_how_far(self) -> None:
        if self._forecast is not None and (progress := self._forecast.look(time.monotonic())) is not None:
            self._world.emit(progress)

    def _foretell(self) -> Forecast:
        """Return the forecast of a build that is about to run its first action."""
        forecast = Forecast(
            self._actions,
            self._known_costs(),
            built=self._built,
            jobs=self._options.jobs,
            memory_bytes=self._world.memory_bytes(),
        )
        for name, done in self._outcomes.items():
            forecast.end(name, fresh=done.status == "fresh")
        return forecast

    def _consider(self, action: Action, scheduler: Scheduler) -> None:
        """Decide about an action whose needs are done, then skip, restore or start it."""
        forced = action.kind in self._options.forced
        if outside := self._link_outside(action):
            self._fail(action, scheduler, outside)
            return
        try:
            seen = self._looker.see(action, {name: self._outcomes[name].outputs for name in action.needs})
        except OvmakeError as error:
            self._fail(action, scheduler, error.diagnostics[0])
            return
        decision = self._looker.decide(action, seen, forced=forced)
        self._looked[action.name] = (seen, decision)
        trace = self._looker.trace(action)
        if decision.fresh and trace is not None:
            self._succeed(action, scheduler, "fresh", trace)
        elif self._options.dry_run:
            self._foresee(action, scheduler, forced=forced)
        else:
            self._restore_or_start(action, scheduler, seen, forced=forced)

    def _restore_or_start(self, action: Action, scheduler: Scheduler, seen: Seen, *, forced: bool) -> None:
        """Restore the result of the same work, or run the action. If the disk is full, running it reports that."""
        cached = None
        with contextlib.suppress(OSError):
            cached = None if forced else self._results.restore(action, seen)
        if cached is not None:
            self._succeed(action, scheduler, "restored", cached)
        elif lost := self._results.lost(action, seen):
            self._make_again(action, scheduler, lost)
        else:
            self._start(action, scheduler)

    def _make_again(self, action: Action, scheduler: Scheduler, lost: Sequence[Artifact]) -> None:
        """Run the actions that made the lost inputs again, and let `action` wait. Only once: the disk may fail."""
        makers = dict.fromkeys(artifact.action for artifact in lost)
        if not self._again.isdisjoint(makers):
            message = f"{action.name}: {lost[0]} was damaged on the disk, made again, and damaged again"
            hint = "check the disk that holds `.ovmake`, and run ovmake build again"
            self._fail(action, scheduler, Diagnostic(code="store-damaged", message=message, help=hint))
            return
        self._again.update(makers)
        scheduler.again(makers, before=action.name)

    def _link_outside(self, action: Action) -> Diagnostic | None:
        """Return an error if a source is a link out of the repo. Checked before a byte of it is read."""
        for given in action.inputs:
            if isinstance(given.origin, Source) and not self._world.inside(given.origin.path):
                return link_outside(action, given.origin.path, self._world.span(given.at))
        return None

    def _start(self, action: Action, scheduler: Scheduler) -> None:
        if self._costs is None:  # the first action that must run
            scheduler.weigh(self._known_costs(), self._world.memory_bytes())
            self._forecast = self._foretell() if self._options.progress else None
            scheduler.put_back(action.name)
            return
        seen, decision = self._looked[action.name]
        try:
            job = replace(
                self._results.job(action, seen),
                memory_bytes=self._costs[action.name].memory_bytes,
                tell=self._teller(action),
            )
        except OSError as error:
            self._fail(action, scheduler, self._not_kept(action, error))
            return
        reasons = all_in_words(decision, action, self._world.locate)
        self._world.emit(ActionStarted(action=action, reasons=reasons))
        scheduler.start(action.name)
        if self._forecast is not None:
            self._forecast.begin(action.name, time.monotonic())
        self._world.runner.start(job)

    def _teller(self, action: Action) -> Callable[[Progress], None]:
        """Return a function that emits the progress of an action."""
        if not self._options.progress:
            return ignore_progress
        return lambda progress: self._world.emit(ActionProgressed(action=action, progress=progress))

    def _end(self, action: Action, *, fresh: bool) -> None:
        if self._forecast is not None:
            self._forecast.end(action.name, fresh=fresh)

    def _complete(self, completion: Completion, scheduler: Scheduler) -> None:
        """A job is done: store its outputs, or report its failure."""
        result, action = completion.result, completion.job.action
        seen, _ = self._looked[action.name]
        # First: if a source changed during the run, the results belong to no single state of it.
        if moved := self._looker.moved_source(action):
            notes = (result.message,) if isinstance(result, Failure) else ()
            self._fail(action, scheduler, self._looker.source_changed(action, moved, notes=notes))
            return
        if isinstance(result, Failure):
            self._fail(action, scheduler, self._point_home(action, result), done=completion, facts=result.facts)
            return
        try:
            trace = self._results.keep(completion, seen, result)
        except (OSError, DigestMismatchError) as error:
            self._fail(action, scheduler, self._not_kept(action, error), done=completion)
            return
        self._succeed(action, scheduler, "ran", trace, done=completion)

    def _foresee(self, action: Action, scheduler: Scheduler, *, forced: bool) -> None:
        """Dry run: report what would happen, and continue as if it had happened."""
        seen, decision = self._looked[action.name]
        cached = self._results.find(seen) if seen.known and not forced else None
        if cached is not None:
            self._succeed(action, scheduler, "would-restore", cached)
            return
        status: ActionStatus = "would-run" if decision.certain else "may-run"
        self._outcomes[action.name] = ActionOutcome(status=status, seen=seen, decision=decision)
        self._world.emit(
            ActionFinished(
                action=action,
                status=status,
                reasons=all_in_words(decision, action, self._world.locate),
                estimate_seconds=self._known_costs()[action.name].seconds if self._options.estimate else None,
            ),
        )
        scheduler.finish(action.name, ok=True)

    def _succeed(
        self,
        action: Action,
        scheduler: Scheduler,
        status: ActionStatus,
        trace: Trace,
        *,
        done: Completion | None = None,
    ) -> None:
        seen, decision = self._looked[action.name]
        self._outcomes[action.name] = ActionOutcome(
            status=status,
            seen=seen,
            decision=decision,
            outputs=trace.outputs,
            facts=trace.facts,
        )
        self._end(action, fresh=status == "fresh")
        # Fresh actions are not reported: there may be ten thousand.
        if status != "fresh":
            reasons = all_in_words(decision, action, self._world.locate)
            self._world.emit(
                ActionFinished(
                    action=action,
                    status=status,
                    seconds=done.seconds if done else None,
                    effort=done.effort if done else None,
                    reasons=reasons,
                    warnings=self._warnings(action, trace.facts) if status in {"ran", "restored"} else (),
                ),
            )
        scheduler.finish(action.name, ok=True)

    def _fail(
        self,
        action: Action,
        scheduler: Scheduler,
        diagnostic: Diagnostic,
        *,
        done: Completion | None = None,
        facts: Facts | None = None,
    ) -> None:
        """The action failed: record it for `ovmake status`, with its inputs, and skip the actions that need it."""
        seen, decision = self._looked.get(action.name, (None, None))
        if action.advisory:
            diagnostic = replace(diagnostic, severity="warning")
        if not self._options.dry_run:
            digest = seen.digest if seen is not None else ""
            self._world.database.fail(action.name, digest, diagnostic.message)
        self._outcomes[action.name] = ActionOutcome(
            status="failed",
            seen=seen,
            decision=decision,
            facts=facts or {},
            diagnostic=diagnostic,
        )
        self._end(action, fresh=False)
        seconds, effort = (done.seconds, done.effort) if done else (None, None)
        self._world.emit(
            ActionFinished(action=action, status="failed", seconds=seconds, effort=effort, diagnostic=diagnostic)
        )
        for skipped in scheduler.finish(action.name, ok=False):
            self._skip(skipped, "an action that it needs failed")

    def _skip(self, action: Action, why: str) -> None:
        self._outcomes[action.name] = ActionOutcome(status="skipped")
        self._end(action, fresh=False)
        self._world.emit(ActionFinished(action=action, status="skipped", reasons=(why,)))

    def _warnings(self, action: Action, facts: Facts) -> tuple[Diagnostic, ...]:
        """Return the warnings of a successful action."""
        told = (self._point_home(action, complaint) for complaint in ActionProblem.of_facts(facts))
        return tuple(replace(one, severity="warning") for one in told)

    def _point_home(self, action: Action, failure: ActionProblem) -> Diagnostic:
        """Return a failure as a diagnostic with the span of the setting that it names, else of the model's table."""
        return Diagnostic(
            code=failure.code,
            message=f"{action.name}: {failure.message}",
            span=self._world.span(action.place_of(failure.setting) or action.at),
            notes=failure.notes,
            help=failure.help,
        )

    def _not_kept(self, action: Action, error: OSError | DigestMismatchError) -> Diagnostic:
        if isinstance(error, DigestMismatchError):
            self._results.drop(error.path)
            message = f"{action.name}: a stored input is damaged on the disk and was dropped"
            return Diagnostic(code="store-damaged", message=message, help="run ovmake build again")
        # An error during writing names no file: name the folder then, or the store.
        folders = [output.place.rpartition("/")[0] for output in action.outputs if output.place]
        place = error.filename or (folders[0] if folders else FOLDER)
        message = f"{action.name}: cannot store the result: {error.strerror or error}: {place}"
        hint = "free space, or make the folder writable, and run ovmake build again"
        return Diagnostic(code="cannot-write", message=message, help=hint)

    def _finish_target(self, name: str) -> TargetStatus:
        needed = closure(self._graph, [self._graph.targets[name]])
        outcomes = [(action, self._outcomes[action.name]) for action in needed]
        ended = [EndedAction(action=action, status=done.status, facts=done.facts) for action, done in outcomes]
        event = finished(name, ended, dry_run=self._options.dry_run)
        self._world.emit(event)
        return event.status
