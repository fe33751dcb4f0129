"""`ovmake cache trust`: show a remote and accept it; `ovmake cache keygen`: make keys.

    offered(cache, root, environment) -> Offer | None      None: nothing to accept
    offer.lines                                            the text before the question
    accept_remote(cache, root)                             accept it
    new_keys() -> NewKeys                                  `ovmake cache keygen`

Two independent things can be trusted: the state of another user in this folder (`--state`, see
`store.trusting`), and the remote that the Ovfile names (`--remote`, see `remote.acceptance`).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ovmake.commands.cache.reaching import not_installed
from ovmake.diagnostics import Diagnostic, OvmakeError, harmless
from ovmake.ovfile.schema.sharing import Cache
from ovmake.remote.acceptance import accept, accepted_for, by_environment
from ovmake.remote.settings import SIGNING_KEY
from ovmake.remote.signing import new_signing_key, public_key_for

YES = {"y", "yes"}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKeys:
    """A pair of keys: `public` as `trusted-keys` has it, `private` as the environment has it."""

    public: str
    private: str

    @property
    def lines(self) -> tuple[str, ...]:
        """The output. Its comments are also valid in an Ovfile and in a file of variables."""
        return (
            "# for [cache] in the Ovfile:",
            f'trusted-keys = ["{self.public}"]',
            "# for the secret store of CI only; ovmake does not keep it:",
            f"{SIGNING_KEY}={self.private}",
        )


def new_keys() -> NewKeys:
    """Return a new pair of keys. No file is written.

    Raises:
        OvmakeError: the package `cryptography` is not installed.
    """
    try:
        private = new_signing_key()
        return NewKeys(public=public_key_for(private), private=base64.b64encode(private).decode())
    except ModuleNotFoundError as error:
        raise not_installed(error.name or "cryptography") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A remote to accept. `lines` describe it; `done`: the user has already accepted it, unchanged."""

    lines: tuple[str, ...]
    done: bool


def offered(cache: Cache, root: Path, environment: Mapping[str, str]) -> Offer | None:
    """Return the remote that the Ovfile asks the user to accept.

    Raises:
        OvmakeError: the environment names the remote, so acceptances do not count.
    """
    if by_environment(environment):
        message = "OVMAKE_CACHE_REMOTE names the remote here, so what you accept does not count"
        hint = "unset OVMAKE_CACHE_REMOTE to use the remote of the Ovfile"
        raise OvmakeError(Diagnostic(code="cache-environment", message=message, help=hint), exit_status=1)
    if not cache.remote:
        return None
    changed = accepted_for(cache, root)
    return Offer(lines=tuple(_lines(cache, root, changed)), done=changed == ())


def is_new(cache: Cache, root: Path, environment: Mapping[str, str]) -> bool:
    """Whether the Ovfile names a remote that the user has not accepted."""
    return bool(cache.remote) and not by_environment(environment) and accepted_for(cache, root) != ()


def accept_remote(cache: Cache, root: Path) -> None:
    """Accept the remote that was shown. Errors are those of `remote.acceptance.accept`."""
    accept(cache, root)


def _lines(cache: Cache, root: Path, changed: tuple[str, ...] | None) -> list[str]:
    keys = [harmless(key) for key in cache.trusted_keys] or [
        "none: ovmake uses the results of anybody who can write there"
    ]
    lines = [
        f"repo      {harmless(str(root.resolve()))}",
        f"remote    {harmless(cache.remote)}",
        *_place(cache),
        *(f"{'keys' if not place else '':<9} {key}" for place, key in enumerate(keys)),
    ]
    if cache.push:
        lines.append("push      builds here upload what they make")
    if changed:
        lines += ["", "changed since you accepted it:", *(f"  {line}" for line in changed)]
    return lines


def _place(cache: Cache) -> list[str]:
    """Return the endpoint and the region, as far as the remote has them."""
    scheme = cache.remote.partition(":")[0]
    if scheme != "s3" and not (cache.endpoint or cache.region):
        return []
    endpoint = harmless(cache.endpoint) or "Amazon's"
    return [f"endpoint  {endpoint}", f"region    {harmless(cache.region) or 'from the environment'}"]


def check_choice(*, state: bool, remote: bool) -> None:
    """Refuse to choose if both could be trusted.

    Raises:
        OvmakeError: both could be.
    """
    if state and remote:
        message = "two things can be trusted here: the state of another user, and the remote that the Ovfile names"
        hint = "choose one: `ovmake cache trust --state` or `ovmake cache trust --remote`"
        raise OvmakeError(Diagnostic(code="trust-which", message=message, help=hint))


def not_confirmed() -> OvmakeError:
    """Return the error if stdin is not a terminal."""
    message = "not accepted: stdin is not a terminal, so ovmake cannot ask"
    hint = "check the remote and the keys above, then run `ovmake cache trust --remote --yes`"
    return OvmakeError(Diagnostic(code="not-confirmed", message=message, help=hint), exit_status=1)
