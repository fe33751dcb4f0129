"""LevelDB tables, as the index of a checkpoint is one.

written({b"": header, b"key": value}) -> bytes      pairs in the order given, two to a block
block(pairs) -> bytes                               with its compression and checksum
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping

from ovmake.sources.leveldb import crc32c, masked
from tests.graphdefs import encoded

Pair = tuple[bytes, bytes]


def block(pairs: Iterable[Pair], *, compression: int = 0, restarts: int = 1) -> bytes:
    """Encode a block. Keys share no prefixes."""
    content = b"".join(encoded(0) + encoded(len(key)) + encoded(len(value)) + key + value for key, value in pairs)
    content += bytes(4) + struct.pack("<I", restarts) + bytes([compression])
    return content + struct.pack("<I", masked(crc32c(content)))


def written(entries: Mapping[bytes, bytes], **options: int) -> bytes:
    """Encode a table; `options` are those of its data blocks."""
    content, handles = b"", []
    listed = list(entries.items())
    for pairs in (listed[at : at + 2] for at in range(0, len(listed), 2)):
        made = block(pairs, **options)
        handles.append((pairs[-1][0], encoded(len(content)) + encoded(len(made) - 5)))
        content += made
    meta, index = block([]), block(handles)
    footer = b"".join(
        encoded(number) for number in (len(content), len(meta) - 5, len(content) + len(meta), len(index) - 5)
    )
    return content + meta + index + footer.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)
