"""What the executor hands to a runner, and what comes back.

Runner     the protocol: start jobs, wait for the next one that is done
Job        an action with absolute paths
Success, Failure, Complaint, Completion, Effort
Progress   how far a job is
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ovmake.contracts.problem import ActionProblem
from ovmake.contracts.values import JsonValue
from ovmake.graph.action import Action
from ovmake.graph.digest import Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a job is: `done` of so many, `of` is None where nobody knows, in words such as `samples`."""

    done: int
    of: int | None
    unit: str


def to_nobody(_: Progress) -> None:
    """Listen to the progress of a job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One action to run now.

    `inputs` and `outputs` are absolute paths by role: what to read, and where to write. An output that is a copy of an
    input has none. `digests` are the inputs'. `scratch` is the folder of the outputs, relative to the Ovfile's, and
    `folder` the same as an absolute path. `reads` is all that it may read, with what links in sources lead to, and
    `writes` what it may write besides. Where it prepares another action, that one's are among them.
    `environment` holds the parts that the action declares.
    `journal` is the absolute path of the action's journal, which may not be there yet; "" if it keeps none.
    `memory_bytes` is what its worker is likely to need, None where nothing is known of it.
    `tell` hears now and then how far the job is, if its worker says so.
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
    tell: Callable[[Progress], None] = to_nobody


@dataclass(frozen=True, slots=True, kw_only=True)
class Success:
    """The outputs are written. The facts may hold warnings, see `ActionProblem`."""

    facts: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure(ActionProblem):
    """It did not work."""

    facts: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceUsage:
    """Where and when a job ran. `started` is on the clock of time.monotonic; `worker` and `pid` are the process.

    `peak_bytes` is the most memory that the worker and what it started held meanwhile; None: not measured.
    """

    worker: str
    pid: int
    started: float
    peak_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A job is done; `seconds` is the time it took. `effort` is None if no process ever had it."""

    job: Job
    result: Success | Failure
    seconds: float
    effort: ResourceUsage | None = None


class Runner(Protocol):
    """Runs jobs side by side."""

    def start(self, job: Job) -> None:
        """Begin a job; returns at once."""

    def wait(self) -> Completion:
        """Return the next job that is done, waiting for it."""

    def close(self) -> None:
        """End everything at once, whatever is running."""
