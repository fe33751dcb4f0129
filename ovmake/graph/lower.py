"""Lower an Ovfile to a graph of actions.

    lower(ovfile, rule, forms) -> Graph

The rule adds the actions of one target; equal actions of several targets become one. Two targets of a model with
different settings (such as `[models.m.int8] batch = 1`) need two actions of one kind: the first has the model's name as
its subject, the second its target's.

`forms` gives the kind of each source; the caller has read it from the content. Lowering reads no file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from ovmake.graph.action import Action, Graph
from ovmake.ovfile.spec import Ovfile, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceForm:
    """The form of a source: its `kind`, "" if unknown, and the paths of further files that belong to it."""

    kind: str
    beside: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Lowering:
    """The state of lowering, for a rule: the Ovfile, the forms of its sources by path, and the graph so far."""

    ovfile: Ovfile
    forms: Mapping[str, SourceForm] = field(default_factory=dict)
    actions: dict[str, Action] = field(default_factory=dict)
    _namesakes: dict[str, list[Action]] = field(default_factory=dict)

    def add(self, action: Action, *, otherwise: str = "") -> Action:
        """Add `action`, or return the equal one in the graph.

        `otherwise` is the subject to use if a different action has the name already. Targets that agree share the
        action under that name, too: it is named after the first of them.
        """
        there = self.actions.setdefault(action.name, action)
        if there == action:
            return there
        namesakes = self._namesakes.setdefault(action.name, [])
        for other in namesakes:
            if replace(other, subject=action.subject) == action:
                return other
        renamed = replace(action, subject=otherwise or action.subject)
        if renamed.name in self.actions:
            raise AssertionError(f"two different actions are named `{renamed.name}`")
        namesakes.append(renamed)
        self.actions[renamed.name] = renamed
        return renamed


Rule = Callable[[Lowering, Target], Action]


def lower(ovfile: Ovfile, rule: Rule, forms: Mapping[str, SourceForm]) -> Graph:
    """Return the graph of all targets. `rule` adds a target's actions and returns the last of them.

    A source missing from `forms` does not exist; the action that reads it reports that.
    """
    lowering = Lowering(ovfile=ovfile, forms=forms)
    targets: Mapping[str, str] = {target.name: rule(lowering, target).name for target in ovfile.targets}
    return Graph(actions=lowering.actions, targets=targets)
