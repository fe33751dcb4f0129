"""A circuit breaker: it gives a remote up for a build after three failures in a row, or 30 seconds lost to failures.

    with breaker.watch():
        objects.get(...)
    breaker.off -> "" or why

A miss is not a failure. A blob that does not match its digest is a failure. A permanent failure (a missing bucket, a
full disk) gives the remote up at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ovmake.remote.signing import RefusedError
from ovmake.remote.transport.failures import RemoteError

IN_A_ROW = 3
LOST_S = 30.0
_TROUBLES = {"timeout", "connection", "server", "denied"}
_FOR_GOOD = {"settings", "full"}


class Breaker:
    """Counts failures. It may be used in several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._in_a_row = 0
        self._lost_s = 0.0
        self._off = ""

    @property
    def off(self) -> str:
        """Why the remote was given up, "" if it was not."""
        return self._off

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Count the outcome of a request.

        Raises:
            RemoteError: trouble `closed`: the remote was given up.
        """
        if self._off:
            raise RemoteError("closed", self._off)
        began_s = time.monotonic()
        try:
            yield
        except RemoteError as error:
            self.failed(error, time.monotonic() - began_s)
            raise
        except RefusedError as error:  # a server that sends wrong bytes costs as much as one that sends none
            self.failed(RemoteError("server", str(error)), time.monotonic() - began_s)
            raise
        with self._lock:
            self._in_a_row = 0

    def failed(self, error: RemoteError, lost_s: float) -> None:
        """Count a failure that took `lost_s` seconds."""
        with self._lock:
            if error.trouble in _TROUBLES:
                self._in_a_row += 1
                self._lost_s += lost_s
            tripped = self._in_a_row >= IN_A_ROW or self._lost_s >= LOST_S
            if not self._off and (tripped or error.trouble in _FOR_GOOD):
                self._off = error.message
