"""Likely costs of actions, from earlier runs. Pure.

    costs_of(actions, traces) -> {name: Cost}

The cost comes from the action's own last trace, if there is one. Else from traces of its kind: the median of their
seconds and the maximum of their memory. (A wrong time only worsens the order; too little memory can stop the machine.)
Else it is unknown.

`traces` are those of the database, as text. Only a few are parsed: one per action, and for an action without a trace a
sample of its kind's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ovmake.graph.action import Action

# A median of this many is as good as one of thousands.
SAMPLE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Seconds, and the worker's memory in bytes; None if unknown."""

    seconds: float | None = None
    memory_bytes: int | None = None


UNKNOWN = Cost()


def costs_of(actions: Sequence[Action], traces: Mapping[str, str]) -> dict[str, Cost]:
    """Return the likely cost of each action."""
    own = {action.name: _cost(traces[action.name]) for action in actions if action.name in traces}
    guessed = {action.kind for action in actions if own.get(action.name, UNKNOWN) is UNKNOWN}
    kinds = _kinds(guessed, traces) if guessed else {}
    return {**{action.name: kinds.get(action.kind, UNKNOWN) for action in actions}, **_known(own)}


def _known(costs: Mapping[str, Cost]) -> dict[str, Cost]:
    return {name: cost for name, cost in costs.items() if cost is not UNKNOWN}


def _cost(trace: str) -> Cost:
    """Parse only the needed part of a trace: `Trace.from_json` takes four times as long.

    A damaged trace gives an unknown cost. The code that decides about the action reports the damage.
    """
    try:
        body = json.loads(trace)
        return Cost(seconds=float(body["seconds"]), memory_bytes=body.get("peak_bytes"))
    except (ValueError, KeyError, TypeError):
        return UNKNOWN


def _kinds(kinds: Iterable[str], traces: Mapping[str, str]) -> dict[str, Cost]:
    """Return the cost per kind of action. The kind is the first word of an action's name."""
    of_kind: dict[str, list[str]] = {kind: [] for kind in kinds}
    for name in traces:
        if (kind := name.partition(" ")[0]) in of_kind:
            of_kind[kind].append(name)
    samples = {kind: _known({name: _cost(traces[name]) for name in _sample(names)}) for kind, names in of_kind.items()}
    return {kind: _typical(list(costs.values())) for kind, costs in samples.items() if costs}


def _sample(names: list[str]) -> list[str]:
    """Return an evenly spread sample of names."""
    return names[:: -(-len(names) // SAMPLE) or 1]


def _typical(costs: list[Cost]) -> Cost:
    import statistics  # noqa: PLC0415 - 13 ms, and only what never ran needs it

    seconds = [cost.seconds for cost in costs if cost.seconds is not None]
    memory = [cost.memory_bytes for cost in costs if cost.memory_bytes is not None]
    return Cost(seconds=statistics.median(seconds), memory_bytes=max(memory, default=None))
