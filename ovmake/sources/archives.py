"""Members of a zip archive of a stranger: what they may be called, and how much they may unpack to.

    check_members(archive)                            packing, sizes, names: what the directory says
    read_member(archive, name, most) -> bytes         a small one
    unpack_member(archive, name, target)              a large one, into a file

An archive has a directory, which states the sizes and can lie.

Rule 1: what is stated is looked at before anything is unpacked, and while it is unpacked no more than that is taken.
Rule 2: one name, one member. Of two with one name, readers do not agree on which counts.

Standard library only.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from typing import IO

# What reading an archive raises for one that is damaged, packed in an unknown way, or refused here.
UNREADABLE = (
    OSError,
    ValueError,
    LookupError,
    EOFError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
)

_PACKED = {zipfile.ZIP_STORED: "stored", zipfile.ZIP_DEFLATED: "deflated"}
_ENCRYPTED = 1
_CHUNK = 1 << 20
_LEADS_OUT = re.compile(r"[/\\]|[A-Za-z]:[/\\]|(.*[/\\])?\.\.([/\\]|\Z)", re.DOTALL)
# DEFLATE makes 1,032 bytes of one at the most.
_MOST_UNPACKED = 1032


class RefusedMemberError(ValueError):
    """A member that is not read, in words that go on after "cannot be read: "."""


def check_members(archive: zipfile.ZipFile, *, by_path: bool) -> None:
    """Look at an archive's directory. `by_path`: somebody may take the members' names for paths of files.

    Raises:
        RefusedMemberError: a name leads out of the archive or is there twice, or a member cannot be what is stated.
    """
    names: set[str] = set()
    for member in archive.infolist():
        shown = f"`{member.filename[:100]}` in it"
        if by_path and _LEADS_OUT.match(member.filename):
            raise RefusedMemberError(f"the name of {shown} leads out of the archive")
        if member.filename in names:
            raise RefusedMemberError(f"{shown} is there twice, and readers differ on which of the two counts")
        names.add(member.filename)
        if member.flag_bits & _ENCRYPTED:
            raise RefusedMemberError(f"{shown} is encrypted")
        if member.compress_type not in _PACKED:
            raise RefusedMemberError(f"{shown} is packed in a way that is not read (method {member.compress_type})")
        _check_sizes(member, shown)


def _check_sizes(member: zipfile.ZipInfo, shown: str) -> None:
    packed = member.compress_size
    most = packed if member.compress_type == zipfile.ZIP_STORED else packed * _MOST_UNPACKED
    if member.file_size > most:
        words = f"{shown} is to unpack to {member.file_size:,} bytes, and its {packed:,} cannot be more than {most:,}"
        raise RefusedMemberError(words)


def read_member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """Return a member's bytes.

    Raises:
        KeyError: there is no such member.
        RefusedMemberError: it is larger than `most`, or than the directory says.
    """
    member = archive.getinfo(name)
    if member.file_size > most:
        words = f"`{name}` in it is {member.file_size:,} bytes large, and one of up to {most:,} is read"
        raise RefusedMemberError(words)
    with archive.open(member) as stream:
        # One more than stated: a stream that ends is compared with its checksum.
        return stream.read(member.file_size + 1)


def unpack_member(archive: zipfile.ZipFile, name: str, target: IO[bytes]) -> None:
    """Write a member's bytes to a file, as many as the directory states, and go back to its start.

    Raises:
        zipfile.BadZipFile: the bytes are not those that the directory states.
    """
    with archive.open(name) as stream:
        while part := stream.read(_CHUNK):
            target.write(part)
    target.seek(0)
