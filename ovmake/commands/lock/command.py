"""`ovmake lock` and `ovmake lock --check`.

    lock(session, asked) -> Written     write the lock for the built targets
    check_lock(session, asked) -> Checked

`lock` reads the existing lock, merges both sides if it has conflict markers, and replaces the blocks of the targets
that are built here. Other targets keep their blocks: a colleague may have built them. Neither function locks the state,
so a build can run at the same time. `check_lock` writes nothing, and needs no state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ovmake.commands.lock.built import Built, built
from ovmake.commands.lock.stages import sides_in_index
from ovmake.commands.lock.which_settings import name_settings
from ovmake.contracts.sharing.lock import Lock, LockedTarget
from ovmake.diagnostics import Diagnostic, OvmakeError
from ovmake.graph.query import select
from ovmake.lockfile.checking import Finding, check, confirms
from ovmake.lockfile.conflicts import has_markers, sides_of
from ovmake.lockfile.file import read_lock, read_text, write_text
from ovmake.lockfile.inputs import TargetInputs
from ovmake.lockfile.merging import How, Merged, completed, locks_of, merge
from ovmake.lockfile.present import PresentFiles, present_inputs
from ovmake.lockfile.text import parse, render
from ovmake.project.repo import Where
from ovmake.project.session import Session

What = Literal[
    "locked",  # built here, and new in the lock
    "updated",  # built here, and different in the lock
    "unchanged",  # built here, and the same in the lock
    "kept",  # not built here; its block matches the present inputs
    "must build",  # not built here, and no block matches the present inputs
    "removed",  # no longer in the Ovfile
]

MOST_NAMED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedLine:
    """The outcome for a target; `why`: why it must be built; `merged`: how a conflict was decided, "" without one."""

    target: str
    what: What
    why: str = ""
    merged: How | Literal[""] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What `ovmake lock` did. `changed`: the file was written."""

    name: str
    lines: tuple[LockedLine, ...]
    changed: bool

    @property
    def must_build(self) -> tuple[str, ...]:
        """The targets whose block does not match the present inputs."""
        return tuple(line.target for line in self.lines if line.what == "must build")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The findings of `ovmake lock --check`; `targets` is the number of targets checked."""

    name: str
    findings: tuple[Finding, ...]
    targets: int


def lock_name(where: Where) -> str:
    """Return the name of the lock beside an Ovfile."""
    return f"{where.ovfile.name}.lock"


def lock(session: Session, asked: Sequence[str]) -> Written:
    """Write the lock for the built targets; merge it, if it has conflict markers.

    Raises:
        OvmakeError: no target is built; the lock cannot be read or written; a source cannot be read.
    """
    root, name = session.where.root, lock_name(session.where)
    graph = session.graph(measure=False)
    targets = select(graph, asked)
    before = read_text(root, name)
    files = _files(session)
    present = present_inputs(graph, graph.targets, files)
    there = _there(before or "", root, name, present)
    if there.conflict:  # which is merged as a whole
        targets = list(graph.targets)
    found = built(session, graph, targets, files)
    lines = _lines(there.merged, found, present, targets, whole=there.conflict or not asked)
    if not there.conflict:
        _refuse_nothing(lines, found, name)
    after = render(_lock(there.merged.lock, found, lines))
    if after != before:
        write_text(root, after, name)
    return Written(name=name, lines=lines, changed=after != before)


def check_lock(session: Session, asked: Sequence[str]) -> Checked:
    """Compare the lock with the present inputs.

    Raises:
        OvmakeError: the lock does not exist, cannot be read, it has conflict markers, or a source cannot be read.
    """
    name = lock_name(session.where)
    found = read_lock(session.where.root, name)
    if found is None:
        message = f"there is no {session.where.root / name}"
        hint = "`ovmake build` and `ovmake lock` make it, where the models are built: commit it there"
        raise OvmakeError(Diagnostic(code="no-lock", message=message, help=hint), exit_status=1)
    graph = session.graph(measure=False)
    targets = select(graph, asked)
    present = present_inputs(graph, targets, _files(session))
    findings = name_settings(session, graph, found, check(found, present, whole=not asked))
    return Checked(name=name, findings=findings, targets=len(targets))


def _files(session: Session) -> PresentFiles:
    return PresentFiles(disk=session.disk, database=session.database, inside=session.inside)


@dataclass(frozen=True, slots=True, kw_only=True)
class _There:
    """The existing lock, merged if it was in `conflict`."""

    merged: Merged
    conflict: bool


def _there(text: str, root: Path, name: str, present: Mapping[str, TargetInputs]) -> _There:
    """Return the existing lock, merged if git left two sides.

    Raises:
        OvmakeError: it cannot be read.
    """
    if has_markers(text):
        # No base: the present inputs decide between the sides.
        merged = merge(None, _locks(sides_of(text, file=name).all, name), present)
        return _There(merged=completed(merged, _locks(sides_in_index(root, name), name)), conflict=True)
    try:
        return _There(merged=Merged(lock=parse(text, file=name), how={}), conflict=False)
    except OvmakeError as error:
        if any(one.code != "lock-conflict" for one in error.diagnostics):
            raise
    return _There(merged=merge(None, locks_of(text, file=name), present), conflict=True)


def _locks(texts: Sequence[str], name: str) -> list[Lock]:
    return [lock for text in texts for lock in locks_of(text, file=name)]


def _lines(
    merged: Merged, found: Built, present: Mapping[str, TargetInputs], targets: Sequence[str], *, whole: bool
) -> tuple[LockedLine, ...]:
    """Return the outcome for each requested target; `whole`: all targets of the Ovfile were requested."""
    there = merged.lock.targets
    disputed = {target: how for target, how in merged.how.items() if how != "agreed"}
    gone = {target for target in {*there, *disputed} if target not in present} if whole else set()
    names = sorted({*targets, *gone})
    return tuple(
        LockedLine(
            target=target,
            what="removed" if target not in present else _what(target, there.get(target), found, present[target]),
            why=found.others.get(target, ""),
            merged=disputed.get(target, ""),
        )
        for target in names
    )


def _what(target: str, block: LockedTarget | None, found: Built, now: TargetInputs) -> What:
    made = found.blocks.get(target)
    if made is None:
        return "kept" if confirms(block, now) else "must build"
    if block is None:
        return "locked"
    return "unchanged" if made == block else "updated"


def _lock(there: Lock, found: Built, lines: Sequence[LockedLine]) -> Lock:
    removed = {line.target for line in lines if line.what == "removed"}
    blocks = {target: block for target, block in there.targets.items() if target not in removed}
    return Lock(targets={**blocks, **found.blocks})


def _refuse_nothing(lines: Sequence[LockedLine], found: Built, name: str) -> None:
    """Refuse if no target can be locked.

    Raises:
        OvmakeError: its notes name the targets.
    """
    must_build = [line.target for line in lines if line.what == "must build"]
    if any(line.what not in {"must build", "removed"} for line in lines):
        return
    whys = [f"{target}: {found.others[target]}" for target in must_build[:MOST_NAMED] if target in found.others]
    whys += [f"{len(must_build) - MOST_NAMED} more targets"] if len(must_build) > MOST_NAMED else []
    raise OvmakeError(
        Diagnostic(
            code="nothing-built",
            message=f"{name} is not written: no target is built and up to date",
            notes=tuple(whys),
            help="run `ovmake build`, then `ovmake lock`",
        ),
        exit_status=1,
    )
