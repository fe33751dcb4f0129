"""*weigh*: choose a candidate of `auto` by gate and speed."""

from __future__ import annotations

from ovmake.contracts.files.speed import CandidateTimes
from ovmake.contracts.files.verdict import Kept, Verdict
from ovmake.contracts.params.judging import WeighParams
from ovmake.engine.in_process.files import params_of, read, read_if_any, write
from ovmake.engine.job import Job, Success
from ovmake.verdicts import choosing


def weigh(job: Job) -> Success:
    """Write `choice`."""
    judged = [
        choosing.judged(
            name,
            verdict=read_if_any(job, f"{name}.verdict", Verdict),
            kept=read_if_any(job, f"{name}.kept", Kept),
        )
        for name in params_of(job, WeighParams).candidates
    ]
    write(job, "choice", choosing.weigh(judged, read(job, "measurement", CandidateTimes).rounds))
    return Success()
