"""A disk, a database and a runner without effects, and a repo made of them.

    Fuse          counts everything that changes the world; at the n-th step it burns: that is `kill -9`
    FakeDisk      `store.files.disk.Disk` in memory, with a clock and a log of what was read
    FakeDatabase  the real database in memory, behind the fuse
    FakeRunner    `engine.world.Runner`; what an action makes is `artifact(...)`, a pure function of what it depends on,
                  and so is what a gate finds: `measured(...)`
    Tool          what the runner's tools do to a right result: nothing, unless they are wrong on purpose
    FakeRepo      all of them, and `build(graph, ...)`: one run of ovmake

Edits that a *user* makes (`put`, `take_away`, `touch`) are neither steps nor reads.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ovmake.contracts.values import JsonValue
from ovmake.engine.events import Event
from ovmake.engine.executor import ActionOutcome, Executor, Outcome
from ovmake.engine.job import Completion, Failure, Job, ResourceUsage, Success
from ovmake.engine.remote import Answer, RemoteCache
from ovmake.engine.staleness import Rebuilder, decide
from ovmake.engine.world import Options, World
from ovmake.graph.action import Action, EnvironmentName, Graph
from ovmake.graph.digest import Digest, of_bytes
from ovmake.graph.trace import Trace
from ovmake.ledger import ABSENT, Note, note_nothing
from ovmake.store.cas import FOLDER as CAS
from ovmake.store.database import CachedFile, Database
from ovmake.store.files.disk import DigestMismatchError, LinkOutsideError, Stat

TICK_NS = 1_000_000_000
JUMP_NS = 1_000_003
LOSSY = "lossy"
GATE = "gate"
ROOT = "/home/ann/repo"


class Killed(BaseException):
    """The process is gone: nothing catches it, and nothing is done on the way out."""


class Fuse:
    """Counts steps; from step `burns_at` on (counted from 1) nothing happens any more."""

    def __init__(self) -> None:
        self.steps = 0
        self.burns_at: int | None = None

    def step(self) -> None:
        """Count a step.

        Raises:
            Killed: it was the last one.
        """
        self.steps += 1
        if self.burns_at is not None and self.steps >= self.burns_at:
            raise Killed

    def mend(self, *, burns_at: int | None = None) -> None:
        """Begin to count anew: the next process."""
        self.steps = 0
        self.burns_at = burns_at


@dataclass(frozen=True, slots=True)
class FakeFile:
    """Bytes with the state that `stat` shows."""

    data: bytes
    mtime_ns: int
    inode: int


class FakeDisk:
    """Files in memory; see `store.files.disk.Disk`.

    `full` makes every write fail, `unreadable` holds paths that cannot be opened, `leaving` files that are links out
    of the repo.
    """

    def __init__(self, fuse: Fuse | None = None) -> None:
        self.files: dict[str, FakeFile] = {}
        self.folders: set[str] = set()
        self.reads: list[str] = []
        self.full = False
        self.unreadable: set[str] = set()
        self.leaving: set[str] = set()
        self._fuse = fuse or Fuse()
        self._clock_ns = 1_000 * TICK_NS
        self._jumps = 0
        self._inodes = 0

    # what a user does

    def tick(self) -> None:
        """Let a second pass."""
        self._clock_ns += TICK_NS

    def jump(self, seconds: int) -> None:
        """Put the clock forward, or back. It never shows the same time twice: real ones count nanoseconds."""
        self._jumps += 1
        self._clock_ns += seconds * TICK_NS + self._jumps * JUMP_NS

    def put(self, path: str, data: bytes) -> None:
        """Write a file in place: the inode stays."""
        there = self.files.get(path)
        self.files[path] = FakeFile(data, self._clock_ns, there.inode if there else self._next_inode())

    def touch(self, path: str) -> None:
        """Give a file a new time and a new inode, and the same bytes: `cp` and `mv`, or a checkout."""
        self.files[path] = FakeFile(self.files[path].data, self._clock_ns, self._next_inode())

    def rename_over(self, path: str, data: bytes) -> None:
        """Put another file there that has the old one's time, as `rsync -t` does; also its size, if `data` has it."""
        self.files[path] = FakeFile(data, self.files[path].mtime_ns, self._next_inode())

    def take_away(self, path: str) -> None:
        """Delete a file or a folder."""
        for name in [name for name in self.files if name == path or name.startswith(f"{path}/")]:
            del self.files[name]
        self.folders = {name for name in self.folders if name != path and not name.startswith(f"{path}/")}

    def under(self, folder: str) -> dict[str, bytes]:
        """Return what a folder holds, by relative path, without counting it as a read."""
        prefix = f"{folder}/"
        return {name.removeprefix(prefix): file.data for name, file in self.files.items() if name.startswith(prefix)}

    # what ovmake does: the protocol

    def stat(self, path: str, note: Note = note_nothing) -> Stat | None:
        """See `Disk`."""
        found = self._stat(path)
        note(path, ABSENT if found is None else (found.size_bytes, found.mtime_ns, found.mtime_ns, found.inode))
        return found

    def _stat(self, path: str) -> Stat | None:
        if (file := self.files.get(path)) is not None:
            return Stat(False, len(file.data), file.mtime_ns, file.inode)
        is_folder = path in self.folders or any(name.startswith(f"{path}/") for name in [*self.files, *self.folders])
        return Stat(True, 0, 0, 0) if is_folder else None

    def walk(self, path: str, note: Note = note_nothing) -> dict[str, Stat]:
        """See `Disk`."""
        self._check_readable(path)
        prefix = f"{path}/"
        for name in sorted(self.leaving):
            if name.startswith(prefix):
                raise LinkOutsideError(name)
        stats = {name.removeprefix(prefix): self.stat(name, note) for name in self.files if name.startswith(prefix)}
        return {name: stat for name, stat in stats.items() if stat is not None}

    def linked(self, path: str) -> list[str]:
        """See `Disk`. In memory there are no links."""
        del path
        return []

    def digest(self, path: str) -> Digest:
        """See `Disk`."""
        return of_bytes(self.read(path))

    def read(self, path: str) -> bytes:
        """See `Disk`."""
        self._check_readable(path)
        self.reads.append(path)
        return self._data(path)

    def write(self, path: str, data: bytes) -> None:
        """See `Disk`."""
        self._before_write()
        self.files[path] = FakeFile(data, self._clock_ns, self._next_inode())
        self._fuse.step()

    def adopt(self, scratch: str, path: str) -> None:
        """See `Disk`."""
        self._before_write()
        self._data(scratch)
        self.files[path] = self.files.pop(scratch)
        self._fuse.step()

    def publish(self, folder: str, files: Mapping[str, tuple[str, Digest]]) -> None:
        """See `Disk`. In the middle is the instant in which a disk that cannot exchange folders shows no file."""
        self._before_write()
        copies = {}
        for name, (original, digest) in files.items():
            copies[f"{folder}/{name}"] = self._data(original)
            if of_bytes(copies[f"{folder}/{name}"]) != digest:
                raise DigestMismatchError(original)
        for path in copies:
            self.take_away(path)
        self._fuse.step()
        for path, data in copies.items():
            self.files[path] = FakeFile(data, self._clock_ns, self._next_inode())
        self._fuse.step()

    def clear_up(self, folders: Mapping[str, Collection[str]]) -> None:
        """See `Disk`. `publish` leaves nothing here."""

    def remove(self, path: str) -> None:
        """See `Disk`."""
        self._fuse.step()
        self.take_away(path)

    def make_folder(self, path: str) -> None:
        """See `Disk`."""
        self._before_write()
        self.folders.add(path)

    def now_ns(self) -> int:
        """See `Disk`."""
        return self._clock_ns

    def _before_write(self) -> None:
        self._fuse.step()
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _check_readable(self, path: str) -> None:
        if path in self.unreadable:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

    def _data(self, path: str) -> bytes:
        if path not in self.files:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return self.files[path].data

    def _next_inode(self) -> int:
        self._inodes += 1
        return self._inodes


class TrustingDisk(FakeDisk):
    """A disk on which what is stored always seems to be what it was stored as: an engine that does not look."""

    def digest(self, path: str) -> Digest:
        """Return the digest that a stored file's name speaks of."""
        if not path.startswith(f"{CAS}/"):
            return super().digest(path)
        self._check_readable(path)
        return Digest(path.removeprefix(CAS).replace("/", ""), len(self._data(path)))


class FakeDatabase(Database):
    """The real thing, in memory, that nothing can be written to after a kill."""

    def __init__(self, fuse: Fuse) -> None:
        inner = Database.in_memory()
        super().__init__(inner._connection, inner._sealer)
        self._fuse = fuse

    def __del__(self) -> None:
        self.close()

    def succeed(self, action: str, trace: Trace) -> None:
        """See `Database`."""
        self._fuse.step()
        super().succeed(action, trace)
        self._fuse.step()

    def fail(self, action: str, digest: str, message: str) -> None:
        """See `Database`."""
        self._fuse.step()
        super().fail(action, digest, message)

    def drop(
        self,
        *,
        results: Iterable[str] = (),
        traces: Iterable[str] = (),
        failures: Iterable[str] = (),
        files: Iterable[str] = (),
    ) -> None:
        """See `Database`."""
        self._fuse.step()
        super().drop(results=results, traces=traces, failures=failures, files=files)
        self._fuse.step()

    def remember_files(self, files: Iterable[tuple[str, CachedFile]]) -> None:
        """See `Database`."""
        self._fuse.step()
        super().remember_files(files)


def artifact(
    action: Action,
    role: str,
    *,
    tools: Mapping[str, str],
    environment: Mapping[str, str],
    inputs: Mapping[str, bytes],
) -> bytes:
    """Return what `action` makes of its inputs: a pure function of all that its digest names.

    `inputs` are what counts of each, by role. Kinds that begin with "lossy" make one
    of two results, so that different inputs often make the same.
    """
    sha256 = _sha256(action, role, tools, environment, inputs)
    lossy = action.kind.startswith(LOSSY)
    return f"{action.kind} {role} {int(sha256, 16) % 2 if lossy else sha256[:16]}".encode()


def measured(
    action: Action, *, tools: Mapping[str, str], environment: Mapping[str, str], inputs: Mapping[str, bytes]
) -> Success | Failure:
    """Return what a gate finds, a pure function as `artifact` is: it passes, is missed, or nothing can be measured."""
    number = int(_sha256(action, "", tools, environment, inputs), 16)
    drop, spread, decided = number // 8 % 200 / 1000, number // 1600 % 100 / 1000, bool(number // 160_000 % 2)
    figures: dict[str, JsonValue] = {"drop": drop, "interval": (drop - spread, drop + spread), "decided": decided}
    match number % 8:
        case 0 | 1:
            return Failure(code="gate-missed", message=f"drop {drop}", facts={"gate": "missed", **figures})
        case 2:
            facts: dict[str, JsonValue] = {"gate": "not-measured", "drop": None}
            return Failure(code="gate-not-measured", message="nothing to compare with", facts=facts)
        case 3:  # nothing is promised: as good
            return Success(facts={"gate": "not-measured", "drop": None})
    return Success(facts={"gate": "passed", **figures})


def _sha256(
    action: Action,
    role: str,
    tools: Mapping[str, str],
    environment: Mapping[str, str],
    inputs: Mapping[str, bytes],
) -> str:
    facts = (
        sorted((name, repr(value)) for name, value in action.settings.items()),
        sorted(tools.items()),
        sorted(environment.items()),
        sorted(inputs.items()),
    )
    return hashlib.sha256(repr((action.kind, role, facts)).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """What becomes of right results: this one leaves them as they are, others have a mistake.

    `writes` gets the bytes of an output, `says` the facts of an action, `computes` a source's path and fingerprint.
    """

    writes: Callable[[Job, bytes], bytes] = lambda _, data: data
    says: Callable[[Job, Mapping[str, JsonValue]], Mapping[str, JsonValue]] = lambda _, facts: facts
    computes: Callable[[str, str], str] = lambda _, found: found


RIGHT = Tool()


def content(disk: FakeDisk, path: str) -> bytes:
    """Return a file's bytes, or a folder's names and bytes.

    Raises:
        FileNotFoundError: there is neither.
    """
    if path in disk.files:
        return disk.files[path].data
    if disk.stat(path) is None:
        raise FileNotFoundError(path)
    return repr(sorted(disk.under(path).items())).encode()


def computed(data: bytes) -> bytes:
    """Return what content computes: one of two things, so that other bytes often compute the same."""
    return b"computes %d" % (int(hashlib.sha256(data).hexdigest(), 16) % 2)


def counted(disk: FakeDisk, path: str, *, by_computation: bool) -> bytes:
    """Return what of a source counts.

    Raises:
        FileNotFoundError: there is none.
    """
    data = content(disk, path)
    return computed(data) if by_computation else data


def first(_: int) -> int:
    """Choose the job that was started first."""
    return 0


@dataclass(slots=True, kw_only=True)
class FakeRunner:
    """Runs jobs when they are waited for.

    `relative` turns a job's absolute path into one of the disk's.
    `choose` picks, of n running jobs, the one that is done next. `failing` are names of actions that fail, `facts` what
    others have to say beside their outputs, by name. `during` is called while an action runs, before it reads or after:
    what happens to the repo meanwhile. `peak_bytes` is what each needs. `ran` are the actions in the order of their
    start, `beside` what else ran when each was started.
    """

    disk: FakeDisk
    relative: Callable[[str], str]
    fuse: Fuse
    environment: Callable[[EnvironmentName], str]
    code: Callable[[str, str], Mapping[str, str]]
    choose: Callable[[int], int] = first
    failing: Collection[str] = ()
    facts: Mapping[str, Mapping[str, JsonValue]] = field(default_factory=dict)
    during: Callable[[Job], None] = lambda _: None
    peak_bytes: int | None = None
    before_reading: bool = False
    tool: Tool = RIGHT
    ran: list[str] = field(default_factory=list)
    beside: dict[str, tuple[str, ...]] = field(default_factory=dict)
    most: int = 0
    _running: list[Job] = field(default_factory=list)
    _answers: list[Answer] = field(default_factory=list)

    def start(self, job: Job) -> None:
        """See `Runner`."""
        self.fuse.step()
        name = job.action.name
        self.beside[name] = tuple(other.action.name for other in self._running)
        self.ran.append(name)
        self._running.append(job)
        self.most = max(self.most, len(self._running))

    def post(self, answer: Answer) -> None:
        """See `Runner`."""
        self._answers.append(answer)

    def wait(self) -> Completion | Answer:
        """See `Runner`. Answers and jobs come in any order."""
        waiting = len(self._running) + len(self._answers)
        chosen = self.choose(waiting)
        if chosen >= len(self._running):
            return self._answers.pop(chosen - len(self._running))
        return self._completed(chosen)

    def _completed(self, chosen: int) -> Completion:
        job = self._running.pop(chosen)
        effort = ResourceUsage(worker=job.action.worker, pid=1, started=0.0, peak_bytes=self.peak_bytes)
        return Completion(job=job, result=self._run(job), seconds=1.0, effort=effort)

    def close(self) -> None:
        """See `Runner`."""
        self._running.clear()

    def _run(self, job: Job) -> Success | Failure:
        action = job.action
        if action.name in self.failing:
            return Failure(code="fake-failure", message="it was told to fail", facts=self.facts.get(action.name, {}))
        if self.before_reading:
            self.during(job)
        computing = {given.role for given in action.inputs if given.by_computation}
        try:
            inputs = {
                role: counted(self.disk, self.relative(path), by_computation=role in computing)
                for role, path in job.inputs.items()
            }
        except FileNotFoundError as error:
            return Failure(code="action-failed", message=f"there is no file {error}")
        if not self.before_reading:
            self.during(job)
        environment: dict[str, str] = {name: self.environment(name) for name in action.environment}
        found: Success | Failure = Success(facts=self.facts.get(action.name, {}))
        if action.kind == GATE and action.name not in self.facts:
            found = measured(action, tools=self._tools(job), environment=environment, inputs=inputs)
        if isinstance(found, Success):
            self._write(job, environment, inputs)
        return replace(found, facts=self.tool.says(job, found.facts))

    def _tools(self, job: Job) -> dict[str, str]:
        """Return what the job runs with: tools, and ovmake's own code."""
        return {**job.tools, **self.code(job.action.worker, job.action.kind)}

    def _write(self, job: Job, environment: Mapping[str, str], inputs: Mapping[str, bytes]) -> None:
        for role, path in job.outputs.items():
            right = artifact(job.action, role, tools=self._tools(job), environment=environment, inputs=inputs)
            data = self.tool.writes(job, right)
            self.disk.put(self.relative(path), data[:3])
            self.fuse.step()
            self.disk.put(self.relative(path), data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """One run of ovmake: what the executor returned, what the runner was asked to do, what listeners heard."""

    outcome: Outcome
    runner: FakeRunner
    events: Sequence[Event]

    @property
    def ran(self) -> list[str]:
        """Names of actions that were started, in order."""
        return self.runner.ran

    @property
    def actions(self) -> Mapping[str, ActionOutcome]:
        """What became of each action."""
        return self.outcome.actions

    @property
    def statuses(self) -> dict[str, str]:
        """Each action's status in one word."""
        return {name: done.status for name, done in self.outcome.actions.items()}


@dataclass(slots=True, kw_only=True)
class FakeRepo:
    """A repo with a state folder, tools and a machine.

    `root` is where it stands. A tool that has no version in `versions` has "1". `outside` are paths that leave the repo
    by a link. `disk_of` makes the disk.
    """

    fuse: Fuse = field(default_factory=Fuse)
    disk_of: Callable[[Fuse], FakeDisk] = FakeDisk
    disk: FakeDisk = field(init=False)
    database: FakeDatabase = field(init=False)
    versions: dict[str, str] = field(default_factory=dict)
    environments: dict[str, str] = field(default_factory=dict)
    outside: set[str] = field(default_factory=set)
    root: str = ROOT

    def __post_init__(self) -> None:
        self.disk = self.disk_of(self.fuse)
        self.database = FakeDatabase(self.fuse)

    def version(self, tool: str) -> str:
        """See `World`."""
        return self.versions.get(tool, "1")

    def code(self, _: str, kind: str) -> dict[str, str]:
        """See `World`: what a kind runs is one room, and its digest a version."""
        return {f"rooms of {kind}": self.version(f"rooms of {kind}")}

    def environment(self, name: EnvironmentName) -> str:
        """See `World`."""
        return self.environments.get(name, "1")

    def absolute(self, path: str) -> str:
        """See `World`."""
        return f"{self.root}/{path}"

    def relative(self, path: str) -> str:
        """Return a path that `absolute` made as it was."""
        inside, _, rest = path.partition(f"{self.root}/")
        assert (inside, bool(rest)) == ("", True), f"{path} is not absolute, or of another repo"
        return rest

    def written_down(self) -> str:
        """Return all that the state database and the disk hold, but for the sources, as text."""
        files = {path: file.data for path, file in self.disk.files.items() if path.startswith(("build/", ".ovmake/"))}
        return "\n".join([*self.database._connection.iterdump(), repr(files)])

    def _fingerprint(self, path: str) -> str:
        return hashlib.sha256(counted(self.disk, path, by_computation=True)).hexdigest()

    def lose_database(self) -> None:
        """Delete `.ovmake/state.db`."""
        self.database.close()
        self.database = FakeDatabase(self.fuse)

    def build(
        self,
        graph: Graph,
        *targets: str,
        options: Options | None = None,
        rebuilder: Rebuilder = decide,
        choose: Callable[[int], int] = first,
        failing: Collection[str] = (),
        facts: Mapping[str, Mapping[str, JsonValue]] | None = None,
        during: Callable[[Job], None] = lambda _: None,
        before_reading: bool = False,
        burns_at: int | None = None,
        peak_bytes: int | None = None,
        memory_bytes: Callable[[], int | None] = lambda: None,
        tool: Tool = RIGHT,
        remote: RemoteCache | None = None,
    ) -> Built:
        """Run ovmake once; no target means all.

        Raises:
            Killed: at step `burns_at`.
        """
        self.fuse.mend(burns_at=burns_at)
        events: list[Event] = []
        runner = FakeRunner(
            disk=self.disk,
            relative=self.relative,
            fuse=self.fuse,
            environment=self.environment,
            code=self.code,
            choose=choose,
            failing=failing,
            facts=facts or {},
            during=during,
            peak_bytes=peak_bytes,
            before_reading=before_reading,
            tool=tool,
        )
        world = World(
            disk=self.disk,
            database=self.database,
            runner=runner,
            version=self.version,
            environment=self.environment,
            code=self.code,
            emit=events.append,
            absolute=self.absolute,
            fingerprint=lambda path: tool.computes(path, self._fingerprint(self.relative(path))),
            inside=lambda path: path not in self.outside,
            rebuilder=rebuilder,
            memory_bytes=memory_bytes,
            remote=remote,
        )
        try:
            outcome = Executor(graph, world, options or Options()).build(targets or tuple(graph.targets))
        finally:
            self.fuse.mend()
        return Built(outcome=outcome, runner=runner, events=events)
