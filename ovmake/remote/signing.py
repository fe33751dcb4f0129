"""Ed25519 keys, and signed envelopes: DSSE 1.0 (https://github.com/secure-systems-lab/dsse).

new_signing_key() -> bytes                  32 bytes
public_key_for(signing_key) -> "ed25519:…"  as `trusted-keys` has it
sign(payload, signing_key) -> Envelope
open_envelope(envelope, trusted_keys) -> bytes
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection

from ovmake.contracts.sharing.remote_result import Envelope, Signature
from ovmake.ovfile.schema.sharing import KEY_PREFIX, public_key_of

PAYLOAD_TYPE = "application/vnd.ovmake.result+json"
SIGNATURE_BYTES = 64
MOST_SIGNATURES = 8


DAMAGED = "damaged, or of another version of ovmake"


class RefusedError(Exception):
    """Data of a remote failed a check. The message is the reason; `Traffic.refused` counts by it."""


def new_signing_key() -> bytes:
    """Return a new private key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    return Ed25519PrivateKey.generate().private_bytes_raw()


def public_key_for(signing_key: bytes) -> str:
    """Return the public key that belongs to a private key, as an Ovfile has it."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    public = Ed25519PrivateKey.from_private_bytes(signing_key).public_key().public_bytes_raw()
    return KEY_PREFIX + base64.b64encode(public).decode()


def covered(payload_type: str, payload: bytes) -> bytes:
    """Return the bytes that a signature covers: DSSE's pre-authentication encoding."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def sign(payload: bytes, signing_key: bytes) -> Envelope:
    """Return the envelope of a payload; without a key it has no signature."""
    signatures: tuple[Signature, ...] = ()
    if signing_key:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

        made = Ed25519PrivateKey.from_private_bytes(signing_key).sign(covered(PAYLOAD_TYPE, payload))
        signatures = (Signature(keyid=public_key_for(signing_key), sig=base64.b64encode(made).decode()),)
    return Envelope(payloadType=PAYLOAD_TYPE, payload=base64.b64encode(payload).decode(), signatures=signatures)


def open_envelope(envelope: Envelope, trusted_keys: Collection[str]) -> bytes:
    """Return the payload. With trusted keys, one of them must have signed it. Without, signatures are ignored.

    Raises:
        RefusedError: the envelope has another type, is damaged, or no trusted key signed it.
    """
    if envelope.payloadType != PAYLOAD_TYPE:
        raise RefusedError("not a result of ovmake")
    payload = _decoded(envelope.payload)
    if trusted_keys:
        _check(envelope, covered(envelope.payloadType, payload), frozenset(trusted_keys))
    return payload


def _check(envelope: Envelope, signed: bytes, trusted: frozenset[str]) -> None:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

    if not envelope.signatures:
        raise RefusedError("unsigned")
    ours = [one for one in envelope.signatures[:MOST_SIGNATURES] if one.keyid in trusted]
    if not ours:
        raise RefusedError("signed by a key that is not trusted")
    for one in ours:
        public = public_key_of(one.keyid)
        try:
            if public is not None:
                Ed25519PublicKey.from_public_bytes(public).verify(_decoded(one.sig), signed)
                return
        except (InvalidSignature, ValueError):
            continue
    raise RefusedError("its signature is wrong")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise RefusedError(DAMAGED) from None
