"""`ovmake cache push`: upload the results of fresh targets that the remote lacks.

pushed(session, line, asked) -> Pushed

Nothing runs. Blobs come from the local store and are compared with their digests during the upload; they are sent
before their result. A result is skipped if the remote has it, with a trusted signature and all its blobs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ovmake.commands.cache.present import look_at
from ovmake.commands.cache.reaching import each
from ovmake.diagnostics import Diagnostic, OvmakeError
from ovmake.engine.job import Progress
from ovmake.engine.remote import Made, Traffic
from ovmake.engine.world import Options
from ovmake.graph.digest import Digest
from ovmake.graph.query import closure, select
from ovmake.graph.trace import Trace
from ovmake.project.session import Session
from ovmake.remote.cache import SharedCache
from ovmake.remote.layout import blob_path
from ovmake.remote.line import Line
from ovmake.remote.pushing import refusal
from ovmake.remote.results import outputs_of
from ovmake.store.cas import Cas


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """What was uploaded. `there` counts results that the remote had; `stale` are targets that are not fresh."""

    traffic: Traffic
    there: int
    fresh: int
    stale: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Own:
    """A result in the state of this repo."""

    action: str
    trace: Trace
    files: dict[str, str]


def check_signing(line: Line) -> None:
    """Refuse to push results that readers would ignore.

    Raises:
        OvmakeError: the private key is missing, or `trusted-keys` does not have its public key.
    """
    if why := refusal(line.settings):
        hint = "set it to the private key of one of `trusted-keys`, or let CI push: `ovmake help sharing`"
        raise OvmakeError(Diagnostic(code="cannot-sign", message=why, help=hint), exit_status=1)


def pushed(session: Session, line: Line, asked: Sequence[str], tell: Callable[[Progress], None]) -> Pushed:
    """Push the results of the fresh targets.

    Raises:
        RemoteError: the remote cannot be read. Failures of uploads are counted in `traffic`.
        OvmakeError: a target is unknown, or results cannot be signed.
    """
    check_signing(line)
    graph = session.graph(measure=False)
    targets = select(graph, asked)
    outcome = session.execute(graph, targets, Options(dry_run=True, keep_going=True), lambda _: None)
    fresh = [name for name in targets if outcome.targets[name] == "fresh"]
    actions = closure(graph, [graph.targets[name] for name in fresh])
    own = [
        _own(session, action.name, trace)
        for action in actions
        if outcome.actions[action.name].status == "fresh" and (trace := session.database.trace(action.name))
    ]
    there = list(each(lambda one: _has(line, one), own))
    traffic = _send(line, [one for one, known in zip(own, there, strict=True) if not known], tell)
    stale = tuple(name for name in targets if name not in fresh)
    return Pushed(traffic=traffic, there=sum(there), fresh=len(fresh), stale=stale)


def _own(session: Session, action: str, trace: Trace) -> _Own:
    cas = Cas(session.disk)
    files = {role: session.disk.absolute(cas.path(digest)) for role, digest in trace.outputs.items()}
    return _Own(action=action, trace=trace, files=files)


def _has(line: Line, own: _Own) -> bool:
    """Whether the remote has a result and all of its blobs. Blobs of another maker are as good."""
    answer = look_at(line)(own.trace.seen.digest)
    if answer.result is None:
        return False
    outputs = outputs_of(answer.result)
    return outputs.keys() >= own.trace.outputs.keys() and all(_is_there(line, one) for one in set(outputs.values()))


def _is_there(line: Line, blob: Digest) -> bool:
    return line.read(lambda objects: objects.exists(blob_path(blob))) == blob.size_bytes


def _send(line: Line, own: Sequence[_Own], tell: Callable[[Progress], None]) -> Traffic:
    cache = SharedCache(line.settings)
    try:
        for one in own:
            trace = one.trace
            cache.push(
                Made(
                    action=one.action,
                    seen=trace.seen,
                    outputs=trace.outputs,
                    files=one.files,
                    facts=trace.facts,
                    seconds=trace.seconds,
                    peak_bytes=trace.peak_bytes,
                )
            )
        return cache.settle(tell)
    finally:
        cache.close()
