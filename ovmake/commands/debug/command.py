"""`ovmake debug`: compare the layers of targets with TensorFlow's, and name the first one that differs.

    debug(session, request, listener) -> [Debugged]

The engine builds what the comparison needs. It reuses the IRs of earlier builds, and earlier comparisons. No gate runs,
and no file is published.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ovmake.commands.debug.findings import FORMAT, Findings
from ovmake.commands.debug.words import lines, to_json
from ovmake.contracts.codec import from_bytes
from ovmake.contracts.files.compared import LayerComparisons
from ovmake.contracts.values import JsonObject
from ovmake.diagnostics import Diagnostic
from ovmake.diagnostics import to_json as diagnostic_to_json
from ovmake.engine.events import Event
from ovmake.engine.executor import Outcome
from ovmake.engine.world import Options
from ovmake.graph.action import Graph
from ovmake.graph.query import closure, select
from ovmake.project.session import Session
from ovmake.store.cas import Cas


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The request from the command line."""

    targets: tuple[str, ...]
    jobs: int
    everything: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Debugged:
    """The results as text and as public JSON. The exit status is 1 if the comparison failed for a target."""

    lines: tuple[str, ...]
    json: tuple[JsonObject, ...]
    exit_status: int


def debug(session: Session, request: Request, listener: Callable[[Event], None]) -> Debugged:
    """Compare the layers of the targets.

    Raises:
        OvmakeError: there is no such target.
    """
    graph = session.debug_graph()
    names = select(graph, request.targets)
    outcome = session.execute(graph, names, Options(jobs=request.jobs, keep_going=True, progress=True), listener)
    told: list[str] = []
    objects: list[JsonObject] = []
    for target in session.ovfile.targets:
        if target.name not in names:
            continue
        compared = outcome.actions[graph.targets[target.name]].outputs
        if compared is None:
            failures = _failures(graph, outcome, target.name)
            objects.append({"format": FORMAT, "target": target.name, "failed": failures})
            continue
        written = Cas(session.disk).read(compared["layers"])
        findings = Findings.of(target, from_bytes(LayerComparisons, written, f"the layers of {target.name}"))
        told += ([""] if told else []) + lines(findings, everything=request.everything)
        objects.append(to_json(findings))
    return Debugged(lines=tuple(told), json=tuple(objects), exit_status=outcome.exit_status)


def _failures(graph: Graph, outcome: Outcome, name: str) -> list[dict[str, object]]:
    found: list[Diagnostic | None] = [
        outcome.actions[action.name].diagnostic for action in closure(graph, [graph.targets[name]])
    ]
    return [diagnostic_to_json(diagnostic) for diagnostic in found if diagnostic is not None]
