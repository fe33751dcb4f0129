"""Accuracy control from a lock: tell each search which layers to revert first.

    with_replay(graph, {"m:int8": ("conv2d_3/Conv2D",)}) -> Graph

A lock names the layers that a search reverted on another machine. With them, *control* needs one validation in place of
a search; if they do not meet the requirement here, it searches.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ovmake.contracts.params.quantization import ControlParams
from ovmake.graph.action import Action, Graph
from ovmake.graph.query import closure


def with_replay(graph: Graph, reverted: Mapping[str, tuple[str, ...]]) -> Graph:
    """Return the graph in which the searches of targets try these layers first; `reverted` is by target.

    A target of which several searches are made, as `auto` may need, is left as it is: the lock does not say which one
    it means.
    """
    changed: dict[str, Action] = {}
    for target, names in reverted.items():
        if not names or target not in graph.targets:
            continue
        needed = closure(graph, [graph.targets[target]])
        searches = [(one, one.params) for one in needed if isinstance(one.params, ControlParams)]
        if len(searches) == 1:
            ((search, params),) = searches
            changed[search.name] = replace(search, params=replace(params, replay=names))
    return replace(graph, actions={name: changed.get(name, one) for name, one in graph.actions.items()})
