"""Seals: ovmake trusts state in `.ovmake` only if this user's ovmake wrote it.

    key = read_key()                 this user's key, None if it does not exist yet; enough for a no-op build
    key, why = keep_key()            the same, created on first use; `why`: why it cannot be stored
    seal(key, data) -> bytes         a MAC: keyed BLAKE2b, 16 bytes
    folder()                         where the user's own state is

Anybody with write access to a repo's folder can write a row that says "the gate passed", or a stamp that says "up to
date". Without the key they cannot write its seal. The key is in `$XDG_STATE_HOME/ovmake/key`, readable only by its
owner; a CI that keeps `.ovmake` between runs sets it as OVMAKE_STATE_KEY. Workers never get the key.

Rule: import only light modules of the standard library. A no-op build runs this: `hashlib` would load OpenSSL, which
      takes longer than computing all seals.
"""

from __future__ import annotations

import os
import stat

try:
    from _blake2 import blake2b
except ImportError:  # a Python built without its builtin hash modules
    from hashlib import blake2b

VARIABLE = "OVMAKE_STATE_KEY"
KEY_BYTES = 32
SEAL_BYTES = 16
# The minimum length of a key in the environment: a shorter one can be found by brute force.
LEAST_CHARACTERS = 16


def seal(key: bytes, data: bytes) -> bytes:
    """Return the seal of `data`."""
    return blake2b(data, digest_size=SEAL_BYTES, key=key).digest()


def read_key() -> bytes | None:
    """Return this user's key, None if it does not exist or other users can read it."""
    given = os.environ.get(VARIABLE)
    if given:
        return _of_variable(given) if len(given) >= LEAST_CHARACTERS else None
    place = _place()
    return None if place is None else _read(place)


def keep_key() -> tuple[bytes, str]:
    """Return this user's key, created if needed; and why it lasts only for this run, "" if it is stored."""
    found = read_key()
    if found is not None:
        return found, ""
    key = os.urandom(KEY_BYTES)
    if os.environ.get(VARIABLE):
        return key, f"{VARIABLE} has fewer than {LEAST_CHARACTERS} characters"
    place = _place()
    if place is None:
        return key, "there is no folder for the key: neither HOME nor XDG_STATE_HOME is set"
    try:
        return _make(place, key), ""
    except OSError as error:
        return key, f"the key cannot be stored in {place}: {error.strerror or error}"


def _of_variable(given: str) -> bytes:
    return blake2b(os.fsencode(given), digest_size=KEY_BYTES, person=b"ovmake key").digest()


def folder() -> str | None:
    """Return the folder of the user's own state, by the XDG base directory specification, which ignores relative paths.

    None if neither XDG_STATE_HOME nor HOME names one. It need not exist.
    """
    base = os.environ.get("XDG_STATE_HOME", "")
    if not base.startswith("/"):
        home = os.environ.get("HOME", "")
        if not home.startswith("/"):
            return None
        base = f"{home}/.local/state"
    return f"{base}/ovmake"


def _place() -> str | None:
    """Return the path of the key."""
    own = folder()
    return None if own is None else f"{own}/key"


def _read(place: str) -> bytes | None:
    try:
        file = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        found = os.fstat(file)
        # A key that other users can read is not secret.
        alone = stat.S_ISREG(found.st_mode) and not found.st_mode & 0o077
        key = os.read(file, KEY_BYTES + 1) if alone else b""
    finally:
        os.close(file)
    return key if len(key) == KEY_BYTES else None


def _make(place: str, key: bytes) -> bytes:
    """Store a key, or return the one that a different process has stored meanwhile."""
    os.makedirs(os.path.dirname(place), mode=0o700, exist_ok=True)  # noqa: PTH103, PTH120
    fresh = f"{place}.{os.getpid()}"
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(file, "wb") as opened:
            opened.write(key)
            opened.flush()
            os.fsync(opened.fileno())
        try:
            os.link(fresh, place)
        except FileExistsError:
            there = _read(place)
            if there is not None:
                return there
            os.replace(fresh, place)  # noqa: PTH105 - damaged, or readable by other users
    finally:
        if os.path.lexists(fresh):
            os.unlink(fresh)  # noqa: PTH108
    return key
