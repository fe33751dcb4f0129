"""Observe the dependencies of an action: its inputs now, and whether its outputs are unchanged.

All reads go through the world's disk, so that tests can replace it:

    looker.see(action, made) -> Seen               digests of inputs and code, versions, environment
    looker.decide(action, seen) -> Decision        `staleness.decide` on that and the last trace
    looker.moved_source(action) -> str             a source that changed since it was seen
    looker.looked_at(action) -> Files              the ledger of all files that its decision depends on
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ovmake.diagnostics import Diagnostic, OvmakeError, Span
from ovmake.engine.staleness import Decision, OutputState
from ovmake.engine.world import World
from ovmake.graph.action import Action, Artifact, Source
from ovmake.graph.digest import Digest
from ovmake.graph.trace import Seen, SeenInput, Trace
from ovmake.ledger import Files
from ovmake.ovfile.words import KeyPath
from ovmake.store.cas import Cas
from ovmake.store.files.disk import LinkOutsideError
from ovmake.store.files.handles import ForeignEntryError
from ovmake.store.files.sources import Sources, SourceState

# The outputs of the earlier actions, by action name; None if unknown (dry run).
Made = Mapping[str, Mapping[str, Digest] | None]


class Observer:
    """Looks once per run: an edit in the middle of a run belongs to the next one."""

    def __init__(self, world: World, cas: Cas) -> None:
        self._world = world
        self._cas = cas
        self._sources = Sources(world.disk, world.database)
        self._traces: dict[str, Trace | None] = {}

    def see(self, action: Action, made: Made) -> Seen:
        """Return the present dependencies of the action.

        Raises:
            OvmakeError: a source does not exist or cannot be read, or a tool is not installed.
        """
        inputs = {}
        for given in action.inputs:
            if isinstance(given.origin, Artifact):
                outputs = made[given.origin.action]
                digest = None if outputs is None else outputs[given.origin.role]
                inputs[given.role] = SeenInput(label=given.label, digest=digest)
            else:
                state = self._source(action, given.origin, given.at)
                if given.by_computation:
                    digest = self._computation(action, given.origin, state)
                    inputs[given.role] = SeenInput(label=given.label, digest=digest)
                else:
                    inputs[given.role] = SeenInput(label=given.label, digest=state.digest, files=state.listing)
        return Seen(
            kind=action.kind,
            tools={
                **{tool: self._version(action, tool) for tool in action.tools},
                **{tool: self._version_if_installed(tool) for tool in action.optional_tools},
            },
            params=action.settings,
            environment={name: self._world.environment(name) for name in action.environment},
            inputs=inputs,
            code=self._world.code(action.worker, action.kind),
        )

    def _version(self, action: Action, tool: str) -> str:
        try:
            return self._world.version(tool)
        except OvmakeError as error:
            missing = error.diagnostics[0]
            message = f"{action.name}: {missing.message}"
            raise OvmakeError(replace(missing, message=message, span=self._world.span(action.at))) from None

    def _computation(self, action: Action, source: Source, state: SourceState) -> Digest:
        """Return the fingerprint of a source. It follows from the bytes, so it is taken once for each state of them."""
        key = f"{state.digest.sha256} {' '.join(self._world.code('observer', 'fingerprint').values())}"
        if (known := self._world.database.fingerprint(key)) is not None:
            return Digest(known, 0)
        found = self._world.fingerprint(self._world.absolute(source.path))
        if not self._sources.unchanged(source.path, state):  # it may be of other bytes than all else in this build
            raise OvmakeError(self.source_changed(action, source.path))
        self._world.database.remember_fingerprint(key, found)
        return Digest(found, 0)

    def _version_if_installed(self, tool: str) -> str:
        try:
            return self._world.version(tool)
        except OvmakeError:
            return "not installed"

    def _source(self, action: Action, source: Source, at: KeyPath) -> SourceState:
        try:
            state = self._sources.state(source.path)
        except LinkOutsideError as error:
            raise OvmakeError(link_outside(action, error.path, self._world.span(at))) from None
        except OSError as error:
            message = f"{action.name}: cannot read `{source.path}`: {error.strerror}"
            raise OvmakeError(
                Diagnostic(code="source-unreadable", message=message, span=self._world.span(at))
            ) from None
        if state is None:
            message = f"{action.name}: there is no `{source.path}`"
            hint = self._world.nearby(source.path) or "paths are relative to the folder of the Ovfile"
            span = self._world.span(at)
            raise OvmakeError(Diagnostic(code="source-not-found", message=message, span=span, help=hint))
        return state

    def decide(self, action: Action, seen: Seen, *, forced: bool) -> Decision:
        """Return why the action must run, if it must."""
        trace = self.trace(action)
        if trace is None:
            return self._world.rebuilder(seen, None, {}, forced=forced)
        outputs = self._changed_outputs(action, trace)
        before = self._with_listings(trace, seen)
        before = replace(before, seen=before.seen.without(action.advice))
        return self._world.rebuilder(seen.without(action.advice), before, outputs, forced=forced)

    def _with_listings(self, trace: Trace, seen: Seen) -> Trace:
        """Return the trace with the earlier file lists of folders that changed."""
        was = dict(trace.seen.inputs)
        for role, given in seen.inputs.items():
            before = was.get(role)
            if before and before.digest and given.files is not None and before.digest != given.digest:
                was[role] = replace(before, files=self._world.database.listing(before.digest))
        return replace(trace, seen=replace(trace.seen, inputs=was))

    def trace(self, action: Action) -> Trace | None:
        """Return the trace of the action's last success before this run."""
        if action.name not in self._traces:
            self._traces[action.name] = self._world.database.trace(action.name)
        return self._traces[action.name]

    def _changed_outputs(self, action: Action, trace: Trace) -> dict[str, OutputState]:
        """Return the outputs that are not as the trace says."""
        changed: dict[str, OutputState] = {}
        for output in action.outputs:
            digest = trace.outputs.get(output.role)
            if output.place is not None and (state := self._published(output.place, digest)):
                changed[output.place] = state
            # Published outputs need their stored bytes too: later actions read them.
            elif digest is None or not self._stored(digest):
                changed[f"`{output.role}` of {action.name}"] = "missing"
        return changed

    def _stored(self, digest: Digest) -> bool:
        """Whether the store has the bytes. Its folder is noted: nothing leaves one unseen."""
        folder = self._cas.folder(digest)
        if not (noted := self._sources.ledger.of(folder)):
            self._world.disk.stat(folder, noted.setdefault)
        return self._cas.has(digest)

    def _published(self, place: str, digest: Digest | None) -> OutputState | None:
        """Return the defect of a published file, None if it is intact."""
        try:
            found = self._world.disk.stat(place, self._sources.ledger.of(place).setdefault)
            if found is None or found.is_folder:
                return "missing"
            return None if self._sources.file_digest(place, found) == digest else "edited"
        except (OSError, ForeignEntryError):  # it is unreadable, or a link: not the published file
            return "edited"

    def moved_source(self, action: Action) -> str:
        """Return the first source that was modified since it was hashed, "" if none was."""
        for given in action.inputs:
            if isinstance(given.origin, Source):
                state = self._sources.state(given.origin.path)
                if state is None or not self._sources.unchanged(given.origin.path, state):
                    return given.origin.path
        return ""

    def looked_at(self, action: Action) -> Files:
        """Return every file and folder that the decision about an action depends on, with its state at that time."""
        trace = self.trace(action)
        stored = () if trace is None else trace.outputs.values()
        published = (output.place for output in action.outputs if output.place)
        paths = dict.fromkeys([*action.source_paths, *published, *map(self._cas.folder, stored)])
        return {path: state for asked in paths for path, state in self._sources.ledger.of(asked).items()}

    def source_changed(self, action: Action, path: str, notes: tuple[str, ...] = ()) -> Diagnostic:
        """Return the error for a source that was modified since it was hashed."""
        return Diagnostic(
            code="source-changed",
            message=f"{action.name}: `{path}` changed while it was being read",
            span=self._world.span(action.at),
            notes=notes,
            help="run ovmake build again",
        )

    def remember(self) -> None:
        """Write the digests taken in this run to the stat cache."""
        self._sources.remember()


def link_outside(action: Action, path: str, span: Span | None) -> Diagnostic:
    """Return the error for a source, or a file of one, that is a link out of the repo."""
    return Diagnostic(
        code="path-outside",
        message=f"{action.name}: `{path}` is a link that leaves the repo",
        span=span,
        help="run ovmake with --allow-outside if you trust it",
    )
