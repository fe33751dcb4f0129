"""`ovmake build --check`: rebuild the targets from nothing, and compare byte by byte.

    check(graph, built, world, options) -> Checked

The second build is the engine's own loop over a second `World`: its store and its outputs are below `.ovmake/check/`,
its database is empty and in memory, and its workers are new. The first difference, in the graph's order, is reported:
later ones may only follow from it.

Measurements differ from run to run. Actions that measure, and actions that read their figures (all of `auto` except its
candidates), are not repeated; the targets that depend on them are listed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ovmake.diagnostics import Diagnostic, OvmakeError
from ovmake.engine.executor import Executor, Outcome
from ovmake.engine.world import Options, World
from ovmake.graph.action import Action, Artifact, Graph
from ovmake.graph.query import closure
from ovmake.names import STATE
from ovmake.store.cas import Cas
from ovmake.store.database import Database
from ovmake.units import counted

FORMAT = 1
SCRATCH = f"{STATE}/check"
CHUNK = 65_536
SHOWN = 100  # characters of a line that differs


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The outputs that were compared and found equal: published files of targets, and outputs of earlier actions.

    `left_out`: targets that depend on measurements -> the actions that measure.
    """

    files: int
    targets: int
    outputs: int
    left_out: Mapping[str, tuple[str, ...]]

    def lines(self) -> list[str]:
        """Return the result as lines of text."""
        left_out = [f"{name} was left out: it depends on {' and '.join(why)}" for name, why in self.left_out.items()]
        verb = "is" if self.files == 1 else "are"
        files, targets = counted(self.files, "file"), counted(self.targets, "target")
        return [*left_out, f"{files} of {targets} {verb} the same, byte for byte"]

    def to_json(self) -> dict[str, object]:
        """Return the public form."""
        return {
            "event": "check-finished",
            "format": FORMAT,
            "files": self.files,
            "targets": self.targets,
            "outputs": self.outputs,
            "left_out": {name: list(why) for name, why in self.left_out.items()},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """An output, with its paths in the first and in the second build."""

    action: Action
    role: str
    place: str | None
    built: str
    again: str


def check(graph: Graph, built: Outcome, world: World, options: Options) -> Checked:
    """Rebuild the targets of `graph` that were `built`, and compare.

    Raises:
        OvmakeError: an output differs, or the second build failed.
    """
    targets = list(built.targets)
    actions = closure(graph, [graph.targets[name] for name in targets])
    tainted = _tainted(actions)
    repeated = [action for action in actions if action.name not in tainted]
    world.disk.remove(SCRATCH)
    try:
        again = _build_again(repeated, world, options)
        pairs = list(_pairs(repeated, built, again, world))
        for pair in pairs:
            _compare(pair, world)
    finally:
        world.runner.close()  # before the folders that they write to are removed
        world.disk.remove(SCRATCH)
    left_out = _left_out(graph, targets, tainted)
    files = sum(pair.place is not None for pair in pairs)
    return Checked(files=files, targets=len(targets) - len(left_out), outputs=len(pairs) - files, left_out=left_out)


def _measures(action: Action) -> bool:
    return action.exclusive or action.advisory or "machine" in action.environment


def _tainted(actions: Sequence[Action]) -> frozenset[str]:
    """Return the actions that measure, and those that read their figures."""
    tainted: set[str] = set()
    for action in actions:
        reads = {given.origin.action for given in action.inputs if isinstance(given.origin, Artifact)}
        if _measures(action) or not tainted.isdisjoint(reads):
            tainted.add(action.name)
    return frozenset(tainted)


def _left_out(graph: Graph, targets: Sequence[str], tainted: frozenset[str]) -> dict[str, tuple[str, ...]]:
    """Return the targets that depend on measurements. A measurement that only gives advice does not count."""
    found = {}
    for name in targets:
        needed = closure(graph, [graph.targets[name]])
        if any(action.name in tainted and not action.advisory for action in needed):
            found[name] = tuple(action.name for action in needed if _measures(action) and not action.advisory)
    return found


def _build_again(actions: Sequence[Action], world: World, options: Options) -> Outcome:
    """Build all of `actions` without any state of earlier runs.

    Raises:
        OvmakeError: an action failed.
    """
    world.runner.close()  # a used worker may have state that hides a difference
    names = {action.name: action.name for action in actions}
    moved = {action.name: _moved(action, names) for action in actions}
    database = Database.in_memory()
    try:
        elsewhere = replace(world, database=database, remote=None, state=SCRATCH)
        outcome = Executor(Graph(actions=moved, targets=names), elsewhere, options).build(list(names))
    finally:
        database.close()
    for name, done in outcome.actions.items():
        if done.diagnostic is not None:
            message = f"{name} failed in the second build: {done.diagnostic.message}"
            hint = "run ovmake build --check again; if it fails only sometimes, any build may fail"
            span = world.span(moved[name].at)
            raise OvmakeError(Diagnostic(code="not-rebuilt", message=message, span=span, help=hint), exit_status=1)
    return outcome


def _moved(action: Action, kept: Mapping[str, str]) -> Action:
    """Return a copy of an action that publishes below the scratch folder, and waits for no action that is left out."""
    outputs = tuple(replace(out, place=None if out.place is None else _below(out.place)) for out in action.outputs)
    return replace(action, outputs=outputs, after=tuple(name for name in action.after if name in kept))


def _below(place: str) -> str:
    """Return a path below the scratch folder, also for a `build-dir` outside of the repo."""
    return "/".join([SCRATCH, *(part for part in place.split("/") if part not in {"", ".", ".."})])


def _pairs(actions: Sequence[Action], built: Outcome, again: Outcome, world: World) -> Iterator[_Pair]:
    first, second = Cas(world.disk), Cas(world.disk, f"{SCRATCH}/cas")
    for action in actions:
        ours, theirs = built.actions[action.name].outputs, again.actions[action.name].outputs
        if ours is None or theirs is None:
            raise AssertionError(f"{action.name} succeeded and has no outputs")
        for out in action.outputs:
            yield _Pair(
                action=action,
                role=out.role,
                place=out.place,
                built=out.place or first.path(ours[out.role]),
                again=_below(out.place) if out.place else second.path(theirs[out.role]),
            )


def _compare(pair: _Pair, world: World) -> None:
    """Compare both files.

    Raises:
        OvmakeError: they differ.
    """
    if world.disk.digest(pair.built) == world.disk.digest(pair.again):
        return
    where, notes = _difference(world.disk.read(pair.built), world.disk.read(pair.again))
    what = f"`{pair.role}`" if pair.place is None else pair.place
    raise OvmakeError(
        Diagnostic(
            code="not-reproducible",
            message=f"{pair.action.name}: {what} differs on rebuild, starting at {where}",
            span=world.span(pair.action.at),
            notes=notes,
            help="find what this action uses besides its inputs, such as random numbers without a seed, the time, "
            "or the order of a set",
        ),
        exit_status=1,
    )


def _difference(built: bytes, again: bytes) -> tuple[str, tuple[str, ...]]:
    """Return the position of the first difference of two files, in words, and notes that show it."""
    at = _first_difference(built, again)
    sizes = () if len(built) == len(again) else (f"{len(built)} bytes in the first build, {len(again)} in the second",)
    try:
        ours, theirs = built.decode(), again.decode()
    except UnicodeDecodeError:
        return f"byte {at}", sizes
    number = built.count(b"\n", 0, at)
    lines = tuple(f"{when}: {_line(text, number)}" for when, text in (("first build", ours), ("second build", theirs)))
    return f"byte {at}, line {number + 1}", (*sizes, *lines)


def _first_difference(built: bytes, again: bytes) -> int:
    shorter = min(len(built), len(again))
    # Slices are compared in C: if 100 MB are equal, Python's loop covers only the last chunk.
    start = next((at for at in range(0, shorter, CHUNK) if built[at : at + CHUNK] != again[at : at + CHUNK]), shorter)
    return next((at for at in range(start, min(start + CHUNK, shorter)) if built[at] != again[at]), shorter)


def _line(text: str, number: int) -> str:
    line = (text.split("\n")[number:] or [""])[0].strip()
    return line if len(line) <= SHOWN else f"{line[:SHOWN]}…"
