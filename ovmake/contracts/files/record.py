"""record.json: what a published IR is, what it was made of, and what was found out about it.

It lies beside the IR. It holds no time, no host name and no path of the machine, so that two clean builds of the same
inputs agree on it too. Scores are plain numbers; what was not measured is absent or null, not 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ovmake.contracts.files.evaluation import ComparedInputs, Operations, OutputFigures
from ovmake.contracts.files.executed import ExecutedLayer
from ovmake.contracts.files.interface import Constant, Tensor
from ovmake.contracts.files.search import Search
from ovmake.contracts.files.speed import Choice
from ovmake.contracts.files.verdict import Verdict
from ovmake.contracts.values import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedSource:
    """The source: its path in the repo, the digest that it counts by, and how it was read."""

    path: str
    fingerprint: str
    read_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferingAction:
    """A kind of action whose bytes may differ on another machine, and why."""

    action: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproducible:
    """Whether this machine makes the same bytes again, and which actions may make others on another one.

    `isa` are this processor's instructions that choose between kernels, "" where no such action took part.
    """

    same_machine: bool
    may_differ_between_machines: tuple[DifferingAction, ...]
    isa: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A published IR.

    `options` are all settings that shaped it, `versions` those of the tools. `inputs` and `outputs` are what it takes
    and gives, `frozen_inputs` those that became constants. `files` are digests (SHA-256). `gate` is the verdict.

    The rest repeats the evaluation. `tensorflow` and `openvino` hold the scores by the metric's name; `compared_on`
    says which inputs these were, and `differences` by how much each output differs. `compile` is the line of Python
    that compiles the IR as it was verified, "" where nothing was compared. `accuracy_control` is there where layers
    were searched for, `auto` where speeds decided.
    """

    FORMAT: ClassVar[int] = 2

    target: str
    source: RecordedSource
    options: JsonObject
    versions: Mapping[str, str]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    frozen_inputs: tuple[Constant, ...]
    files: Mapping[str, str]
    size_bytes: int
    reproducible: Reproducible
    gate: Verdict
    tensorflow: Mapping[str, float | None] = field(default_factory=dict)
    openvino: Mapping[str, float | None] = field(default_factory=dict)
    samples: int | None
    compared_on: ComparedInputs | None
    differences: tuple[OutputFigures, ...]
    operations: Operations | None
    executed: Mapping[str, int]
    layers: tuple[ExecutedLayer, ...]
    weights: Mapping[str, int]
    compile_properties: Mapping[str, str]
    compile: str
    accuracy_control: Search | None = None
    auto: Choice | None = None
