"""require: what an IR must reach beside its accuracy.

    check_size(lowering, target, ...) -> Action     before anything is published: a larger IR is not
    require(lowering, target, ...) -> Action        after the measurement of `ovmake report`: figures against the Ovfile
    judge(wanted, measurement, why) -> tuple        pure: one `JudgedRequirement` per requirement

The size is known when the IR is made, so it is a gate as accuracy is. The others are known on a machine that was
measured: where one is missed the report fails and says so, and takes no published IR back. What could not be measured
has not passed.

Rule: the median decides. Where the range around it holds what is wanted, another measurement might say the opposite,
and the result is called not decided.
"""

from __future__ import annotations

from ovmake.contracts.params.judging import CheckSizeParams, RequireParams, SizeLimit
from ovmake.graph.action import Action, Artifact, Input, Output
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import Target
from ovmake.rules.settings import ir_inputs


def check_size(lowering: Lowering, target: Target, ir: Action) -> Action | None:
    """Add the check of the IR's size; None where the Ovfile asks for none."""
    if target.require.size is None:
        return None
    return lowering.add(
        Action(
            kind="check-size",
            subject=target.name,
            worker="here",
            params=CheckSizeParams(require=SizeLimit(size=target.require.size)),
            inputs=ir_inputs(ir.name),
            outputs=(Output(role="size"),),
            at=target.at,
            origins=target.origins,
        ),
    )


def require(lowering: Lowering, target: Target, *, measured: Action, after: Action) -> Action | None:
    """Add the judgement of what `measured` found, once `after` is done; None where the Ovfile asks for nothing."""
    if not target.require.measured:
        return None
    return lowering.add(
        Action(
            kind="require",
            subject=target.name,
            worker="here",
            params=RequireParams(require=dict(target.require.measured)),
            inputs=(Input(role="measurement", origin=Artifact(measured.name, "measurement")),),
            outputs=(Output(role="requirements"),),
            after=(after.name,),
            at=target.at,
            origins=target.origins,
        ),
    )
