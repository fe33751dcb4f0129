"""The result of an action in a remote cache: small, and signed as a whole. Outputs are separate blobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ovmake.contracts.values import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteResult:
    """A result. `key` is the action digest, so that a result under a wrong key is recognised.

    `action` is the action's name where it was made, for people. `outputs` are digests by role, as `Digest.encoded`.
    `seen` has the dependencies that the action saw, for `explain`. `seconds` is the run time of the action,
    `peak_bytes` the peak memory of its worker, null if it was not measured.
    """

    FORMAT: ClassVar[int] = 1

    key: str
    action: str
    outputs: Mapping[str, str]
    facts: JsonObject = field(default_factory=dict)
    seen: JsonObject = field(default_factory=dict)
    seconds: float
    peak_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A signature over the payload: the public key's name (`ed25519:...`), and 64 bytes in base64."""

    keyid: str
    sig: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A signed payload: DSSE 1.0, Dead Simple Signing Envelope (https://github.com/secure-systems-lab/dsse).

    `payload` is base64. Signatures cover `payloadType` and the payload.
    """

    payloadType: str  # noqa: N815 - the standard's name
    payload: str
    signatures: tuple[Signature, ...] = ()
