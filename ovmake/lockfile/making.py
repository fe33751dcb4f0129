"""Make the block of a target from its traces and its record. Pure.

    make(graph, target, traces, record, build_dir=..., now=...) -> LockedTarget

The caller has checked that the target is fresh: each action that counts for it sees the inputs of its trace.

Rule: The block describes the build. Its digests of sources come from the traces, not from the present files: an edit at
      this moment makes the block out of date, but not wrong.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from ovmake.contracts.files.record import Record
from ovmake.contracts.sharing.lock import LockedTarget
from ovmake.graph.action import Action, Graph, Source
from ovmake.graph.digest import Digest
from ovmake.graph.trace import Trace
from ovmake.lockfile.inputs import SourceDigest, input_digest, publication, read_by

NOT_INSTALLED = "not installed"


def make(
    graph: Graph, target: str, traces: Mapping[str, Trace], record: Record, *, build_dir: str, now: SourceDigest
) -> LockedTarget:
    """Return the block of a target that is built and fresh.

    `traces` are those of the actions that count for it (`counting`), by name; `record` is what it published. `now`
    returns the digest of a source that no action compared by its bytes.

    Raises:
        KeyError: a trace is missing, or lacks an output.
    """
    actions = counting(graph, target)
    seen = _seen_sources(actions, traces)
    given = input_digest(graph, target, lambda path: seen.get(path) or now(path))
    last = publication(graph, target)
    made = traces[last.name].outputs
    interval, metric = record.gate.interval, next(iter(record.tensorflow), "")
    search = record.accuracy_control
    return LockedTarget(
        inputs=given.inputs,
        settings=given.settings,
        sources=given.sources,
        outputs={
            output.place.removeprefix(f"{build_dir}/"): made[output.role].encoded()
            for output in last.outputs
            if output.place is not None
        },
        versions=_versions(actions, traces, record),
        isa=record.reproducible.isa,
        metric=metric,
        tensorflow=_figure(record.tensorflow.get(metric)),
        openvino=_figure(record.openvino.get(metric)),
        drop=_figure(record.gate.drop),
        drop_low=_figure(interval.low if interval else None),
        drop_high=_figure(interval.high if interval else None),
        reverted=tuple(sorted(layer.name for layer in search.reverted)) if search else (),
    )


def counting(graph: Graph, target: str) -> tuple[Action, ...]:
    """Return the actions that an input digest covers: *publish* and all that it reads from; needs first."""
    last = publication(graph, target)
    found = {last.name}
    pending = [last]
    while pending:
        names = [name for name in read_by(graph, pending.pop()) if name not in found]
        found.update(names)
        pending += (graph.actions[name] for name in names)
    return tuple(graph.actions[name] for name in sorted(found, key=graph.positions.__getitem__))


def _seen_sources(actions: tuple[Action, ...], traces: Mapping[str, Trace]) -> dict[str, Digest]:
    """Return the digests of sources that actions read by their bytes, as their traces saw them."""
    found: dict[str, Digest] = {}
    for action in actions:
        for given in action.inputs:
            seen = traces[action.name].seen.inputs[given.role].digest
            if isinstance(given.origin, Source) and not given.by_computation and seen is not None:
                found[given.origin.path] = seen
    return found


def _versions(actions: tuple[Action, ...], traces: Mapping[str, Trace], record: Record) -> dict[str, str]:
    """Return the versions of all tools that were used, and of the ovmake that published."""
    tools = {tool: said for action in actions for tool, said in traces[action.name].seen.tools.items()}
    return {tool: said for tool, said in {**tools, **record.versions}.items() if said != NOT_INSTALLED}


def _figure(value: float | None) -> float | None:
    """Return a figure for the lock: None if it is not finite, and so was not measured."""
    return float(value) if value is not None and math.isfinite(value) else None
