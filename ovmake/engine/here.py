"""The few actions that run in the ovmake process: gate and publish. They read and write small JSON files only."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from ovmake.engine.job import Complaint, Failure, Job, Success
from ovmake.graph.action import Artifact
from ovmake.promise import decide, facts_of
from ovmake.rules.publish import Published, record


def run_here(job: Job) -> Success | Failure:
    """Do the job now."""
    return KINDS[job.action.kind](job)


def _gate(job: Job) -> Success | Failure:
    verdict = decide(_read(job, "evaluation"), job.params)
    facts = verdict.to_facts()
    promised = "accuracy.promised" in job.params
    if verdict.result == "missed" or (verdict.result == "not-measured" and promised):
        return Failure(
            code="gate-missed" if verdict.result == "missed" else "gate-not-measured",
            message=verdict.text,
            notes=("nothing was published; the last good IR, if there is one, is where it was",),
            help="" if verdict.result == "missed" else "`accuracy = false` publishes the IR without comparing it",
            setting=verdict.broken or "accuracy",
            facts=facts,
        )
    _write(job, "verdict", verdict.to_json())
    if not verdict.doubt:
        return Success(facts=facts)
    complaint = Complaint(
        code="undecided-gate",
        message=f"the gate passed, and {verdict.doubt}",
        help="add samples to the validation set, or take what it can tell for the promise",
        setting="accuracy.dataset",
    )
    return Success(facts=facts | complaint.as_facts())


def _publish(job: Job) -> Success | Failure:
    judged = "verdict" in job.inputs
    verdict = _read(job, "verdict") if judged else None
    made_by = next(source.origin for source in job.action.inputs if source.role == "xml")
    content = record(
        Published(
            params=job.params,
            tools=job.tools,
            digests=job.digests,
            interface=_read(job, "interface"),
            evaluation=_read(job, "evaluation") if judged else None,
            verdict=verdict,
            step=made_by.action.partition(" ")[0] if isinstance(made_by, Artifact) else "",
            environment=job.environment,
        ),
    )
    _write(job, "record", content)
    if verdict is None:
        return Success(facts={"gate": "not-measured", "drop": None})
    return Success(facts=facts_of(verdict))


KINDS: dict[str, Callable[[Job], Success | Failure]] = {"gate": _gate, "publish": _publish}


def _read(job: Job, role: str) -> dict[str, object]:
    content = json.loads(Path(job.inputs[role]).read_bytes())
    if not isinstance(content, dict):
        raise TypeError(f"{job.action.name}: `{role}` is no JSON object")
    return content


def _write(job: Job, role: str, content: dict[str, object]) -> None:
    Path(job.outputs[role]).write_text(json.dumps(content, indent=2, allow_nan=False) + "\n")
