"""publish: put an IR that kept its promise under the build folder, with the record of what it is.

    publish(lowering, target, ...) -> Action

Three files appear together or not at all (`store.files.publishing`). The record holds no time, no host name and no path
of the machine, so that two clean builds of the same inputs agree on it too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ovmake.contracts.values import JsonValue
from ovmake.graph.action import Action, Artifact, Input, Output, Param
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import Target
from ovmake.ovfile.words import NOISE, KeyPath
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
from ovmake.verdicts.record import PROCESSOR_STEPS


@dataclass(frozen=True, slots=True, kw_only=True)
class GateActions:
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
    judged: GateActions | None,
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


def _findings(judged: GateActions | None, choice: Action | None) -> tuple[Input, ...]:
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
