"""Actions and the graph they form.

An *action* is one tool invocation: kind, tools, params, inputs, outputs. It says *what* it depends on; the engine finds
out what those things are right now (`trace.Seen`) and compares with what they were (`trace.Trace`).

    Source      a file or folder made by nobody; its path is relative to the Ovfile's folder
    Artifact    an output of another action, by role: ("convert digits", "xml")
    Param       a setting, under the name it has in the Ovfile ("inputs.image.mean"), so that reasons can name it
    Output      a role, and for published files the place under the build folder

Rule 1: an action names exactly the settings it uses. A setting at its default is left out, so that a new option with a
        default changes no action digest.
Rule 2: the name is the identity of the *slot*; the action digest is the identity of the *work*. One slot has many works
        over time, and the action cache keeps them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from ovmake.contracts.values import JsonValue
from ovmake.ovfile.words import LIMITS, KeyPath

# Who executes an action. "here" is the ovmake process itself: pure functions over small JSON, no framework.
WorkerName = Literal["openvino", "tensorflow", "bench", "here"]

# Parts of the environment an action may declare. "isa": the instruction sets that decide which kernels run, and with
# them the last bits of a float. "machine": everything a measurement depends on.
EnvironmentName = Literal["isa", "machine"]

# What "machine" is made of, in this order. The last is "isa".
MACHINE_PARTS = ("processor", "cores", "CPU limit", "memory", "kernel", "instruction sets")
MACHINE_SEPARATOR = "; "

# Between a target and the device that it is measured on as well: `benchmark m:fp32 on GPU`.
ELSEWHERE = " on "


@dataclass(frozen=True, slots=True)
class Source:
    """A file or folder of the repo."""

    path: str


@dataclass(frozen=True, slots=True)
class Artifact:
    """The output `role` of the action named `action`."""

    action: str
    role: str

    def __str__(self) -> str:
        return f"`{self.role}` of {self.action}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """Something an action reads.

    `by_computation`: a source that counts by its fingerprint, that is by what it computes, and not by its bytes. The
    case: *reference* loads the SavedModel, and a re-export of the same weights changes every byte and no answer. The
    bytes are still looked at after the run: they must not change while they are read.

    `unread`: the action depends on it, and does not open it.
    """

    role: str
    origin: Source | Artifact
    at: KeyPath = ()
    by_computation: bool = False
    unread: bool = False

    @property
    def label(self) -> str:
        """What it is called in a reason."""
        if isinstance(self.origin, Artifact):
            return str(self.origin)
        return f"what {self.origin.path} computes" if self.by_computation else self.origin.path


@dataclass(frozen=True, slots=True, kw_only=True)
class Param:
    """A setting the action uses."""

    name: str
    value: JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A file the action makes. `place` is where it is published, relative to the Ovfile's folder.

    `copy_of` names an input role whose bytes this output has: published without being read into memory.
    """

    role: str
    place: str | None = None
    copy_of: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One tool invocation. `optional_tools` are those that it can do without and uses where they are installed.

    `advisory`: it says something about what is done already. Where it fails, there is a warning and no advice; nothing
    else fails with it. The case: a speed check that the machine cannot make takes no IR back.

    `prepares`: the action that may go on in the same process, where this one has loaded what it runs: *check-source*
    loads the model for *reference*. `prepared` are the paths of sources that only that one reads. Neither changes what
    is made.

    `journal`: None, or the action notes what it finds on its way, so that the next run of the same work goes on where
    a killed one ended. The names are of params that do not change what is found, but only what is made of it. The case:
    *control* notes what each trial of a search gave; a new `max-drop` wants another search over the same trials.
    """

    kind: str
    subject: str
    worker: WorkerName
    tools: tuple[str, ...] = ()
    optional_tools: tuple[str, ...] = ()
    params: tuple[Param, ...] = ()
    inputs: tuple[Input, ...] = ()
    environment: tuple[EnvironmentName, ...] = ()
    outputs: tuple[Output, ...] = ()
    after: tuple[str, ...] = ()
    exclusive: bool = False
    advisory: bool = False
    journal: tuple[str, ...] | None = None
    prepares: str = field(default="", compare=False)
    prepared: tuple[str, ...] = field(default=(), compare=False)
    at: KeyPath = ()
    origins: Mapping[str, KeyPath] = field(default_factory=dict, compare=False)

    @property
    def name(self) -> str:
        """`convert digits`, `quantize digits:int8`: unique in a graph."""
        return f"{self.kind} {self.subject}"

    def place_of(self, setting: str) -> KeyPath | None:
        """Return where the Ovfile has a setting or names an input, None if it does not.

        "dataset.labels" is a key beside the one that names the dataset's file. "limits.minutes" is in a table at the
        top, of settings of no action: what they allow changes no result.
        """
        if setting in self.origins:
            return self.origins[setting]
        named = {given.role: given.at for given in self.inputs if given.at}
        role, _, key = setting.partition(".")
        if role == LIMITS:
            return role, key
        return (*named[role][:-1], *key.split(".", 1)) if key and role in named else named.get(setting)

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the actions that must be done first."""
        return tuple(dict.fromkeys([*self.made_by, *self.after]))

    @property
    def made_by(self) -> tuple[str, ...]:
        """Names of the actions whose outputs it reads."""
        return tuple(source.origin.action for source in self.inputs if isinstance(source.origin, Artifact))

    @property
    def source_paths(self) -> tuple[str, ...]:
        """Paths of the files and folders made by nobody that it reads."""
        return tuple(given.origin.path for given in self.inputs if isinstance(given.origin, Source))


@dataclass(frozen=True, kw_only=True)
class Graph:
    """Actions in an order in which each comes after what it needs, and the last action of every target."""

    actions: Mapping[str, Action]
    targets: Mapping[str, str]

    @cached_property
    def positions(self) -> Mapping[str, int]:
        """The place of each action in the order."""
        return {name: place for place, name in enumerate(self.actions)}
