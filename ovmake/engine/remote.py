"""The interface between the engine and a cache that is shared over a network.

RemoteCache   the protocol: look for results, download them, upload results
Wanted        an action whose result is looked for
Fetched       a result, its blobs downloaded and checked
Missed        no usable result
Answer        one of both, for the executor
Made          a result to upload
Traffic       counts of a build, for its last line

The engine asks for a result when an action is stale and the local action cache has nothing. Fetches run in
parallel with each other and with workers; the engine receives their outcomes as completions. After any miss the action
runs: a remote cache can cost time, but never changes a result.
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

    `key` is the action digest. `roles` maps the outputs of the action to absolute paths for the downloads; "" for an
    output that copies an input. `holds` says whether the local store already has a blob, so that it is not downloaded.
    `tell` gets the progress of long downloads, a few times a second at most. Both are called in other threads.
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
    """No result. `why` is the fault of the result or of the cache, "" if the cache does not have it."""

    key: str
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The outcome of a search for an action's result, or the progress of its download."""

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
    """A build's use of a remote cache. Misses are results that the cache does not have.

    `refused` counts results that failed a check, by reason ("unsigned", "signed by a key that is not trusted", ...);
    `errors` counts failed requests and uploads, by reason; `off` is the reason why this build gave the
    cache up, else "".
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
    """A cache on the network. No method raises, and each has a deadline."""

    def fetch(self, wanted: Wanted, done: Callable[[Fetched | Missed], None]) -> None:
        """Look for a result and download it in the background; returns at once. `done` is called in another thread."""

    def push(self, made: Made) -> None:
        """Upload a result in the background, blobs first; returns at once. Does nothing if uploads are off."""

    def blob(self, digest: Digest, path: str) -> str:
        """Download a blob to a file and wait. Returns "", or why it failed; then no file is left."""

    def settle(self, tell: Callable[[Progress], None] = ignore_progress) -> Traffic:
        """Wait for uploads to end, and return the counts."""

    def close(self) -> None:
        """End all transfers at once."""
