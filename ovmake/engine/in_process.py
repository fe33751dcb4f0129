"""The few actions that run in the ovmake process: they compare a few numbers, or put files where they belong.

gate, judge     an evaluation against the promise; a judgement is the same as data
check-speed     an IR beside its FP32 sibling; a warning where it is slower
weigh, choose   what `auto` chooses, and the chosen IR
publish         the record
check-size, require     what else the Ovfile asks for
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from ovmake.contracts.problem import ActionProblem
from ovmake.contracts.values import JsonValue
from ovmake.engine.job import Failure, Job, Success
from ovmake.graph.action import Artifact
from ovmake.store.files.own_folders import copy_file, create_file, read_file
from ovmake.verdicts import (
    Default,
    Verdict,
    choosing,
    decide,
    default_verdict,
    facts_of,
    judging,
    requirements,
    searching,
    speed,
)
from ovmake.verdicts.record import Published, record

GUESSES: Mapping[str, JsonValue] = {"note": "TensorFlow itself is no better than chance"}


def run_here(job: Job) -> Success | Failure:
    """Do the job now."""
    return KINDS[job.action.kind](job)


def _gate(job: Job) -> Success | Failure:
    evaluation = _read(job, "evaluation")
    verdict, default = decide(evaluation, job.params), default_verdict(evaluation, job.params)
    search = _read_if_any(job, "search")
    told = _told(verdict, default)
    facts = facts_of(told) | (searching.facts(search) if search else {})
    promised = "accuracy.promised" in job.params
    if not verdict.keeps(promised=promised):
        unpublished = "nothing was published; the last good IR, if there is one, is where it was"
        doubts = _doubts(job)
        return Failure(
            code=judging.code(verdict),
            message=verdict.text,
            notes=(*doubts, *(searching.notes(search) if search and verdict.result == "missed" else ()), unpublished),
            help=judging.advice(verdict, search, evaluation, job.params, doubts=doubts),
            setting=verdict.broken or "accuracy",
            facts=facts,
        )
    _write(job, "verdict", told)
    if verdict.at_chance:
        facts |= GUESSES
    return Success(facts=facts | ActionProblem.as_facts(*judging.of_gate(verdict, search)))


def _told(verdict: Verdict, default: Default | None) -> dict[str, object]:
    """Return the content of the verdict's file."""
    return verdict.to_json() | ({"default": default.to_json()} if default else {})


def _doubts(job: Job) -> tuple[str, ...]:
    """Return what is odd about the samples that calibrated."""
    checked = _read_if_any(job, "calibrated") or {}
    doubts = checked.get("doubts")
    return tuple(map(str, doubts)) if isinstance(doubts, list) else ()


def _judge(job: Job) -> Success:
    evaluation = _read(job, "evaluation")
    verdict = decide(evaluation, job.params)
    _write(job, "verdict", _told(verdict, default_verdict(evaluation, job.params)))
    _write(job, "kept", {"kept": verdict.keeps(promised="accuracy.promised" in job.params)})
    return Success()


def _check_speed(job: Job) -> Success:
    precision = str(job.params["precision"])
    verdict = speed.judge(_read(job, "comparison"), precision)
    _write(job, "speed", verdict.to_json())
    if not verdict.slower:
        return Success()
    complaint = ActionProblem(
        code="slower-than-float",
        message=f"the {precision} IR is slower than the FP32 one: {verdict.speed}",
        notes=tuple(f"likely because {reason}" for reason in verdict.reasons),
        help=f"leave `{precision}` out of `precisions`, or choose by measurement with `auto`; "
        "`speed-check = false` turns this check off",
        setting="speed-check",
    )
    return Success(facts={"note": f"slower than the FP32 IR: {verdict.speed}", **ActionProblem.as_facts(complaint)})


def _weigh(job: Job) -> Success:
    precisions = job.params["candidates"]
    if not isinstance(precisions, tuple):
        raise TypeError("candidates are an array")
    judged = [
        choosing.judged(str(name), verdict=_read_if_any(job, f"{name}.verdict"), kept=_read_if_any(job, f"{name}.kept"))
        for name in precisions
    ]
    rounds = _read(job, "measurement")["rounds"]
    choice = choosing.weigh(judged, rounds if isinstance(rounds, list) else [])
    _write(job, "choice", choice.to_json())
    return Success()


def _choose(job: Job) -> Success | Failure:
    choice = _read(job, "choice")
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
        copy_file(job.inputs[f"{chosen}.{role}"], job.outputs[role])
    # Empty where the chosen precision has no gate, or gave no layers back.
    found = {role: _read_if_any(job, f"{chosen}.{role}") or {} for role in ("evaluation", "verdict", "search")}
    for role, content in found.items():
        _write(job, role, content)
    verdict = found["verdict"]
    if verdict.get("result") == "not-measured":
        return Success(
            facts=ActionProblem.as_facts(judging.unmeasured(str(verdict["text"]), str(verdict.get("help", ""))))
        )
    if guessing := verdict.get("at_chance"):
        return Success(facts={**ActionProblem.as_facts(judging.guessing("passed", str(guessing))), **GUESSES})
    return Success()


def _publish(job: Job) -> Success | Failure:
    verdict = _read_if_any(job, "verdict")
    choice = _read_if_any(job, "choice")
    search = _read_if_any(job, "search")
    evaluation = _read_if_any(job, "evaluation")
    made_by = next(source.origin for source in job.action.inputs if source.role == "xml")
    content = record(
        Published(
            params=job.params,
            tools=job.tools,
            digests=job.digests,
            interface=_read(job, "interface"),
            evaluation=evaluation,
            verdict=verdict,
            choice=choice,
            search=search,
            step=made_by.action.partition(" ")[0] if isinstance(made_by, Artifact) else "",
            environment=job.environment,
        ),
    )
    _write(job, "record", content)
    facts: dict[str, JsonValue] = {"gate": "not-measured", "drop": None} if verdict is None else facts_of(verdict)
    notes = [f"gate not measured: {facts['why']}"] if "why" in facts else []
    notes += [f"needs {facts['needs']}"] if "needs" in facts else []
    if search:
        facts |= searching.facts(search)
        notes.append(searching.note(search))
    facts |= {"note": "; ".join(notes)} if notes else {}
    facts |= {"chosen": str(choice["chosen"])} if choice else {}
    return Success(
        facts=facts | ActionProblem.as_facts(*judging.of_publication(verdict or {}, evaluation or {}, content))
    )


def _check_size(job: Job) -> Success | Failure:
    most = int(str(job.params["require.size"]))
    judged = requirements.judge_size(most, sum(job.digests[role].size_bytes for role in ("xml", "bin")))
    if judged.result == requirements.MISSED:
        return Failure(
            code="requirement-missed",
            message=f"the IR's {judged.text}",
            notes=("nothing was published; the last good IR, if there is one, is where it was",),
            help="int8 and the -weights precisions make smaller IRs, and `cut` takes layers off",
            setting="require.size",
        )
    _write(job, "size", judged.to_json())
    return Success()


def _require(job: Job) -> Success | Failure:
    wanted = {name.removeprefix("require."): float(str(value)) for name, value in job.params.items()}
    judged = requirements.judge(wanted, _read(job, "measurement"))
    # What is missed first: it is surely wrong.
    failed = sorted(
        (one for one in judged if one.result != requirements.PASSED), key=lambda one: one.result != requirements.MISSED
    )
    if failed:
        return Failure(
            code=f"requirement-{failed[0].result}",
            message=failed[0].text,
            notes=(*(one.text for one in judged if one is not failed[0]), "the IR stays published"),
            help="`ovmake report --force` measures again, if the machine was busy",
            setting=f"require.{failed[0].name}",
        )
    _write(job, "requirements", {"format": 1, "requirements": [one.to_json() for one in judged]})
    return Success()


KINDS: dict[str, Callable[[Job], Success | Failure]] = {
    "gate": _gate,
    "judge": _judge,
    "check-speed": _check_speed,
    "weigh": _weigh,
    "choose": _choose,
    "publish": _publish,
    "check-size": _check_size,
    "require": _require,
}


def _read(job: Job, role: str) -> dict[str, object]:
    content = json.loads(read_file(job.inputs[role]))
    if not isinstance(content, dict):
        raise TypeError(f"{job.action.name}: `{role}` is no JSON object")
    return content


def _read_if_any(job: Job, role: str) -> dict[str, object] | None:
    """Return a JSON input, None where the action has none of that role or it is empty."""
    return (_read(job, role) or None) if role in job.inputs else None


def _write(job: Job, role: str, content: dict[str, object]) -> None:
    create_file(job.outputs[role], (json.dumps(content, indent=2, allow_nan=False) + "\n").encode())
