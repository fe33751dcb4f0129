"""What an action would see now, and what its last success saw and made.

    Seen    tool versions, params, environment and input digests, as they are now; an input that is only known after an
            action ran has the digest None
    Trace   a Seen without unknowns, and the digests of the outputs (verifying trace: Mokhov et al., "Build Systems à la
            Carte", ICFP 2018, 4.2.2)

`Seen.digest` is the action digest, the key of the action cache. Paths of sources are remembered for messages, but are
no part of it: a renamed model folder with the same bytes rebuilds nothing.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from ovmake.contracts.values import JsonValue
from ovmake.graph.digest import Digest, of_json

FORMAT = 2

# The files of a folder by relative path.
Listing = Mapping[str, Digest]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenInput:
    """An input as it is: `label` is a path, or "`xml` of convert digits"; `digest` is None while unknown.

    `files` are those of a folder, so that a reason can name the ones that differ; None where they are not known, or too
    many to be kept. They are no part of what is compared.
    """

    label: str
    digest: Digest | None
    files: Listing | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Everything an action's result depends on."""

    kind: str
    tools: Mapping[str, str]
    params: Mapping[str, JsonValue]
    environment: Mapping[str, str]
    inputs: Mapping[str, SeenInput]

    @property
    def known(self) -> bool:
        """Whether every input has its digest."""
        return all(seen.digest is not None for seen in self.inputs.values())

    def without(self, params: Collection[str]) -> Seen:
        """Return the same less some params."""
        left = {name: value for name, value in self.params.items() if name not in params}
        return replace(self, params=left)

    @property
    def digest(self) -> str:
        """The action digest.

        Raises:
            ValueError: an input is not known yet.
        """
        if not self.known:
            raise ValueError("an action digest needs all input digests")
        return of_json(
            {
                "format": FORMAT,
                "kind": self.kind,
                "tools": dict(self.tools),
                "params": dict(self.params),
                "environment": dict(self.environment),
                "inputs": {role: seen.digest.encoded() for role, seen in self.inputs.items() if seen.digest},
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What the last success of an action saw and made.

    `facts` are a few figures worth having without opening an output, such as the gate's drop. `seconds` is how long the
    action ran, `peak_bytes` the most memory that its worker held meanwhile, None where that was not measured; a restore
    from the action cache keeps both.
    """

    seen: Seen
    outputs: Mapping[str, Digest]
    facts: Mapping[str, JsonValue]
    seconds: float
    peak_bytes: int | None = None

    def to_json(self) -> str:
        """Return the text that `from_json` reads."""
        return json.dumps(
            {
                "kind": self.seen.kind,
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
        """Read what `to_json` wrote.

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
        )
        outputs = {role: Digest.decode(digest) for role, digest in body["outputs"].items()}
        facts = {name: as_tuples(value) for name, value in body["facts"].items()}
        # Traces of older versions have no peak; that is no other format, for what they say is the same.
        peak_bytes = body.get("peak_bytes")
        return cls(seen=seen, outputs=outputs, facts=facts, seconds=body["seconds"], peak_bytes=peak_bytes)


def as_tuples(value: object) -> JsonValue:
    """Return parsed JSON with tuples for lists, as params have them."""
    if isinstance(value, list):
        return tuple(as_tuples(element) for element in value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"no param can hold {type(value).__name__}")
