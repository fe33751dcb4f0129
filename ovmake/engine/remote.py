"""The interface between the engine and a cache that is shared over a network.

RemoteCache   the protocol: look for results, download them, upload results
Wanted        an action whose result is looked for
Fetched       the result, with its blobs downloaded and checked
Missed        there is none, or it cannot be used
Answer        either of them, for the executor
Made          a result to upload
Traffic       what a build had of it, for its last line

The engine asks for a result when an action is stale and the local action cache has nothing. A fetch runs beside others
and beside workers; what comes of it reaches the engine as a completion. A miss of whatever kind means that the action
runs: a remote cache can cost time, and never a result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ovmake.contracts.values import Facts
from ovmake.engine.job import Progress, ignore_progress
from ovmake.graph.digest import Digest
from ovmake.graph.trace import Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An action whose result is looked for.

    `key` is the action digest. `roles` are the outputs that the action makes, each with the absolute path to download
    it to; an output that is a copy of an input has none. `holds` says whether the local store has some bytes, which
    are not downloaded then. `tell` hears of a long download, a few times a second at most. Both are called in other
    threads.
    """

    key: str
    action: str
    roles: Mapping[str, str]
    holds: Callable[[Digest], bool] = lambda _: False
    tell: Callable[[Progress], None] = ignore_progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A result. `files` are the outputs that were downloaded: role -> path; their bytes match `outputs`."""

    key: str
    outputs: Mapping[str, Digest]
    files: Mapping[str, str]
    facts: Facts = field(default_factory=dict)
    seconds: float = 0.0
    peak_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """No result. `why` is "" if the cache has none, else what is wrong with it or with the cache."""

    key: str
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of the search for the result of the action with this name, or how far a download is."""

    action: str
    found: Fetched | Missed | Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A result to upload: `files` are the absolute paths of its outputs by role."""

    action: str
    seen: Seen
    outputs: Mapping[str, Digest]
    files: Mapping[str, str]
    facts: Facts
    seconds: float
    peak_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What a build had of a remote cache. Misses are results that it does not have; the rest was not usable.

    `refused` are results that were not believed, by reason ("unsigned", "signed by a key that is not trusted", ...);
    `errors` are requests that failed, by reason; `off` says why the cache was given up in this build, "" if it was not.
    """

    restored: int = 0
    restored_bytes: int = 0
    uploaded: int = 0
    uploaded_bytes: int = 0
    misses: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    errors: Mapping[str, int] = field(default_factory=dict)
    off: str = ""


class RemoteCache(Protocol):
    """A cache behind a network. No method raises; none waits longer than its deadline."""

    def fetch(self, wanted: Wanted, done: Callable[[Fetched | Missed], None]) -> None:
        """Look for a result and download it, beside others; returns at once. `done` is called in another thread."""

    def push(self, made: Made) -> None:
        """Upload a result, blobs first, beside others; returns at once. Nothing happens if uploads are off."""

    def blob(self, digest: Digest, path: str) -> str:
        """Download a blob to a file, and return ""; else why it is not there. Waits. No other bytes are left there."""

    def settle(self, tell: Callable[[Progress], None] = ignore_progress) -> Traffic:
        """Wait for uploads to end, and return what all of it came to."""

    def close(self) -> None:
        """End all transfers at once."""
