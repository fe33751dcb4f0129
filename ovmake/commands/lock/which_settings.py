"""The names of settings that changed since a block was made, if the state of that build still exists.

    name_settings(session, graph, lock, findings) -> findings

A block has a digest of its settings, not the settings. If the last build here made the block, its traces have them. In
a clone without that state, a finding says that settings changed, but not which.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ovmake.contracts.sharing.lock import Lock, LockedTarget
from ovmake.graph.action import Graph
from ovmake.lockfile.checking import Finding
from ovmake.lockfile.inputs import publication
from ovmake.lockfile.making import counting
from ovmake.project.session import Session


def name_settings(session: Session, graph: Graph, lock: Lock, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the findings, with the names of changed settings if they are known."""
    return tuple(
        replace(one, named=_named(session, graph, one.target, lock.targets[one.target])) if one.settings else one
        for one in findings
    )


def _named(session: Session, graph: Graph, target: str, block: LockedTarget) -> tuple[str, ...]:
    last = publication(graph, target)
    trace = session.database.trace(last.name)
    if trace is None or {digest.encoded() for digest in trace.outputs.values()} != set(block.outputs.values()):
        return ()
    names: set[str] = set()
    for action in counting(graph, target):
        before, now = session.database.trace(action.name), action.settings
        if before is None:  # a new action
            continue
        was = before.seen.params
        names |= {name for name in {*was, *now} if repr(was.get(name)) != repr(now.get(name))}  # 1 is not True
    return tuple(sorted(names))
