"""What the executor gives to a runner (`world.Runner`), and gets back.

Job        an action with absolute paths
Success, Failure, Completion, ResourceUsage
Progress   the progress of a job
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ovmake.contracts.problem import ActionProblem
from ovmake.contracts.values import Facts
from ovmake.graph.action import Action
from ovmake.graph.digest import Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The progress of a job: `done` of `of` units; `of` is None if unknown. `unit` is a word such as `samples`."""

    done: int
    of: int | None
    unit: str


def ignore_progress(_: Progress) -> None:
    """Ignore the progress of a job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One action to run now.

    `inputs` and `outputs` are absolute paths by role. An output that is a copy of an input has no path. `digests` are
    those of the inputs. `scratch` is the folder of the outputs, relative to the Ovfile's; `folder` is its absolute
    path. `reads` are all paths that the job may read, with the targets of links in sources; `writes` are further paths
    that it may write. If it prepares a second action, both include that action's paths.
    `environment` holds the parts that the action declares.
    `journal` is the absolute path of the action's journal, which need not exist; "" if the action has no journal.
    `memory_bytes` is the likely memory of its worker, None if unknown.
    `tell` is called with the job's progress at intervals, if its worker reports any.
    """

    action: Action
    tools: Mapping[str, str]
    inputs: Mapping[str, str]
    digests: Mapping[str, Digest]
    outputs: Mapping[str, str]
    scratch: str
    log: str
    environment: Mapping[str, str] = field(default_factory=dict)
    journal: str = ""
    memory_bytes: int | None = None
    folder: str = ""
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    tell: Callable[[Progress], None] = ignore_progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Success:
    """The outputs are written. The facts may contain warnings, see `ActionProblem`."""

    facts: Facts = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure(ActionProblem):
    """The job failed."""

    facts: Facts = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceUsage:
    """The process, start time and peak memory of a job. `started` is a time of time.monotonic.

    `peak_bytes` is the peak memory of the worker and its descendants; None: not measured.
    """

    worker: str
    pid: int
    started: float
    peak_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A job is done after `seconds`. `effort` is None if no process started it."""

    job: Job
    result: Success | Failure
    seconds: float
    effort: ResourceUsage | None = None
