"""require: requirements on an IR besides its accuracy (size, latency and so on).

    check_size(lowering, target, ...) -> Action     before publishing: a larger IR is not published
    require(lowering, target, ...) -> Action        after the measurement of `ovmake report`: figures against the Ovfile

The size is known when the IR is made, so it is a gate like accuracy. The other requirements need a measurement. If one
is missed, the report fails; the published IR stays. A requirement that could not be measured has not passed.

Rule: the median decides. If the range around it contains the limit, a second measurement might give the opposite
result, and the requirement is *not decided*.
"""

from __future__ import annotations

from ovmake.contracts.params.judging import CheckSizeParams, RequireParams, SizeLimit
from ovmake.graph.action import Action, Artifact, Input, Output
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import Target
from ovmake.rules.settings import ir_inputs


def check_size(lowering: Lowering, target: Target, ir: Action) -> Action | None:
    """Add the check of the IR's size; None if the Ovfile has no limit."""
    if target.require.size is None:
        return None
    return lowering.add(
        Action(
            kind="check-size",
            subject=target.name,
            worker="in-process",
            params=CheckSizeParams(require=SizeLimit(size=target.require.size)),
            inputs=ir_inputs(ir.name),
            outputs=(Output(role="size"),),
            at=target.at,
            origins=target.origins,
        ),
    )


def require(lowering: Lowering, target: Target, *, measured: Action, after: Action) -> Action | None:
    """Add the verdict on the figures of `measured`, after `after`; None if the Ovfile has no requirement."""
    if not target.require.measured:
        return None
    return lowering.add(
        Action(
            kind="require",
            subject=target.name,
            worker="in-process",
            params=RequireParams(require=dict(target.require.measured)),
            inputs=(Input(role="measurement", origin=Artifact(measured.name, "measurement")),),
            outputs=(Output(role="requirements"),),
            after=(after.name,),
            at=target.at,
            origins=target.origins,
        ),
    )
