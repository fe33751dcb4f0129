"""*gate*: judge an evaluation by the promise. A miss fails the action, so the IR is not published."""

from __future__ import annotations

from ovmake.contracts.files.calibration import CheckedCalibration
from ovmake.contracts.files.evaluation import Evaluation
from ovmake.contracts.files.search import Search
from ovmake.contracts.params.promise import GateParams
from ovmake.contracts.problem import ActionProblem
from ovmake.engine.in_process.files import params_of, read, read_if_any, write
from ovmake.engine.job import Failure, Job, Success
from ovmake.verdicts import judging, searching
from ovmake.verdicts.by_default import with_default
from ovmake.verdicts.verdict import decide, facts_of


def gate(job: Job) -> Success | Failure:
    """Write `verdict`, or fail."""
    params, evaluation = params_of(job, GateParams), read(job, "evaluation", Evaluation)
    verdict = with_default(decide(evaluation, params.promise), evaluation, params.promise)
    search = read_if_any(job, "search", Search)
    facts = facts_of(verdict) | (searching.facts(search) if search else {})
    if not verdict.keeps(promised=params.promise.promised):
        unpublished = "nothing was published; the last good IR, if any, stays"
        doubts = _doubts(job)
        return Failure(
            code=judging.code(verdict),
            message=verdict.text,
            notes=(*doubts, *(searching.notes(search) if search and verdict.result == "missed" else ()), unpublished),
            help=judging.advice(verdict, search, evaluation.neighbours, params, doubts=doubts),
            setting=verdict.broken or "accuracy",
            facts=facts | {"text": verdict.text},
        )
    write(job, "verdict", verdict)
    if verdict.at_chance:
        facts |= judging.GUESSES
    return Success(facts=facts | ActionProblem.as_facts(*judging.of_gate(verdict, search)))


def _doubts(job: Job) -> tuple[str, ...]:
    """Return the doubts about the calibration samples."""
    checked = read_if_any(job, "calibrated", CheckedCalibration)
    return checked.doubts if checked else ()
