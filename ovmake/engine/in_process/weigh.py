"""*weigh*: which candidate `auto` chooses."""

from __future__ import annotations

from ovmake.contracts.params.judging import WeighParams
from ovmake.engine.in_process.files import params_of, read, read_if_any, write
from ovmake.engine.job import Job, Success
from ovmake.verdicts import choosing


def weigh(job: Job) -> Success:
    """Write `choice`."""
    judged = [
        choosing.judged(name, verdict=read_if_any(job, f"{name}.verdict"), kept=read_if_any(job, f"{name}.kept"))
        for name in params_of(job, WeighParams).candidates
    ]
    rounds = read(job, "measurement")["rounds"]
    choice = choosing.weigh(judged, rounds if isinstance(rounds, list) else [])
    write(job, "choice", choice.to_json())
    return Success()
