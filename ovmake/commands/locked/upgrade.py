"""`ovmake build --upgrade-check`: build the locked inputs with today's tools, and compare with the lock.

    check_upgrade(session, graph, targets, options, emit) -> Upgrade
    upgrade.lines() -> text, line by line

Nothing is published. The build uses the stored results of earlier builds, and stores its own. It does not change traces
or published files, so `ovmake build` decides as before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ovmake.commands.locked.promise import IR_FILES, lock_of, refuse_other_inputs
from ovmake.contracts.codec import ContractError, from_bytes
from ovmake.contracts.files.record import Record
from ovmake.contracts.sharing.lock import LockedTarget
from ovmake.diagnostics import OvmakeError
from ovmake.engine.events import Event
from ovmake.engine.executor import Executor, Outcome
from ovmake.engine.world import Options
from ovmake.graph.action import Graph
from ovmake.graph.digest import Digest
from ovmake.graph.query import closure
from ovmake.lockfile.checking import check
from ovmake.lockfile.inputs import publication
from ovmake.lockfile.present import PresentFiles, present_inputs
from ovmake.project.session import Session
from ovmake.store.cas import Cas
from ovmake.store.database import Database
from ovmake.units import size_in_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgraded:
    """A target: its block in the lock, and the result of today's tools. `why`: why they cannot be compared."""

    target: str
    locked: LockedTarget
    same_bytes: bool = False
    size_bytes: int = 0
    record: Record | None = None
    before: Record | None = None
    why: str = ""

    @property
    def kept(self) -> bool:
        """Whether today's tools make an IR that passes its gate."""
        return self.record is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade:
    """All targets, and the versions that differ: tool -> (the lock's, today's)."""

    targets: tuple[Upgraded, ...]
    versions: Mapping[str, tuple[str, str]]

    @property
    def exit_status(self) -> int:
        """1 if a target has no IR that passes its gate."""
        return 0 if all(one.kept for one in self.targets) else 1

    def lines(self) -> list[str]:
        """Return the comparison as text."""
        versions = [f"{tool} {was} → {now}" for tool, (was, now) in sorted(self.versions.items())]
        head = ", ".join(versions) or "the tools are those of the lock"
        return [head, *(line for one in self.targets for line in _lines(one))]

    def to_json(self) -> dict[str, object]:
        """Return the public form."""
        return {
            "event": "upgrade-checked",
            "versions": {tool: list(pair) for tool, pair in self.versions.items()},
            "targets": {one.target: _json(one) for one in self.targets},
        }


def check_upgrade(
    session: Session, graph: Graph, targets: Sequence[str], options: Options, emit: Callable[[Event], None]
) -> Upgrade:
    """Build targets with today's tools, and compare them with the lock.

    Raises:
        OvmakeError: the lock does not exist; or settings or sources differ from it.
    """
    lock = lock_of(session.where)
    files = PresentFiles(disk=session.disk, database=session.database, inside=session.inside)
    refuse_other_inputs(session.where, check(lock, present_inputs(graph, targets, files), whole=False))
    outcome = _build(session, graph, targets, options, emit)
    cas = Cas(session.disk)
    found = tuple(_compared(graph, target, lock.targets[target], outcome, cas) for target in targets)
    tools = {tool for action in graph.actions.values() for tool in action.tools}
    versions = {
        tool: (was, now)
        for one in found
        for tool, was in one.locked.versions.items()
        if tool in tools and (now := session.toolchain.version(tool)) != was
    }
    return Upgrade(targets=found, versions=versions)


def _build(
    session: Session, graph: Graph, targets: Sequence[str], options: Options, emit: Callable[[Event], None]
) -> Outcome:
    """Build without publishing, in a separate state with the stored results of the repo."""
    unpublished = {
        name: replace(action, outputs=tuple(replace(output, place=None) for output in action.outputs))
        for name, action in graph.actions.items()
    }
    database = Database.in_memory()
    try:
        database.adopt({}, [one.trace for one in session.database.results()])
        world = replace(session.world(emit), database=database)
        aside = Graph(actions=unpublished, targets=graph.targets)
        outcome = Executor(aside, world, replace(options, keep_going=True)).build(targets)
        session.database.adopt({}, [one.trace for one in database.results()])
    finally:
        database.close()
    return outcome


def _compared(graph: Graph, target: str, locked: LockedTarget, outcome: Outcome, cas: Cas) -> Upgraded:
    last = publication(graph, target)
    outputs = outcome.actions[last.name].outputs
    before = _record(cas, next((digest for path, digest in locked.outputs.items() if path.endswith(".json")), ""))
    if outputs is None:
        return Upgraded(target=target, locked=locked, before=before, why=_why(graph, target, outcome))
    irs = {output.role: outputs[output.role] for output in last.outputs if (output.place or "").endswith(IR_FILES)}
    there = sorted(digest for path, digest in locked.outputs.items() if path.endswith(IR_FILES))
    return Upgraded(
        target=target,
        locked=locked,
        same_bytes=there == sorted(digest.encoded() for digest in irs.values()),
        size_bytes=sum(digest.size_bytes for digest in irs.values()),
        record=_record(cas, outputs["record"].encoded()),
        before=before,
    )


def _why(graph: Graph, target: str, outcome: Outcome) -> str:
    """Return the first failure among the actions that a target needs."""
    needed = closure(graph, [publication(graph, target).name])
    failed = (outcome.actions[action.name].diagnostic for action in needed if not action.advisory)
    return next((one.message for one in failed if one is not None), "it was not built")


def _record(cas: Cas, encoded: str) -> Record | None:
    """Return a stored record, None if the store does not have it or another ovmake wrote it."""
    try:
        digest = Digest.decode(encoded)
        return from_bytes(Record, cas.read(digest), "record") if cas.holds(digest) else None
    except (ValueError, ContractError, OvmakeError):
        return None


def _lines(one: Upgraded) -> list[str]:
    if one.record is None:
        return [f"{one.target:<24} no IR: {one.why}"]
    was = sum(
        Digest.decode(digest).size_bytes for path, digest in one.locked.outputs.items() if path.endswith(IR_FILES)
    )
    ir = "the same IR" if one.same_bytes else "another IR"
    size = f"size {_pair(size_in_words(was), size_in_words(one.size_bytes))}"
    drop = f"drop {_pair(_figure(one.locked.drop), _figure(one.record.gate.drop))}"
    lines = [f"{one.target:<24} {ir}, gate {one.record.gate.result}, {size}, {drop}"]
    if not one.same_bytes and one.before is not None:
        lines += [f"    {text}" for text in _differences(one.before, one.record)]
    return lines


def _differences(before: Record, now: Record) -> list[str]:
    """Return the difference of each output from TensorFlow's, before and now."""
    were = {figures.name: figures.max_abs for figures in before.differences}
    return [
        f"output {one.name}: largest difference from TensorFlow {_pair(_figure(were[one.name]), _figure(one.max_abs))}"
        for one in now.differences
        if one.name in were
    ]


def _pair(was: str, now: str) -> str:
    return was if was == now else f"{was} → {now}"


def _figure(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.4g}"


def _json(one: Upgraded) -> dict[str, object]:
    return {
        "gate": one.record.gate.result if one.record else "missed",
        "why": one.why,
        "same_bytes": one.same_bytes,
        "size_bytes": one.size_bytes if one.record else None,
        "drop": one.record.gate.drop if one.record else None,
        "locked_drop": one.locked.drop,
    }
