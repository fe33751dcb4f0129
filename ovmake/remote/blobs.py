"""Download and upload of blobs, hashed on the way.

download(objects, digest, path) -> bool     False: the remote has none
upload(objects, digest, path) -> bool       False: the remote had it
"""

from __future__ import annotations

from collections.abc import Callable

from ovmake.graph.digest import Digest
from ovmake.remote.objects import Objects


def to_nobody(_: int) -> None:
    """Ignore progress."""


def download(objects: Objects, digest: Digest, path: str, told: Callable[[int], None] = to_nobody) -> bool:
    """Write a blob to a new file; False if the remote has none. `told` is called with the size of each part.

    Raises:
        RefusedError: its bytes are not those of the digest. No file is left.
        RemoteError: the transfer failed. No file is left.
        OSError: the file cannot be written.
    """
    raise NotImplementedError


def upload(objects: Objects, digest: Digest, path: str, told: Callable[[int], None] = to_nobody) -> bool:
    """Send a file as a blob unless the remote has it; False if it had.

    Raises:
        ChangedError: the file is not the one of the digest. Nothing is written to the remote.
        RemoteError: the transfer failed.
        OSError: the file cannot be read.
    """
    raise NotImplementedError


class ChangedError(Exception):
    """A local file is not what its digest says."""
