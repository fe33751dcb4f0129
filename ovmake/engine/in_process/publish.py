"""*publish*: the record of a published IR.

The record names the ovmake version that published it. No digest covers the version, so a newer version alone does not
publish again.
"""

from __future__ import annotations

from ovmake import __version__
from ovmake.contracts.files.evaluation import Evaluation
from ovmake.contracts.files.interface import Interface
from ovmake.contracts.files.search import Search
from ovmake.contracts.files.speed import Choice
from ovmake.contracts.files.verdict import Verdict
from ovmake.contracts.params.publication import PublishParams
from ovmake.contracts.problem import ActionProblem
from ovmake.contracts.values import JsonValue
from ovmake.engine.in_process.files import params_of, read, read_if_any, write
from ovmake.engine.job import Job, Success
from ovmake.graph.action import Artifact
from ovmake.verdicts import judging, searching
from ovmake.verdicts.record import Published, record
from ovmake.verdicts.verdict import facts_of


def publish(job: Job) -> Success:
    """Write `record`."""
    verdict = read_if_any(job, "verdict", Verdict)
    choice = read_if_any(job, "choice", Choice)
    search = read_if_any(job, "search", Search)
    evaluation = read_if_any(job, "evaluation", Evaluation)
    made_by = next(source.origin for source in job.action.inputs if source.role == "xml")
    content = record(
        Published(
            params=params_of(job, PublishParams),
            tools={**job.tools, "ovmake": __version__},
            digests=job.digests,
            interface=read(job, "interface", Interface),
            evaluation=evaluation,
            verdict=verdict,
            choice=choice,
            search=search,
            action=made_by.action.partition(" ")[0] if isinstance(made_by, Artifact) else "",
            environment=job.environment,
        ),
    )
    write(job, "record", content)
    facts: dict[str, JsonValue] = {"gate": "not-measured", "drop": None} if verdict is None else facts_of(verdict)
    notes = [f"gate not measured: {facts['why']}"] if "why" in facts else []
    notes += [f"needs {facts['needs']}"] if "needs" in facts else []
    if search:
        facts |= searching.facts(search)
        notes.append(searching.note(search))
    facts |= {"note": "; ".join(notes)} if notes else {}
    facts |= {"chosen": choice.chosen} if choice else {}
    neighbours = evaluation.neighbours if evaluation else None
    warnings = judging.of_publication(verdict, neighbours, content.compile)
    return Success(facts=facts | ActionProblem.as_facts(*warnings))
