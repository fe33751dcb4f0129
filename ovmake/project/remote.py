"""The remote cache of a repo, opened at its first use: a build with nothing to do does not load it.

remote = RemoteWhenNeeded(open_remote)       `engine.remote.RemoteCache`
remote_of(cache, root, request, tell)        the same for an Ovfile's `[cache]`, None without one
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ovmake.diagnostics import Diagnostic, OvmakeError, render
from ovmake.engine.job import Progress, ignore_progress
from ovmake.engine.remote import Fetched, Made, Missed, Traffic, Wanted
from ovmake.graph.digest import Digest
from ovmake.graph.trace import Seen
from ovmake.ovfile.schema.sharing import Cache

TYPE_CHECKING = False  # importing typing takes 2 ms
if TYPE_CHECKING:
    from ovmake.remote.cache import SharedCache

# Names the remote in CI, where the Ovfile is not trusted.
VARIABLE = "OVMAKE_CACHE_REMOTE"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteRequest:
    """Options of the command line. `use` is False for --no-remote; `push` is None without --push and --no-push."""

    use: bool = True
    push: bool | None = None


AS_WRITTEN = RemoteRequest()


def remote_of(cache: Cache, root: Path, request: RemoteRequest, tell: Callable[[str], None]) -> RemoteWhenNeeded | None:
    """Return the remote cache of a repo, None if neither the Ovfile nor the environment names one.

    `tell` gets one warning if a remote is named and not used, or if --push has no remote.
    """
    if not request.use:
        return None
    if not (cache.remote or os.environ.get(VARIABLE)):
        if request.push:
            tell(render(_nowhere_to_push()))
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


def _nowhere_to_push() -> Diagnostic:
    message = f"--push uploads nothing: the Ovfile has no `[cache] remote`, and {VARIABLE} is not set"
    return Diagnostic(code="no-remote", message=message, help="`ovmake help sharing` sets one up", severity="warning")


class RemoteWhenNeeded:
    """A remote cache that is opened, or refused, at the first request."""

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
        """Return the dependencies of the latest result of an action of this name, None without one; waits."""
        from ovmake.remote.results import seen_of  # noqa: PLC0415

        cache = self._opened()
        found = None if cache is None else cache.nearest(action)
        return None if found is None else seen_of(found)

    def settle(self, tell: Callable[[Progress], None] = ignore_progress) -> Traffic:
        """See `RemoteCache`. Without a request there is nothing to wait for."""
        return Traffic() if self._cache is None else self._cache.settle(tell)

    def close(self) -> None:
        """See `RemoteCache`."""
        if self._cache is not None:
            self._cache.close()
