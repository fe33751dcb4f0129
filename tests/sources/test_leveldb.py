"""The index of a checkpoint is read as it was written, or not at all."""

from __future__ import annotations

import google_crc32c
import pytest

from ovmake.sources.leveldb import SlowChecksumError, crc32c, masked, table
from ovmake.sources.protobuf import ProtobufError
from tests.workers.tables import block, written

ENTRIES = {b"": b"header", b"a/kernel": b"1", b"b/kernel": b"22", b"c": b""}


def read(content: bytes) -> dict[bytes, bytes]:
    return {key: bytes(value) for key, value in table(memoryview(content))}


def test_checksum_is_that_of_tensorflow() -> None:
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(b"6789", crc32c(b"12345")) == 0xE3069283
    assert masked(0xE3069283) == 0xC78AB0E5


def test_pairs_come_in_their_order() -> None:
    assert list(read(written(ENTRIES)).items()) == list(ENTRIES.items())


def test_flipped_bit_is_seen_wherever_it_is_read() -> None:
    content = written(ENTRIES)
    meta = content.index(block([]))

    unseen = set()
    for at in range(len(content) - 48):
        for bit in range(8):
            try:
                assert read(content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :]) == ENTRIES
                unseen.add(at)
            except ProtobufError:
                pass

    # The list of other indexes is empty, and TensorFlow does not look at it.
    assert unseen == set(range(meta, meta + len(block([]))))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no table footer"),
        (written(ENTRIES)[:-1], "no table footer"),
        (written(ENTRIES)[1:], "a block past the end of the file|does not match its checksum"),
        (written(dict(reversed(ENTRIES.items()))), "keys that are out of order"),
        (written(ENTRIES, compression=1), "a compressed block"),
        (written(ENTRIES, restarts=1 << 30), "more restart points than the block has room for"),
    ],
    ids=["empty", "cut", "shifted", "order", "compressed", "restarts"],
)
def test_what_is_no_table_of_tensorflows_says_why(content: bytes, reason: str) -> None:
    with pytest.raises(ProtobufError, match=reason):
        read(content)


def test_without_a_compiled_checksum_nothing_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    content = written(ENTRIES)
    monkeypatch.setattr(google_crc32c, "implementation", "python")

    with pytest.raises(SlowChecksumError):
        read(content)
