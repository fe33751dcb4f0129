"""Failures of actions as diagnostics, with the span of the setting that they are about.

point_home(action, failure, span) -> Diagnostic
warnings_of(action, facts, span) -> warnings of a success
not_kept(action, error) -> Diagnostic
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ovmake.contracts.problem import ActionProblem
from ovmake.contracts.values import Facts
from ovmake.diagnostics import Diagnostic, Span
from ovmake.engine.world import LockedFile
from ovmake.graph.action import Action
from ovmake.graph.digest import Digest
from ovmake.ovfile.words import KeyPath
from ovmake.store.cas import FOLDER
from ovmake.store.files.disk import DigestMismatchError

SpanOf = Callable[[KeyPath], Span | None]


def point_home(action: Action, failure: ActionProblem, span: SpanOf) -> Diagnostic:
    """Return a failure with the span of the setting that it names, else of the model's table."""
    return Diagnostic(
        code=failure.code,
        message=f"{action.name}: {failure.message}",
        span=span(action.place_of(failure.setting) or action.at),
        notes=failure.notes,
        help=failure.help,
    )


def warnings_of(action: Action, facts: Facts, span: SpanOf) -> tuple[Diagnostic, ...]:
    """Return the warnings of a successful action."""
    told = (point_home(action, problem, span) for problem in ActionProblem.of_facts(facts))
    return tuple(replace(one, severity="warning") for one in told)


def not_kept(action: Action, error: OSError | DigestMismatchError) -> Diagnostic:
    """Return why the result of an action could not be stored."""
    if isinstance(error, DigestMismatchError):
        message = f"{action.name}: a stored input is damaged on the disk and was dropped"
        return Diagnostic(code="store-damaged", message=message, help="run ovmake build again")
    # An error during writing names no file: name the folder then, or the store.
    folders = [output.place.rpartition("/")[0] for output in action.outputs if output.place]
    place = error.filename or (folders[0] if folders else FOLDER)
    message = f"{action.name}: cannot store the result: {error.strerror or error}: {place}"
    hint = "free space, or make the folder writable, and run ovmake build again"
    return Diagnostic(code="cannot-write", message=message, help=hint)


def not_as_locked(action: Action, place: str, found: Digest, locked: LockedFile) -> Diagnostic:
    """Return the failure of an action that would publish another file than the lock names."""
    return Diagnostic(
        code="not-as-locked",
        message=f"{action.name}: {place} is not the file of the lock: sha256 {found}, in the lock {locked.digest}",
        notes=locked.notes,
        help="build on the machine and with the versions of the lock; or build without --locked and run `ovmake lock`",
    )


def not_cached(action: Action, why: str) -> Diagnostic:
    """Return the failure of an action that no cache has, in a build that may run nothing."""
    return Diagnostic(
        code="not-cached",
        message=f"{action.name}: no cache has its result, and --remote-only runs nothing",
        notes=(f"the remote cache: {why}",) if why else (),
        help="run `ovmake build --push` on a machine that may push, or build here without --remote-only",
    )
