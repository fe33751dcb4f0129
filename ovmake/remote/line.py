"""The line to a remote: opened at first use, behind a breaker for reads and one for writes.

line.read(lambda objects: objects.get(...))
line.write(lambda objects: objects.put(...))
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from ovmake.graph.digest import Digest
from ovmake.remote.breaker import Breaker
from ovmake.remote.objects import Objects, Opener
from ovmake.remote.settings import RemoteSettings
from ovmake.remote.transport.failures import RemoteError
from ovmake.remote.transport.loop import closed

T = TypeVar("T")


class Line:
    """Requests to one remote, from several threads.

    Reading and writing have a breaker each: who may read and not write gets a failure for each upload, and still
    restores. A remote that cannot be read is not written to.
    """

    def __init__(self, settings: RemoteSettings, opener: Opener) -> None:
        self.settings = settings
        self._opener = opener
        self._lock = threading.Lock()
        self._objects: Objects | None = None
        # Blobs of the right size with other bytes: an upload replaces them.
        self.damaged: set[Digest] = set()
        self._closed = False
        self._reads, self._writes = Breaker(), Breaker()

    @property
    def off(self) -> str:
        """Why the remote was given up, "" if it was not. "uploads: ..." if only uploads were."""
        return self._reads.off or (f"uploads: {self._writes.off}" if self._writes.off else "")

    def read(self, request: Callable[[Objects], T]) -> T:
        """Run a request that reads, and return its value.

        Raises:
            RemoteError: it failed, or the remote was given up.
        """
        with self._reads.watch():
            return request(self._open())

    def write(self, request: Callable[[Objects], T]) -> T:
        """Run a request that writes. Errors are those of `read`."""
        if self._reads.off:
            raise RemoteError("closed", self._reads.off)
        with self._writes.watch():
            return request(self._open())

    def _open(self) -> Objects:
        with self._lock:
            if self._closed:
                raise closed()
            if self._objects is None:
                self._objects = self._opener(self.settings)
            return self._objects

    def close(self) -> None:
        """End all requests at once."""
        with self._lock:
            self._closed = True
            objects = self._objects
        if objects is not None:
            objects.close()
