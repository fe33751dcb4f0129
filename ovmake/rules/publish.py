"""publish: copy an IR that passed its gate to the build folder, with its record.

    publish(lowering, target, ...) -> Action

Three files appear together or not at all (`store.files.publishing`). The record holds no time, no host name and no path
of the machine: two clean builds of the same inputs give the same record.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ovmake.contracts.codec import beyond, flat
from ovmake.contracts.params.model import ConvertParams
from ovmake.contracts.params.publication import JudgedParams, MadeParams, PublishParams
from ovmake.graph.action import Action, Artifact, Input, Output
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import Target
from ovmake.ovfile.words import NOISE, KeyPath
from ovmake.rules.gate import promise_of
from ovmake.rules.settings import (
    dataset_params,
    device_params,
    form_of,
    ir_inputs,
    judging_params,
    judging_set,
    metric_params,
    model_params,
    quantization_params,
    search_inputs,
    search_limits,
    source_params,
    tensorflow_inputs,
    validation_set,
    weight_params,
)
from ovmake.verdicts.record import PROCESSOR_DEPENDENT


@dataclass(frozen=True, slots=True, kw_only=True)
class GateActions:
    """The actions with the outputs `evaluation` and `verdict`."""

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

    The record repeats the results of `searched` (the layers reverted to float) and of `choice` (`auto`).
    """
    folder = f"{lowering.ovfile.build_dir}/{target.family}/{target.precision}"
    return lowering.add(
        Action(
            kind="publish",
            subject=target.name,
            worker="in-process",
            tools=("openvino", *(("tensorflow",) if judged else ()), *(("nncf",) if _needs_nncf(target) else ())),
            params=_params(lowering, target),
            inputs=(
                *ir_inputs(ir.name),
                Input(role="interface", origin=Artifact(converted.name, "interface")),
                tensorflow_inputs(lowering, target, frozen)[0],
                *_findings(judged, choice),
                *search_inputs(searched),
            ),
            environment=("isa",) if ir.kind in PROCESSOR_DEPENDENT else (),
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
    """Return the key paths of the record's settings, those of the dataset and of `auto`'s candidates included."""
    datasets = dict(lowering.ovfile.datasets)
    dataset = judging_set(datasets, target)
    keys = flat(dataset_params(dataset, labels=True)) if dataset else {}
    of_dataset = {f"dataset.{key}": (*dataset.at, *key.split(".")) for key in keys} if dataset else {}
    return {
        **target.origins,
        **of_dataset,
        **{f"{one.precision}.{name}": at for one in target.candidates for name, at in one.origins.items()},
    }


def _findings(judged: GateActions | None, choice: Action | None) -> tuple[Input, ...]:
    """Return the inputs with findings about the IR that the record repeats."""
    made_by = {
        "evaluation": judged.evaluation if judged else None,
        "verdict": judged.verdict if judged else None,
        "choice": choice,
    }
    return tuple(Input(role=role, origin=Artifact(by.name, role)) for role, by in made_by.items() if by is not None)


def _needs_nncf(target: Target) -> bool:
    return any(one.quantization or one.weights for one in (target, *target.candidates))


def _params(lowering: Lowering, target: Target) -> PublishParams:
    """Return all settings that affect the target; the record repeats them."""
    made = _made(lowering, target)
    return PublishParams(
        target=target.name,
        path=target.source,
        converted=ConvertParams(
            source=source_params(target, form_of(lowering, target).kind), model=model_params(target)
        ),
        device=device_params(target),
        made=made,
        candidates=tuple(one.precision for one in target.candidates),
        # Each candidate has its own promise, because the defaults depend on the precision.
        own={one.precision: beyond(_made(lowering, one), made) for one in target.candidates},
    )


def _made(lowering: Lowering, target: Target) -> MadeParams:
    settings = target.quantization
    return MadeParams(
        quantization=quantization_params(target),
        weights=weight_params(target),
        search=search_limits(target),
        calibration=lowering.ovfile.datasets[settings.calibration].path if settings else None,
        judged=_judged(lowering, target),
    )


def _judged(lowering: Lowering, target: Target) -> JudgedParams | None:
    accuracy = target.accuracy
    if accuracy is None:
        return None
    datasets = dict(lowering.ovfile.datasets)
    dataset = validation_set(datasets, target)
    return JudgedParams(
        dataset=dataset.path if dataset else None,
        inputs=NOISE if accuracy.noise else None,
        annotations=accuracy.options.annotations if accuracy.metric else None,
        # The record has these two elsewhere: whether the Ovfile states the promise, and which inputs it is judged on.
        promise=replace(promise_of(target), promised=False, real_data=False),
        metric=metric_params(target),
        samples=judging_params(datasets, target, labels=accuracy.uses_labels),
    )
