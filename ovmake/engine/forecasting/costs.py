"""What actions are likely to take, from earlier runs. Pure.

    costs_of(actions, traces) -> {name: Cost}

An action's own last trace says it; else the others of its kind do: the median of their seconds, the largest of their
memory, for a wrong guess at time costs some order, and one at memory the machine. Else it is not known.

`traces` are those of the database, as text. Only what is needed of them is read: a trace per action, and where one has
none, a sample of its kind's.
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
    """Seconds, and bytes that its worker holds; None where nothing is known."""

    seconds: float | None = None
    memory_bytes: int | None = None


UNKNOWN = Cost()


def costs_of(actions: Sequence[Action], traces: Mapping[str, str]) -> dict[str, Cost]:
    """Return what each action is likely to take."""
    own = {action.name: _cost(traces[action.name]) for action in actions if action.name in traces}
    guessed = {action.kind for action in actions if own.get(action.name, UNKNOWN) is UNKNOWN}
    kinds = _kinds(guessed, traces) if guessed else {}
    return {**{action.name: kinds.get(action.kind, UNKNOWN) for action in actions}, **_known(own)}


def _known(costs: Mapping[str, Cost]) -> dict[str, Cost]:
    return {name: cost for name, cost in costs.items() if cost is not UNKNOWN}


def _cost(trace: str) -> Cost:
    """Read no more of a trace than it takes: all of `Trace.from_json` is four times as long.

    One that is damaged says nothing here. Who decides about the action by it says what is wrong.
    """
    try:
        body = json.loads(trace)
        return Cost(seconds=float(body["seconds"]), memory_bytes=body.get("peak_bytes"))
    except (ValueError, KeyError, TypeError):
        return UNKNOWN


def _kinds(kinds: Iterable[str], traces: Mapping[str, str]) -> dict[str, Cost]:
    """Return what actions of some kinds took. The kind is the first word of an action's name."""
    of_kind: dict[str, list[str]] = {kind: [] for kind in kinds}
    for name in traces:
        if (kind := name.partition(" ")[0]) in of_kind:
            of_kind[kind].append(name)
    samples = {kind: _known({name: _cost(traces[name]) for name in _sample(names)}) for kind, names in of_kind.items()}
    return {kind: _typical(list(costs.values())) for kind, costs in samples.items() if costs}


def _sample(names: list[str]) -> list[str]:
    """Return some of many, spread over all of them."""
    return names[:: -(-len(names) // SAMPLE) or 1]


def _typical(costs: list[Cost]) -> Cost:
    import statistics  # noqa: PLC0415 - 13 ms, and only what never ran needs it

    seconds = [cost.seconds for cost in costs if cost.seconds is not None]
    memory = [cost.memory_bytes for cost in costs if cost.memory_bytes is not None]
    return Cost(seconds=statistics.median(seconds), memory_bytes=max(memory, default=None))
