"""Check the members of an untrusted zip archive: their names, and the size that they unpack to.

    check_members(archive)                            compression, sizes and names, as the directory states them
    read_member(archive, name, most) -> bytes         a small member
    unpack_member(archive, name, target)              a large member, into a file

An archive has a directory, which states the sizes. It can lie.

Rule 1: the stated sizes are checked before anything is unpacked. Unpacking stops at the stated size.
Rule 2: each name occurs once. Readers disagree on which of two members with one name counts.

Standard library only.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from typing import IO

# Raised for an archive that is damaged, uses an unknown compression, or is refused here.
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
# DEFLATE expands one byte to at most 1,032.
_MOST_UNPACKED = 1032


class RefusedMemberError(ValueError):
    """A member that is not read. The message continues "cannot be read: "."""


def check_members(archive: zipfile.ZipFile, *, by_path: bool) -> None:
    """Check an archive's directory. `by_path`: members may be extracted to files of their names.

    Raises:
        RefusedMemberError: a name leads out of the archive or occurs twice, or a stated size is impossible.
    """
    names: set[str] = set()
    for member in archive.infolist():
        shown = f"`{member.filename[:100]}` in it"
        if by_path and _LEADS_OUT.match(member.filename):
            raise RefusedMemberError(f"the name of {shown} leads out of the archive")
        if member.filename in names:
            raise RefusedMemberError(f"{shown} occurs twice, and readers disagree on which of the two counts")
        names.add(member.filename)
        if member.flag_bits & _ENCRYPTED:
            raise RefusedMemberError(f"{shown} is encrypted")
        if member.compress_type not in _PACKED:
            raise RefusedMemberError(f"{shown} uses an unsupported compression method ({member.compress_type})")
        _check_sizes(member, shown)


def _check_sizes(member: zipfile.ZipInfo, shown: str) -> None:
    packed = member.compress_size
    most = packed if member.compress_type == zipfile.ZIP_STORED else packed * _MOST_UNPACKED
    if member.file_size > most:
        words = f"{shown} claims to unpack to {member.file_size:,} bytes, but its {packed:,} give {most:,} at most"
        raise RefusedMemberError(words)


def read_member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """Return a member's bytes.

    Raises:
        KeyError: the archive has no such member.
        RefusedMemberError: it is larger than `most`, or than the directory states.
    """
    member = archive.getinfo(name)
    if member.file_size > most:
        words = f"`{name}` in it has {member.file_size:,} bytes, and at most {most:,} are read"
        raise RefusedMemberError(words)
    with archive.open(member) as stream:
        # One byte more than stated: zipfile compares the checksum at the end of the stream.
        return stream.read(member.file_size + 1)


def unpack_member(archive: zipfile.ZipFile, name: str, target: IO[bytes]) -> None:
    """Write a member's bytes to a file, as many as the directory states, then seek to the start of the file.

    Raises:
        zipfile.BadZipFile: the bytes do not match the directory.
    """
    with archive.open(name) as stream:
        while part := stream.read(_CHUNK):
            target.write(part)
    target.seek(0)
