"""Files that git tracks, read from its index: `.ovmake` must not come with a repo.

    tracked(repo, ".ovmake/") -> str        the first tracked path below a folder, "" if there is none

Git itself is not run: its configuration may come with the repo, and can name programs to run. Source: git's
index-format.txt, versions 2 to 4. If the index is missing or cannot be read, no file counts as tracked.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path

_SIGNATURE = b"DIRC"
_HEADER = struct.Struct(">4sLL")
_FIXED_BYTES = 62  # of an entry before its path, in version 2: times, mode, sizes, object name, flags
_FLAGS = struct.Struct(">H")
_EXTENDED = 0x4000
_VERSIONS = (2, 3, 4)
_MORE = 0x80


def tracked(repo: Path, folder: str) -> str:
    """Return the first path below `folder`, which ends in `/`, that git tracks in the repo; "" if there is none."""
    wanted = os.fsencode(folder)
    try:
        data = _index(repo).read_bytes()
        # A quick check first: most repos track nothing there, and most indexes hold whole paths.
        if data[:8] != _SIGNATURE + b"\0\0\0\4" and wanted not in data:
            return ""
        return next((os.fsdecode(path) for path in _paths(data) if path.startswith(wanted)), "")
    except (OSError, ValueError, struct.error):
        return ""


def _index(repo: Path) -> Path:
    """Return the path of the index. `.git` is a folder, or a file that names one (a worktree, a submodule)."""
    git = repo / ".git"
    if git.is_file():
        words = git.read_text(errors="replace").partition("gitdir:")[2].strip()
        return repo / words / "index"
    return git / "index"


def _paths(data: bytes) -> Iterator[bytes]:
    signature, version, count = _HEADER.unpack_from(data)
    if signature != _SIGNATURE or version not in _VERSIONS:
        raise ValueError("no index")
    at, before = _HEADER.size, b""
    for _ in range(count):
        (flags,) = _FLAGS.unpack_from(data, at + _FIXED_BYTES - _FLAGS.size)
        start = at + _FIXED_BYTES + (2 if flags & _EXTENDED else 0)
        kept = 0
        if version == 4:  # noqa: PLR2004 - shares its beginning with the path before
            dropped, start = _number(data, start)
            kept = len(before) - dropped
        end = data.index(b"\0", start)
        before = before[:kept] + data[start:end]
        yield before
        # Entries of the older versions are padded with one to eight zeros.
        at = end + 1 if version == 4 else at + (end - at + 8) // 8 * 8  # noqa: PLR2004


def _number(data: bytes, at: int) -> tuple[int, int]:
    """Return a number of variable length, read as git's `decode_varint` does, and its end."""
    byte = data[at]
    value = byte & ~_MORE
    while byte & _MORE:
        at += 1
        byte = data[at]
        value = ((value + 1) << 7) | (byte & ~_MORE)
    return value, at + 1
