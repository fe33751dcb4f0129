"""The content-addressable store: digest -> bytes, one file each, under `.ovmake/cas/`.

    cas.adopt(scratch) -> Digest      move a finished scratch file in
    cas.has(digest)                   checks the size
    cas.holds(digest)                 checks the bytes, once per run
    cas.path(digest)

Files are written once and never changed; published files are copies. A failing disk may still change them. So every
file is compared with its digest in the run that reads it: by `holds` before an action gets it, by `Disk.publish` while
it copies, and by `read`.
"""

from __future__ import annotations

from ovmake.diagnostics import Diagnostic, OvmakeError
from ovmake.graph.digest import Digest, of_bytes
from ovmake.names import STORE
from ovmake.store.files.disk import Disk

FOLDER = STORE


class Cas:
    """The store on a disk: the repo's own, or a different folder with the same layout."""

    def __init__(self, disk: Disk, folder: str = FOLDER) -> None:
        self._disk = disk
        self._folder = folder
        self._whole: set[Digest] = set()  # verified in this run

    def path(self, digest: Digest) -> str:
        """Return the path of the bytes, relative to the Ovfile's folder; the file need not exist."""
        return f"{self.folder(digest)}/{digest.sha256[2:]}"

    def folder(self, digest: Digest) -> str:
        """Return the folder that the bytes are in."""
        return f"{self._folder}/{digest.sha256[:2]}"

    def has(self, digest: Digest) -> bool:
        """Whether a file of the right size is stored. The bytes are not read."""
        found = self._disk.stat(self.path(digest))
        return found is not None and not found.is_folder and found.size_bytes == digest.size_bytes

    def holds(self, digest: Digest) -> bool:
        """Whether the right bytes are stored. An unreadable file counts as missing."""
        if digest not in self._whole:
            try:
                if self._disk.digest(self.path(digest)) == digest:
                    self._whole.add(digest)
            except OSError:
                return False
        return digest in self._whole and self.has(digest)

    def adopt(self, scratch: str, known: Digest | None = None) -> Digest:
        """Move a scratch file in. It replaces a damaged file of the same digest.

        An intact one stays: a running action may have it open, and its sandbox allows that inode, not the name.
        `known` is the digest that was computed while the file was written.
        """
        digest = known or self._disk.digest(scratch)
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
            OvmakeError: the file is missing or damaged.
        """
        path = self.path(digest)
        try:
            data = self._disk.read(path)
        except OSError:
            data = None
        if data is None or of_bytes(data) != digest:
            self.drop(path)
            message = f"a stored result is damaged on the disk and was dropped: {path}"
            diagnostic = Diagnostic(code="store-damaged", message=message, help="run the command again")
            raise OvmakeError(diagnostic, exit_status=1)
        return data

    def drop(self, path: str) -> None:
        """Remove a damaged entry."""
        self._disk.remove(path)
