"""*choose*: the IR of the chosen candidate, with its evaluation, verdict and search."""

from __future__ import annotations

from ovmake.contracts.files.evaluation import Evaluation
from ovmake.contracts.files.search import Search
from ovmake.contracts.files.speed import Choice
from ovmake.contracts.files.verdict import Verdict
from ovmake.contracts.problem import ActionProblem
from ovmake.engine.in_process.files import read, read_if_any, write
from ovmake.engine.job import Failure, Job, Success
from ovmake.store.files.own_folders import copy_file
from ovmake.verdicts import choosing, judging


def choose(job: Job) -> Success | Failure:
    """Copy the chosen IR, with its evaluation, verdict and search."""
    choice = read(job, "choice", Choice)
    if not choice.chosen:
        return Failure(
            code="gate-missed",
            message=choice.why,
            notes=(*choosing.in_words(choice), "nothing was published; the last good IR, if any, stays"),
            help="widen the promise, or name other `candidates`",
            setting="accuracy",
            facts={"gate": "missed", "drop": None, "text": choice.why},
        )
    chosen = choice.chosen
    for role in ("xml", "bin"):
        copy_file(job.inputs[f"{chosen}.{role}"], job.outputs[role])
    # None if the chosen precision has no gate, or no search for layers.
    verdict = read_if_any(job, f"{chosen}.verdict", Verdict)
    write(job, "verdict", verdict)
    write(job, "evaluation", read_if_any(job, f"{chosen}.evaluation", Evaluation))
    write(job, "search", read_if_any(job, f"{chosen}.search", Search))
    if verdict is None:
        return Success()
    if verdict.result == "not-measured":
        return Success(facts=ActionProblem.as_facts(judging.unmeasured(verdict.text, verdict.help)))
    if verdict.at_chance:
        return Success(
            facts={**ActionProblem.as_facts(judging.guessing("passed", verdict.at_chance)), **judging.GUESSES}
        )
    return Success()
