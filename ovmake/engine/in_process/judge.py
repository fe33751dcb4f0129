"""*judge*: judge the evaluation of a candidate of `auto`. A miss is not a failure."""

from __future__ import annotations

from ovmake.contracts.files.evaluation import Evaluation
from ovmake.contracts.files.verdict import Kept
from ovmake.contracts.params.promise import GateParams
from ovmake.engine.in_process.files import params_of, read, write
from ovmake.engine.job import Job, Success
from ovmake.verdicts.by_default import with_default
from ovmake.verdicts.verdict import decide


def judge(job: Job) -> Success:
    """Write `verdict`, and `kept`: whether the promise is kept."""
    promise, evaluation = params_of(job, GateParams).promise, read(job, "evaluation", Evaluation)
    verdict = with_default(decide(evaluation, promise), evaluation, promise)
    write(job, "verdict", verdict)
    write(job, "kept", Kept(kept=verdict.keeps(promised=promise.promised)))
    return Success()
