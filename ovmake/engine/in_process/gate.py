"""*gate*: an evaluation against the promise. What misses it is a failure, and is not published."""

from __future__ import annotations

from ovmake.contracts.params.promise import GateParams
from ovmake.contracts.problem import ActionProblem
from ovmake.engine.in_process.files import params_of, read, read_if_any, write
from ovmake.engine.in_process.verdict_file import content_of
from ovmake.engine.job import Failure, Job, Success
from ovmake.verdicts import judging, searching
from ovmake.verdicts.by_default import default_verdict
from ovmake.verdicts.verdict import decide, facts_of


def gate(job: Job) -> Success | Failure:
    """Write `verdict`, or fail."""
    params, evaluation = params_of(job, GateParams), read(job, "evaluation")
    verdict, default = decide(evaluation, params.promise), default_verdict(evaluation, params.promise)
    search = read_if_any(job, "search")
    told = content_of(verdict, default)
    facts = facts_of(told) | (searching.facts(search) if search else {})
    if not verdict.keeps(promised=params.promise.promised):
        unpublished = "nothing was published; the last good IR, if there is one, is where it was"
        doubts = _doubts(job)
        return Failure(
            code=judging.code(verdict),
            message=verdict.text,
            notes=(*doubts, *(searching.notes(search) if search and verdict.result == "missed" else ()), unpublished),
            help=judging.advice(verdict, search, evaluation, params, doubts=doubts),
            setting=verdict.broken or "accuracy",
            facts=facts,
        )
    write(job, "verdict", told)
    if verdict.at_chance:
        facts |= judging.GUESSES
    return Success(facts=facts | ActionProblem.as_facts(*judging.of_gate(verdict, search)))


def _doubts(job: Job) -> tuple[str, ...]:
    """Return what is odd about the samples that calibrated."""
    checked = read_if_any(job, "calibrated") or {}
    doubts = checked.get("doubts")
    return tuple(map(str, doubts)) if isinstance(doubts, list) else ()
