"""The outcome of a target, from the outcomes of the actions that it needs. Pure.

finished(name, ended, dry_run=...) -> TargetFinished
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ovmake.contracts.values import Facts, JsonValue
from ovmake.engine.events import ActionStatus, TargetFinished, TargetStatus
from ovmake.engine.outcomes.scores import Scores
from ovmake.graph.action import Action


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedAction:
    """An action that a target needs, and its outcome."""

    action: Action
    status: ActionStatus
    facts: Facts


def finished(name: str, ended: Sequence[EndedAction], *, dry_run: bool) -> TargetFinished:
    """Return the outcome of a target. The actions that it needs decide; failed advisory actions do not count."""
    chain = [done for done in ended if not done.action.advisory or done.status not in {"failed", "skipped"}]
    # Of several gates the last one counts, unless one failed: a failed gate must not read as passed.
    gates = sorted((done for done in chain if "gate" in done.facts), key=lambda done: done.status == "failed")
    facts: Facts = gates[-1].facts if gates else {}
    gate, drop, decided, chosen = (facts.get(name) for name in ("gate", "drop", "decided", "chosen"))
    int8_layers, layers, needs, why = (facts.get(name) for name in ("int8_layers", "layers", "needs", "why"))
    return TargetFinished(
        target=name,
        status=_status({done.status for done in chain}, dry_run=dry_run),
        gate=gate if isinstance(gate, str) else None,
        drop=drop if isinstance(drop, int | float) else None,
        chosen=chosen if isinstance(chosen, str) else None,
        interval=_interval(facts.get("interval")),
        decided=decided if isinstance(decided, bool) else None,
        int8_layers=int8_layers if isinstance(int8_layers, int) else None,
        layers=layers if isinstance(layers, int) else None,
        needs=needs if isinstance(needs, str) else None,
        scores=Scores.of_facts(facts),
        why=why if isinstance(why, str) else None,
    )


def _interval(fact: JsonValue) -> tuple[float, float] | None:
    match fact:
        case (int() | float() as low, int() | float() as high):
            return low, high
    return None


def _status(statuses: set[ActionStatus], *, dry_run: bool) -> TargetStatus:
    if "failed" in statuses:
        return "failed"
    if "skipped" in statuses:
        return "skipped"
    if statuses <= {"fresh"}:
        return "fresh"
    return "stale" if dry_run else "built"
