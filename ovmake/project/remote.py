"""The remote cache of a repo, opened when a build first needs it: a build with nothing to do loads none of it.

remote = RemoteWhenNeeded(open_remote)       `engine.remote.RemoteCache`
remote_of(cache, root, request, tell)        the same for an Ovfile's `[cache]`, None without one
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ovmake.diagnostics import OvmakeError, render
from ovmake.engine.job import Progress, ignore_progress
from ovmake.engine.remote import Fetched, Made, Missed, Traffic, Wanted
from ovmake.graph.digest import Digest
from ovmake.graph.trace import Seen
from ovmake.ovfile.schema.sharing import Cache

TYPE_CHECKING = False  # importing typing takes 2 ms
if TYPE_CHECKING:
    from ovmake.remote.cache import SharedCache

# CI names a remote here, for Ovfiles that it does not trust.
VARIABLE = "OVMAKE_CACHE_REMOTE"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteRequest:
    """What the command line says of the remote cache. `push` is None if it says nothing; `use` is False for none."""

    use: bool = True
    push: bool | None = None


AS_WRITTEN = RemoteRequest()


def remote_of(cache: Cache, root: Path, request: RemoteRequest, tell: Callable[[str], None]) -> RemoteWhenNeeded | None:
    """Return the remote cache of a repo, None if neither the Ovfile nor the environment names one.

    `tell` hears once why a remote is not used.
    """
    if not request.use or not (cache.remote or os.environ.get(VARIABLE)):
        return None

    def opened() -> SharedCache | None:
        from ovmake.remote.acceptance import Unaccepted, accepted_settings  # noqa: PLC0415
        from ovmake.remote.cache import SharedCache  # noqa: PLC0415

        try:
            settings = accepted_settings(cache, root, os.environ, push=request.push)
        except OvmakeError as error:
            tell("\n".join(map(render, error.diagnostics)))
            return None
        if isinstance(settings, Unaccepted):
            tell(render(settings.diagnostic))
            return None
        return SharedCache(settings)

    return RemoteWhenNeeded(opened)


class RemoteWhenNeeded:
    """A remote cache that is opened with the first request, or found unusable then."""

    def __init__(self, opened: Callable[[], SharedCache | None]) -> None:
        self._open = opened
        self._asked = False
        self._cache: SharedCache | None = None

    def _opened(self) -> SharedCache | None:
        if not self._asked:
            self._asked, self._cache = True, self._open()
        return self._cache

    def fetch(self, wanted: Wanted, done: Callable[[Fetched | Missed], None]) -> None:
        """See `RemoteCache`."""
        cache = self._opened()
        if cache is None:
            done(Missed(key=wanted.key))
        else:
            cache.fetch(wanted, done)

    def push(self, made: Made) -> None:
        """See `RemoteCache`."""
        if (cache := self._opened()) is not None:
            cache.push(made)

    def blob(self, digest: Digest, path: str) -> str:
        """See `RemoteCache`."""
        cache = self._opened()
        return "the remote cache is not used" if cache is None else cache.blob(digest, path)

    def nearest(self, action: str) -> Seen | None:
        """Return what the latest believed result of an action of this name saw, None if there is none; waits."""
        from ovmake.remote.results import seen_of  # noqa: PLC0415

        cache = self._opened()
        found = None if cache is None else cache.nearest(action)
        return None if found is None else seen_of(found)

    def settle(self, tell: Callable[[Progress], None] = ignore_progress) -> Traffic:
        """See `RemoteCache`. What was not opened has nothing to settle."""
        return Traffic() if self._cache is None else self._cache.settle(tell)

    def close(self) -> None:
        """See `RemoteCache`."""
        if self._cache is not None:
            self._cache.close()
