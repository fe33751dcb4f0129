"""What an action needs: all of it, in the graph's order, without a look at the rest of the graph."""

from __future__ import annotations

from ovmake.graph.action import Action, Graph
from ovmake.graph.query import closure
from tests.engine.small import action, graph


class Watched(dict[str, Action]):
    """Actions that know which of them were asked for."""

    def __init__(self, actions: dict[str, Action]) -> None:
        super().__init__(actions)
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> Action:
        self.asked.add(name)
        return super().__getitem__(name)


def test_it_holds_what_is_needed_and_what_is_waited_for() -> None:
    whole = graph(
        action("convert m", "m.pb"),
        action("check m", "m.pb"),
        action("quantize m", "convert m", after=("check m",)),
        action("publish m", "quantize m"),
        action("publish other", "convert m"),
    )

    found = closure(whole, ["publish m"])

    assert ["convert m", "check m", "quantize m", "publish m"] == [one.name for one in found]


def test_it_is_in_the_order_of_the_graph_whatever_is_asked_for_first() -> None:
    whole = graph(
        action("convert b", "b.pb"),
        action("convert a", "a.pb"),
        action("publish b", "convert b"),
        action("publish a", "convert a"),
    )

    found = closure(whole, ["publish a", "publish b", "convert a"])

    assert ["convert b", "convert a", "publish b", "publish a"] == [one.name for one in found]


def test_a_target_of_a_large_graph_costs_no_look_at_the_others() -> None:
    # A build asks once for each of its targets: a walk over the graph each time is quadratic.
    small = graph(
        *(action(f"{kind} m{number}", *reads(kind, number)) for number in range(50) for kind in ("convert", "publish"))
    )
    actions = Watched(dict(small.actions))
    whole = Graph(actions=actions, targets=small.targets)

    closure(whole, ["publish m7"])

    assert {"convert m7", "publish m7"} == actions.asked


def reads(kind: str, number: int) -> list[str]:
    return [f"m{number}.pb"] if kind == "convert" else [f"convert m{number}"]
