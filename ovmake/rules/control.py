"""control: an INT8 IR that misses its promise, with as few layers as possible given back to floating point.

Quantization itself stays a *quantize* of its own: another promise calibrates nothing again. The search asks the gate's
own question of every trial (`ovmake.verdicts`), so the promise is a param here; but what a trial *gives* does not
depend on it, so trials are noted in the action's journal, which is shared by all promises and limits.

Where the search finds nothing that keeps the promise, it hands on what came nearest, and the gate says no: one place
decides.
"""

from __future__ import annotations

from dataclasses import replace

from ovmake.graph.action import Action, Artifact, Input, Output, Param
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import Target
from ovmake.rules.evaluate import evaluation_of
from ovmake.rules.gate import promise_settings
from ovmake.rules.settings import control_params


def control(lowering: Lowering, target: Target, *, converted: Action, quantized: Action, expected: Action) -> Action:
    """Add the search that starts from `quantized`."""
    # A trial is an evaluation like that of the result.
    trial = evaluation_of(lowering, target, converted=converted, ir=quantized, expected=expected)
    steering = (*promise_settings(target), *control_params(target))
    return lowering.add(
        replace(
            trial,
            kind="control",
            params=(*(Param(name=name, value=value) for name, value in trial.settings.items()), *steering),
            inputs=(
                *trial.inputs,
                Input(role="float-xml", origin=Artifact(converted.name, "xml")),
                Input(role="float-bin", origin=Artifact(converted.name, "bin")),
            ),
            outputs=(Output(role="xml"), Output(role="bin"), Output(role="search")),
            journal=tuple(param.name for param in steering),
        )
    )
