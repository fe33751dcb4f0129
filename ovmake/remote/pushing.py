"""Uploads: the blobs of a result first, several at once; then the result; then its name for `explain`.

    pushes = Pushes(line, counts)
    pushes.push(made)              returns at once
    pushes.settle(tell)            waits
    pushes.end(within_s)

A kill can leave blobs without a result, but never a result without its blobs.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

from ovmake.engine.job import Progress
from ovmake.engine.remote import Made
from ovmake.errors import kind_and_message_of
from ovmake.graph.digest import Digest
from ovmake.remote.blobs import ChangedError, upload
from ovmake.remote.layout import nearest_path, result_path
from ovmake.remote.line import Line
from ovmake.remote.objects import UPLOAD_STALL_S
from ovmake.remote.pool import Pool
from ovmake.remote.results import result_of, to_bytes
from ovmake.remote.settings import SIGNING_KEY, RemoteSettings
from ovmake.remote.signing import public_key_for
from ovmake.remote.traffic import Counts
from ovmake.remote.transport.failures import RemoteError

WRITERS = 3
MB = 1_000_000
TELL_S = 0.2
# Blobs of a result come before further results.
BLOBS = 1


def refusal(settings: RemoteSettings) -> str:
    """Return why no result can be pushed with these settings, "" if results can. It loads `cryptography`."""
    if not settings.trusted_keys:
        return ""
    if not settings.signing_key:
        return f"not uploaded: `trusted-keys` asks for signed results, and {SIGNING_KEY} is not set"
    if public_key_for(settings.signing_key) not in settings.trusted_keys:
        return f"not uploaded: the key in {SIGNING_KEY} belongs to none of `trusted-keys`"
    return ""


class Pushes:
    """The uploads of a build."""

    def __init__(self, line: Line, counts: Counts) -> None:
        self.line = line
        self.counts = counts
        self.pool = Pool("ovmake-push", WRITERS)
        self.present: set[Digest] = set()  # blobs that the remote has, as far as this build knows
        self._changed = threading.Condition()
        self._running = 0
        self._asked_bytes = 0
        self._moved_bytes = 0
        self._moved_s = 0.0

    def push(self, made: Made) -> None:
        """Upload a result, beside others."""
        pushing = _Pushing(made, self)
        with self._changed:
            self._running += 1
            self._asked_bytes += pushing.size_bytes
        self.pool.submit(pushing.begin)

    def moved(self, size_bytes: int) -> None:
        """Count bytes that were sent, or that the remote had."""
        with self._changed:
            self._moved_bytes += size_bytes
            self._moved_s = time.monotonic()

    def ended(self, pushing: _Pushing) -> None:
        """Note that a push is over, however it ended."""
        with self._changed:
            self._running -= 1
            self._moved_bytes += pushing.size_bytes - pushing.moved_bytes
            self._moved_s = time.monotonic()
            self._changed.notify_all()

    def settle(self, tell: Callable[[Progress], None]) -> None:
        """Wait until all uploads have ended, or none makes progress any more."""
        most_s = UPLOAD_STALL_S + 2 * self.line.settings.timeout_s
        began_s = time.monotonic()
        told = -1
        while True:
            with self._changed:
                if self._running:
                    self._changed.wait(TELL_S)
                running, done, of = self._running, self._moved_bytes // MB, self._asked_bytes // MB
                still_s = time.monotonic() - max(began_s, self._moved_s)
            if not running:
                return
            if still_s > most_s:
                self.counts.failed(f"not uploaded: no progress for {most_s:.0f} s")
                return
            if done != told and of:
                told = done
                tell(Progress(done=done, of=of, unit="MB"))

    def end(self, within_s: float) -> None:
        """End the threads. Close the line first, so that no request blocks a thread."""
        self.pool.end(within_s)


class _Pushing:
    """The upload of one result. All but the constructor runs in threads of the pool."""

    def __init__(self, made: Made, pushes: Pushes) -> None:
        self._made = made
        self._pushes = pushes
        self._lock = threading.Lock()
        self._blobs = {made.outputs[role]: path for role, path in made.files.items() if role in made.outputs}
        self._left = len(self._blobs)
        self._error: Exception | None = None
        self._data = b""
        self._sent_bytes = 0
        self.moved_bytes = 0
        self.size_bytes = sum(digest.size_bytes for digest in self._blobs)

    def begin(self) -> None:
        """Make the result and submit its blobs."""
        settings = self._pushes.line.settings
        try:
            if why := refusal(settings):
                raise ChangedError(why)
            self._data = to_bytes(result_of(self._made), settings.signing_key)
        except Exception as error:  # noqa: BLE001 - nothing may reach the engine
            self._error = error
        if self._error or not self._blobs:
            self._finish()
            return
        for digest, path in self._blobs.items():
            self._pushes.pool.submit(partial(self._blob, digest, path), BLOBS)

    def _blob(self, digest: Digest, path: str) -> None:
        """Upload one blob. The last one to end writes the result."""
        try:
            if self._error is None and digest not in self._pushes.present:
                again = digest in self._pushes.line.damaged
                sent = self._pushes.line.write(lambda objects: upload(objects, digest, path, self._moved, again=again))
                self._pushes.present.add(digest)
                with self._lock:
                    self._sent_bytes += digest.size_bytes if sent else 0
        except Exception as error:  # noqa: BLE001 - see `begin`
            self._error = self._error or error
        with self._lock:
            self._left -= 1
            last = not self._left
        if last:
            self._finish()

    def _moved(self, size_bytes: int) -> None:
        with self._lock:
            self.moved_bytes += size_bytes
        self._pushes.moved(size_bytes)

    def _finish(self) -> None:
        try:
            if self._error is not None:
                raise self._error
            self._write()
        except Exception as error:  # noqa: BLE001 - see `begin`
            self._count(error)
        self._pushes.ended(self)

    def _write(self) -> None:
        """Write the result, now that all blobs are there; and its name for `explain`."""
        line, key, action = self._pushes.line, self._made.seen.digest, self._made.action
        line.write(lambda objects: objects.put(result_path(key), self._data))
        self._pushes.counts.uploaded(self._sent_bytes)
        line.write(lambda objects: objects.put(nearest_path(action), self._data))

    def _count(self, error: Exception) -> None:
        counts = self._pushes.counts
        if isinstance(error, ChangedError):
            counts.failed(str(error))
        elif not isinstance(error, RemoteError):
            counts.failed(f"not uploaded: {kind_and_message_of(error)}")
        elif error.trouble != "closed":
            counts.failed(f"not uploaded: {error.message}")
