"""control: an INT8 IR that misses its promise, with as few layers as possible given back to floating point.

Quantization itself stays a *quantize* of its own: another promise calibrates nothing again. The search asks the gate's
own question of every trial (`ovmake.verdicts`), so the promise is a param here; but what a trial *gives* does not
depend on it, so trials are noted in the action's journal, which is shared by all promises and limits.

Where the search finds nothing that keeps the promise, it hands on what came nearest, and the gate says no: one place
decides.
"""

from __future__ import annotations

from dataclasses import replace

from ovmake.contracts.codec import flat
from ovmake.contracts.params.evaluation import EvaluateParams
from ovmake.contracts.params.promise import GateParams
from ovmake.contracts.params.quantization import ControlParams
from ovmake.graph.action import Action, Artifact, Input, Output
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import Target
from ovmake.rules.evaluate import evaluation_of
from ovmake.rules.gate import promise_of
from ovmake.rules.settings import search_limits


def control(lowering: Lowering, target: Target, *, converted: Action, quantized: Action, expected: Action) -> Action:
    """Add the search that starts from `quantized`."""
    # A trial is an evaluation like that of the result.
    trial = evaluation_of(lowering, target, converted=converted, ir=quantized, expected=expected)
    limits, promise = search_limits(target), promise_of(target)
    if limits is None or not isinstance(trial.params, EvaluateParams):
        raise AssertionError(f"{target.name} has no search")
    return lowering.add(
        replace(
            trial,
            kind="control",
            params=ControlParams(trial=trial.params, promise=promise, limits=limits),
            inputs=(
                *trial.inputs,
                Input(role="float-xml", origin=Artifact(converted.name, "xml")),
                Input(role="float-bin", origin=Artifact(converted.name, "bin")),
            ),
            outputs=(Output(role="xml"), Output(role="bin"), Output(role="search")),
            journal=(*flat(GateParams(promise=promise)), *flat(limits)),
        )
    )
