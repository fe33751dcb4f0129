"""Traces: the inputs of an action now, and the inputs and outputs of its last success.

    Seen    code, tool versions, params, environment and input digests now. The digest of an input that an action has
            yet to make is None
    Trace   a Seen with all digests known, plus the digests of the outputs (verifying trace: Mokhov et al., "Build
            Systems à la Carte", ICFP 2018, 4.2.2)

`Seen.digest` is the action digest, the key of the action cache. It does not cover the paths of sources, which are
stored for messages only: renaming a model folder rebuilds nothing.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from ovmake.contracts.values import Facts, JsonValue
from ovmake.graph.digest import Digest, of_json

# The format of digests. Also raise it after a bug that changed results in code that no digest covers
# (`store.own_code.CARRIERS`).
FORMAT = 2

# The files of a folder by relative path.
Listing = Mapping[str, Digest]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenInput:
    """An input's state: `label` is a path, or "`xml` of convert digits"; `digest` is None while unknown.

    `files` are the files of a folder, so that a reason can name those that differ; None if unknown, or too many to
    store. They are not compared.
    """

    label: str
    digest: Digest | None
    files: Listing | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """All that an action's result depends on.

    `code` is the part of ovmake that the action runs: a digest per room, see `store.own_code`.
    """

    kind: str
    tools: Mapping[str, str]
    params: Facts
    environment: Mapping[str, str]
    inputs: Mapping[str, SeenInput]
    code: Mapping[str, str] = field(default_factory=dict)

    @property
    def known(self) -> bool:
        """Whether every input has its digest."""
        return all(seen.digest is not None for seen in self.inputs.values())

    def without(self, params: Collection[str]) -> Seen:
        """Return a copy without some params."""
        left = {name: value for name, value in self.params.items() if name not in params}
        return replace(self, params=left)

    @property
    def digest(self) -> str:
        """The action digest.

        Raises:
            ValueError: the digest of an input is unknown.
        """
        if not self.known:
            raise ValueError("an action digest needs all input digests")
        return of_json(
            {
                "format": FORMAT,
                "kind": self.kind,
                "code": dict(self.code),
                "tools": dict(self.tools),
                "params": dict(self.params),
                "environment": dict(self.environment),
                "inputs": {role: seen.digest.encoded() for role, seen in self.inputs.items() if seen.digest},
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The inputs and outputs of an action's last success.

    `facts` are a few figures that are needed without opening an output, such as the gate's drop. `seconds` is the run
    time of the action, `peak_bytes` the peak memory of its worker (None: not measured); a restore from the action cache
    keeps both.
    """

    seen: Seen
    outputs: Mapping[str, Digest]
    facts: Facts
    seconds: float
    peak_bytes: int | None = None

    def to_json(self) -> str:
        """Return the trace as JSON text, for `from_json`."""
        return json.dumps(
            {
                "kind": self.seen.kind,
                "code": dict(self.seen.code),
                "tools": dict(self.seen.tools),
                "params": dict(self.seen.params),
                "environment": dict(self.seen.environment),
                "inputs": {r: [s.label, s.digest.encoded()] for r, s in self.seen.inputs.items() if s.digest},
                "outputs": {role: digest.encoded() for role, digest in self.outputs.items()},
                "facts": dict(self.facts),
                "seconds": self.seconds,
                **({} if self.peak_bytes is None else {"peak_bytes": self.peak_bytes}),
            },
        )

    @classmethod
    def from_json(cls, text: str) -> Trace:
        """Parse the text from `to_json`.

        Raises:
            ValueError, KeyError, TypeError, AttributeError: not a trace of this format.
        """
        body = json.loads(text)
        seen = Seen(
            kind=body["kind"],
            tools=body["tools"],
            params={name: as_tuples(value) for name, value in body["params"].items()},
            environment=body["environment"],
            inputs={
                role: SeenInput(label=label, digest=Digest.decode(digest))
                for role, (label, digest) in body["inputs"].items()
            },
            code=body.get("code", {}),  # traces of older versions have none, and their actions run again
        )
        outputs = {role: Digest.decode(digest) for role, digest in body["outputs"].items()}
        facts = {name: as_tuples(value) for name, value in body["facts"].items()}
        # Traces of older versions have no peak. The format is the same otherwise.
        peak_bytes = body.get("peak_bytes")
        return cls(seen=seen, outputs=outputs, facts=facts, seconds=body["seconds"], peak_bytes=peak_bytes)


def as_tuples(value: object) -> JsonValue:
    """Return parsed JSON with tuples for lists, as params have them."""
    if isinstance(value, list):
        return tuple(as_tuples(element) for element in value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"a param cannot hold {type(value).__name__}")
