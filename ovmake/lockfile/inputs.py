"""The input digest of a target: its settings in the Ovfile and its sources only.

    input_digest(graph, target, source_digest) -> TargetInputs(inputs, settings, sources)
    inputs_of(graph, targets, source_digest) -> {target: TargetInputs}      the same for many; shared actions once
    combined(settings, sources) -> inputs

Tools, machine, environment, code and ovmake's version are not part of it: newer tools do not make a lock out of date.

Rule 1: The digest covers the kind, settings and inputs of an action, but not its name: names of shared actions depend
        on other targets.
Rule 2: It covers the actions that *publish* reads from, and those that *publish* waits for (the limit of size). It does
        not cover checks of samples, measurements and advice.
Rule 3: It covers the bytes of a source, even if an action compares the source's fingerprint.
Rule 4: It does not cover advice, which comes from the lock itself.
Rule 5: `inputs` is computed from `settings` and `sources`. This detects a block that a textual merge combined from two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from ovmake.graph.action import Action, Artifact, Graph, Source
from ovmake.graph.digest import Digest, of_json

# The version of the digest. A new number makes all locks out of date.
FORMAT = 1

# The digest of a source that does not exist.
ABSENT = ""

# The digest of a source's bytes by its path in the Ovfile; None if it does not exist.
SourceDigest = Callable[[str], Digest | None]


class TargetInputs(NamedTuple):
    """The inputs of a target; see `LockedTarget`. `sources` holds "" for a source that does not exist."""

    inputs: str
    settings: str
    sources: Mapping[str, str]


def input_digest(graph: Graph, target: str, source_digest: SourceDigest) -> TargetInputs:
    """Return the digests of a target's inputs. `graph` may be that of a build or of a report.

    Raises:
        KeyError: the graph has no such target.
        OSError, OvmakeError: `source_digest` raised it.
    """
    return inputs_of(graph, [target], source_digest)[target]


def inputs_of(graph: Graph, targets: Iterable[str], source_digest: SourceDigest) -> dict[str, TargetInputs]:
    """Return the digests of the inputs of several targets."""
    settings = _Settings(graph)
    found: dict[str, str] = {}

    def encoded(path: str) -> str:
        if path not in found:
            digest = source_digest(path)
            found[path] = ABSENT if digest is None else digest.encoded()
        return found[path]

    result = {}
    for target in targets:
        last = publication(graph, target)
        paths = sorted(settings.paths_of(last))
        sources = {path: encoded(path) for path in paths}
        digest = settings.digest_of(last)
        result[target] = TargetInputs(combined(digest, sources), digest, sources)
    return result


def combined(settings: str, sources: Mapping[str, str]) -> str:
    """Return the input digest for settings and sources."""
    return of_json({"format": FORMAT, "settings": settings, "sources": dict(sources)})


def publication(graph: Graph, target: str) -> Action:
    """Return the action that publishes a target.

    Raises:
        KeyError: the graph has no such target.
    """
    return graph.actions[f"publish {target}"]


def read_by(graph: Graph, last: Action) -> tuple[str, ...]:
    """Return the actions that one reads from; for *publish*, also those that it waits for."""
    names = [*last.made_by, *(last.after if last.kind == "publish" else ())]
    return tuple(name for name in dict.fromkeys(names) if not graph.actions[name].advisory)


class _Settings:
    """Digests of settings, and paths of sources, by action; each action is visited once."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._digests: dict[str, str] = {}
        self._paths: dict[str, frozenset[str]] = {}

    def digest_of(self, last: Action) -> str:
        """Return the digest of the settings of an action and of all actions that it reads from."""
        self._look(last)
        return self._digests[last.name]

    def paths_of(self, last: Action) -> frozenset[str]:
        """Return the paths of the sources of an action and of all actions that it reads from."""
        self._look(last)
        return self._paths[last.name]

    def _look(self, last: Action) -> None:
        pending = [last]
        while pending:
            action = pending[-1]
            missing = [name for name in read_by(self._graph, action) if name not in self._digests]
            if missing:
                pending += (self._graph.actions[name] for name in missing)
                continue
            pending.pop()
            if action.name not in self._digests:
                self._note(action)

    def _note(self, action: Action) -> None:
        before = read_by(self._graph, action)
        self._digests[action.name] = of_json(
            {
                "kind": action.kind,
                "settings": {name: value for name, value in action.settings.items() if name not in action.advice},
                "inputs": {given.role: self._origin(given.origin) for given in action.inputs},
                "after": sorted(self._digests[name] for name in before if name not in action.made_by),
            }
        )
        self._paths[action.name] = frozenset(action.source_paths).union(*(self._paths[name] for name in before))

    def _origin(self, origin: Source | Artifact) -> list[str]:
        if isinstance(origin, Source):
            return ["source", origin.path]
        return ["output", origin.role, self._digests.get(origin.action, "")]
