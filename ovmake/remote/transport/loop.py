"""An event loop in a separate thread. Its requests end at their deadlines.

    loop = Loop()
    loop.run(coroutine, deadline_s) -> its value; waits
    loop.start(coroutine, deadline_s) -> Pending; `wait()` it later
    loop.close()

Without an event loop, the server decides when a request of obstore ends: `timeout` covers the whole body,
`read_timeout` restarts at each byte. A coroutine is cancelled, and then its connection is closed.

A request must not outlive Python: obstore's threads would call an interpreter that is gone, and the process would die
by a signal. So the loop closes itself before the interpreter ends.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ovmake.remote.transport.failures import TOO_SLOW, RemoteError, of_obstore

T = TypeVar("T")
# How long `close` waits for the loop to end its requests.
ENDING_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending(Generic[T]):
    """A running request."""

    future: concurrent.futures.Future[T]

    def wait(self) -> T:
        """Return the value of the request.

        Raises:
            RemoteError: it failed, took too long, or the loop was closed.
            StopAsyncIteration: a stream has ended.
        """
        try:
            return self.future.result()
        except (RemoteError, StopAsyncIteration):
            raise
        except (asyncio.CancelledError, concurrent.futures.CancelledError):
            raise closed() from None
        except TimeoutError:
            raise RemoteError("timeout", TOO_SLOW) from None
        except Exception as error:  # noqa: BLE001 - obstore raises many types, and Python's own
            raise of_obstore(error) from None


def closed() -> RemoteError:
    """Return the failure of requests after `close`."""
    return RemoteError("closed", "the cache was closed")


class Loop:
    """An event loop in a daemon thread: a process never waits for it to exit."""

    def __init__(self, drain: Callable[[bool], Coroutine[Any, Any, None]]) -> None:
        """`drain` returns when obstore's threads have left the requests; it is given whether some were cancelled."""
        self._drain = drain
        self._loop = asyncio.new_event_loop()
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._serve, name="ovmake-remote", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def _serve(self) -> None:
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def start(self, coroutine: Coroutine[Any, Any, T], deadline_s: float | None) -> Pending[T]:
        """Start a request. It is cancelled after `deadline_s`; None: its coroutine has its own deadline.

        Raises:
            RemoteError: trouble `closed`.
        """
        with self._lock:
            if self._closed:
                coroutine.close()
                raise closed()
            future = asyncio.run_coroutine_threadsafe(asyncio.wait_for(coroutine, deadline_s), self._loop)
        return Pending(future=future)

    def run(self, coroutine: Coroutine[Any, Any, T], deadline_s: float | None) -> T:
        """Run a request and return its value. Errors are those of `Pending.wait`."""
        return self.start(coroutine, deadline_s).wait()

    def close(self) -> None:
        """End all requests at once; `wait` then raises `closed`."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        asyncio.run_coroutine_threadsafe(self._cancel(), self._loop)
        self._thread.join(ENDING_S)
        atexit.unregister(self.close)

    async def _cancel(self) -> None:
        here = asyncio.current_task()
        running = [task for task in asyncio.all_tasks() if task is not here]
        for task in running:
            task.cancel()
        try:
            if running:
                await asyncio.wait(running, timeout=ENDING_S / 2)
            await self._drain(bool(running))
        finally:
            self._loop.stop()
