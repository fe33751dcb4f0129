"""Read a LevelDB table, the index of a TensorFlow checkpoint, and verify it as TensorFlow does.

    table(view) -> (key, value) in their order
    crc32c(data, crc) -> crc, masked(crc)      the checksum, and its stored form

Footer -> index block -> data blocks; every block ends with its compression and a checksum of both. Sources: LevelDB's
doc/table_format.md, tensorflow/core/lib/io/format.cc (which verifies each block that it reads).

Rule: keys are sorted and unique. TensorFlow finds a key by binary search, so a key out of order counts as missing.
"""

from __future__ import annotations

from collections.abc import Iterator

from ovmake.sources.protobuf import ProtobufError, varint

_FOOTER_BYTES = 48
_MAGIC = 0xDB4775248B80FB57
_CHECKSUM_BYTES = 4
_TRAILER_BYTES = 1 + _CHECKSUM_BYTES  # compression and checksum
_RESTART_BYTES = 4  # each offset in a block, and their count after the last one
_MASK = 0xA282EAD8

_Pair = tuple[bytes, memoryview]


class DamagedTableError(ProtobufError):
    """The table is damaged: a block or the footer was altered."""


class SlowChecksumError(Exception):
    """This Python has no compiled crc32c. Plain Python takes a minute for 100 MB."""


def crc32c(data: bytes | memoryview, crc: int = 0) -> int:
    """Return the checksum of the data so far, whose checksum is `crc`, followed by `data`.

    Raises:
        SlowChecksumError: this Python has no compiled crc32c.
    """
    import google_crc32c

    if google_crc32c.implementation != "c":
        raise SlowChecksumError("google-crc32c has no compiled part in this Python")
    return int(google_crc32c.extend(crc, bytes(data)))


def masked(crc: int) -> int:
    """Return a checksum in its stored form: a checksum over data that contains checksums would be weak."""
    return ((crc >> 15 | crc << 17) + _MASK) & 0xFFFFFFFF


def table(view: memoryview) -> Iterator[_Pair]:
    """Yield the pairs of a table.

    Raises:
        DamagedTableError: it is not a table, or a block does not match its checksum.
        ProtobufError: TensorFlow does not write tables of this kind.
    """
    footer = view[-_FOOTER_BYTES:]
    if len(footer) < _FOOTER_BYTES or int.from_bytes(footer[-8:], "little") != _MAGIC:
        raise DamagedTableError("no table footer")
    _, at = _handle(footer, 0)  # the meta-index, which TensorFlow leaves empty and does not read
    index, _ = _handle(footer, at)
    before = None
    for _, handle in _block(view, *index):
        for key, value in _block(view, *_handle(handle, 0)[0]):
            if before is not None and key <= before:
                raise DamagedTableError("keys that are out of order")
            before = key
            yield key, value


def _handle(view: memoryview, at: int) -> tuple[tuple[int, int], int]:
    offset, at = varint(view, at)
    size, at = varint(view, at)
    return (offset, size), at


def _block(view: memoryview, offset: int, size: int) -> Iterator[_Pair]:
    """Yield the pairs of one block; a key shares a prefix with the key before it."""
    stop = offset + size
    if size < _RESTART_BYTES or stop + _TRAILER_BYTES > len(view):
        raise DamagedTableError("a block past the end of the file")
    stored = int.from_bytes(view[stop + 1 : stop + _TRAILER_BYTES], "little")
    if masked(crc32c(view[offset : stop + 1])) != stored:
        raise DamagedTableError(f"a block at byte {offset} that does not match its checksum")
    if view[stop] != 0:
        raise ProtobufError("a compressed block")
    block = view[offset:stop]
    end = size - _RESTART_BYTES * (1 + int.from_bytes(block[-_RESTART_BYTES:], "little"))
    if end < 0:
        raise ProtobufError("more restart points than the block has room for")
    at, key = 0, b""
    while at < end:
        shared, at = varint(block, at)
        unshared, at = varint(block, at)
        length, at = varint(block, at)
        if shared > len(key) or at + unshared + length > end:
            raise ProtobufError("a table entry past its block")
        key = key[:shared] + bytes(block[at : at + unshared])
        at += unshared + length
        yield key, block[at - length : at]
