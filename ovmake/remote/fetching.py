"""One fetch: the result first, then its blobs, several at once.

    Fetching(wanted, done, line, counts, pool).begin()      in a thread of the pool; `done` is called once

Every failure becomes a `Missed` with its reason, and leaves no file.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from ovmake.contracts.sharing.remote_result import RemoteResult
from ovmake.engine.job import Progress
from ovmake.engine.remote import Fetched, Missed, Wanted
from ovmake.errors import kind_and_message_of
from ovmake.graph.digest import Digest
from ovmake.remote.blobs import download, not_written
from ovmake.remote.layout import result_path
from ovmake.remote.line import Line
from ovmake.remote.pool import Pool
from ovmake.remote.results import MOST_BYTES, facts_of, from_bytes, outputs_of
from ovmake.remote.signing import RefusedError
from ovmake.remote.traffic import Counts
from ovmake.remote.transport.failures import RemoteError

MB = 1_000_000
# Blobs of a result come before further results.
BLOBS = 1


class _GoneError(Exception):
    """The remote does not have the result (the message is ""), or lost one of its blobs."""


class _StoppedError(Exception):
    """Another blob of the same result has failed."""


class Fetching:
    """A fetch. `begin` and the downloads that it submits run in threads of the pool."""

    def __init__(
        self, wanted: Wanted, done: Callable[[Fetched | Missed], None], *, line: Line, counts: Counts, pool: Pool
    ) -> None:
        self._wanted = wanted
        self._done = done
        self._line = line
        self._counts = counts
        self._pool = pool
        self._lock = threading.Lock()
        self._result: RemoteResult | None = None
        self._files: dict[str, tuple[Digest, str]] = {}  # role -> blob and path of the download
        self._left = 0
        self._error: Exception | None = None
        self._got_bytes = 0
        self._told_mb = -1

    def begin(self) -> None:
        """Get the result and submit its downloads."""
        try:
            self._result = self._look()
            self._files = self._to_download(outputs_of(self._result))
        except Exception as error:  # noqa: BLE001 - nothing may reach the engine but a miss
            self._error = error
        self._left = 0 if self._error else len(self._files)
        if not self._left:
            self._finish()
            return
        for role in tuple(self._files):
            self._pool.submit(partial(self._blob, role), BLOBS)

    def _look(self) -> RemoteResult:
        key = self._wanted.key
        data = self._line.read(lambda objects: objects.get(result_path(key), MOST_BYTES))
        if data is None:
            raise _GoneError
        return from_bytes(data, self._line.settings.trusted_keys, key=key)

    def _to_download(self, outputs: Mapping[str, Digest]) -> dict[str, tuple[Digest, str]]:
        if not self._wanted.roles.keys() <= outputs.keys():
            raise RefusedError("it lacks an output")
        asked = {role: (outputs[role], path) for role, path in self._wanted.roles.items() if path}
        return {role: found for role, found in asked.items() if not self._wanted.holds(found[0])}

    def _blob(self, role: str) -> None:
        """Download one output. The last one to end finishes the fetch."""
        digest, path = self._files[role]
        try:
            if self._error is None and not self._line.read(
                lambda objects: download(objects, digest, path, self._advance)
            ):
                raise _GoneError("a blob of the result is missing")
        except _StoppedError:
            pass
        except RefusedError as error:
            self._line.damaged.add(digest)
            self._error = self._error or error
        except Exception as error:  # noqa: BLE001 - see `begin`
            self._error = self._error or error
        with self._lock:
            self._left -= 1
            last = not self._left
        if last:
            self._finish()

    def _advance(self, size_bytes: int) -> None:
        if self._error is not None:
            raise _StoppedError
        of = sum(digest.size_bytes for digest, _ in self._files.values()) // MB
        with self._lock:
            self._got_bytes += size_bytes
            done = self._got_bytes // MB
            if done != self._told_mb and of:
                self._told_mb = done
                self._wanted.tell(Progress(done=done, of=of, unit="MB"))

    def _finish(self) -> None:
        """Count the outcome, and report it."""
        if self._error is None and self._result is not None:
            found: Fetched | Missed = self._fetched(self._result)
            self._counts.restored(sum(digest.size_bytes for digest, _ in self._files.values()))
        else:
            for _, path in self._files.values():
                with contextlib.suppress(OSError):
                    Path(path).unlink()
            found = Missed(key=self._wanted.key, why=self._why(self._error))
        with contextlib.suppress(Exception):  # an engine that has ended
            self._done(found)

    def _fetched(self, result: RemoteResult) -> Fetched:
        return Fetched(
            key=result.key,
            outputs=outputs_of(result),
            files={role: path for role, (_, path) in self._files.items()},
            facts=facts_of(result),
            seconds=result.seconds,
            peak_bytes=result.peak_bytes,
        )

    def _why(self, error: Exception | None) -> str:
        """Return the reason of a miss, and count it."""
        if isinstance(error, _GoneError):
            self._counts.missed()
            return str(error)
        if isinstance(error, RefusedError):
            self._counts.refused(str(error))
            return str(error)
        if isinstance(error, RemoteError):
            if error.trouble != "closed":
                self._counts.failed(error.message)
            return error.message
        words = kind_and_message_of(error) if error else ""
        if isinstance(error, OSError):  # of this machine's disk, and no fault of the remote's
            words = not_written(error)
        self._counts.failed(words)
        return words
