"""Seals: what `.ovmake` says of earlier runs is believed only if this user's ovmake wrote it.

    key = read_key()                 this user's, None where there is none yet; a no-op asks no more
    key, why = keep_key()            the same, made on first use; `why` says why it cannot be kept
    seal(key, data) -> bytes         a MAC: keyed BLAKE2b, 16 bytes

Whoever has a repo's folder can write anything into it: a row that says "the gate passed", a stamp that says "up to
date". He cannot write its seal. The key is in `$XDG_STATE_HOME/ovmake/key`, readable by its owner alone; a CI that
keeps `.ovmake` between runs gives one as OVMAKE_STATE_KEY. It is given to no worker.

Rule: only the standard library's lightest. This is on the way of a no-op: `hashlib` would load OpenSSL, which takes
      longer than all of the seals.
"""

from __future__ import annotations

import os
import stat

try:
    from _blake2 import blake2b
except ImportError:  # a Python built without its own hashes
    from hashlib import blake2b

VARIABLE = "OVMAKE_STATE_KEY"
KEY_BYTES = 32
SEAL_BYTES = 16
# Of a secret in the environment: what is shorter can be tried out.
LEAST_CHARACTERS = 16


def seal(key: bytes, data: bytes) -> bytes:
    """Return the seal of `data`."""
    return blake2b(data, digest_size=SEAL_BYTES, key=key).digest()


def read_key() -> bytes | None:
    """Return this user's key, None where there is none that is his alone."""
    given = os.environ.get(VARIABLE)
    if given:
        return _of_variable(given) if len(given) >= LEAST_CHARACTERS else None
    place = _place()
    return None if place is None else _read(place)


def keep_key() -> tuple[bytes, str]:
    """Return this user's key, made if there is none; and why it lasts for this run only, "" if it lasts."""
    found = read_key()
    if found is not None:
        return found, ""
    key = os.urandom(KEY_BYTES)
    if os.environ.get(VARIABLE):
        return key, f"{VARIABLE} has fewer than {LEAST_CHARACTERS} characters"
    place = _place()
    if place is None:
        return key, "there is neither HOME nor XDG_STATE_HOME to keep a key in"
    try:
        return _make(place, key), ""
    except OSError as error:
        return key, f"no key can be kept in {place}: {error.strerror or error}"


def _of_variable(given: str) -> bytes:
    return blake2b(os.fsencode(given), digest_size=KEY_BYTES, person=b"ovmake key").digest()


def _place() -> str | None:
    """Return where the key is: the XDG base directory specification, which says that relative paths do not count."""
    base = os.environ.get("XDG_STATE_HOME", "")
    if not base.startswith("/"):
        home = os.environ.get("HOME", "")
        if not home.startswith("/"):
            return None
        base = f"{home}/.local/state"
    return f"{base}/ovmake/key"


def _read(place: str) -> bytes | None:
    try:
        file = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        found = os.fstat(file)
        # One that others can read is no secret any more.
        alone = stat.S_ISREG(found.st_mode) and not found.st_mode & 0o077
        key = os.read(file, KEY_BYTES + 1) if alone else b""
    finally:
        os.close(file)
    return key if len(key) == KEY_BYTES else None


def _make(place: str, key: bytes) -> bytes:
    """Put a key there, or return the one that another process has put there meanwhile."""
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
            os.replace(fresh, place)  # noqa: PTH105 - damaged, or open to others
    finally:
        if os.path.lexists(fresh):
            os.unlink(fresh)  # noqa: PTH108
    return key
