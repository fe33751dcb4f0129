"""Actions and the graph they form.

An *action* is one tool invocation: kind, tools, params, inputs, outputs. It names its dependencies; the engine reads
their present state (`trace.Seen`) and compares it with that of the last success (`trace.Trace`).

    Source      a file or folder that no action made; its path is relative to the Ovfile's folder
    Artifact    an output of another action, by role: ("convert digits", "xml")
    params      a dataclass of `contracts.params`, None without settings; `settings` is its flat form with the names
                of the Ovfile ("inputs.image.mean"), for reasons
    Output      a role, and for published files the place under the build folder

Rule 1: an action names exactly the settings it uses. A setting at its default is left out, so that a new option with a
        default changes no action digest (`contracts.codec`, rule 2).
Rule 2: the name is the identity of the *slot*; the action digest is the identity of the *work*. One slot has many works
        over time, and the action cache keeps them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from ovmake.contracts.codec import flat
from ovmake.contracts.values import JsonValue
from ovmake.ovfile.words import LIMITS, KeyPath

# Who executes an action. "in-process": ovmake itself (pure functions over small JSON, no framework).
WorkerName = Literal["openvino", "tensorflow", "bench", "in-process"]

# Parts of the environment an action may declare. "isa": the instruction sets that decide which kernels run, and with
# them the last bits of a float. "machine": everything a measurement depends on.
EnvironmentName = Literal["isa", "machine"]

# The parts of "machine", in this order. The last one is "isa".
MACHINE_PARTS = ("processor", "cores", "CPU limit", "memory", "kernel", "instruction sets")
MACHINE_SEPARATOR = "; "

# Between a target and an additional device for its benchmark: `benchmark m:fp32 on GPU`.
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
    """An input of an action.

    `by_computation`: the source is compared by its fingerprint (a digest of what it computes), not by its bytes. The
    case: *reference* loads the SavedModel, and a re-export of the same weights changes all bytes but no output. The
    bytes are still compared after the run: they must not change while they are read.

    `unread`: the action depends on the input but does not open it.
    """

    role: str
    origin: Source | Artifact
    at: KeyPath = ()
    by_computation: bool = False
    unread: bool = False

    @property
    def label(self) -> str:
        """The input's name in a reason."""
        if isinstance(self.origin, Artifact):
            return str(self.origin)
        return f"the computation of {self.origin.path}" if self.by_computation else self.origin.path


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A file that the action makes. `place` is the path of its published copy, relative to the Ovfile's folder.

    `copy_of` names an input role with the same bytes: that input is published, and not read into memory.
    """

    role: str
    place: str | None = None
    copy_of: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One tool invocation. `optional_tools` are used if installed; the action works without them.

    `advisory`: the action only gives advice about finished work. Its failure is a warning; no other action fails. The
    case: if the machine cannot run a speed check, the IR stays published.

    `prepares`: the action that may continue in the same process and use what this one loaded: *check-source* loads the
    model for *reference*. `prepared` are the paths of sources that only the second action reads. Neither changes any
    output.

    `journal`: None, or the action writes its intermediate results to a journal, and the next run of the same work
    continues after a kill. The names are of params that do not change these results, only their use. The case:
    *control* writes the result of each trial; a new `max-drop` needs a new search over the same trials.

    `advice` are names of params that help the action and ask nothing of its result: a result that was made with other
    advice, or with none, is as good. They are in the digest, and are no reason to run. The case: the layers that a lock
    names, which *control* tries first.
    """

    kind: str
    subject: str
    worker: WorkerName
    tools: tuple[str, ...] = ()
    optional_tools: tuple[str, ...] = ()
    params: object = None
    inputs: tuple[Input, ...] = ()
    environment: tuple[EnvironmentName, ...] = ()
    outputs: tuple[Output, ...] = ()
    after: tuple[str, ...] = ()
    exclusive: bool = False
    advisory: bool = False
    journal: tuple[str, ...] | None = None
    advice: tuple[str, ...] = ()
    prepares: str = field(default="", compare=False)
    prepared: tuple[str, ...] = field(default=(), compare=False)
    at: KeyPath = ()
    origins: Mapping[str, KeyPath] = field(default_factory=dict, compare=False)

    @property
    def name(self) -> str:
        """`convert digits`, `quantize digits:int8`: unique in a graph."""
        return f"{self.kind} {self.subject}"

    @property
    def settings(self) -> dict[str, JsonValue]:
        """The params as reasons and the digest name them: by the Ovfile's dotted names, less what is at its default."""
        return {} if self.params is None else flat(self.params)

    def place_of(self, setting: str) -> KeyPath | None:
        """Return the key path of a setting or input in the Ovfile, None if the Ovfile does not have it.

        "dataset.labels" is a key beside the one that names the dataset's file. "limits.minutes" is in a table at the
        top; it belongs to no action, because limits change no result.
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
        """Names of the actions whose outputs this one reads."""
        return tuple(source.origin.action for source in self.inputs if isinstance(source.origin, Artifact))

    @property
    def source_paths(self) -> tuple[str, ...]:
        """Paths of the sources that this action reads."""
        return tuple(given.origin.path for given in self.inputs if isinstance(given.origin, Source))


@dataclass(frozen=True, kw_only=True)
class Graph:
    """Actions in topological order (needs first), and the last action of every target."""

    actions: Mapping[str, Action]
    targets: Mapping[str, str]

    @cached_property
    def positions(self) -> Mapping[str, int]:
        """The index of each action in the order."""
        return {name: place for place, name in enumerate(self.actions)}
