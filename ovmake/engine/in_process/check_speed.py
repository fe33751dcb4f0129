"""*check-speed*: compare an IR's speed with the FP32 IR's; warn if it is slower."""

from __future__ import annotations

from ovmake.contracts.files.speed import SpeedComparison
from ovmake.contracts.params.judging import CheckSpeedParams
from ovmake.contracts.problem import ActionProblem
from ovmake.engine.in_process.files import params_of, read, write
from ovmake.engine.job import Job, Success
from ovmake.verdicts import speed


def check_speed(job: Job) -> Success:
    """Write `speed`."""
    precision = params_of(job, CheckSpeedParams).precision
    check = speed.judge(read(job, "comparison", SpeedComparison), precision)
    write(job, "speed", check)
    if not check.slower or check.speed is None:
        return Success()
    slower = speed.in_words(check.speed)
    complaint = ActionProblem(
        code="slower-than-float",
        message=f"the {precision} IR is slower than the FP32 one: {slower}",
        notes=tuple(f"likely because {reason}" for reason in check.reasons),
        help=f"leave `{precision}` out of `precisions`, or choose by measurement with `auto`; "
        "`speed-check = false` turns this check off",
        setting="speed-check",
    )
    return Success(facts={"note": f"slower than the FP32 IR: {slower}", **ActionProblem.as_facts(complaint)})
