"""The results of the present targets: the key of each action, and the remote's answer.

    results(session, graph, targets, look) -> {action name: Known}

An action's key covers the digests of its inputs, which are outputs of earlier actions. They come from the state of this
repo, or else from results of the remote. So the walk also works in a fresh clone, as far as the remote has results. It
runs no action and writes nothing.

The walk goes in waves: all known keys are looked up at once. A built repo takes one wave.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ovmake.commands.cache.reaching import each
from ovmake.contracts.sharing.remote_result import RemoteResult
from ovmake.diagnostics import OvmakeError
from ovmake.engine.observe import Observer
from ovmake.graph.action import Action, Artifact, Graph, Source
from ovmake.graph.digest import Digest
from ovmake.graph.query import closure
from ovmake.project.session import Session
from ovmake.remote.layout import result_path
from ovmake.remote.line import Line
from ovmake.remote.objects import RemoteError
from ovmake.remote.results import MOST_BYTES, from_bytes, outputs_of
from ovmake.remote.signing import DAMAGED, RefusedError
from ovmake.store.cas import Cas


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The remote's answer for a key. `why`: why the result is refused, "" if it is good or missing."""

    result: RemoteResult | None = None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """An action of the present targets. `key` is "" if it is unknown: a source or an earlier result is missing."""

    action: Action
    key: str = ""
    answer: Answer = Answer()


Look = Callable[[str], Answer]
NOTHING = Answer()


def look_at(line: Line) -> Look:
    """Return a function that gets a result from the remote and checks it. It raises RemoteError."""

    def look(key: str) -> Answer:
        try:
            data = line.read(lambda objects: objects.get(result_path(key), MOST_BYTES))
            if data is None:
                return NOTHING
            return Answer(result=from_bytes(data, line.settings.trusted_keys, key=key))
        except RefusedError as error:
            return Answer(why=str(error))
        except RemoteError as error:
            if error.trouble != "large":
                raise
            return Answer(why=DAMAGED)

    return look


def results(session: Session, graph: Graph, targets: Sequence[str], look: Look) -> Mapping[str, Known]:
    """Return every action of the targets, in the graph's order, with what `look` finds under its key."""
    walk = _Walk(session, closure(graph, [graph.targets[name] for name in targets]))
    while keys := walk.next_keys():
        walk.answer(dict(zip(keys, each(look, list(keys.values())), strict=True)), keys)
    return walk.found


class _Walk:
    """The walk. `found` has all actions from the start; keys and answers are filled in."""

    def __init__(self, session: Session, actions: Sequence[Action]) -> None:
        self._world = session.world(lambda _: None)
        self._database = session.database
        self._observer = Observer(self._world, Cas(session.disk))
        self._asked: set[str] = set()
        self._made: dict[str, Mapping[str, Digest] | None] = {}
        self.found = {action.name: Known(action=action) for action in actions}

    def next_keys(self) -> dict[str, str]:
        """Return the keys that have become known, by action name."""
        keys = {}
        for name, known in self.found.items():
            if name not in self._asked and self._inputs_known(known.action):
                self._asked.add(name)
                if key := self._key(known.action):
                    keys[name] = key
        return keys

    def _inputs_known(self, action: Action) -> bool:
        makers = (given.origin for given in action.inputs if isinstance(given.origin, Artifact))
        return all((self._made.get(one.action) or {}).get(one.role) is not None for one in makers)

    def _key(self, action: Action) -> str:
        """Return the action digest, "" if a source or a tool is missing. A link out of the repo is not read."""
        sources = (given.origin.path for given in action.inputs if isinstance(given.origin, Source))
        if not all(map(self._world.inside, sources)):
            return ""
        try:
            seen = self._observer.see(action, self._made)
        except OvmakeError:
            return ""
        trace = self._observer.trace(action)
        if trace is None or trace.seen.digest != seen.digest:
            trace = self._database.result(seen.digest)
        self._made[action.name] = None if trace is None else trace.outputs
        return seen.digest

    def answer(self, answers: Mapping[str, Answer], keys: Mapping[str, str]) -> None:
        """Record answers of the remote."""
        for name, answer in answers.items():
            self.found[name] = Known(action=self.found[name].action, key=keys[name], answer=answer)
            if self._made.get(name) is None and answer.result is not None:
                self._made[name] = outputs_of(answer.result)
