"""*choose*: the IR of the candidate that was chosen, and what is known of it."""

from __future__ import annotations

from ovmake.contracts.problem import ActionProblem
from ovmake.engine.in_process.files import read, read_if_any, write
from ovmake.engine.job import Failure, Job, Success
from ovmake.store.files.beneath import copy
from ovmake.verdicts import choosing, judging


def choose(job: Job) -> Success | Failure:
    """Copy the chosen IR, with its evaluation, verdict and search."""
    choice = read(job, "choice")
    if choice["chosen"] is None:
        return Failure(
            code="gate-missed",
            message=str(choice["why"]),
            notes=(*choosing.in_words(choice), "nothing was published; the last good IR, if any, is where it was"),
            help="widen the promise, or name other `candidates`",
            setting="accuracy",
            facts={"gate": "missed", "drop": None},
        )
    chosen = str(choice["chosen"])
    for role in ("xml", "bin"):
        copy(job.inputs[f"{chosen}.{role}"], job.outputs[role])
    # Empty where the chosen precision has no gate, or gave no layers back.
    found = {role: read_if_any(job, f"{chosen}.{role}") or {} for role in ("evaluation", "verdict", "search")}
    for role, content in found.items():
        write(job, role, content)
    verdict = found["verdict"]
    if verdict.get("result") == "not-measured":
        return Success(
            facts=ActionProblem.as_facts(judging.unmeasured(str(verdict["text"]), str(verdict.get("help", ""))))
        )
    if guessing := verdict.get("at_chance"):
        return Success(facts={**ActionProblem.as_facts(judging.guessing("passed", str(guessing))), **judging.GUESSES})
    return Success()
