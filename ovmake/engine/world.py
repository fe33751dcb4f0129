"""What the engine works with and how: everything with effects in one place, so that tests can bring their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ovmake.diagnostics import Span
from ovmake.engine.events import Event
from ovmake.engine.explain import Locate
from ovmake.engine.job import Runner
from ovmake.engine.staleness import Rebuilder, decide
from ovmake.graph.action import EnvironmentName
from ovmake.ovfile.words import KeyPath
from ovmake.store.database import Database
from ovmake.store.files.disk import Disk

# Where a repo keeps what is known and made, below the Ovfile's folder.
STATE = ".ovmake"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to build. `forced` are kinds of action to run even if fresh or cached.

    `estimate`: a dry run says how long the build would take. `progress`: somebody watches how far it is.
    """

    jobs: int = 1
    keep_going: bool = False
    forced: frozenset[str] = frozenset()
    dry_run: bool = False
    estimate: bool = False
    progress: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything that the executor uses.

    `version` and `environment` describe the tools and the machine; `absolute` turns a path of the repo into one that
    another process can use; `fingerprint` says what the source at such a path computes; `inside` says whether a path
    stays in the repo, links followed; `nearby` says what may have been meant by a path that leads nowhere;
    `memory_bytes` is what actions may need together, None where that is not known; `locate` and `span` turn a key path
    into "Ovfile:14" and into a caret. `state` is the folder of the store, scratch and journals.
    """

    disk: Disk
    database: Database
    runner: Runner
    version: Callable[[str], str]
    environment: Callable[[EnvironmentName], str]
    emit: Callable[[Event], None]
    absolute: Callable[[str], str]
    fingerprint: Callable[[str], str] = lambda path: path
    inside: Callable[[str], bool] = lambda _: True
    nearby: Callable[[str], str] = lambda _: ""
    memory_bytes: Callable[[], int | None] = lambda: None
    locate: Locate = lambda _: ""
    span: Callable[[KeyPath], Span | None] = lambda _: None
    rebuilder: Rebuilder = decide
    state: str = STATE
