"""control: for an INT8 IR that fails its gate, search the smallest set of layers to revert to float.

Quantization is a separate *quantize*: a new `max-drop` needs no new calibration. The search applies the gate's own
decision to every trial (`ovmake.verdicts`), so the gate's settings are params here. But the scores of a trial do not
depend on them: the action's journal stores the trials, for all gates and limits.

If no set of layers passes, the search outputs the best one, and the gate fails it: only the gate decides.
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
    # Each trial is evaluated like the final IR.
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
            advice=("replay",),
            journal=("replay", *flat(GateParams(promise=promise)), *flat(limits)),
        )
    )
