"""*judge*: an evaluation against the promise, of a candidate of `auto`: a candidate that misses it is no failure."""

from __future__ import annotations

from ovmake.contracts.params.promise import GateParams
from ovmake.engine.in_process.files import params_of, read, write
from ovmake.engine.in_process.verdict_file import content_of
from ovmake.engine.job import Job, Success
from ovmake.verdicts.by_default import default_verdict
from ovmake.verdicts.verdict import decide


def judge(job: Job) -> Success:
    """Write `verdict`, and `kept`: whether the promise is kept."""
    promise, evaluation = params_of(job, GateParams).promise, read(job, "evaluation")
    verdict = decide(evaluation, promise)
    write(job, "verdict", content_of(verdict, default_verdict(evaluation, promise)))
    write(job, "kept", {"kept": verdict.keeps(promised=promise.promised)})
    return Success()
