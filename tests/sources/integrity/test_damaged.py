"""A checkpoint that is damaged is told by its file and the place; one that is only of another kind is not blamed."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from ovmake.errors import ActionError
from ovmake.sources.integrity.damaged import HINT, damage, explained
from ovmake.sources.leveldb import crc32c, masked
from ovmake.workers.ipc.protocol import Request
from tests.graphdefs import message
from tests.workers.tables import written

VALUES = struct.pack("<6f", *range(6))
TEXT = b"an object graph"
LENGTH = bytes([len(TEXT)]) + struct.pack("<I", masked(crc32c(struct.pack("<I", len(TEXT)))))
OF_TEXT = crc32c(TEXT, crc32c(LENGTH[1:], crc32c(struct.pack("<I", len(TEXT)))))
HEADER = message((1, 1))


def entry(kind: int, shape: tuple[int, ...], at: int, size: int, crc: int, *more: tuple[int, bytes]) -> bytes:
    """Encode a BundleEntryProto."""
    dimensions = message(*[(2, message((1, one))) for one in shape])
    fields = message((1, kind), (2, dimensions), (4, at), (5, size))
    return fields + b"\x35" + struct.pack("<I", masked(crc)) + message(*more)


WEIGHT = entry(1, (2, 3), 0, len(VALUES), crc32c(VALUES))
WORD = entry(7, (), len(VALUES), len(LENGTH + TEXT), OF_TEXT)


def checkpoint(prefix: Path, **entries: bytes) -> bytes:
    """Write a checkpoint of a float32 [2, 3] `weight` and a string `word`, or of other entries; return the index."""
    entries = {"header": HEADER, "weight": WEIGHT, "word": WORD} | entries
    index = written({b"" if key == "header" else key.encode(): value for key, value in entries.items()})
    prefix.parent.mkdir(parents=True, exist_ok=True)
    Path(f"{prefix}.index").write_bytes(index)
    Path(f"{prefix}.data-00000-of-00001").write_bytes(VALUES + LENGTH + TEXT)
    return index


@pytest.fixture(params=["m", "m.meta"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Path]:
    """A source with a checkpoint, and the checkpoint's prefix: a SavedModel, and a .meta."""
    if request.param == "m":
        (tmp_path / "m").mkdir()
        return tmp_path / "m", tmp_path / "m/variables/variables"
    return tmp_path / "m.meta", tmp_path / "m"


def flipped(path: Path, at: int) -> None:
    """Flip a bit."""
    content = bytearray(path.read_bytes())
    content[at] ^= 4
    path.write_bytes(content)


def test_sound_checkpoint_is_not_blamed(source: tuple[Path, Path]) -> None:
    checkpoint(source[1])

    assert damage(source[0]) == ""


def test_source_without_a_checkpoint_is_not_blamed(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "g.pb").write_bytes(b"")

    assert damage(tmp_path / "m") == damage(tmp_path / "g.pb") == damage(tmp_path / "gone") == ""


@pytest.mark.parametrize(
    ("at", "key"),
    [(0, "weight"), (23, "weight"), (24, "word"), (26, "word"), (29, "word"), (43, "word")],
)
def test_flipped_bit_of_the_data_is_told_with_file_and_value(source: tuple[Path, Path], at: int, key: str) -> None:
    path, prefix = source
    checkpoint(prefix)
    flipped(Path(f"{prefix}.data-00000-of-00001"), at)

    found = damage(path)

    assert found.startswith(f"`{prefix.name}.data-00000-of-00001` has ")
    assert found.endswith(f": `{key}`")


def test_data_that_ends_early_are_told(source: tuple[Path, Path]) -> None:
    path, prefix = source
    checkpoint(prefix)
    Path(f"{prefix}.data-00000-of-00001").write_bytes(VALUES[:5])

    assert damage(path) == f"`{prefix.name}.data-00000-of-00001` ends before the value of `weight`"


def test_damaged_block_of_the_index_is_told(source: tuple[Path, Path]) -> None:
    path, prefix = source
    checkpoint(prefix)
    flipped(Path(f"{prefix}.index"), 12)

    assert damage(path) == f"`{prefix.name}.index` has a block at byte 0 that does not match its checksum"


def test_index_that_was_cut_off_is_told(source: tuple[Path, Path]) -> None:
    path, prefix = source
    Path(f"{prefix}.index").write_bytes(checkpoint(prefix)[:-1])

    assert damage(path) == f"`{prefix.name}.index` has no table footer"


def test_size_that_contradicts_the_shape_is_told(source: tuple[Path, Path]) -> None:
    path, prefix = source
    checkpoint(prefix, weight=entry(1, (2, 2), 0, len(VALUES), crc32c(VALUES)))

    wrong = "states a size that contradicts the type and shape of a value: `weight`"
    assert damage(path) == f"`{prefix.name}.index` {wrong}"


@pytest.mark.parametrize(
    "entries",
    [
        {"header": message((1, 1), (2, 1))},
        {"header": message((1, 1), (3, message((1, 1), (2, 9))))},
        {"weight": entry(21, (2, 3), 0, len(VALUES), crc32c(VALUES))},
        {"weight": entry(1, (2, 3), 0, 0, 0, (7, b""))},
    ],
    ids=["big-endian", "later-version", "variant", "slices"],
)
def test_checkpoint_of_another_kind_is_not_blamed(source: tuple[Path, Path], entries: dict[str, bytes]) -> None:
    checkpoint(source[1], **entries)

    assert damage(source[0]) == ""


def failing(code: str) -> Callable[[Request], dict[str, object]]:
    """Return a handler that fails as a framework does."""

    def handle(_: Request) -> dict[str, object]:
        raise ActionError(code, "TensorFlow cannot load `m`: at node save/RestoreV2", notes=("a note",))

    return handle


def test_error_of_a_damaged_source_says_so_first_and_keeps_the_frameworks_words(tmp_path: Path) -> None:
    checkpoint(tmp_path / "m/variables/variables")
    flipped(tmp_path / "m/variables/variables.data-00000-of-00001", 0)
    request = Request(id=1, kind="reference", inputs={"source": str(tmp_path / "m")})

    with pytest.raises(ActionError) as caught:
        explained(failing("tensorflow-cannot-load"))(request)

    error = caught.value
    where = "`variables.data-00000-of-00001` has a value that does not match its checksum: `weight`"
    assert (error.code, error.message) == ("tensorflow-cannot-load", f"`m` is damaged: {where}")
    assert error.notes == ("TensorFlow cannot load `m`: at node save/RestoreV2", "a note")
    assert (error.help, error.setting) == (HINT, "source")


@pytest.mark.parametrize(
    ("code", "inputs"),
    [
        ("tensorflow-cannot-load", {"graph": "g"}),
        ("dataset-array", {"source": "m"}),
        ("cannot-convert", {"source": "s"}),
    ],
)
def test_error_about_something_else_stays_as_it_is(tmp_path: Path, code: str, inputs: dict[str, str]) -> None:
    checkpoint(tmp_path / "s/variables/variables")
    checkpoint(tmp_path / "m/variables/variables")
    flipped(tmp_path / "m/variables/variables.data-00000-of-00001", 0)
    request = Request(id=1, kind="x", inputs={role: str(tmp_path / path) for role, path in inputs.items()})

    with pytest.raises(ActionError) as caught:
        explained(failing(code))(request)

    assert caught.value.message == "TensorFlow cannot load `m`: at node save/RestoreV2"
