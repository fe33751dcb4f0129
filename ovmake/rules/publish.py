"""publish: put an IR that kept its promise under the build folder, with the record of what it is.

    publish(lowering, target, ...) -> Action
    record(...) -> dict                the content of record.json

Three files appear together or not at all (`store.files.publishing`). The record holds no time, no host name and no path
of the machine, so that two clean builds of the same inputs agree on it too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ovmake.graph.action import Action, Artifact, Input, JsonValue, Output, Param
from ovmake.graph.digest import Digest
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import DEFAULT_DEVICE, NOISE, KeyPath, Target
from ovmake.rules.gate import promise_params
from ovmake.rules.settings import (
    control_params,
    device_params,
    form_of,
    ir_inputs,
    judging_params,
    judging_set,
    metric_params,
    model_params,
    quantization_params,
    search_inputs,
    source_params,
    tensorflow_inputs,
    validation_set,
    weight_params,
)

FORMAT = 1

# The steps whose arithmetic is the processor's, and whose bytes may therefore be others on another machine. All others
# only rewrite the graph and round single numbers. See DESIGN, "Which bytes depend on the machine".
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
class Judged:
    """The actions whose outputs say what was compared, and with what result: `evaluation` and `verdict`."""

    evaluation: Action
    verdict: Action


def publish(
    lowering: Lowering,
    target: Target,
    *,
    converted: Action,
    ir: Action,
    sized: Action | None,
    frozen: Action | None,
    judged: Judged | None,
    searched: Action | None,
    choice: Action | None = None,
) -> Action:
    """Add the publication of `ir`, which waits for the verdict in `judged` unless the gate is off, and for `sized`.

    The record repeats what `searched`, which looked for layers to give back, and `choice`, of `auto`, found out.
    """
    folder = f"{lowering.ovfile.build_dir}/{target.family}/{target.precision}"
    return lowering.add(
        Action(
            kind="publish",
            subject=target.name,
            worker="here",
            tools=("openvino", *(("tensorflow",) if judged else ()), *(("nncf",) if _needs_nncf(target) else ())),
            params=_record_params(lowering, target),
            inputs=(
                *ir_inputs(ir.name),
                Input(role="interface", origin=Artifact(converted.name, "interface")),
                tensorflow_inputs(lowering, target, frozen)[0],
                *_findings(judged, choice),
                *search_inputs(searched),
            ),
            environment=("isa",) if ir.kind in PROCESSOR_STEPS else (),
            outputs=(
                Output(role="xml", place=f"{folder}/{target.family}.xml", copy_of="xml"),
                Output(role="bin", place=f"{folder}/{target.family}.bin", copy_of="bin"),
                Output(role="record", place=f"{folder}/record.json"),
            ),
            after=() if sized is None else (sized.name,),
            at=target.at,
            origins=_origins(lowering, target),
        ),
    )


def _origins(lowering: Lowering, target: Target) -> dict[str, KeyPath]:
    """Return where the settings stand that the record repeats: also the dataset's, and those of `auto`'s candidates."""
    datasets = dict(lowering.ovfile.datasets)
    dataset = judging_set(datasets, target)
    params = judging_params(datasets, target, labels=True)
    of_dataset = {name: (*dataset.at, *key.split(".")) for name, key in _keys(params)} if dataset else {}
    return {
        **target.origins,
        **of_dataset,
        **{f"{one.precision}.{name}": at for one in target.candidates for name, at in one.origins.items()},
    }


def _keys(params: tuple[Param, ...]) -> list[tuple[str, str]]:
    """Return the names of a dataset's params with its own keys: "dataset.labels" and "labels"."""
    return [(param.name, key) for param in params for _, _, key in [param.name.partition(".")] if key]


def _findings(judged: Judged | None, choice: Action | None) -> tuple[Input, ...]:
    """Return what was found out about the IR, which the record repeats."""
    made_by = {
        "evaluation": judged.evaluation if judged else None,
        "verdict": judged.verdict if judged else None,
        "choice": choice,
    }
    return tuple(Input(role=role, origin=Artifact(by.name, role)) for role, by in made_by.items() if by is not None)


def _needs_nncf(target: Target) -> bool:
    return any(one.quantization or one.weights for one in (target, *target.candidates))


def _record_params(lowering: Lowering, target: Target) -> tuple[Param, ...]:
    """Return every setting that shaped the target: the record repeats them."""
    params = [
        Param(name="target", value=target.name),
        Param(name="source", value=target.source),
        *source_params(target, form_of(lowering, target).kind),
        *model_params(target),
        *device_params(target),
    ]
    params += [*_compression_params(lowering, target), *_gate_params(lowering, target)]
    if target.candidates:
        params.append(Param(name="candidates", value=tuple(one.precision for one in target.candidates)))
    for one in target.candidates:
        # Each has a promise of its own, if only by the defaults of its precision.
        own = [*_compression_params(lowering, one), *_gate_params(lowering, one)]
        params += [replace(param, name=f"{one.precision}.{param.name}") for param in own if param not in params]
    return tuple(params)


def _compression_params(lowering: Lowering, target: Target) -> list[Param]:
    if target.quantization is None:
        return [*weight_params(target)]
    dataset = lowering.ovfile.datasets[target.quantization.calibration]
    return [
        *quantization_params(target),
        *control_params(target),
        Param(name="calibration", value=dataset.path),
    ]


def _gate_params(lowering: Lowering, target: Target) -> list[Param]:
    accuracy = target.accuracy
    datasets = dict(lowering.ovfile.datasets)
    dataset = validation_set(datasets, target)
    if accuracy is None:
        return []
    named: list[tuple[str, JsonValue]] = [
        ("accuracy.dataset", dataset.path if dataset else None),
        ("accuracy.inputs", NOISE if accuracy.noise else None),
        ("accuracy.annotations", accuracy.options.annotations if accuracy.metric else None),
    ]
    return [
        *(Param(name=name, value=value) for name, value in named if value is not None),
        *(param for param in promise_params(target) if param.name not in {"accuracy.promised", "accuracy.real-data"}),
        *metric_params(target),
        *judging_params(datasets, target, labels=accuracy.uses_labels),
    ]


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
