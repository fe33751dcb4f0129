"""The main loop of a build.

    Executor(graph, world, options).build(targets) -> Outcome

For every action, after all that it needs:

    look (observe.py) -> decide (staleness.py) -> fresh | restored from the action cache | fetched (fetching.py) |
    run (runner.py) -> keep (results.py)

If the stored inputs of an action that must run are damaged, the actions that made them run again first.
A dry run is the same loop. An action that would run has unknown outputs; the actions after it see inputs without a
digest.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ovmake.contracts.values import Facts
from ovmake.diagnostics import Diagnostic, OvmakeError
from ovmake.engine.events import (
    ActionDownloading,
    ActionFinished,
    ActionProgressed,
    ActionStarted,
    ActionStatus,
    BuildFinished,
    BuildStarted,
    TargetStatus,
)
from ovmake.engine.explain import all_in_words
from ovmake.engine.fetching import Fetching
from ovmake.engine.forecasting.outlook import Outlook
from ovmake.engine.job import Completion, Failure, Progress, ignore_progress
from ovmake.engine.observe import Observer, link_outside
from ovmake.engine.outcomes.target_outcome import EndedAction, finished
from ovmake.engine.outcomes.telling import not_as_locked, not_cached, not_kept, point_home, warnings_of
from ovmake.engine.remote import Answer
from ovmake.engine.results import ResultStore
from ovmake.engine.scheduler import Scheduler
from ovmake.engine.staleness import Decision
from ovmake.engine.world import Options, World
from ovmake.graph.action import Action, Artifact, Graph, Source
from ovmake.graph.digest import Digest
from ovmake.graph.query import closure
from ovmake.graph.trace import Seen, Trace
from ovmake.ledger import Files
from ovmake.store.cas import Cas
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
        self._fetching = Fetching(world, self._results)
        self._outcomes: dict[str, ActionOutcome] = {}
        self._looked: dict[str, tuple[Seen, Decision]] = {}
        self._again: set[str] = set()
        self._outlook = Outlook(world, options)

    def build(self, targets: Sequence[str]) -> Outcome:
        """Bring the targets up to date; in a dry run, report what would run."""
        started = time.monotonic()
        emit = self._world.emit
        emit(BuildStarted(targets=tuple(targets)))
        actions = closure(self._graph, [self._graph.targets[name] for name in targets])
        self._outlook.plan(actions)
        if not self._options.dry_run:
            self._results.clear_up(actions)
        scheduler = Scheduler(actions, jobs=self._options.jobs, keep_going=self._options.keep_going)
        try:
            self._loop(scheduler)
        finally:
            self._looker.remember()
        for action in scheduler.left_over():
            self._skip(action, "the build stopped at a failure (-k continues with the rest)")
        statuses = {name: self._finish_target(name) for name in targets}
        exit_status = 1 if {"failed", "skipped"} & set(statuses.values()) else 0
        done = [outcome.status for outcome in self._outcomes.values()]
        traffic = None if self._options.dry_run else self._fetching.traffic()
        emit(
            BuildFinished(
                exit_status=exit_status,
                ran=done.count("ran"),
                restored=done.count("restored"),
                seconds=time.monotonic() - started,
                estimate=self._outlook.estimate(self._statuses),
                traffic=traffic,
            ),
        )
        return Outcome(exit_status=exit_status, targets=statuses, actions=self._outcomes)

    def looked_at(self, action: Action) -> Files:
        """Return every file and folder that the build checked to decide about an action, with their states then."""
        return self._looker.looked_at(action)

    @property
    def _statuses(self) -> dict[str, ActionStatus]:
        return {name: done.status for name, done in self._outcomes.items()}

    def _loop(self, scheduler: Scheduler) -> None:
        while True:
            while (action := scheduler.next()) is not None:
                self._consider(action, scheduler)
            if not scheduler.running:
                return
            self._outlook.tell()
            came = self._world.runner.wait()
            if isinstance(came, Answer):
                self._hear(came, scheduler)
            else:
                self._complete(came, scheduler)

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
        elif wrong := self._not_as_locked(action, seen):
            self._fail(action, scheduler, wrong)
        elif self._options.dry_run:
            self._foresee(action, scheduler, forced=forced)
        else:
            self._restore_or_start(action, scheduler, seen, forced=forced)

    def _not_as_locked(self, action: Action, seen: Seen) -> Diagnostic | None:
        """Return an error if the action would publish a copy of another file than the lock names."""
        for output in action.outputs:
            locked = self._options.locked.get(output.place or "")
            found = seen.inputs[output.copy_of].digest if output.copy_of else None
            if locked is not None and found is not None and found != locked.digest:
                return not_as_locked(action, output.place or "", found, locked)
        return None

    def _restore_or_start(self, action: Action, scheduler: Scheduler, seen: Seen, *, forced: bool) -> None:
        """Restore the result of the same work, or run the action. If the disk is full, running it reports that."""
        cached = None
        with contextlib.suppress(OSError):
            cached = None if forced else self._results.restore(action, seen)
        if cached is not None:
            self._succeed(action, scheduler, "restored", cached)
        elif not forced and self._fetch(action, scheduler, seen):
            return
        elif self._options.only_cached:
            self._fail(action, scheduler, not_cached(action, self._fetching.why(action)))
        elif lost := self._results.lost(action, seen):
            self._make_again(action, scheduler, lost)
        else:
            self._start(action, scheduler)

    def _fetch(self, action: Action, scheduler: Scheduler, seen: Seen) -> bool:
        """Ask the remote cache for the result; False if there is nothing to ask. On a full disk, running reports it."""
        with contextlib.suppress(OSError):
            if self._fetching.ask(action, seen):
                scheduler.fetch(action.name)
                return True
        return False

    def _hear(self, answer: Answer, scheduler: Scheduler) -> None:
        """The remote cache answered: take its result, or consider the action again, which runs it."""
        action, found = self._graph.actions[answer.action], answer.found
        if isinstance(found, Progress):
            self._world.emit(ActionDownloading(action=action, progress=found))
            return
        if (taken := self._fetching.take(action, found)) is not None:
            self._succeed(action, scheduler, "restored", taken, remote=True)
        else:
            scheduler.put_back(action.name)

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
        if not self._outlook.known:  # the first action that must run
            scheduler.weigh(self._outlook.costs, self._world.memory_bytes())
            self._outlook.foretell(self._statuses)
            scheduler.put_back(action.name)
            return
        seen, decision = self._looked[action.name]
        if action.exclusive:
            self._fetching.quiet()
        try:
            job = replace(
                self._results.job(action, seen),
                memory_bytes=self._outlook.costs[action.name].memory_bytes,
                tell=self._teller(action),
            )
        except OSError as error:
            self._fail(action, scheduler, not_kept(action, error))
            return
        reasons = all_in_words(decision, action, self._world.locate)
        self._world.emit(ActionStarted(action=action, reasons=reasons))
        scheduler.start(action.name)
        self._outlook.begin(action.name)
        self._world.runner.start(job)

    def _teller(self, action: Action) -> Callable[[Progress], None]:
        """Return a function that emits the progress of an action."""
        if not self._options.progress:
            return ignore_progress
        return lambda progress: self._world.emit(ActionProgressed(action=action, progress=progress))

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
            self._fail(
                action, scheduler, point_home(action, result, self._world.span), done=completion, facts=result.facts
            )
            return
        try:
            trace = self._results.keep(completion, seen, result)
        except (OSError, DigestMismatchError) as error:
            if isinstance(error, DigestMismatchError):
                self._results.drop(error.path)
            self._fail(action, scheduler, not_kept(action, error), done=completion)
            return
        self._fetching.offer(action, trace)
        self._succeed(action, scheduler, "ran", trace, done=completion)

    def _foresee(self, action: Action, scheduler: Scheduler, *, forced: bool) -> None:
        """Dry run: report what would happen, and continue as if it had happened."""
        seen, decision = self._looked[action.name]
        cached = self._results.find(action, seen) if seen.known and not forced else None
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
                estimate_seconds=self._outlook.costs[action.name].seconds if self._options.estimate else None,
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
        remote: bool = False,
    ) -> None:
        seen, decision = self._looked[action.name]
        self._outcomes[action.name] = ActionOutcome(
            status=status,
            seen=seen,
            decision=decision,
            outputs=trace.outputs,
            facts=trace.facts,
        )
        self._outlook.end(action.name, fresh=status == "fresh")
        # Fresh actions are not reported: there may be ten thousand.
        if status != "fresh":
            reasons = all_in_words(decision, action, self._world.locate)
            self._world.emit(
                ActionFinished(
                    action=action,
                    status=status,
                    remote=remote,
                    seconds=done.seconds if done else None,
                    effort=done.effort if done else None,
                    reasons=reasons,
                    warnings=warnings_of(action, trace.facts, self._world.span)
                    if status in {"ran", "restored"}
                    else (),
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
        self._outlook.end(action.name, fresh=False)
        seconds, effort = (done.seconds, done.effort) if done else (None, None)
        self._world.emit(
            ActionFinished(action=action, status="failed", seconds=seconds, effort=effort, diagnostic=diagnostic)
        )
        for skipped in scheduler.finish(action.name, ok=False):
            self._skip(skipped, "an action that it needs failed")

    def _skip(self, action: Action, why: str) -> None:
        self._outcomes[action.name] = ActionOutcome(status="skipped")
        self._outlook.end(action.name, fresh=False)
        self._world.emit(ActionFinished(action=action, status="skipped", reasons=(why,)))

    def _finish_target(self, name: str) -> TargetStatus:
        needed = closure(self._graph, [self._graph.targets[name]])
        outcomes = [(action, self._outcomes[action.name]) for action in needed]
        ended = [EndedAction(action=action, status=done.status, facts=done.facts) for action, done in outcomes]
        event = finished(name, ended, dry_run=self._options.dry_run)
        self._world.emit(event)
        return event.status
