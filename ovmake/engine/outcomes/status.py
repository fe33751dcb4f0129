"""One line per target: fresh, stale, failed, never built. From a dry run and the recorded failures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from ovmake.contracts.values import Facts
from ovmake.engine.events import Event
from ovmake.engine.executor import ActionOutcome, Outcome
from ovmake.engine.outcomes.scores import Scores, drop_in_words
from ovmake.engine.world import Options
from ovmake.graph.action import Graph
from ovmake.graph.query import closure, select
from ovmake.store.database import Database

# The fact of an action with a short remark on its target.
NOTE = "note"

Execute = Callable[[Graph, Sequence[str], Options, Callable[[Event], None]], Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusLine:
    """The status of a target; `message` is the error if it failed, else a remark, or ""."""

    target: str
    status: Literal["fresh", "stale", "failed", "never built"]
    message: str = ""


def statuses(graph: Graph, database: Database, execute: Execute, asked: Sequence[str]) -> Iterator[StatusLine]:
    """Yield a line per target that `asked` names."""
    targets = select(graph, asked)
    outcome = execute(graph, targets, Options(dry_run=True, keep_going=True), lambda _: None)
    failures = database.failures()
    built = database.traces()
    for target in targets:
        actions = closure(graph, [graph.targets[target]])
        names = [action.name for action in actions if not action.advisory]
        messages = [message for name in names if (message := _failure(name, outcome.actions[name], failures))]
        facts = [outcome.actions[action.name].facts for action in actions]
        notes = [*dict.fromkeys(map(_scores, facts)), *(str(one.get(NOTE, "")) for one in facts)]
        if messages:
            yield StatusLine(target=target, status="failed", message=messages[0])
        elif outcome.targets[target] == "fresh":
            yield StatusLine(target=target, status="fresh", message="; ".join(filter(None, notes)))
        else:
            never = built.keys().isdisjoint({graph.targets[target], f"publish {target}"})
            yield StatusLine(target=target, status="never built" if never else "stale")


def _scores(facts: Facts) -> str:
    """Return the scores and the drop of a gate, which the publication repeats; "" if no metric was compared."""
    scores, drop = Scores.of_facts(facts), facts.get("drop")
    return f"{scores.in_words()}, {drop_in_words(drop)}" if scores and isinstance(drop, int | float) else ""


def _failure(name: str, done: ActionOutcome, failures: dict[str, tuple[str, str]]) -> str:
    """Return the error of an action, if its inputs are the same as when it failed; else ""."""
    if done.diagnostic is not None:
        return done.diagnostic.message
    digest, message = failures.get(name, ("", ""))
    same = done.seen is not None and done.seen.known and done.seen.digest == digest
    return message if same and done.status != "fresh" else ""
