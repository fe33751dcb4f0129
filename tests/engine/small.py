"""Small graphs by hand, for tests of one situation.

action("convert m", "models/m.pb", place="build/m/m.xml", params={"batch": 4})
graph(first, second)          every action is a target under its own name
repo(**{"models/m.pb": b"a"}) a fake repo with these sources
"""

from __future__ import annotations

from collections.abc import Mapping

from ovmake.contracts.values import JsonValue
from ovmake.graph.action import Action, Artifact, EnvironmentName, Graph, Input, Output, Source
from tests.fakes import FakeRepo


def action(
    name: str,
    *reads: str,
    place: str | None = None,
    params: Mapping[str, JsonValue] | None = None,
    tools: tuple[str, ...] = (),
    environment: tuple[EnvironmentName, ...] = (),
    after: tuple[str, ...] = (),
    exclusive: bool = False,
) -> Action:
    """Return an action with the one output `out`. What it `reads` are names of actions (with a space) or paths."""
    kind, _, subject = name.partition(" ")
    return Action(
        kind=kind,
        subject=subject,
        worker="openvino",
        tools=tools,
        params=params,
        inputs=tuple(
            Input(role=f"in{at}", origin=Artifact(read, "out") if " " in read else Source(read))
            for at, read in enumerate(reads)
        ),
        environment=environment,
        outputs=(Output(role="out", place=place),),
        after=after,
        exclusive=exclusive,
        at=("models", subject),
        origins={key: ("models", subject, key) for key in params or {}},
    )


def graph(*actions: Action) -> Graph:
    """Return the graph of actions that come after what they need."""
    return Graph(actions={one.name: one for one in actions}, targets={one.name: one.name for one in actions})


def repo(files: Mapping[str, bytes] | None = None) -> FakeRepo:
    """Return a repo that holds some sources, written a second ago; else the one source `models/m.pb`."""
    made = FakeRepo()
    for path, data in (files or {"models/m.pb": b"a0"}).items():
        made.disk.put(path, data)
    made.disk.tick()
    return made
