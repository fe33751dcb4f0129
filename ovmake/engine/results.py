"""Store and publish the outputs of actions, and restore them: scratch -> CAS -> build folder -> trace, in this order.

    results.lost(action, seen) -> [Artifact]           inputs that are missing or damaged in the store
    results.job(action, seen) -> Job                   the action with absolute paths
    results.keep(completion, seen, result) -> Trace    after a run: store, publish, record
    results.restore(action, seen) -> Trace | None      the cached result of the same work
    results.wanted(action, seen) -> Wanted             the same, to be looked for in a remote cache
    results.place(action, seen, found) -> bool         store and publish what a remote cache had
    results.note(action, seen, found) -> Trace         record it
    results.made(action, trace) -> Made                what a remote cache may get

A kill may come between any two of these. Then the next build finds no trace, or one whose outputs do not match, and
runs the action again. Files published earlier stay complete.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from ovmake.engine.job import Completion, Job, Success
from ovmake.engine.remote import Fetched, Made, Wanted
from ovmake.engine.world import World
from ovmake.graph.action import Action, Artifact, Source
from ovmake.graph.digest import Digest
from ovmake.graph.trace import Seen, Trace
from ovmake.names import STATE
from ovmake.store.cas import Cas
from ovmake.store.database import Database
from ovmake.store.files.disk import DigestMismatchError, by_folder

# Folders in `World.state`; LOGS holds the logs of all runs.
SCRATCH = "tmp"
JOURNALS = "journals"
LOGS = f"{STATE}/logs"


def log_name(action: str) -> str:
    """Return the name of an action's log."""
    return f"{action.replace(' ', '-').replace(':', '-')}.log"


def journal_name(seen: Seen, steering: Collection[str], database: Database) -> str:
    """Return the name of a journal: the digest of all that its content depends on, sealed with the owner's key.

    `steering` is `Action.journal`. The lines of a journal have no seals. So its name is secret: a file that a different
    user puts into `.ovmake` is not found.
    """
    return database.sealed(seen.without(steering).digest)


def variants(action: Action, seen: Seen) -> tuple[Seen, ...]:
    """Return the work whose results will do: without advice, and with the present advice."""
    plain = seen.without(action.advice) if action.advice else seen
    return (plain,) if plain.params == seen.params else (plain, seen)


class ResultStore:
    """Moves files between scratch folders, CAS and build folder."""

    def __init__(self, world: World, cas: Cas) -> None:
        self._world = world
        self._cas = cas
        self._scratch = f"{world.state}/{SCRATCH}"
        self._scratches = 0
        self._made: dict[str, str] = {}  # action -> scratch folder, until the action is done

    def clear_up(self, actions: Iterable[Action]) -> None:
        """Remove the leftovers of a killed run. We hold the lock, so no process uses them."""
        self._world.disk.remove(self._scratch)
        self._world.disk.clear_up(
            by_folder(output.place for action in actions for output in action.outputs if output.place)
        )

    def lost(self, action: Action, seen: Seen) -> list[Artifact]:
        """Return the inputs whose stored bytes are missing or damaged; damaged files are dropped.

        A worker does not check its inputs: a flipped bit would change the result without an error.
        """
        lost = []
        for given in action.inputs:
            digest = seen.inputs[given.role].digest
            if isinstance(given.origin, Artifact) and digest is not None and not self._cas.holds(digest):
                self._cas.drop(self._cas.path(digest))
                lost.append(given.origin)
        return lost

    def job(self, action: Action, seen: Seen) -> Job:
        """Return the action with absolute paths, and a scratch folder of its own."""
        absolute = self._world.absolute
        scratch = self._scratch_of(action.name)
        self._world.disk.make_folder(LOGS)
        digests = {role: given.digest for role, given in seen.inputs.items() if given.digest is not None}
        places = {
            given.role: given.origin.path if isinstance(given.origin, Source) else self._cas.path(digests[given.role])
            for given in action.inputs
        }
        return Job(
            action=action,
            tools=seen.tools,
            inputs={role: absolute(place) for role, place in places.items()},
            reads=self._reads(action, places),
            writes=self._prepared(action),
            folder=absolute(scratch),
            digests=digests,
            outputs={out.role: absolute(f"{scratch}/{out.role}") for out in action.outputs if out.copy_of is None},
            scratch=scratch,
            environment=seen.environment,
            log=absolute(f"{LOGS}/{log_name(action.name)}"),
            journal=self._journal(action, seen),
        )

    def _scratch_of(self, name: str) -> str:
        """Return the scratch folder of an action: a new one, or the one made for the action that prepared it."""
        if name not in self._made:
            self._scratches += 1
            self._made[name] = f"{self._scratch}/{self._scratches}"
            self._world.disk.make_folder(self._made[name])
        return self._made[name]

    def _prepared(self, action: Action) -> tuple[str, ...]:
        """Return the scratch folder and the log of the action that this one prepares."""
        if not action.prepares:
            return ()
        folder = self._scratch_of(action.prepares)
        return self._world.absolute(folder), self._world.absolute(f"{LOGS}/{log_name(action.prepares)}")

    def _reads(self, action: Action, places: Mapping[str, str]) -> tuple[str, ...]:
        """Return all paths that an action may read: its inputs, and the targets of links in its sources."""
        read = [places[given.role] for given in action.inputs if not given.unread]
        linked = (
            path for source in (*action.source_paths, *action.prepared) for path in self._world.disk.linked(source)
        )
        return tuple(dict.fromkeys((*(self._world.absolute(place) for place in (*read, *action.prepared)), *linked)))

    def _journal(self, action: Action, seen: Seen) -> str:
        """Return the path of the action's journal."""
        if action.journal is None:
            return ""
        folder = f"{self._world.state}/{JOURNALS}"
        self._world.disk.make_folder(folder)
        return self._world.absolute(f"{folder}/{journal_name(seen, action.journal, self._world.database)}")

    def keep(self, completion: Completion, seen: Seen, result: Success) -> Trace:
        """Store and publish the outputs of a job, and record its success.

        Raises:
            OSError: the disk is full or read-only.
            DigestMismatchError: a stored input is damaged.
        """
        job, outputs = completion.job, {}
        for output in job.action.outputs:
            if output.copy_of is not None:
                outputs[output.role] = job.digests[output.copy_of]
            else:
                outputs[output.role] = self._cas.adopt(f"{job.scratch}/{output.role}")
        self._publish(job.action, outputs)
        peak_bytes = completion.effort.peak_bytes if completion.effort else None
        trace = Trace(seen=seen, outputs=outputs, facts=result.facts, seconds=completion.seconds, peak_bytes=peak_bytes)
        self._world.database.succeed(job.action.name, trace)
        self._world.disk.remove(job.scratch)
        self._made.pop(job.action.name, None)
        return trace

    def find(self, action: Action, seen: Seen) -> Trace | None:
        """Return the cached result of the same work, if all of its outputs are still stored."""
        for variant in variants(action, seen):
            cached = self._world.database.result(variant.digest)
            if cached and all(self._cas.has(digest) for digest in cached.outputs.values()):
                return replace(cached, seen=variant)
        return None

    def restore(self, action: Action, seen: Seen) -> Trace | None:
        """Publish and record the cached result of the same work; None if there is none.

        Raises:
            OSError: the disk is full or read-only.
        """
        cached = self.find(action, seen)
        if cached is None:
            return None
        try:
            self._publish(action, cached.outputs)
        except DigestMismatchError as error:
            self._cas.drop(error.path)  # damaged on the disk: the action runs again
            return None
        self._world.database.succeed(action.name, cached)
        return cached

    def wanted(self, action: Action, seen: Seen) -> Wanted:
        """Return what to look for in a remote cache, and where to put it."""
        scratch = self._scratch_of(action.name)
        absolute = self._world.absolute
        roles = {out.role: absolute(f"{scratch}/{out.role}") for out in action.outputs if out.copy_of is None}
        return Wanted(key=seen.digest, action=action.name, roles=roles, holds=self._cas.has)

    def place(self, action: Action, seen: Seen, found: Fetched) -> bool:
        """Store and publish what a remote cache had; False if it is not the result of this work.

        It touches no database, so it may run in another thread: bytes are written beside other downloads.

        Raises:
            OSError: the disk is full or read-only.
        """
        scratch, outputs = self._made[action.name], found.outputs
        for role in found.files:
            self._cas.adopt(f"{scratch}/{role}", outputs[role])
        copies = {out.role: out.copy_of for out in action.outputs if out.copy_of is not None}
        fits = (
            outputs.keys() == {out.role for out in action.outputs}
            and all(outputs[role] == seen.inputs[given].digest for role, given in copies.items())
            and all(self._cas.holds(digest) for role, digest in outputs.items() if role not in copies)
        )
        if not fits:
            return False
        try:
            self._publish(action, outputs)
        except DigestMismatchError as error:
            self._cas.drop(error.path)
            return False
        return True

    def note(self, action: Action, seen: Seen, found: Fetched) -> Trace:
        """Record what was placed.

        Raises:
            OSError: the disk is full or read-only.
        """
        trace = Trace(
            seen=seen, outputs=found.outputs, facts=found.facts, seconds=found.seconds, peak_bytes=found.peak_bytes
        )
        self._world.database.succeed(action.name, trace)
        return trace

    def let_go(self, action: Action) -> None:
        """Remove the scratch folder of an action that was looked for in a remote cache."""
        if scratch := self._made.pop(action.name, ""):
            self._world.disk.remove(scratch)

    def made(self, action: Action, trace: Trace) -> Made:
        """Return a result for a remote cache."""
        paths = {role: self._world.absolute(self._cas.path(digest)) for role, digest in trace.outputs.items()}
        return Made(
            action=action.name,
            seen=trace.seen,
            outputs=trace.outputs,
            files=paths,
            facts=trace.facts,
            seconds=trace.seconds,
            peak_bytes=trace.peak_bytes,
        )

    def drop(self, path: str) -> None:
        """Remove a stored file that is damaged."""
        self._cas.drop(path)

    def _publish(self, action: Action, outputs: Mapping[str, Digest]) -> None:
        """Publish the action's outputs that have a path in the build folder, folder by folder."""
        folders: dict[str, dict[str, tuple[str, Digest]]] = {}
        for output in action.outputs:
            if output.place is not None:
                folder, _, name = output.place.rpartition("/")
                digest = outputs[output.role]
                folders.setdefault(folder, {})[name] = (self._cas.path(digest), digest)
        for folder, files in folders.items():
            self._world.disk.publish(folder, files)
