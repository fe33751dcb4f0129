"""Encode results as signed bytes, and decode and check results of a remote.

to_bytes(result, signing_key) -> bytes
from_bytes(data, trusted_keys) -> RemoteResult          signature, form, sizes
from_bytes(data, trusted_keys, key=...)                 and the action digest
outputs_of(result) -> {role: Digest}
facts_of(result), seen_of(result)
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Mapping

from ovmake.contracts import codec
from ovmake.contracts.codec import ContractError
from ovmake.contracts.problem import ActionProblem
from ovmake.contracts.sharing.remote_result import Envelope, RemoteResult
from ovmake.contracts.values import Facts, JsonValue
from ovmake.engine.remote import Made
from ovmake.graph.digest import Digest
from ovmake.graph.trace import Seen, Trace
from ovmake.remote.layout import is_sha256
from ovmake.remote.signing import DAMAGED, RefusedError, open_envelope, sign

# A result has a few kilobytes. The limit protects memory from a remote that sends endless data.
MOST_BYTES = 1_000_000
# Limits of a blob's size and of a number in facts: they must fit into SQLite's integers.
MOST_SIZE_DIGITS = 13  # 10 TB
MOST_NUMBER = 2**63 - 1
MOST_SECONDS = 10**9
MOST_DEPTH = 20

_ENCODED = re.compile(rf"[0-9a-f]{{64}}:(0|[1-9][0-9]{{0,{MOST_SIZE_DIGITS - 1}}})")
OTHER_ACTION = "the result of another action"


def result_of(made: Made) -> RemoteResult:
    """Return the result for outputs that were made here.

    Raises:
        ValueError: the digest of an input is unknown.
    """
    trace = Trace(seen=made.seen, outputs=made.outputs, facts=made.facts, seconds=made.seconds)
    body = json.loads(trace.to_json())
    for name in ("outputs", "facts", "seconds"):
        del body[name]
    return RemoteResult(
        key=made.seen.digest,
        action=made.action,
        outputs={role: digest.encoded() for role, digest in made.outputs.items()},
        facts=dict(made.facts),
        seen=body,
        seconds=made.seconds,
        peak_bytes=made.peak_bytes,
    )


def to_bytes(result: RemoteResult, signing_key: bytes) -> bytes:
    """Return a result in the remote's form: a JSON envelope, signed unless the key is empty.

    Raises:
        ValueError: JSON cannot hold it (a NaN), or it is larger than readers accept.
    """
    data = codec.to_bytes(sign(codec.to_bytes(result), signing_key))
    if len(data) > MOST_BYTES:
        raise ValueError(f"a result may have {MOST_BYTES:,} bytes, and this one has {len(data):,}")
    return data


def from_bytes(data: bytes, trusted_keys: Collection[str], *, key: str = "") -> RemoteResult:
    """Return the result that a remote sent. `key` is the action digest that was asked for; "": any.

    Raises:
        RefusedError: it is damaged, not signed by a trusted key, or belongs to another action.
    """
    if len(data) > MOST_BYTES:
        raise RefusedError(DAMAGED)
    try:
        payload = open_envelope(codec.from_bytes(Envelope, data, "the envelope"), trusted_keys)
        result = codec.from_bytes(RemoteResult, payload, "the result")
    except (ContractError, RecursionError):
        raise RefusedError(DAMAGED) from None
    if not _is_sane(result):
        raise RefusedError(DAMAGED)
    if key and result.key != key:
        raise RefusedError(OTHER_ACTION)
    return result


def outputs_of(result: RemoteResult) -> Mapping[str, Digest]:
    """Return the digests of the outputs by role; `from_bytes` has checked their form."""
    return {role: Digest.decode(text) for role, text in result.outputs.items()}


def facts_of(result: RemoteResult) -> Facts:
    """Return the facts; `from_bytes` has checked their form.

    Raises:
        ValueError: a fact is an object, a number that is not finite, or too large or too deep.
    """
    return {name: _plain(value, MOST_DEPTH) for name, value in result.facts.items()}


def seen_of(result: RemoteResult) -> Seen | None:
    """Return the dependencies that the action saw, for `explain`; None if another version of ovmake wrote them."""
    body = {**result.seen, "outputs": {}, "facts": {}, "seconds": 0.0}
    if not all(_are_words(body.get(name, {})) for name in ("tools", "environment", "code")):
        return None
    try:
        return Trace.from_json(json.dumps(body)).seen
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _are_words(value: object) -> bool:
    return isinstance(value, Mapping) and all(isinstance(one, str) for one in value.values())


def _is_sane(result: RemoteResult) -> bool:
    try:
        ActionProblem.of_facts(facts_of(result))
    except (ValueError, TypeError):
        return False
    return (
        is_sha256(result.key)
        and all(_ENCODED.fullmatch(text) for text in result.outputs.values())
        and 0 <= result.seconds < MOST_SECONDS
        and (result.peak_bytes is None or 0 <= result.peak_bytes <= MOST_NUMBER)
    )


def _plain(value: object, depth: int) -> JsonValue:
    """Return a fact as traces have it: arrays are tuples.

    `graph.trace.as_tuples` takes lists; the codec has made tuples of them already.
    """
    if isinstance(value, tuple | list) and depth:
        return tuple(_plain(one, depth - 1) for one in value)
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(value)
    if isinstance(value, int) and abs(value) > MOST_NUMBER:
        raise ValueError(value)
    if isinstance(value, str):
        value.encode()  # a UnicodeEncodeError is a ValueError
    elif value is not None and not isinstance(value, bool | int | float):
        raise ValueError(f"a fact cannot hold {type(value).__name__}")
    return value
