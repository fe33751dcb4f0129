"""Reasons in words. Pure.

    in_words(reason, action, locate) -> str

`locate` turns the key path of a setting into "Ovfile:14", or "" where it cannot.
"""

from __future__ import annotations

from collections.abc import Callable

from ovmake.engine.staleness import Decision, Reason
from ovmake.graph.action import Action
from ovmake.ovfile.spec import KeyPath

Locate = Callable[[KeyPath], str]


def in_words(reason: Reason, action: Action, locate: Locate) -> str:
    """Return one line without a full stop."""
    name, old, new = reason.name, reason.old, reason.new
    match reason.kind:
        case "never-built":
            return "never built"
        case "forced":
            return "asked for by --force"
        case "input":
            return f"{name} changed: {old} → {new}"
        case "param":
            place = locate(action.origins[name]) if name in action.origins else ""
            return f"`{name}` changed: {old} → {new}" + (f"  {place}" if place else "")
        case "tool":
            return f"`{name}` {_bare(old)} → {_bare(new)}"
        case "environment":
            return f"{name} changed: {_bare(old)} → {_bare(new)}"
        case "output-missing":
            return f"{name} is missing"
        case "output-edited":
            return f"{name} is not what was published"
        case "pending":
            return f"{name} may change"


def all_in_words(decision: Decision, action: Action, locate: Locate) -> tuple[str, ...]:
    """Return a line per reason."""
    return tuple(in_words(reason, action, locate) for reason in decision.reasons)


def _bare(value: str | None) -> str:
    """Versions are strings, but read better without quotes."""
    return (value or "").strip('"')
