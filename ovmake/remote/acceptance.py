"""Whether a remote may be used: this user accepted it for this repo, or CI's environment names it.

    accepted_settings(cache, root, environment, push) -> RemoteSettings | Unaccepted
    accept(cache, root)                     `ovmake cache trust --remote`
    remote_of(cache, environment) -> url    "" if neither the Ovfile nor the environment names one

The Ovfile alone is not trusted: a pull request can edit it. The user accepts one combination of remote, endpoint,
region and keys, for a repo at one real path. Before that, ovmake sends no request, looks up no name, reads no
credential, and does not import obstore. Uploads by builds
(`push`) are part of the combination: to accept a remote for reading is not to accept writing.

Rule 1: The acceptance of a repo is one file, `$XDG_STATE_HOME/ovmake/remote-<digest of the path>`, with a seal of the
        user's key over the path and all settings. It is ignored if it was edited or copied, belongs to another user,
        is readable by others, or is behind a link; or if other users can write to its folder.
Rule 2: Only the last acceptance counts. If the Ovfile returns to an earlier remote or key, ovmake asks again: that key
        may have leaked.
Rule 3: OVMAKE_CACHE_REMOTE overrides the user's acceptance. Endpoint and keys then come from the environment too, never
        from the Ovfile. If the Ovfile contradicts them, the remote is not used.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from ovmake import seal
from ovmake.contracts import codec
from ovmake.contracts.codec import ContractError
from ovmake.diagnostics import Diagnostic, OvmakeError, harmless
from ovmake.ovfile.problems import Problems
from ovmake.ovfile.schema.sharing import SCHEMES, Cache, RemoteUrl, public_key_of
from ovmake.remote.settings import RemoteSettings, settings_of

REMOTE = "OVMAKE_CACHE_REMOTE"
ENDPOINT = "OVMAKE_CACHE_ENDPOINT"
TRUSTED_KEYS = "OVMAKE_CACHE_TRUSTED_KEYS"
# Amazon's servers have the region in their names. `x.example.org#` would lead to another server.
_REGION = re.compile(r"[A-Za-z0-9_-]{0,64}")
_PURPOSE = b"ovmake accepted remote\0"
MOST_BYTES = 100_000
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OTHERS = 0o077


@dataclass(frozen=True, slots=True, kw_only=True)
class Unaccepted:
    """A remote that may not be used yet. `diagnostic` is a warning with the reason and the remedy."""

    diagnostic: Diagnostic


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The remote that a user accepted. `root` is the real path of the Ovfile's folder; keys are sorted.

    `push`: builds upload, with the user's credentials. An Ovfile that asks for less needs no new acceptance.
    """

    FORMAT: ClassVar[int] = 1

    root: str
    remote: str
    endpoint: str = ""
    region: str = ""
    trusted_keys: tuple[str, ...] = ()
    push: bool = False


def remote_of(cache: Cache, environment: Mapping[str, str]) -> str:
    """Return the remote that the environment or the Ovfile names, "" if none is named."""
    return _given(environment, REMOTE).rstrip("/") or cache.remote


def accepted_settings(
    cache: Cache,
    root: Path,
    environment: Mapping[str, str],
    push: bool | None = None,  # noqa: FBT001 - as `settings_of` has it
) -> RemoteSettings | Unaccepted:
    """Return the settings of a remote that may be used, or why it may not.

    `root` is the Ovfile's folder; `push` is `--push` or `--no-push`, None if neither was given. Call it if `remote_of`
    names a remote.

    Raises:
        OvmakeError: a variable of the environment has a wrong value.
    """
    if not _REGION.fullmatch(cache.region):
        return _not("its region may have letters, digits, `-` and `_` only", cache)
    if _given(environment, REMOTE):
        return _by_environment(cache, environment, push=push)
    if set_ := [name for name in (ENDPOINT, TRUSTED_KEYS) if _given(environment, name)]:
        return _not(f"{set_[0]} is set, and {REMOTE} is not; set both, or neither", cache)
    found, why = _read(root)
    if found is None:
        return _not("", cache, note=why)
    if changed := changes(found, _asked(cache, root)):
        return _not("", cache, changes=changed)
    return settings_of(cache, environment, push=push)


def _by_environment(cache: Cache, environment: Mapping[str, str], *, push: bool | None) -> RemoteSettings | Unaccepted:
    named = Cache(
        remote=_given(environment, REMOTE).rstrip("/"),
        endpoint=_given(environment, ENDPOINT).rstrip("/"),
        region=cache.region,
        push=cache.push,
        trusted_keys=_keys(environment),
    )
    _check(named)
    if cache.remote and cache.remote != named.remote:
        return _not(f"{REMOTE} names {_quoted(named.remote)}", cache)
    if cache.endpoint and cache.endpoint != named.endpoint:
        other = _quoted(named.endpoint) if named.endpoint else "none"
        return _not(f"its endpoint is {_quoted(cache.endpoint)}, and {ENDPOINT} names {other}", cache)
    if cache.trusted_keys and not named.trusted_keys:
        return _not(f"it has `trusted-keys`, and with {REMOTE} only the keys of {TRUSTED_KEYS} count", cache)
    return settings_of(named, environment, push=push)


def _given(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name, "").strip()


def _keys(environment: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(sorted({one.strip() for one in _given(environment, TRUSTED_KEYS).split(",")} - {""}))


def _check(named: Cache) -> None:
    """Refuse values of the environment that would be errors in an Ovfile.

    Raises:
        OvmakeError: one is wrong.
    """
    bad = next((key for key in named.trusted_keys if public_key_of(key) is None), "")
    wrong = {
        REMOTE: _wrong_url(named.remote, SCHEMES),
        ENDPOINT: _wrong_url(named.endpoint, ("https", "http")) if named.endpoint else "",
        TRUSTED_KEYS: f"{_quoted(bad)}, which is not a key as `ovmake cache keygen` prints it" if bad else "",
    }
    found = [
        Diagnostic(code="cache-environment", message=f"{name} is {what}", help=f"correct or unset {name}")
        for name, what in wrong.items()
        if what
    ]
    if found:
        raise OvmakeError(*found)


def _wrong_url(url: str, schemes: tuple[str, ...]) -> str:
    """Return what is wrong with a URL, "" if it is correct. The rules of the Ovfile apply to the environment too."""
    problems = Problems()
    RemoteUrl(schemes=schemes).check(url, (), problems)
    return problems.found[0].message.partition(" is ")[2] if problems.found else ""


def _asked(cache: Cache, root: Path) -> Accepted:
    return Accepted(
        root=os.path.realpath(root),
        remote=cache.remote,
        endpoint=cache.endpoint,
        region=cache.region,
        trusted_keys=tuple(sorted(set(cache.trusted_keys))),
        push=cache.push,
    )


def changes(before: Accepted, now: Accepted) -> tuple[str, ...]:
    """Return the differences from an acceptance, one line each."""
    names = ("remote", "endpoint", "region")
    pairs = [(name, str(getattr(before, name)), str(getattr(now, name))) for name in names]
    lines = [f"{name} was {_or_none(was)}, and is {_or_none(new)}" for name, was, new in pairs if was != new]
    lines += ["push is on: builds here would upload what they make"] if now.push and not before.push else []
    lines += [f"key added: {_quoted(key)}" for key in now.trusted_keys if key not in before.trusted_keys]
    return (*lines, *(f"key removed: {_quoted(key)}" for key in before.trusted_keys if key not in now.trusted_keys))


def _or_none(text: str) -> str:
    return _quoted(text) if text else "none"


def _quoted(text: str) -> str:
    return f"`{harmless(text)}`"


def _not(why: str, cache: Cache, *, changes: tuple[str, ...] = (), note: str = "") -> Unaccepted:
    """Return the warning that a remote is not used."""
    which = f"the Ovfile's remote cache, {_quoted(cache.remote)}," if cache.remote else "the remote cache"
    reason = why or ("has changed since you accepted it" if changes else "is not accepted for this repo")
    message = f"{which} is not used: {why}" if why else f"{which} {reason}; it is not used"
    lines = [*changes]
    if not changes and not why:
        lines = [f"endpoint: {_quoted(cache.endpoint)}"] if cache.endpoint else []
        lines += [f"trusted key: {_quoted(key)}" for key in cache.trusted_keys]
    help_text = (
        "correct the environment or the Ovfile: `ovmake help sharing`"
        if why
        else "`ovmake cache trust` shows it and accepts it"
    )
    return Unaccepted(
        diagnostic=Diagnostic(
            code="remote-not-accepted",
            message=message,
            notes=tuple(filter(None, (*lines, note))),
            help=help_text,
            severity="warning",
        )
    )


# the file


def accept(cache: Cache, root: Path) -> None:
    """Accept the remote of the Ovfile, for the repo at its present real path.

    Raises:
        OvmakeError: it cannot be kept.
    """
    key, why = seal.keep_key()
    if why:
        raise _cannot(why)
    asked = _asked(cache, root)
    body = codec.to_bytes(asked)
    try:
        _write(_name(asked.root), seal.seal(key, _PURPOSE + body).hex().encode() + b"\n" + body)
    except OSError as error:
        raise _cannot(error.strerror or str(error)) from None


def _cannot(why: str) -> OvmakeError:
    message = f"the acceptance cannot be kept: {why}"
    hint = f"set HOME or XDG_STATE_HOME to a folder of yours; CI names the remote in {REMOTE} instead"
    return OvmakeError(Diagnostic(code="acceptance-not-kept", message=message, help=hint), exit_status=1)


def _name(root: str) -> str:
    return f"remote-{hashlib.sha256(os.fsencode(root)).hexdigest()[:40]}"


def _read(root: Path) -> tuple[Accepted | None, str]:
    """Return the acceptance of a repo, or None; and why an earlier acceptance is ignored, else ""."""
    key, place = seal.read_key(), os.path.realpath(root)
    if key is None:
        return None, ""
    try:
        data = _content(_name(place))
    except FileNotFoundError:
        return None, ""
    except OSError as error:
        return None, f"an earlier acceptance is ignored: {error.strerror or error}"
    written, _, body = data.partition(b"\n")
    # Timing does not matter here: other users cannot write this file.
    if written != seal.seal(key, _PURPOSE + body).hex().encode():
        return None, "an earlier acceptance is ignored: this user did not make it, or it was edited"
    try:
        found = codec.from_bytes(Accepted, body, "the acceptance")
    except ContractError:
        return None, "an earlier acceptance is ignored: another version of ovmake made it"
    return (found, "") if found.root == place else (None, "")


def _folder(*, make: bool) -> int:
    """Return a handle of the state folder. It is the user's own: no link, and nobody else can write to it."""
    path = seal.folder()
    if path is None:
        raise FileNotFoundError(2, "neither HOME nor XDG_STATE_HOME is set")
    if make:
        Path(path).mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    found = os.fstat(handle)
    if found.st_uid != os.geteuid() or found.st_mode & _OTHERS_WRITE:
        os.close(handle)
        raise PermissionError(1, f"other users can write to {path}")
    return handle


def _content(name: str) -> bytes:
    folder = _folder(make=False)
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    finally:
        os.close(folder)
    with os.fdopen(file, "rb") as opened:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & _OTHERS:
            raise PermissionError(1, "other users can read or write its file")
        return opened.read(MOST_BYTES)


def _write(name: str, data: bytes) -> None:
    """Write a file atomically. If two processes accept at once, the last one wins."""
    folder, fresh = _folder(make=True), f".{name}.{os.getpid()}.{os.urandom(8).hex()}"
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(fresh, flags, 0o600, dir_fd=folder), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.rename(fresh, name, src_dir_fd=folder, dst_dir_fd=folder)
        os.fsync(folder)
    except BaseException:
        if os.access(fresh, os.F_OK, dir_fd=folder, follow_symlinks=False):
            os.unlink(fresh, dir_fd=folder)
        raise
    finally:
        os.close(folder)


def accepted_for(cache: Cache, root: Path) -> tuple[str, ...] | None:
    """Return what changed in the Ovfile since its remote was accepted; () if nothing, None if it never was."""
    found, _ = _read(root)
    return None if found is None else changes(found, _asked(cache, root))


def by_environment(environment: Mapping[str, str]) -> bool:
    """Whether the environment names the remote, so that the user's acceptance does not count."""
    return bool(_given(environment, REMOTE))


def as_error(found: Unaccepted) -> OvmakeError:
    """Return the error of a command that needs the remote."""
    return OvmakeError(replace(found.diagnostic, severity="error"), exit_status=1)
