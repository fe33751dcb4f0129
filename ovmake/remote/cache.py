"""SharedCache: the remote cache as the engine asks it, see `engine.remote.RemoteCache`.

cache = SharedCache(settings)        loads and connects to nothing yet
cache.fetch(wanted, done)            `done(Fetched | Missed)` is called in another thread, exactly once
cache.push(made)
cache.settle(tell) -> Traffic
cache.close()
cache.nearest("convert digits") -> RemoteResult | None      for `explain`
"""

from __future__ import annotations

from collections.abc import Callable

from ovmake.contracts.sharing.remote_result import RemoteResult
from ovmake.engine.job import Progress, to_nobody
from ovmake.engine.remote import Fetched, Made, Missed, Traffic, Wanted
from ovmake.remote.objects import Opener, open_objects
from ovmake.remote.settings import RemoteSettings


class SharedCache:
    """A remote cache. No method raises, and none waits longer than its deadline."""

    def __init__(self, settings: RemoteSettings, opener: Opener = open_objects) -> None:
        self._settings = settings
        self._opener = opener

    def fetch(self, wanted: Wanted, done: Callable[[Fetched | Missed], None]) -> None:
        """See `RemoteCache`. `done` must return at once."""
        raise NotImplementedError

    def push(self, made: Made) -> None:
        """See `RemoteCache`."""
        raise NotImplementedError

    def nearest(self, action: str) -> RemoteResult | None:
        """Return the latest result of an action of this name, None if there is none that is believed; waits."""
        raise NotImplementedError

    def settle(self, tell: Callable[[Progress], None] = to_nobody) -> Traffic:
        """See `RemoteCache`."""
        raise NotImplementedError

    def traffic(self) -> Traffic:
        """Return what it came to so far."""
        raise NotImplementedError

    def close(self) -> None:
        """See `RemoteCache`."""
        raise NotImplementedError
