"""The promise of `ovmake build --locked`: inputs and IRs are those of Ovfile.lock.

    held = promised(session, graph, targets) -> Promised         before the build; an error if inputs differ
    options = replace(options, locked=held.files)                the engine publishes no other IR
    held.check(graph, outcome)                                   after the build: checks IRs that were fresh, too

Rule: only the files of an IR (`.xml`, `.bin`) must be those of the lock. Its record names the versions that made it, so
      it may differ even if the IR does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ovmake.contracts.sharing.lock import Lock, LockedTarget
from ovmake.diagnostics import Diagnostic, OvmakeError
from ovmake.engine.executor import Outcome
from ovmake.engine.outcomes.telling import not_as_locked
from ovmake.engine.world import LockedFile
from ovmake.graph.action import Graph
from ovmake.graph.digest import Digest
from ovmake.lockfile.checking import Finding, check, in_words
from ovmake.lockfile.file import read_lock
from ovmake.lockfile.inputs import publication
from ovmake.lockfile.present import PresentFiles, present_inputs
from ovmake.project.repo import Where
from ovmake.project.session import Session

IR_FILES = (".xml", ".bin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Promised:
    """The IR files that may be published, by their paths."""

    files: Mapping[str, LockedFile]

    def check(self, graph: Graph, outcome: Outcome) -> None:
        """Check the IRs that were fresh: the build did not compare them with the lock.

        Raises:
            OvmakeError: it names every target that differs.
        """
        wrong = []
        for target in outcome.targets:
            last = publication(graph, target)
            made = outcome.actions[last.name].outputs if last.name in outcome.actions else None
            for output in last.outputs if made is not None else ():
                locked = self.files.get(output.place or "")
                if locked is not None and made is not None and made[output.role] != locked.digest:
                    wrong.append(not_as_locked(last, output.place or "", made[output.role], locked))
                    break
        if wrong:
            raise OvmakeError(*wrong, exit_status=1)


def lock_of(where: Where) -> Lock:
    """Return the lock beside an Ovfile.

    Raises:
        OvmakeError: it does not exist, or cannot be read.
    """
    name = f"{where.ovfile.name}.lock"
    found = read_lock(where.root, name)
    if found is None:
        message = f"there is no {where.root / name}"
        hint = "`ovmake build` and `ovmake lock` make it, where the models are built: commit it there"
        raise OvmakeError(Diagnostic(code="no-lock", message=message, help=hint), exit_status=1)
    return found


def promised(session: Session, graph: Graph, targets: Sequence[str]) -> Promised:
    """Return the IR files that the lock allows for targets.

    Raises:
        OvmakeError: the lock does not exist; or settings or sources of a target differ from it.
    """
    lock = lock_of(session.where)
    files = PresentFiles(disk=session.disk, database=session.database, inside=session.inside)
    refuse_other_inputs(session.where, check(lock, present_inputs(graph, targets, files), whole=False))
    refuse_other_files(session, graph, targets, lock)
    found: dict[str, LockedFile] = {}
    for target in targets:
        block = lock.targets[target]
        notes = _differences(session, graph, target, block)
        for output in publication(graph, target).outputs:
            place = output.place or ""
            digest = block.outputs.get(place.removeprefix(f"{session.ovfile.build_dir}/"))
            if place.endswith(IR_FILES) and digest is not None:
                found[place] = LockedFile(digest=Digest.decode(digest), notes=notes)
    return Promised(files=found)


def refuse_other_files(session: Session, graph: Graph, targets: Sequence[str], lock: Lock) -> None:
    """Refuse blocks that do not name exactly the files that their targets publish.

    A block with an IR's `.xml` and without its `.bin` would promise nothing about the weights.

    Raises:
        OvmakeError: one diagnostic per target.
    """
    name = f"{session.where.ovfile.name}.lock"
    wrong = []
    for target in targets:
        made = {output.place for output in publication(graph, target).outputs if output.place}
        named = {f"{session.ovfile.build_dir}/{path}" for path in lock.targets[target].outputs}
        lacks, more = sorted(made - named), sorted(named - made)
        said = [*(f"it lacks {path}" for path in lacks), *(f"{path} is none of its files" for path in more)]
        if said:
            message = f"{name}: the block of {target} does not name what the target publishes: {', '.join(said)}"
            hint = f"build, run `ovmake lock`, and commit {name}; or take the file from git again"
            wrong.append(Diagnostic(code="lock-outdated", message=message, help=hint))
    if wrong:
        raise OvmakeError(*wrong, exit_status=1)


def refuse_other_inputs(where: Where, findings: Sequence[Finding]) -> None:
    """Refuse targets whose inputs differ from the lock.

    Raises:
        OvmakeError: one diagnostic per target.
    """
    if findings:
        name = f"{where.ovfile.name}.lock"
        hint = f"build, run `ovmake lock`, and commit {name}; or undo the change"
        told = (Diagnostic(code="lock-outdated", message=f"{name}: {in_words(one)}", help=hint) for one in findings)
        raise OvmakeError(*told, exit_status=1)


def _differences(session: Session, graph: Graph, target: str, block: LockedTarget) -> tuple[str, ...]:
    """Return the differences from the machine that made the block: versions of tools, and instruction sets."""
    tools = {tool for action in graph.actions.values() for tool in action.tools}
    notes = []
    for tool, locked in block.versions.items():
        if tool in tools and (here := session.toolchain.version(tool)) != locked:
            notes.append(f"{tool} is {here} here, and {locked} in the lock")
    if block.isa and (here := session.toolchain.environment("isa")) != block.isa:
        notes.append(f"the processor has other instruction sets: {here} here, {block.isa} in the lock")
    return tuple(notes) or (f"tools and instruction sets are those of the lock: {target} is not reproducible",)
