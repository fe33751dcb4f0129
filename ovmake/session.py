"""A repo with its Ovfile, opened for one command.

    with open_session(where, wait=...) as session:
        graph = session.graph(measure=False)
        outcome = session.execute(graph, targets, options, emit)

Reads the Ovfile once, at the start; takes the lock; opens the database; ends all workers on the way out, whatever
happened.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ovmake import stamp
from ovmake.diagnostics import Diagnostic, OvmakeError, Span, render
from ovmake.engine.events import Event
from ovmake.engine.executor import Executor, Outcome
from ovmake.engine.job import Completion, Job, Runner
from ovmake.engine.keep import LOGS
from ovmake.engine.world import Options, World
from ovmake.graph.action import Graph
from ovmake.graph.lower import SourceForm, lower
from ovmake.graph.query import select, words_for
from ovmake.ovfile.edits import edited_models
from ovmake.ovfile.parse import decode, parse, parse_some, span_of
from ovmake.ovfile.spec import KeyPath, Ovfile
from ovmake.rules import build_target, debug_target, measure_target
from ovmake.store.database import Database
from ovmake.store.disk import RealDisk
from ovmake.store.lock import hold
from ovmake.store.toolchain import Toolchain
from ovmake.workers.recognise import recognise

STATE = ".ovmake"


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Which Ovfile: `folder` and `file` as given by -C and -f."""

    folder: Path
    file: str = "Ovfile"
    allow_outside: bool = False

    @property
    def ovfile(self) -> Path:
        """The Ovfile itself."""
        return self.folder / self.file

    @property
    def key(self) -> str:
        """What the stamp is about: which Ovfile of the folder, and whether its paths may leave the repo."""
        return f"{self.ovfile.name} {self.allow_outside}"

    @property
    def root(self) -> Path:
        """The folder that every path of the Ovfile is relative to."""
        return self.ovfile.parent.absolute()

    @property
    def repo(self) -> Path:
        """The repo that paths must not leave: the nearest folder with `.git`, else the Ovfile's own."""
        folders = [self.root, *self.root.parents]
        return next((folder for folder in folders if (folder / ".git").exists()), self.root)


@dataclass(slots=True, kw_only=True)
class Session:
    """An open repo. With `known`, the stamp of an earlier build, only what that says nothing of is in `ovfile`."""

    where: Where
    text: str
    ovfile: Ovfile
    ovfile_state: stamp.State
    disk: RealDisk
    database: Database
    runner: Runner
    toolchain: Toolchain
    inside: Callable[[str], bool]
    known: stamp.Stamp | None = None
    _spans: dict[KeyPath, Span | None] = field(default_factory=dict)

    def graph(self, *, measure: bool) -> Graph:
        """Return the action graph of all targets, with the measurements or without."""
        return lower(self.ovfile, measure_target if measure else build_target, forms_of(self.ovfile, self.where.root))

    def debug_graph(self) -> Graph:
        """Return the action graph that compares all targets' layers with TensorFlow's."""
        return lower(self.ovfile, debug_target, forms_of(self.ovfile, self.where.root))

    def execute(self, graph: Graph, targets: Sequence[str], options: Options, emit: Callable[[Event], None]) -> Outcome:
        """Build targets of `graph`."""
        return self.executor(graph, options, emit).build(targets)

    def executor(self, graph: Graph, options: Options, emit: Callable[[Event], None]) -> Executor:
        """Return what builds `graph`."""
        world = World(
            disk=self.disk,
            database=self.database,
            runner=self.runner,
            version=self.toolchain.version,
            environment=self.toolchain.environment,
            emit=emit,
            absolute=self.disk.absolute,
            fingerprint=_fingerprint,
            inside=self.inside,
            locate=self.locate,
            span=self.span,
        )
        return Executor(graph, world, options)

    def elsewhere(self, asked: Sequence[str]) -> int:
        """Return how many of the targets that the words mean (none: all) are known to be fresh, and not in `ovfile`."""
        named = None if self.known is None else self.known.named(asked)
        here = {target.model for target in self.ovfile.targets}
        return sum(len(targets) for model, targets in (named or {}).items() if model in set(self.ovfile.models) - here)

    def select(self, graph: Graph, asked: Sequence[str]) -> list[str]:
        """Return the targets of `graph` that the words mean; none means all.

        Raises:
            OvmakeError: for every word that names nothing.
        """
        if self.known is None or not asked:
            return select(graph, asked)
        words = set(asked)
        return [name for name in graph.targets if not words.isdisjoint(words_for(name))]

    def span(self, at: KeyPath) -> Span | None:
        """Return where a key path stands in the Ovfile."""
        if at not in self._spans:
            self._spans[at] = span_of(at, self.text, self.where.file)
        return self._spans[at]

    def locate(self, at: KeyPath) -> str:
        """Return "Ovfile:14"."""
        span = self.span(at)
        return f"{span.file}:{span.line}" if span else ""


def forms_of(ovfile: Ovfile, root: Path) -> dict[str, SourceForm]:
    """Return what each source is, by a look at its first bytes. One that is not there or unreadable is left out."""
    forms: dict[str, SourceForm] = {}
    for path in dict.fromkeys(target.source for target in ovfile.targets):
        try:
            found = recognise(root / path)
        except OSError:
            continue
        beside = tuple(os.path.join(os.path.dirname(path), file.name) for file in found.beside)  # noqa: PTH118, PTH120
        forms[path] = SourceForm(kind=found.kind, beside=beside)
    return forms


def _fingerprint(path: str) -> str:
    """Return what the SavedModel or frozen graph at `path` computes, as a digest."""
    from ovmake.workers.fingerprint import fingerprint  # noqa: PLC0415 - only where a source has changed

    return fingerprint(Path(path)).sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """An Ovfile's text, what it means, and the state of the file that was read.

    `known` is the stamp that answers for the models that `ovfile` leaves out; None where it leaves out none.
    """

    text: str
    ovfile: Ovfile
    state: stamp.State
    known: stamp.Stamp | None = None


def read_ovfile(where: Where, known: stamp.Stamp | None = None, asked: Sequence[str] = ()) -> Read:
    """Read the Ovfile: all of it, or what `known` says nothing of and the words mean.

    Raises:
        OvmakeError: it is not there, cannot be read, or is wrong.
    """
    try:
        state = stamp.state_of(str(where.ovfile))
        data = where.ovfile.read_bytes()
    except FileNotFoundError:
        message = f"there is no {where.ovfile}"
        hint = "write one: `ovmake init` does; or name one with -f FILE or -C DIR"
        raise OvmakeError(Diagnostic(code="no-ovfile", message=message, help=hint)) from None
    except OSError as error:
        message = f"cannot read {where.ovfile}: {error.strerror}"
        raise OvmakeError(Diagnostic(code="unreadable-ovfile", message=message)) from None
    text = decode(data, file=where.file)
    some = None if known is None else _read_some(where, text, known, asked)
    if some is not None:
        return Read(text=text, ovfile=some, state=state, known=known)
    return Read(text=text, ovfile=parse(text, file=where.file, inside=_stays_inside(where)), state=state)


def _read_some(where: Where, text: str, known: stamp.Stamp, asked: Sequence[str]) -> Ovfile | None:
    """Return what the Ovfile means for the models that may be stale; None where all of it must be looked at."""
    edited = edited_models(known.text, text) if text != known.text else frozenset()
    named = known.named(asked)
    if edited is None or named is None:
        return None
    stale = (known.stale | edited) & (named.keys() if asked else known.stale | edited)
    try:
        return parse_some(text, stale, file=where.file, inside=_stays_inside(where))
    except OvmakeError:
        return None  # a mistake in these models: `parse` shows it with all others


def _refuse_user_code(ovfile: Ovfile, text: str, file: str) -> None:
    """Refuse an Ovfile that names functions to run, all of them at once."""
    if ovfile.user_code:
        raise OvmakeError(
            *(
                Diagnostic(
                    code="user-code",
                    message=f"`{function}` would be run, and --no-user-code forbids it",
                    span=span_of(at, text, file),
                    help="use what needs no code of yours, or leave --no-user-code out if you trust it",
                )
                for at, function in ovfile.user_code.items()
            )
        )


def _stays_inside(where: Where) -> Callable[[str], bool]:
    """Return whether a path of the Ovfile stays in the repo, judged by its words alone."""
    if where.allow_outside:
        return lambda _: True
    root, repo = str(where.root), str(where.repo)

    def inside(path: str) -> bool:
        joined = os.path.normpath(os.path.join(root, path))  # noqa: PTH118
        return joined == repo or joined.startswith(repo.rstrip(os.sep) + os.sep)

    return inside


def _really_inside(where: Where) -> Callable[[str], bool]:
    """Return whether a path stays in the repo after links are followed."""
    if where.allow_outside:
        return lambda _: True
    repo = os.path.realpath(where.repo)

    def inside(path: str) -> bool:
        real = os.path.realpath(where.root / path)
        return real == repo or real.startswith(repo.rstrip(os.sep) + os.sep)

    return inside


class RunnerWhenNeeded:
    """A `WorkerRunner` that is not even imported until the first job: a no-op build has no use for its 30 ms."""

    def __init__(self, *, logs: Path) -> None:
        self._logs = logs
        self._runner: Runner | None = None

    def start(self, job: Job) -> None:
        """See `ovmake.engine.job.Runner`."""
        if self._runner is None:
            from ovmake.engine.runner import WorkerRunner  # noqa: PLC0415

            self._runner = WorkerRunner(logs=self._logs)
        self._runner.start(job)

    def wait(self) -> Completion:
        """See `ovmake.engine.job.Runner`."""
        if self._runner is None:
            raise AssertionError("there is nothing to wait for before the first job")
        return self._runner.wait()

    def close(self) -> None:
        """See `ovmake.engine.job.Runner`."""
        if self._runner is not None:
            self._runner.close()


@contextlib.contextmanager
def open_session(
    where: Where,
    *,
    wait: bool,
    tell: Callable[[str], None],
    user_code: bool = True,
    known: stamp.Stamp | None = None,
    asked: Sequence[str] = (),
) -> Iterator[Session]:
    """Open the repo for one command. `tell` gets warnings and the wait for another ovmake.

    With `known`, the session is about the targets that the words `asked` mean and that the stamp does not vouch for.

    Raises:
        OvmakeError: the Ovfile is wrong, or names functions of the user's and `user_code` is False; or the repo is
            locked and `wait` is False.
    """
    read = read_ovfile(where, known, asked)
    if not user_code:
        _refuse_user_code(read.ovfile, read.text, where.file)
    for found in read.ovfile.warnings:
        tell(render(found))
    state = where.root / STATE
    _make_state_folder(state)
    with hold(state, wait=wait, waiting=tell):
        database, warning = Database.open(state / "state.db")
        if warning:
            tell(warning)
            stamp.forget(str(where.root))
        runner = RunnerWhenNeeded(logs=where.root / LOGS)
        try:
            yield Session(
                where=where,
                text=read.text,
                ovfile=read.ovfile,
                ovfile_state=read.state,
                known=read.known,
                disk=RealDisk(where.root),
                database=database,
                runner=runner,
                toolchain=Toolchain(),
                inside=_really_inside(where),
            )
        finally:
            runner.close()
            database.close()


def _make_state_folder(state: Path) -> None:
    """Make `.ovmake/`, invisible to git: it is a cache."""
    if not state.is_dir():
        try:
            state.mkdir()
            (state / ".gitignore").write_text("*\n")
        except OSError as error:
            message = f"cannot make {state}: {error.strerror}"
            raise OvmakeError(Diagnostic(code="cannot-write", message=message), exit_status=1) from None
