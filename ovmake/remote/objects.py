"""Read and write objects of a remote: S3, Google Cloud Storage, Azure, a folder, HTTP, through obstore.

    objects = open_objects(settings)           connects to nothing yet
    objects.get("ac/…", 1_000_000) -> bytes | None
    with objects.read("cas/…") as chunks: …    streams

Rule 1: Every failure is a `RemoteError`. A missing object is None, not a failure.
Rule 2: A small request ends at its deadline, `timeout_s`. A download must receive some bytes in each `timeout_s`, and
        CHUNK_BYTES in four of them. An upload must reach LEAST_SPEED. A slower transfer is a failure.
Rule 3: `close` ends the requests of all threads; each raises a RemoteError in its thread.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from ovmake.remote.layout import is_sha256
from ovmake.remote.settings import RemoteSettings
from ovmake.remote.transport import http_upload
from ovmake.remote.transport.failures import MissingError, RemoteError, Trouble
from ovmake.remote.transport.loop import Loop, closed
from ovmake.remote.transport.stores import store_of

if TYPE_CHECKING:
    from obstore import AsyncWritableFile, BytesStream, ObjectMeta
    from obstore.store import ObjectStore

__all__ = ["Listed", "Objects", "Opener", "RemoteError", "Trouble", "open_objects"]

# 100 MB over loopback take 0.27 s in chunks as they come, 0.12 s in chunks of 128 kB, 0.1 s in chunks of 512 kB. A
# chunk may take CHUNK_TIMES deadlines: 26 kB/s by default. obstore ends a download in which nothing comes for one.
CHUNK_BYTES = 512 * 1024
CHUNK_TIMES = 4
# The smallest part that S3 takes, except for the last one. Smaller objects go in one request.
PART_BYTES = 5 * 1024 * 1024
PARTS_AT_ONCE = 2
LEAST_SPEED = 250_000  # bytes per second of an upload
# Requests that follow those that `close` cancelled, before the event loop ends.
DRAINING = 20
UPLOAD_STALL_S = PARTS_AT_ONCE * PART_BYTES / LEAST_SPEED


class Objects(Protocol):
    """The objects of a remote, by paths as in layout.py. Methods may be called in several threads at once.

    All of them raise RemoteError.
    """

    def get(self, path: str, most_bytes: int) -> bytes | None:
        """Return a small object, None if it does not exist. More than `most_bytes` are a RemoteError."""

    def read(self, path: str) -> AbstractContextManager[Iterator[bytes] | None]:
        """Stream an object in chunks; None if it does not exist. Leaving the context ends the transfer."""

    def put(self, path: str, data: bytes) -> None:
        """Write a small object. A reader sees all of it or nothing."""

    def write(self, path: str, chunks: Iterator[bytes], size_bytes: int) -> None:
        """Stream an object from chunks. If the iterator raises, so does this, and nothing is written.

        The iterator must not raise OSError.
        """

    def exists(self, path: str) -> int | None:
        """Return the size of an object in bytes, None if it does not exist."""

    def list(self, folder: str) -> Iterator[Listed]:
        """Yield the objects of `cas` or `ac`, in any order. Names that are not a sha-256 are skipped.

        Many HTTP servers cannot list: trouble `refused` or `server`.
        """

    def delete(self, path: str) -> None:
        """Remove an object; it need not exist."""

    def close(self) -> None:
        """End every request at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An object of a listing: its path, its size, and when it was last written, in seconds since 1970."""

    path: str
    size_bytes: int
    modified_s: float


Opener = Callable[[RemoteSettings], Objects]


def open_objects(settings: RemoteSettings) -> Objects:
    """Return the objects of a remote. Nothing is read yet.

    Raises:
        RemoteError: trouble `settings`: the URL, the endpoint or the environment's credentials have a wrong form.
    """
    reads = store_of(settings)
    return _Objects(settings, reads, store_of(settings, uploads=True) if settings.push else reads)


class _Objects:
    """See `Objects`."""

    def __init__(self, settings: RemoteSettings, reads: ObjectStore, writes: ObjectStore) -> None:
        self._settings = settings
        self._store = reads
        self._writes = writes
        self._timeout_s = settings.timeout_s
        self._loop = Loop(_drained)
        self._closed = False

    def get(self, path: str, most_bytes: int) -> bytes | None:
        """See `Objects`."""
        try:
            return self._loop.run(self._get(path, most_bytes), self._timeout_s)
        except MissingError:
            return None

    async def _get(self, path: str, most_bytes: int) -> bytes:
        import obstore  # noqa: PLC0415

        found = await obstore.get_async(self._store, path)
        if found.meta["size"] > most_bytes:
            raise RemoteError("large", f"an object has more than {most_bytes:,} bytes")
        data = bytes(await found.bytes_async())
        if len(data) > most_bytes:
            raise RemoteError("large", f"an object has more than {most_bytes:,} bytes")
        return data

    @contextmanager
    def read(self, path: str) -> Iterator[Iterator[bytes] | None]:
        """See `Objects`."""
        try:
            stream = self._loop.run(self._open(path), self._timeout_s)
        except MissingError:
            stream = None
        yield None if stream is None else self._chunks(stream)

    async def _open(self, path: str) -> BytesStream:
        import obstore  # noqa: PLC0415

        return (await obstore.get_async(self._store, path)).stream(min_chunk_size=CHUNK_BYTES)

    def _chunks(self, stream: BytesStream) -> Iterator[bytes]:
        """Yield chunks; the next one is fetched while the caller uses one."""
        coming = self._loop.start(_next(stream), CHUNK_TIMES * self._timeout_s)
        try:
            while True:
                chunk = coming.wait()
                if chunk is None:
                    return
                coming = self._loop.start(_next(stream), CHUNK_TIMES * self._timeout_s)
                yield chunk
        finally:
            coming.future.cancel()

    def put(self, path: str, data: bytes) -> None:
        """See `Objects`."""
        import obstore  # noqa: PLC0415

        deadline_s = self._timeout_s + len(data) / LEAST_SPEED
        self._loop.run(_call(obstore.put_async, self._writes, path, data, use_multipart=False), deadline_s)

    def write(self, path: str, chunks: Iterator[bytes], size_bytes: int) -> None:
        """See `Objects`."""
        deadline_s = self._timeout_s + UPLOAD_STALL_S
        if self._settings.url.startswith("http"):
            url = f"{self._settings.url}/{quote(path)}"
            given = {"Authorization": self._settings.authorization} if self._settings.authorization else {}
            http_upload.put(url, self._until_closed(chunks), size_bytes=size_bytes, timeout_s=deadline_s, headers=given)
            return
        writer = self._loop.run(self._writer(path), deadline_s)
        for chunk in chunks:
            self._loop.run(_call(writer.write, chunk), deadline_s)
        self._loop.run(_call(writer.close), deadline_s)

    async def _writer(self, path: str) -> AsyncWritableFile:
        """Open an object that is sent in parts. It is there once it is closed; one that is dropped never is.

        `put_async` takes an iterator too. But obstore's threads would call it, also when Python is about to end.
        """
        import obstore  # noqa: PLC0415

        return obstore.open_writer_async(self._writes, path, buffer_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE)

    def _until_closed(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            if self._closed:
                raise closed()
            yield chunk

    def exists(self, path: str) -> int | None:
        """See `Objects`."""
        import obstore  # noqa: PLC0415

        try:
            found: ObjectMeta = self._loop.run(_call(obstore.head_async, self._store, path), self._timeout_s)
        except MissingError:
            return None
        return found["size"]

    def list(self, folder: str) -> Iterator[Listed]:
        """See `Objects`."""
        import obstore  # noqa: PLC0415

        pages = obstore.list(self._store, prefix=folder)
        while page := self._loop.run(_next(pages), self._timeout_s):
            for one in page:
                if is_sha256(one["path"].rpartition("/")[2]):
                    yield Listed(path=one["path"], size_bytes=one["size"], modified_s=one["last_modified"].timestamp())

    def delete(self, path: str) -> None:
        """See `Objects`."""
        import obstore  # noqa: PLC0415

        try:
            self._loop.run(_call(obstore.delete_async, self._store, path), self._timeout_s)
        except MissingError:
            return

    def close(self) -> None:
        """See `Objects`."""
        self._closed = True
        self._loop.close()


async def _next(stream: Any) -> Any:
    """Return the next part of a stream of obstore's, None at its end."""
    try:
        return await stream.__anext__()
    except StopAsyncIteration:
        return None


async def _drained(cancelled: bool) -> None:  # noqa: FBT001
    """Wait until obstore's threads have left the requests before this. Their queue is first in, first out."""
    import obstore  # noqa: PLC0415
    from obstore.store import MemoryStore  # noqa: PLC0415

    store = MemoryStore()
    for _ in range(DRAINING if cancelled else 2):
        with contextlib.suppress(FileNotFoundError):
            await obstore.head_async(store, "nothing")
        await asyncio.sleep(0.001)


async def _call(request: Callable[..., Any], *arguments: object, **named: object) -> Any:
    """Make a request of obstore's and wait for it. It must begin in the loop's thread."""
    return await request(*arguments, **named)
