"""The engine's effects and options in two dataclasses, and the Runner protocol. Tests pass fakes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ovmake.diagnostics import Span
from ovmake.engine.events import Event
from ovmake.engine.explain import Locate
from ovmake.engine.job import Completion, Job
from ovmake.engine.remote import Answer, RemoteCache
from ovmake.engine.staleness import Rebuilder, decide
from ovmake.graph.action import EnvironmentName
from ovmake.graph.digest import Digest
from ovmake.names import STATE
from ovmake.ovfile.words import KeyPath
from ovmake.store.database import Database
from ovmake.store.files.disk import Disk


class Runner(Protocol):
    """Runs jobs in parallel."""

    def start(self, job: Job) -> None:
        """Start a job; returns at once."""

    def post(self, answer: Answer) -> None:
        """Hand over an answer of a remote cache, for `wait`. Called in any thread."""

    def wait(self) -> Completion | Answer:
        """Wait for the next completed job, or answer, and return it."""

    def close(self) -> None:
        """End all processes at once, also those with a running job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedFile:
    """A published file as a lock names it; `notes` say what differs from where the lock was made."""

    digest: Digest
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of a build. `forced` are kinds of action that run even if fresh or cached.

    `estimate`: a dry run estimates the time of the build. `progress`: progress is reported. `only_cached`: an action
    that no cache has fails. `locked`: files that must have these digests to be published, by their paths.
    """

    jobs: int = 1
    keep_going: bool = False
    forced: frozenset[str] = frozenset()
    dry_run: bool = False
    estimate: bool = False
    progress: bool = False
    only_cached: bool = False
    locked: Mapping[str, LockedFile] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """All effects that the executor uses.

    `version` and `environment` describe the tools and the machine, and `code` the part of ovmake that a kind of action
    runs (by worker and kind: a digest per room). `absolute` turns a path of the repo into an absolute one;
    `fingerprint` returns a digest of what the source at such a path computes; `inside` says whether a path stays in
    the repo, links followed; `nearby` suggests a path for one that does not exist; `memory_bytes` is the memory for
    all actions together, None if unknown; `locate` and `span` turn a key path into "Ovfile:14" and into a span for the
    caret. `remote` is a cache behind a network, None without one. `state` is the folder of the store, scratch and
    journals.
    """

    disk: Disk
    database: Database
    runner: Runner
    version: Callable[[str], str]
    environment: Callable[[EnvironmentName], str]
    emit: Callable[[Event], None]
    absolute: Callable[[str], str]
    code: Callable[[str, str], Mapping[str, str]] = lambda _, __: {}
    fingerprint: Callable[[str], str] = lambda path: path
    inside: Callable[[str], bool] = lambda _: True
    nearby: Callable[[str], str] = lambda _: ""
    memory_bytes: Callable[[], int | None] = lambda: None
    locate: Locate = lambda _: ""
    span: Callable[[KeyPath], Span | None] = lambda _: None
    rebuilder: Rebuilder = decide
    remote: RemoteCache | None = None
    state: str = STATE
