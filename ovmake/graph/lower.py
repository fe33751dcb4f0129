"""Lower an Ovfile to a graph of actions.

    lower(ovfile, rules) -> Graph

Each rule turns one target into the actions of one section; equal actions of several targets become one. Two targets of
a model that disagree (say `[models.m.int8] batch = 1`) need two actions of one kind: the first keeps the model's name
as subject, the other is named after its target.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from ovmake.graph.action import Action, Graph
from ovmake.ovfile.spec import Ovfile, Target


@dataclass(slots=True, kw_only=True)
class Lowering:
    """What a rule works with: the Ovfile, and the graph so far."""

    ovfile: Ovfile
    actions: dict[str, Action] = field(default_factory=dict)

    def add(self, action: Action, *, otherwise: str = "") -> Action:
        """Add `action`, or return the equal one that is there.

        `otherwise` is the subject to take when another action has the name already.
        """
        there = self.actions.get(action.name)
        if there is not None and there != action:
            action = replace(action, subject=otherwise or action.subject)
            there = self.actions.get(action.name)
            if there is not None and there != action:
                raise AssertionError(f"two different actions are named `{action.name}`")
        return self.actions.setdefault(action.name, action)


Rule = Callable[[Lowering, Target], Action]


def lower(ovfile: Ovfile, rule: Rule) -> Graph:
    """Return the graph of all targets. `rule` adds a target's actions and returns the last of them."""
    lowering = Lowering(ovfile=ovfile)
    targets: Mapping[str, str] = {target.name: rule(lowering, target).name for target in ovfile.targets}
    return Graph(actions=lowering.actions, targets=targets)
