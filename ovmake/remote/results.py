"""Results as signed bytes, and back, with every check of what a remote says.

to_bytes(result, signing_key) -> bytes
from_bytes(data, trusted_keys) -> RemoteResult          signature, form, sizes
from_bytes(data, trusted_keys, key=...)                 and it answers what was asked
outputs_of(result) -> {role: Digest}
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ovmake.contracts.sharing.remote_result import RemoteResult
from ovmake.engine.remote import Made
from ovmake.graph.digest import Digest

MOST_BYTES = 1_000_000


def result_of(made: Made) -> RemoteResult:
    """Return the result that describes what was made."""
    raise NotImplementedError


def to_bytes(result: RemoteResult, signing_key: bytes) -> bytes:
    """Return a result as a remote holds it: an envelope in JSON."""
    raise NotImplementedError


def from_bytes(data: bytes, trusted_keys: Collection[str], *, key: str = "") -> RemoteResult:
    """Return the result that a remote sent. `key` is the action digest that was asked for; "": any.

    Raises:
        RefusedError: damaged, not believed, or the result of another action.
    """
    raise NotImplementedError


def outputs_of(result: RemoteResult) -> Mapping[str, Digest]:
    """Return the digests of the outputs by role; `from_bytes` has checked their form."""
    return {role: Digest.decode(text) for role, text in result.outputs.items()}
