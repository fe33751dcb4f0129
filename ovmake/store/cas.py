"""The content-addressable store: digest -> bytes, one file each, under `.ovmake/cas/`.

    cas.adopt(scratch) -> Digest      take over a finished scratch file
    cas.add(data) -> Digest           store a few bytes
    cas.has(digest), cas.path(digest)

Files are written once and never changed: nothing that is published shares storage with them.
"""

from __future__ import annotations

from ovmake.graph.digest import Digest, of_bytes
from ovmake.store.disk import Disk

FOLDER = ".ovmake/cas"


class Cas:
    """The store on a disk: the repo's own, or another folder of the same form."""

    def __init__(self, disk: Disk, folder: str = FOLDER) -> None:
        self._disk = disk
        self._folder = folder

    def path(self, digest: Digest) -> str:
        """Return where the bytes are, relative to the Ovfile's folder, whether or not they are there."""
        return f"{self._folder}/{digest.sha256[:2]}/{digest.sha256[2:]}"

    def has(self, digest: Digest) -> bool:
        """Whether the bytes are there, judged by their size; `Disk.publish` checks their digest."""
        found = self._disk.stat(self.path(digest))
        return found is not None and found.size_bytes == digest.size_bytes

    def adopt(self, scratch: str) -> Digest:
        """Move a scratch file in."""
        digest = self._disk.digest(scratch)
        if self.has(digest):
            self._disk.remove(scratch)
        else:
            self._disk.adopt(scratch, self.path(digest))
        return digest

    def add(self, data: bytes) -> Digest:
        """Store bytes."""
        digest = of_bytes(data)
        if not self.has(digest):
            self._disk.write(self.path(digest), data)
        return digest

    def read(self, digest: Digest) -> bytes:
        """Return stored bytes.

        Raises:
            FileNotFoundError: they are not there.
        """
        return self._disk.read(self.path(digest))

    def drop(self, path: str) -> None:
        """Forget an entry that turned out not to hold its bytes."""
        self._disk.remove(path)
