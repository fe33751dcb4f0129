"""SharedCache: the remote cache as the engine asks it, see `engine.remote.RemoteCache`.

    cache = SharedCache(settings)        loads and connects to nothing yet
    cache.fetch(wanted, done)            `done(Fetched | Missed)` is called in another thread, exactly once
    cache.push(made)
    cache.settle(tell) -> Traffic
    cache.close()
    cache.nearest("convert digits") -> RemoteResult | None      for `explain`

Downloads and uploads have separate threads, so that uploads do not delay downloads.
"""

from __future__ import annotations

from collections.abc import Callable

from ovmake.contracts.sharing.remote_result import RemoteResult
from ovmake.engine.job import Progress, ignore_progress
from ovmake.engine.remote import Fetched, Made, Missed, Traffic, Wanted
from ovmake.graph.digest import Digest
from ovmake.remote.blobs import download, not_written
from ovmake.remote.fetching import Fetching
from ovmake.remote.layout import nearest_path
from ovmake.remote.line import Line
from ovmake.remote.objects import Opener, open_objects
from ovmake.remote.pool import Pool
from ovmake.remote.pushing import Pushes
from ovmake.remote.results import MOST_BYTES, from_bytes
from ovmake.remote.settings import RemoteSettings
from ovmake.remote.signing import RefusedError
from ovmake.remote.traffic import Counts
from ovmake.remote.transport.failures import RemoteError

READERS = 6
# How long `close` waits for threads. They are daemons: those that are left end with the process.
ENDING_S = 2.0


class SharedCache:
    """A remote cache. No method raises, and none waits longer than its deadline."""

    def __init__(self, settings: RemoteSettings, opener: Opener = open_objects) -> None:
        self._settings = settings
        self._line = Line(settings, opener)
        self._counts = Counts()
        self._readers = Pool("ovmake-fetch", READERS)
        self._pushes = Pushes(self._line, self._counts)

    def fetch(self, wanted: Wanted, done: Callable[[Fetched | Missed], None]) -> None:
        """See `RemoteCache`. `done` must return at once. It is called once, also after `close`."""
        fetching = Fetching(wanted, done, line=self._line, counts=self._counts, pool=self._readers)
        self._readers.submit(fetching.begin)

    def push(self, made: Made) -> None:
        """See `RemoteCache`."""
        if self._settings.push:
            self._pushes.push(made)

    def blob(self, digest: Digest, path: str) -> str:
        """See `RemoteCache`."""
        try:
            there = self._line.read(lambda objects: download(objects, digest, path))
        except RemoteError as error:
            self._counts.failed(error.message)
            return error.message
        except OSError as error:
            return not_written(error)
        except RefusedError as error:
            return str(error)
        return "" if there else "the remote cache does not have it"

    def nearest(self, action: str) -> RemoteResult | None:
        """Return the latest result of an action of this name, None if the remote has none, or it is refused; waits."""
        try:
            data = self._line.read(lambda objects: objects.get(nearest_path(action), MOST_BYTES))
            found = None if data is None else from_bytes(data, self._settings.trusted_keys)
        except RemoteError as error:
            if error.trouble != "closed":
                self._counts.failed(error.message)
            return None
        except RefusedError as error:
            self._counts.refused(str(error))
            return None
        return found if found is not None and found.action == action else None

    def settle(self, tell: Callable[[Progress], None] = ignore_progress) -> Traffic:
        """See `RemoteCache`. It stops waiting when no upload makes progress."""
        self._pushes.settle(tell)
        return self.traffic()

    def traffic(self) -> Traffic:
        """Return the counts so far."""
        return self._counts.so_far(self._line.off)

    def close(self) -> None:
        """See `RemoteCache`."""
        self._line.close()
        self._readers.end(ENDING_S)
        self._pushes.end(ENDING_S)
