"""Make the record of a published IR: its source, settings, versions, gate and figures. Pure.

record(Published(...)) -> Record                the content of record.json
reproducible(Published(...)) -> Reproducible    whether a different machine would make the same bytes
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ovmake.contracts.codec import flat
from ovmake.contracts.files.evaluation import Evaluation
from ovmake.contracts.files.interface import Interface
from ovmake.contracts.files.record import DifferingAction, Record, RecordedSource, Reproducible
from ovmake.contracts.files.search import Search
from ovmake.contracts.files.speed import Choice
from ovmake.contracts.files.verdict import Verdict
from ovmake.contracts.params.publication import PublishParams
from ovmake.graph.digest import Digest

UNGATED = Verdict(result="not-measured", text="`accuracy = false` turns the gate off", drop=None, interval=None)


# The actions that compute with the processor's kernels, so their bytes may differ between machines. All others only
# rewrite the graph and round single numbers. See rules/NOTES.md, "Which bytes depend on the machine".
PROCESSOR_DEPENDENT = {
    "quantize": "NNCF runs the model on the calibration samples: ranges and corrected biases are sums of floats, which "
    "a different instruction set rounds differently",
    "control": "the search runs every trial on this processor, and its rounding may decide between two sets of layers",
    "compress-weights": "NNCF computes scales and integers in a model that OpenVINO compiles for this processor",
    "choose": "speeds measured on this machine decide which of the candidates is published",
}


# The action that makes the bytes of a precision, for `auto`, which only copies them.
MAKES_PRECISION = {"int8": "quantize", "int8-weights": "compress-weights", "int4-weights": "compress-weights"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The data for a record: the JSON files among the action's inputs, and its own params, tools and digests.

    `action` is the kind of action that made the IR, `environment` the properties of the machine that its bytes depend
    on.
    """

    params: PublishParams
    tools: Mapping[str, str]
    digests: Mapping[str, Digest]
    interface: Interface
    evaluation: Evaluation | None
    verdict: Verdict | None
    choice: Choice | None = None
    search: Search | None = None
    action: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)


def reproducible(made: Published) -> Reproducible:
    """Return which of the actions that made the IR's bytes may make different ones on a different machine, and why.

    A time limit may end a search at a different point, and measured speeds may choose a different candidate. In both
    cases even the same machine may make different bytes.
    """
    differing = [one for one in _actions(made) if one in PROCESSOR_DEPENDENT]
    searches = [one.search for one in (made.params.made, *made.params.own.values())]
    timed = any(search is not None and search.max_minutes is not None for search in searches)
    return Reproducible(
        same_machine=not timed and made.choice is None,
        may_differ_between_machines=tuple(
            DifferingAction(action=one, why=PROCESSOR_DEPENDENT[one]) for one in differing
        ),
        isa=made.environment.get("isa", ""),
    )


def _actions(made: Published) -> tuple[str, ...]:
    """Return the kinds of action that made the IR's bytes from more than the model."""
    chosen = made.choice.chosen if made.choice else ""
    first = MAKES_PRECISION.get(chosen, "") if chosen else ("quantize" if made.action == "control" else made.action)
    return (first, *(("control",) if made.search else ()), *(("choose",) if chosen else ()))


def _call(params: PublishParams, properties: Mapping[str, str]) -> str:
    """Return the line of Python that compiles the IR as it was verified. It runs in the folder of the IR."""
    given = ", ".join(f'"{name}": "{value}"' for name, value in properties.items())
    file = f"{params.target.rpartition(':')[0]}.xml"
    return f'core.compile_model("{file}", "{params.device.device}", {{{given}}})'


def record(made: Published) -> Record:
    """Return the content of record.json."""
    bare = Record(
        target=made.params.target,
        source=RecordedSource(
            path=made.params.path,
            fingerprint=made.digests["graph" if "graph" in made.digests else "source"].sha256,
            read_by=made.interface.read_by,
        ),
        options={name: value for name, value in flat(made.params).items() if name not in {"target", "source"}},
        versions=made.tools,
        inputs=made.interface.inputs,
        outputs=made.interface.outputs,
        frozen_inputs=made.interface.constants,
        files={role: made.digests[role].sha256 for role in ("xml", "bin")},
        size_bytes=sum(made.digests[role].size_bytes for role in ("xml", "bin")),
        reproducible=reproducible(made),
        gate=made.verdict or UNGATED,
        samples=None,
        compared_on=None,
        differences=(),
        operations=None,
        executed={},
        layers=(),
        weights={},
        compile_properties={},
        compile="",
        accuracy_control=made.search,
        auto=made.choice,
    )
    return bare if made.evaluation is None else _with_evaluation(bare, made.evaluation, made.params)


def _with_evaluation(bare: Record, evaluation: Evaluation, params: PublishParams) -> Record:
    """Return the record with the results of an evaluation."""
    figures = evaluation.figures
    metric = figures.metric if figures else None
    return replace(
        bare,
        tensorflow={metric.name: metric.reference} if metric else {},
        openvino={metric.name: metric.candidate} if metric else {},
        samples=figures.samples if figures else evaluation.samples,
        compared_on=evaluation.inputs,
        differences=figures.outputs if figures else (),
        operations=evaluation.operations,
        executed=evaluation.executed,
        layers=evaluation.layers,
        weights=evaluation.weights,
        compile_properties=evaluation.compile_properties,
        compile=_call(params, evaluation.compile_properties),
    )
