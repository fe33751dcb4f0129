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
import time
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
from ovmake.graph.action import Graph, Source
from ovmake.graph.lower import SourceForm, lower
from ovmake.ovfile.parse import decode, parse, span_of
from ovmake.ovfile.spec import KeyPath, Limits, Ovfile
from ovmake.rules import build_target, debug_target, measure_target
from ovmake.store.cas import FOLDER
from ovmake.store.database import Database
from ovmake.store.disk import RealDisk
from ovmake.store.lock import hold
from ovmake.store.processes import available_bytes, installed_bytes
from ovmake.store.toolchain import Toolchain
from ovmake.workers.recognise import recognise

STATE = ".ovmake"
NO_LIMITS = Limits()


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
    """An open repo."""

    where: Where
    text: str
    ovfile: Ovfile
    ovfile_state: stamp.State
    disk: RealDisk
    database: Database
    runner: RunnerWhenNeeded
    toolchain: Toolchain
    inside: Callable[[str], bool]
    _spans: dict[KeyPath, Span | None] = field(default_factory=dict)

    def graph(self, *, measure: bool) -> Graph:
        """Return the action graph of all targets, with the measurements or without."""
        return lower(self.ovfile, measure_target if measure else build_target, forms_of(self.ovfile, self.where.root))

    def debug_graph(self) -> Graph:
        """Return the action graph that compares all targets' layers with TensorFlow's."""
        return lower(self.ovfile, debug_target, forms_of(self.ovfile, self.where.root))

    def execute(self, graph: Graph, targets: Sequence[str], options: Options, emit: Callable[[Event], None]) -> Outcome:
        """Build targets of `graph`."""
        return self._executor(graph, options, emit).build(targets)

    def _executor(self, graph: Graph, options: Options, emit: Callable[[Event], None]) -> Executor:
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
            memory_bytes=available_bytes,
            locate=self.locate,
            span=self.span,
        )
        return Executor(graph, world, options)

    def forget_stamp(self) -> None:
        """From now on until `renew_stamp`, nothing is known to be fresh."""
        stamp.forget(str(self.where.root))

    def renew_stamp(self, graph: Graph, *, settled: bool) -> None:
        """Look at everything once more, and if all targets are fresh write down what the look saw.

        `settled`: nothing was written just now, so there is no clock tick to wait for.
        Folders are noted before the files in them are, so that a file that appears meanwhile shows in one or the other.
        """
        sources = {
            given.origin.path
            for action in graph.actions.values()
            for given in action.inputs
            if isinstance(given.origin, Source)
        }
        looked_ns = time.time_ns() if settled else stamp.after_a_tick()
        files = {
            folder: stamp.state_of(self.disk.absolute(folder))
            for path in [*sorted(sources), FOLDER]
            for folder in stamp.folders_of(str(self.where.root), path)
        }
        files[self.where.ovfile.name] = self.ovfile_state
        executor = self._executor(graph, Options(dry_run=True, keep_going=True), lambda _: None)
        outcome = executor.build(list(graph.targets))
        if set(outcome.targets.values()) == {"fresh"}:
            files |= {path: [stat.size_bytes, stat.mtime_ns, stat.inode] for path, stat in executor.looked_at().items()}
            stamp.write(str(self.where.root), self.where.key, list(graph.targets), files, looked_ns)

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


def read_ovfile(where: Where) -> tuple[str, Ovfile, stamp.State]:
    """Return an Ovfile's text, what it means, and the state of the file that was read.

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
    return text, parse(text, file=where.file, inside=_stays_inside(where)), state


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

    def __init__(self, *, logs: Path, written: Limits, asked: Limits) -> None:
        self._logs = logs
        self._written = written
        self._asked = asked
        self._runner: Runner | None = None

    def start(self, job: Job) -> None:
        """See `ovmake.engine.job.Runner`."""
        if self._runner is None:
            from ovmake.engine.allowance import allowed  # noqa: PLC0415
            from ovmake.engine.runner import WorkerRunner  # noqa: PLC0415

            allowance = allowed(self._written, self._asked, installed_bytes())
            self._runner = WorkerRunner(logs=self._logs, allowance=allowance)
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
    where: Where, *, wait: bool, tell: Callable[[str], None], user_code: bool = True, limits: Limits = NO_LIMITS
) -> Iterator[Session]:
    """Open the repo for one command. `tell` gets warnings and the wait for another ovmake.

    `limits` are those of the command line, which win over the Ovfile's.

    Raises:
        OvmakeError: the Ovfile is wrong, or names functions of the user's and `user_code` is False; or the repo is
            locked and `wait` is False.
    """
    text, ovfile, ovfile_state = read_ovfile(where)
    if not user_code:
        _refuse_user_code(ovfile, text, where.file)
    for found in ovfile.warnings:
        tell(render(found))
    state = where.root / STATE
    _make_state_folder(state)
    with hold(state, wait=wait, waiting=tell):
        database, warning = Database.open(state / "state.db")
        if warning:
            tell(warning)
            stamp.forget(str(where.root))
        runner = RunnerWhenNeeded(logs=where.root / LOGS, written=ovfile.limits, asked=limits)
        try:
            yield Session(
                where=where,
                text=text,
                ovfile=ovfile,
                ovfile_state=ovfile_state,
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
