"""The action graph as text: for Graphviz, for Mermaid, and as JSON.

    draw("dot", graph, targets) -> str      also "mermaid" and "json"

Pure. All three show the same: every action that the targets need, the sources it reads, the files it publishes, and the
order. A solid edge is an input, labelled with its role. A dashed edge means only "runs after" (`Action.after`). Sources
and published files are boxes of their own.

Rule: names come from an Ovfile and may hold any character. In dot every name is a quoted string. Mermaid has no quoted
strings: there all but letters, digits and a few marks are written as character codes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ovmake.diagnostics import harmless
from ovmake.graph.action import Action, Artifact, Graph, Source
from ovmake.graph.query import closure

FORMAT = 2
PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _-./:@")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """The nodes and edges: actions, paths of sources and of published files, and edges between them.

    `reads` are (input, reader, label); an input is an action's name or a source.
    """

    actions: tuple[Action, ...]
    sources: tuple[str, ...]
    published: tuple[str, ...]
    reads: tuple[tuple[str | Source, str, str], ...]
    waits: tuple[tuple[str, str], ...]
    publishes: tuple[tuple[str, str], ...]


def draw(form: str, graph: Graph, targets: Sequence[str]) -> str:
    """Return the graph of the targets in one of the formats."""
    if form == "json":
        return json.dumps(to_json(graph, targets))
    return {"dot": dot, "mermaid": mermaid}[form](graph, targets)


def drawing_of(graph: Graph, targets: Sequence[str]) -> Drawing:
    """Return the drawing of all that the targets need, in the graph's order."""
    actions = tuple(closure(graph, [graph.targets[name] for name in targets]))
    publishes = tuple((action.name, out.place) for action in actions for out in action.outputs if out.place is not None)
    sources = [given.origin.path for action in actions for given in action.inputs if isinstance(given.origin, Source)]
    return Drawing(
        actions=actions,
        sources=tuple(dict.fromkeys(sources)),
        published=tuple(place for _, place in publishes),
        reads=tuple(edge for action in actions for edge in _reads(action)),
        waits=tuple((before, action.name) for action in actions for before in action.after),
        publishes=publishes,
    )


def _reads(action: Action) -> Iterator[tuple[str | Source, str, str]]:
    """Yield one edge per action or source that is read, labelled with all roles read from it."""
    roles: dict[str | Source, list[str]] = {}
    for given in action.inputs:
        if isinstance(given.origin, Artifact):
            roles.setdefault(given.origin.action, []).append(given.origin.role)
        else:
            roles.setdefault(given.origin, []).append(given.role)
    for origin, labels in roles.items():
        yield origin, action.name, ", ".join(labels)


# dot


def dot(graph: Graph, targets: Sequence[str]) -> str:
    """Return a digraph for Graphviz. Nodes are named "action …", "source …" and "file …"."""
    drawing = drawing_of(graph, targets)
    lines = ["digraph ovmake {", "  rankdir = LR;", "  node [shape = box, fontname = sans];"]
    lines += [f"  {_node('source', path)} [label = {_quoted(path)}, shape = folder];" for path in drawing.sources]
    lines += [
        f"  {_node('action', action.name)} [label = {_quoted(action.kind, action.subject, action.worker)}];"
        for action in drawing.actions
    ]
    lines += [f"  {_node('file', place)} [label = {_quoted(place)}, shape = note];" for place in drawing.published]
    for origin, name, label in drawing.reads:
        start = _node("source", origin.path) if isinstance(origin, Source) else _node("action", origin)
        lines.append(f"  {start} -> {_node('action', name)} [label = {_quoted(label)}];")
    lines += [f"  {_node('action', a)} -> {_node('action', b)} [style = dashed];" for a, b in drawing.waits]
    lines += [f"  {_node('action', name)} -> {_node('file', place)};" for name, place in drawing.publishes]
    return "\n".join([*lines, "}"])


def _node(kind: str, name: str) -> str:
    return _quoted(f"{kind} {name}")


def _quoted(*lines: str) -> str:
    r"""Return one quoted dot string; lines are separated by dot's `\n`.

    In labels a backslash begins an escape (`\N` is the node's name) and `&` an HTML entity.
    """
    escaped = [harmless(line).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;") for line in lines]
    joined = "\\n".join(escaped)
    return f'"{joined}"'


# Mermaid


def mermaid(graph: Graph, targets: Sequence[str]) -> str:
    """Return a flowchart for Mermaid, which GitHub and GitLab draw. Nodes are numbered: names are not valid ids."""
    drawing = drawing_of(graph, targets)
    actions = {action.name: f"a{number}" for number, action in enumerate(drawing.actions, 1)}
    sources = {path: f"s{number}" for number, path in enumerate(drawing.sources, 1)}
    files = {place: f"f{number}" for number, place in enumerate(drawing.published, 1)}
    lines = ["flowchart LR"]
    lines += [f'  {node}[("{_coded(path)}")]' for path, node in sources.items()]
    lines += [
        f'  {actions[action.name]}["{_coded(action.kind)}<br>{_coded(action.subject)}<br>{action.worker}"]'
        for action in drawing.actions
    ]
    lines += [f'  {node}>"{_coded(place)}"]' for place, node in files.items()]
    lines += [
        f'  {sources[of.path] if isinstance(of, Source) else actions[of]} -->|"{_coded(label)}"| {actions[name]}'
        for of, name, label in drawing.reads
    ]
    lines += [f"  {actions[before]} -.-> {actions[name]}" for before, name in drawing.waits]
    lines += [f"  {actions[name]} --> {files[place]}" for name, place in drawing.publishes]
    return "\n".join(lines)


def _coded(text: str) -> str:
    """Return text with all characters that Mermaid might interpret as `#code;`."""
    return "".join(c if c in PLAIN else f"#{ord(c)};" for c in text)


# JSON


def to_json(graph: Graph, targets: Sequence[str]) -> dict[str, object]:
    """Return the public form: keys are added, never renamed."""
    return {
        "format": FORMAT,
        "targets": {name: graph.targets[name] for name in targets},
        "actions": [_action(action) for action in drawing_of(graph, targets).actions],
    }


def _action(action: Action) -> dict[str, object]:
    return {
        "name": action.name,
        "kind": action.kind,
        "subject": action.subject,
        "worker": action.worker,
        "inputs": [
            {"role": given.role, "action": given.origin.action, "output": given.origin.role}
            if isinstance(given.origin, Artifact)
            else {"role": given.role, "source": given.origin.path}
            for given in action.inputs
        ],
        "after": list(action.after),
        "outputs": [
            {"role": out.role} if out.place is None else {"role": out.role, "published": out.place}
            for out in action.outputs
        ],
    }
