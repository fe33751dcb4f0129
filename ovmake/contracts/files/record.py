"""record.json: a published IR: its source, settings, tools and results.

It is in the folder of the IR. It holds no time, no host name and no path of the machine, so that two clean builds of
the same inputs write the same record. Scores are plain numbers; a figure that was not measured is absent or null.
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
    """The source: its path in the repo, the digest that identifies it, and how it was read."""

    path: str
    fingerprint: str
    read_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferingAction:
    """A kind of action whose output may differ on a different machine, and why."""

    action: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproducible:
    """Whether a rebuild on this machine makes the same bytes, and which outputs may differ on a different machine.

    `isa` are this processor's instruction sets that select kernels, "" if no such action was involved.
    """

    same_machine: bool
    may_differ_between_machines: tuple[DifferingAction, ...]
    isa: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A published IR.

    `options` are all settings that shaped it, `versions` the versions of the tools. `frozen_inputs` are inputs that
    became constants. `files` are SHA-256 digests. `gate` is the verdict.

    The rest repeats the evaluation. `tensorflow` and `openvino` hold the scores by the metric's name. `compared_on`
    are the inputs, and `differences` the error of each output. `compile` is the line of Python that compiles the IR as
    it was verified, "" if nothing was compared. `accuracy_control` is the search for layers to revert, `auto` the
    choice by speed, if there was one.
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
