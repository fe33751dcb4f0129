"""The content-addressable store: digest -> bytes, one file each, under `.ovmake/cas/`.

    cas.adopt(scratch) -> Digest      take over a finished scratch file
    cas.has(digest)                   by its size
    cas.holds(digest)                 by its bytes, read once
    cas.path(digest)

Files are written once and never changed: nothing that is published shares storage with them. A disk may change them
all the same. So what is read from here was compared with its digest in the same run: by `holds` before an action gets
it, by `Disk.publish` while it copies, by `read`.
"""

from __future__ import annotations

from ovmake.contracts.places import STATE
from ovmake.diagnostics import Diagnostic, OvmakeError
from ovmake.graph.digest import Digest, of_bytes
from ovmake.store.files.disk import Disk

FOLDER = f"{STATE}/cas"


class Cas:
    """The store on a disk: the repo's own, or another folder of the same form."""

    def __init__(self, disk: Disk, folder: str = FOLDER) -> None:
        self._disk = disk
        self._folder = folder
        self._whole: set[Digest] = set()  # seen to hold their bytes in this run

    def path(self, digest: Digest) -> str:
        """Return where the bytes are, relative to the Ovfile's folder, whether or not they are there."""
        return f"{self._folder}/{digest.sha256[:2]}/{digest.sha256[2:]}"

    def has(self, digest: Digest) -> bool:
        """Whether the bytes are there, judged by their size."""
        found = self._disk.stat(self.path(digest))
        return found is not None and not found.is_folder and found.size_bytes == digest.size_bytes

    def holds(self, digest: Digest) -> bool:
        """Whether the bytes are there and are the right ones. What cannot be read is not there."""
        if digest not in self._whole:
            try:
                if self._disk.digest(self.path(digest)) == digest:
                    self._whole.add(digest)
            except OSError:
                return False
        return digest in self._whole and self.has(digest)

    def adopt(self, scratch: str) -> Digest:
        """Move a scratch file in, also where there is one that is damaged.

        A whole one stays: an action that reads it may run now, and its cage knows the file and not its name.
        """
        digest = self._disk.digest(scratch)
        path = self.path(digest)
        if self.holds(digest):
            self._disk.remove(scratch)
            return digest
        if (there := self._disk.stat(path)) is not None and there.is_folder:
            self._disk.remove(path)
        self._disk.adopt(scratch, path)
        self._whole.add(digest)
        return digest

    def read(self, digest: Digest) -> bytes:
        """Return stored bytes.

        Raises:
            OvmakeError: they are not there, or not what was stored.
        """
        path = self.path(digest)
        try:
            data = self._disk.read(path)
        except OSError:
            data = None
        if data is None or of_bytes(data) != digest:
            self.drop(path)
            message = f"a stored result was damaged on the disk; it was dropped: {path}"
            diagnostic = Diagnostic(code="store-damaged", message=message, help="run the command again")
            raise OvmakeError(diagnostic, exit_status=1)
        return data

    def drop(self, path: str) -> None:
        """Forget an entry that turned out not to hold its bytes."""
        self._disk.remove(path)
