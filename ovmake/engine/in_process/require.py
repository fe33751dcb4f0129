"""*require*: whether the measurement meets the Ovfile's requirements."""

from __future__ import annotations

from ovmake.contracts.files.measurement import Measurement
from ovmake.contracts.files.requirements import Requirements
from ovmake.contracts.params.judging import RequireParams
from ovmake.engine.in_process.files import params_of, read, write
from ovmake.engine.job import Failure, Job, Success
from ovmake.verdicts import requirements


def require(job: Job) -> Success | Failure:
    """Write `requirements`, or fail with the first that is missed."""
    judged = requirements.judge(params_of(job, RequireParams).require, read(job, "measurement", Measurement))
    # Missed ones first: they are certain.
    failed = sorted(
        (one for one in judged if one.result != requirements.PASSED), key=lambda one: one.result != requirements.MISSED
    )
    if failed:
        return Failure(
            code=f"requirement-{failed[0].result}",
            message=failed[0].text,
            notes=(*(one.text for one in judged if one is not failed[0]), "the IR stays published"),
            help="`ovmake report --force` measures again, if the machine was busy",
            setting=f"require.{failed[0].name}",
        )
    write(job, "requirements", Requirements(requirements=tuple(one.told for one in judged)))
    return Success()
