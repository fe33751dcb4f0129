"""Read and write objects of a remote: S3, Google Cloud Storage, Azure, a folder, HTTP. All of it through obstore.

    objects = open_objects(settings)           connects to nothing yet
    objects.get("ac/…", 1_000_000) -> bytes | None
    with objects.read("cas/…") as chunks: …    streams

Rule 1: every failure is a `RemoteError`. An object that is not there is None, and no failure.
Rule 2: each request has a deadline, and each transfer a longest time without progress.
Rule 3: `close` ends every request, in whatever thread it was made; each raises a RemoteError there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

from ovmake.remote.settings import RemoteSettings

# timeout, connection, server (5xx), denied (401, 403): the remote is in trouble. full (507, quota): it takes no more.
# large: an object is larger than was asked for. refused: another answer. closed: `close` was called.
# settings: the remote cannot be opened as it is configured.
Trouble = Literal["timeout", "connection", "server", "denied", "full", "large", "refused", "closed", "settings"]


class RemoteError(Exception):
    """A request failed. The message is a phrase without credentials: "the server answers 503"."""

    def __init__(self, trouble: Trouble, message: str) -> None:
        super().__init__(message)
        self.trouble = trouble
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An object of a listing: its path, its size, and when it was last written, in seconds since 1970."""

    path: str
    size_bytes: int
    modified_s: float


class Objects(Protocol):
    """The objects of a remote, by paths as in layout.py. Methods may be called in several threads at once.

    All of them raise RemoteError.
    """

    def get(self, path: str, most_bytes: int) -> bytes | None:
        """Return a small object, None if there is none. A larger one than `most_bytes` is a RemoteError."""

    def read(self, path: str) -> AbstractContextManager[Iterator[bytes] | None]:
        """Stream an object in chunks; None if there is none. Leaving the context ends the transfer."""

    def put(self, path: str, data: bytes) -> None:
        """Write a small object. A reader sees all of it or nothing."""

    def write(self, path: str, chunks: Iterator[bytes], size_bytes: int) -> None:
        """Stream an object from chunks. What the iterator raises is raised here, and then nothing is written."""

    def exists(self, path: str) -> int | None:
        """Return the size of an object in bytes, None if there is none."""

    def list(self, folder: str) -> Iterator[Listed]:
        """Yield the objects of `cas` or `ac`, in any order. HTTP servers cannot list: trouble `refused`."""

    def delete(self, path: str) -> None:
        """Remove an object; it need not exist."""

    def close(self) -> None:
        """End every request at once."""


def open_objects(settings: RemoteSettings) -> Objects:
    """Return the objects of a remote. Nothing is read yet.

    Raises:
        RemoteError: trouble `settings`: the URL, the endpoint or the environment's credentials have a wrong form.
    """
    raise NotImplementedError


# What `open_objects` is, for those who bring their own.
Opener = Callable[[RemoteSettings], Objects]
