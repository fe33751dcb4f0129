"""auto: the fastest precision on this machine that keeps its gate.

    time_candidates(...) -> Action    those that keep their gate and the FP32 IR, all in turns. Exclusive
    weigh(...) -> Action              which one, and every candidate's figures: `choice`. Never fails
    choose(...) -> Action             the chosen IR with its evaluation and verdict; fails if none keeps its gate

Every candidate is made, evaluated and judged by the actions of its own target, so that one which is listed in
`precisions` as well is made once. Here judging is data (`gate.judge`): a candidate that misses its gate is out, and
only if all of them miss does the target fail. What cannot be made at all fails the target, as it would fail its own.

Weighing and choosing are two actions so that the report can show what was weighed where nothing could be chosen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ovmake.graph.action import Action, Artifact, Input, Output, Param
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import Target
from ovmake.rules.publish import GateActions
from ovmake.rules.settings import (
    dataset_inputs,
    dataset_params,
    dataset_tools,
    device_params,
    ir_inputs,
    plan_inputs,
    search_inputs,
    timing_params,
    validation_set,
)
from ovmake.verdicts.choosing import BASE


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A precision to weigh: what makes its IR, and what evaluates and judges it; None where its gate is off.

    `searched` has the search for layers to give back, if there was one.
    """

    target: Target
    ir: Action
    judged: GateActions | None
    searched: Action | None = None

    @property
    def precision(self) -> str:
        """The candidate's name among the others."""
        return self.target.precision


def time_candidates(
    lowering: Lowering, target: Target, *, converted: Action, candidates: Sequence[Candidate]
) -> Action:
    """Add the measurement. The FP32 IR of `converted` takes part, candidate or not: speeds are told against it."""
    dataset = validation_set(dict(lowering.ovfile.datasets), target)
    irs = {BASE: converted.name, **{one.precision: one.ir.name for one in candidates}}
    return lowering.add(
        Action(
            kind="time-candidates",
            subject=target.name,
            worker="bench",
            tools=("openvino", "numpy", *dataset_tools(dataset)),
            params=(
                Param(name="candidates", value=tuple(one.precision for one in candidates)),
                *timing_params("time-candidates", target),
                *device_params(target),
                *dataset_params(dataset, labels=False),
            ),
            inputs=(
                *(given for name, action in irs.items() for given in _under(name, ir_inputs(action))),
                *_of_judgements(candidates, "kept"),
                Input(role="interface", origin=Artifact(converted.name, "interface")),
                *dataset_inputs(dataset),
                *plan_inputs(lowering, target),
            ),
            environment=("machine",),
            outputs=(Output(role="measurement"),),
            exclusive=True,
            at=target.at,
            origins=target.origins,
        ),
    )


def weigh(lowering: Lowering, target: Target, *, timed: Action, candidates: Sequence[Candidate]) -> Action:
    """Add the choice between the candidates that `timed` measured."""
    return lowering.add(
        Action(
            kind="weigh",
            subject=target.name,
            worker="here",
            params=(Param(name="candidates", value=tuple(one.precision for one in candidates)),),
            inputs=(
                Input(role="measurement", origin=Artifact(timed.name, "measurement")),
                *_of_judgements(candidates, "verdict"),
                *_of_judgements(candidates, "kept"),
            ),
            outputs=(Output(role="choice"),),
            at=target.at,
            origins=target.origins,
        ),
    )


def choose(lowering: Lowering, target: Target, *, weighed: Action, candidates: Sequence[Candidate]) -> Action:
    """Add the action that hands on the chosen IR, and what was found out about it."""
    evaluations = {one.precision: one.judged.evaluation.name for one in candidates if one.judged}
    return lowering.add(
        Action(
            kind="choose",
            subject=target.name,
            worker="here",
            inputs=(
                Input(role="choice", origin=Artifact(weighed.name, "choice")),
                *(given for one in candidates for given in _under(one.precision, ir_inputs(one.ir.name))),
                *(
                    Input(role=f"{name}.evaluation", origin=Artifact(action, "evaluation"))
                    for name, action in evaluations.items()
                ),
                *_of_judgements(candidates, "verdict"),
                *(given for one in candidates for given in _under(one.precision, search_inputs(one.searched))),
            ),
            outputs=tuple(Output(role=role) for role in ("xml", "bin", "evaluation", "verdict", "search")),
            at=target.at,
            origins=target.origins,
        ),
    )


def _of_judgements(candidates: Sequence[Candidate], role: str) -> tuple[Input, ...]:
    return tuple(
        Input(role=f"{one.precision}.{role}", origin=Artifact(one.judged.verdict.name, role))
        for one in candidates
        if one.judged is not None
    )


def _under(name: str, inputs: Iterable[Input]) -> tuple[Input, ...]:
    """Return inputs with their roles under a candidate's name: `int8.xml`."""
    return tuple(Input(role=f"{name}.{given.role}", origin=given.origin) for given in inputs)
