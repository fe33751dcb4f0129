"""Results of tests: what an engine would push, and what it would ask for."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ovmake.engine.job import Progress, ignore_progress
from ovmake.engine.remote import Fetched, Made, Missed, Wanted
from ovmake.graph.digest import Digest, of_bytes
from ovmake.graph.trace import Seen, SeenInput
from ovmake.remote.cache import SharedCache
from ovmake.remote.settings import RemoteSettings
from ovmake.remote.signing import public_key_for

SIGNER = hashlib.sha256(b"signer").digest()
STRANGER = hashlib.sha256(b"stranger").digest()
PUBLIC = public_key_for(SIGNER)
# No wait of a test is longer; whoever hangs fails.
PATIENCE_S = 60.0


def seen(text: str) -> Seen:
    """Return what an action saw that reads `text`."""
    return Seen(
        kind="convert",
        tools={"openvino": "2026.4.0"},
        params={"layout": "NCHW", "shape": (1, 3, 224, 224), "mean": (0.5, 0.25), "nothing": None},
        environment={"isa": "avx2"},
        inputs={"source": SeenInput(label="models/digits", digest=of_bytes(text.encode()))},
        code={"workers": "abc"},
    )


def made(folder: Path, text: str, files: Mapping[str, bytes], action: str = "convert digits") -> Made:
    """Write outputs into a folder, and return the result to push."""
    folder.mkdir(parents=True, exist_ok=True)
    for role, data in files.items():
        (folder / role).write_bytes(data)
    return Made(
        action=action,
        seen=seen(text),
        outputs={role: of_bytes(data) for role, data in files.items()},
        files={role: str(folder / role) for role in files},
        facts={"drop": 0.004, "layers": ("a", ("b", 3)), "ok": True},
        seconds=12.5,
        peak_bytes=123_456_789,
    )


def wanted(
    folder: Path,
    text: str,
    *roles: str,
    holds: Callable[[Digest], bool] = lambda _: False,
    tell: Callable[[Progress], None] = ignore_progress,
) -> Wanted:
    """Return what an engine asks for that wants these outputs in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    return Wanted(
        key=seen(text).digest,
        action="convert digits",
        roles={role: str(folder / role) for role in roles},
        holds=holds,
        tell=tell,
    )


def fetched(cache: SharedCache, one: Wanted) -> Fetched | Missed:
    """Fetch a result and wait for it."""
    return Fetches(cache, [one]).wait()[one.key]


class Fetches:
    """Several fetches at once."""

    def __init__(self, cache: SharedCache, wanted: list[Wanted]) -> None:
        self._found: dict[str, Fetched | Missed] = {}
        self._left = threading.Semaphore(0)
        self._count = len(wanted)
        for one in wanted:
            cache.fetch(one, self._done)

    def _done(self, found: Fetched | Missed) -> None:
        assert found.key not in self._found, "done was called twice"
        self._found[found.key] = found
        self._left.release()

    def wait(self, within_s: float = PATIENCE_S) -> dict[str, Fetched | Missed]:
        """Wait for all, and return them by key."""
        for _ in range(self._count):
            assert self._left.acquire(timeout=within_s), "a fetch hangs"
        return self._found


@dataclass(frozen=True)
class Team:
    """Where a team shares: its remote, and its keys."""

    url: str
    endpoint: str = ""
    trusted: tuple[str, ...] = ()
    timeout_s: float = 5.0

    def reader(self, **changed: object) -> RemoteSettings:
        """Return the settings of somebody who reads."""
        given = {"url": self.url, "endpoint": self.endpoint, "trusted_keys": self.trusted, "timeout_s": self.timeout_s}
        return RemoteSettings(**{**given, **changed})  # type: ignore[arg-type]

    def pusher(self, **changed: object) -> RemoteSettings:
        """Return the settings of CI."""
        return self.reader(**{"push": True, "signing_key": SIGNER, **changed})
