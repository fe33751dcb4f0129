"""auto: the fastest precision on this machine that passes its gate.

    time_candidates(...) -> Action    times the candidates that pass their gate and the FP32 IR, interleaved. Exclusive
    weigh(...) -> Action              the choice, with every candidate's figures: `choice`. Never fails
    choose(...) -> Action             the chosen IR with its evaluation and verdict; fails if no candidate passes

The actions of its own target make, evaluate and judge each candidate; a candidate that is also listed in `precisions`
is made once. Here the verdict is data (`gate.judge`): a candidate that fails its gate is excluded, and the target fails
only if all of them fail. If a candidate cannot be made at all, the target fails.

Weighing and choosing are two actions: the report shows the comparison even if no candidate could be chosen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ovmake.contracts.params.judging import WeighParams
from ovmake.contracts.params.measurement import TimeCandidatesParams
from ovmake.graph.action import Action, Artifact, Input, Output
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import Target
from ovmake.rules.filling import filled
from ovmake.rules.publish import GateActions
from ovmake.rules.settings import (
    dataset_inputs,
    dataset_tools,
    device_params,
    ir_inputs,
    plan_inputs,
    sample_params,
    search_inputs,
    validation_set,
)
from ovmake.verdicts.choosing import BASE


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A precision to compare: the actions that make, evaluate and judge its IR; the latter None if its gate is off.

    `searched` has the search for layers to revert to float, if there was one.
    """

    target: Target
    ir: Action
    judged: GateActions | None
    searched: Action | None = None

    @property
    def precision(self) -> str:
        """The candidate's precision, which is its name in the comparison."""
        return self.target.precision


def time_candidates(
    lowering: Lowering, target: Target, *, converted: Action, candidates: Sequence[Candidate]
) -> Action:
    """Add the measurement. It includes the FP32 IR of `converted` even if that is no candidate: it is the baseline."""
    dataset = validation_set(dict(lowering.ovfile.datasets), target)
    irs = {BASE: converted.name, **{one.precision: one.ir.name for one in candidates}}
    return lowering.add(
        Action(
            kind="time-candidates",
            subject=target.name,
            worker="bench",
            tools=("openvino", "numpy", *dataset_tools(dataset)),
            params=filled(
                TimeCandidatesParams,
                "time-candidates",
                target.benchmark,
                candidates=tuple(one.precision for one in candidates),
                device=device_params(target),
                samples=sample_params(dataset, labels=False),
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
            worker="in-process",
            params=WeighParams(candidates=tuple(one.precision for one in candidates)),
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
    """Add the action that outputs the chosen IR, with its evaluation and verdict."""
    evaluations = {one.precision: one.judged.evaluation.name for one in candidates if one.judged}
    return lowering.add(
        Action(
            kind="choose",
            subject=target.name,
            worker="in-process",
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
