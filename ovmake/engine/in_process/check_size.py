"""*check-size*: whether an IR is as small as the Ovfile requires."""

from __future__ import annotations

from ovmake.contracts.params.judging import CheckSizeParams
from ovmake.engine.in_process.files import params_of, write
from ovmake.engine.job import Failure, Job, Success
from ovmake.verdicts import requirements


def check_size(job: Job) -> Success | Failure:
    """Write `size`, or fail."""
    most = params_of(job, CheckSizeParams).require.size
    judged = requirements.judge_size(most, sum(job.digests[role].size_bytes for role in ("xml", "bin")))
    if judged.result == requirements.MISSED:
        return Failure(
            code="requirement-missed",
            message=f"the IR's {judged.text}",
            notes=("nothing was published; the last good IR, if any, stays",),
            help="int8 and the -weights precisions make smaller IRs, and `cut` takes layers off",
            setting="require.size",
        )
    write(job, "size", judged.told)
    return Success()
