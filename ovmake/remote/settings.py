"""The settings of a remote: URL, keys, credentials, deadline.

    settings_of(cache, environment, push=None) -> RemoteSettings

The Ovfile's `[cache]` gives the remote and the public keys. The private key comes from the environment only.
acceptance.py has checked before that the user accepted this remote.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field

from ovmake.diagnostics import Diagnostic, OvmakeError
from ovmake.ovfile.schema.sharing import Cache

SIGNING_KEY = "OVMAKE_CACHE_SIGNING_KEY"
TIMEOUT = "OVMAKE_CACHE_TIMEOUT"
AUTHORIZATION = "OVMAKE_CACHE_AUTHORIZATION"
TIMEOUT_S = 5.0
PRIVATE_KEY_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteSettings:
    """A remote. `url`, `endpoint`, `region` and `trusted_keys` are as in `[cache]`; `url` has no slash at its end.

    `signing_key` are the 32 bytes of an Ed25519 private key; empty: results are not signed. `authorization` is the
    header `Authorization` of requests to an HTTP server. `timeout_s` is the deadline of a small request; a download
    must receive some bytes in each such period.
    """

    url: str
    endpoint: str = ""
    region: str = ""
    push: bool = False
    trusted_keys: tuple[str, ...] = ()
    signing_key: bytes = field(default=b"", repr=False)
    authorization: str = field(default="", repr=False)
    timeout_s: float = TIMEOUT_S


def settings_of(cache: Cache, environment: Mapping[str, str], *, push: bool | None = None) -> RemoteSettings:
    """Return the settings of a remote; `push` is `--push` or `--no-push`, None if neither was given.

    Raises:
        OvmakeError: a variable of the environment has a wrong value.
    """
    return RemoteSettings(
        url=cache.remote,
        endpoint=cache.endpoint,
        region=cache.region,
        push=cache.push if push is None else push,
        trusted_keys=cache.trusted_keys,
        signing_key=signing_key_of(environment),
        authorization=environment.get(AUTHORIZATION, "").strip(),
        timeout_s=_timeout_of(environment),
    )


def signing_key_of(environment: Mapping[str, str]) -> bytes:
    """Return the private key of the environment, empty if it is not set.

    Raises:
        OvmakeError: it is not 32 bytes in base64. The message does not contain the value.
    """
    given = environment.get(SIGNING_KEY, "").strip()
    try:
        key = base64.b64decode(given, validate=True)
    except (binascii.Error, ValueError):
        key = b"?"
    if key and len(key) != PRIVATE_KEY_BYTES:
        raise OvmakeError(
            Diagnostic(
                code="signing-key",
                message=f"{SIGNING_KEY} is not a private key: 32 bytes in base64 are expected",
                help="`ovmake cache keygen` makes a pair of keys",
            )
        )
    return key


def _timeout_of(environment: Mapping[str, str]) -> float:
    given = environment.get(TIMEOUT, "").strip()
    if not given:
        return TIMEOUT_S
    try:
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 3600:  # noqa: PLR2004 - an hour; this also refuses NaN
        raise OvmakeError(
            Diagnostic(
                code="cache-timeout",
                message=f"{TIMEOUT} is `{given}`, and a number of seconds up to 3600 is expected",
                help=f"unset it for the default, {TIMEOUT_S:g} seconds",
            )
        )
    return seconds
