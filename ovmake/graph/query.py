"""Queries on a graph: the targets that a user names, and what an action needs.

select(graph, ["mobilenet", "digits:int8"]) -> target names
closure(graph, action names) -> these actions and all that they need, needs first
consumers(graph) -> for each action, the actions that need it
"""

from __future__ import annotations

from collections.abc import Iterable

from ovmake.diagnostics import Diagnostic, OvmakeError, did_you_mean
from ovmake.graph.action import Action, Graph
from ovmake.names import words_for


def select(graph: Graph, asked: Iterable[str]) -> list[str]:
    """Return the targets that `asked` names, in the order of the Ovfile; an empty `asked` means all.

    `mobilenet:int8` is one target, `mobilenet@thumb` those of a variant, `mobilenet` those of a model and its variants.

    Raises:
        OvmakeError: for every word that matches no target.
    """
    words = list(dict.fromkeys(asked))
    known = {word for name in graph.targets for word in words_for(name)}
    unknown = [word for word in words if word not in known]
    if unknown:
        raise OvmakeError(*(_unknown(word, sorted(known)) for word in unknown))
    return matching(graph, words) if words else list(graph.targets)


def matching(graph: Graph, words: Iterable[str]) -> list[str]:
    """Return the targets that match any of the words, in the order of the Ovfile. A word may match no target."""
    asked = set(words)
    return [name for name in graph.targets if not asked.isdisjoint(words_for(name))]


def _unknown(word: str, known: list[str]) -> Diagnostic:
    hint = did_you_mean(word, known) or f"known targets: {', '.join(sorted(known)[:20])}"
    return Diagnostic(code="unknown-target", message=f"unknown target `{word}`", help=hint)


def closure(graph: Graph, names: Iterable[str]) -> list[Action]:
    """Return the named actions and all that they need, in the order of the graph.

    The cost grows with the result, not with the graph: a build calls this for each of its targets.
    """
    pending = list(names)
    wanted = set(pending)
    while pending:
        needs = [need for need in graph.actions[pending.pop()].needs if need not in wanted]
        wanted.update(needs)
        pending += needs
    return [graph.actions[name] for name in sorted(wanted, key=graph.positions.__getitem__)]


def consumers(actions: Iterable[Action]) -> dict[str, list[str]]:
    """Return for each action the names of those that need it."""
    result: dict[str, list[str]] = {action.name: [] for action in actions}
    for action in actions:
        for need in action.needs:
            result[need].append(action.name)
    return result
