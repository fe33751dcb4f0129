"""The record beside a published IR: what it is, what it was made of, and what was found out about it. Pure.

    record(Published(...)) -> dict         the content of record.json
    reproducible(Published(...)) -> dict   whether another machine would make the same bytes

A record holds no time, no host name and no path of the machine, so that two clean builds of the same inputs agree on
it too. Scores are plain numbers; what was not measured is absent, not 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ovmake.contracts.values import JsonValue
from ovmake.graph.digest import Digest
from ovmake.ovfile.spec import DEFAULT_DEVICE

FORMAT = 1


# The steps whose arithmetic is the processor's, and whose bytes may therefore be others on another machine. All others
# only rewrite the graph and round single numbers. See rules/NOTES.md, "Which bytes depend on the machine".
PROCESSOR_STEPS = {
    "quantize": "NNCF runs the model on the calibration samples: ranges and corrected biases come of sums of floats, "
    "which another instruction set rounds otherwise",
    "control": "the search runs every trial on this processor, and its rounding may decide between two sets of layers",
    "compress-weights": "NNCF computes scales and integers in a model that OpenVINO compiles for this processor",
    "choose": "speeds measured on this machine decide which of the candidates is published",
}


# What makes the bytes of a precision, for `auto`, which hands on what others made.
STEPS = {"int8": "quantize", "int8-weights": "compress-weights", "int4-weights": "compress-weights"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What a record is made of: the JSON files among the action's inputs, and its own params, tools and digests.

    `step` is the kind of action that made the IR, `environment` what of the machine its bytes depend on.
    """

    params: Mapping[str, JsonValue]
    tools: Mapping[str, str]
    digests: Mapping[str, Digest]
    interface: Mapping[str, object]
    evaluation: Mapping[str, object] | None
    verdict: Mapping[str, object] | None
    choice: Mapping[str, object] | None = None
    search: Mapping[str, object] | None = None
    step: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)


def reproducible(made: Published) -> dict[str, object]:
    """Return what the record says of the IR's bytes: which of the steps that made them may differ, and why.

    Where time was limited it may have cut the work short, and where speeds decide they may decide otherwise: then not
    even one machine repeats it surely.
    """
    differing = [{"step": step, "why": PROCESSOR_STEPS[step]} for step in _steps(made) if step in PROCESSOR_STEPS]
    timed = any(name.rpartition(".")[2] == "max-minutes" for name in made.params)
    same = not timed and made.choice is None
    return {"same_machine": same, "may_differ_between_machines": differing, **made.environment}


def _steps(made: Published) -> tuple[str, ...]:
    """Return the kinds of action that made the IR's bytes, of those that look at more than the model."""
    chosen = str(made.choice["chosen"]) if made.choice else ""
    first = STEPS.get(chosen, "") if chosen else ("quantize" if made.step == "control" else made.step)
    return (first, *(("control",) if made.search else ()), *(("choose",) if chosen else ()))


def _call(params: Mapping[str, JsonValue], properties: Mapping[str, object]) -> str:
    """Return the line of Python that compiles the IR as it was verified, in the folder of its files."""
    given = ", ".join(f'"{name}": "{value}"' for name, value in properties.items())
    file = f"{str(params['target']).rpartition(':')[0]}.xml"
    return f'core.compile_model("{file}", "{params.get("device", DEFAULT_DEVICE)}", {{{given}}})'


def record(made: Published) -> dict[str, object]:
    """Return the content of record.json. Scores are plain numbers; what was not measured is absent, not 0."""
    options = {name: value for name, value in made.params.items() if name not in {"target", "source"}}
    evaluation = made.evaluation or {}
    metric = evaluation.get("metric")
    scores: dict[str, object] = {}
    if isinstance(metric, dict):
        name = metric["name"]
        scores = {"tensorflow": {name: metric["reference"]}, "openvino": {name: metric["candidate"]}}
    properties = evaluation.get("compile_properties")
    verdict = made.verdict or {"result": "not-measured", "text": "`accuracy = false` turns the gate off", "drop": None}
    return {
        "format": FORMAT,
        "target": made.params["target"],
        "source": {
            "path": made.params["source"],
            "fingerprint": made.digests["graph" if "graph" in made.digests else "source"].sha256,
            "way": made.interface["way"],
        },
        "options": options,
        "versions": dict(made.tools),
        "inputs": made.interface["inputs"],
        "outputs": made.interface["outputs"],
        "frozen_inputs": made.interface["constants"],
        "files": {role: made.digests[role].sha256 for role in ("xml", "bin")},
        "size_bytes": sum(made.digests[role].size_bytes for role in ("xml", "bin")),
        "reproducible": reproducible(made),
        "gate": verdict,
        **scores,
        "samples": evaluation.get("samples"),
        "compared_on": evaluation.get("inputs"),
        "differences": evaluation.get("outputs"),
        "operations": evaluation.get("operations"),
        "executed": evaluation.get("executed"),
        "layers": evaluation.get("layers"),
        "weights": evaluation.get("weights"),
        "compile_properties": properties,
        "compile": _call(made.params, properties) if isinstance(properties, dict) else None,
        **({"accuracy_control": made.search} if made.search is not None else {}),
        **({"auto": made.choice} if made.choice is not None else {}),
    }
