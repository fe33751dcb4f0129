"""Screen a .keras or .h5 file before Keras loads it: sizes, names, nesting, and references to other files.

    screen_file(source, kind)     kind: "keras" or "keras-h5"

A .keras file is a zip archive: `config.json` describes the model, `model.weights.h5` has the weights. An .h5 file has
the same configuration in an attribute.

Rule: a configuration is read only within limits of size and nesting that real models keep. The largest of Keras' own
applications has 1 MB, and five nested models have some 40 levels.
"""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import h5py

from ovmake.errors import ActionError
from ovmake.sources.archives import RefusedMemberError, check_members, read_member, unpack_member
from ovmake.sources.screening.hdf5 import screen_hdf5

CONFIG, METADATA = "config.json", "metadata.json"
LARGEST_CONFIG = 16 << 20
DEEPEST_CONFIG = 200
# Keras writes its archives uncompressed, and refuses large weights that unpack to 100 times their size.
MOST_UNPACKED, SMALL_BYTES = 100, 1 << 24
_WEIGHTS = (".h5", ".hdf5")
_HELP = "save the model again with Keras; a file from someone else may be malicious"


def screen_file(source: Path, kind: str) -> None:
    """Check a file.

    Raises:
        ActionError: it has content that Keras never writes.
        OSError, KeyError, ValueError, zipfile.BadZipFile: it is damaged.
    """
    if kind == "keras":
        _screen_archive(source)
        return
    screen_hdf5(source, source.name)
    with h5py.File(source, "r") as file:
        config = file.attrs.get("model_config")
    if isinstance(config, str | bytes):
        _check_config(config, source.name)


def _screen_archive(source: Path) -> None:
    with zipfile.ZipFile(source) as archive:
        try:
            check_members(archive, by_path=True)
            for name in {CONFIG, METADATA} & set(archive.namelist()):
                _check_config(read_member(archive, name, LARGEST_CONFIG), source.name)
        except RefusedMemberError as error:
            raise _refusal(source.name, f"{error}") from error
        for name in archive.namelist():
            if name.endswith(_WEIGHTS):
                with _member(archive, name) as file:
                    screen_hdf5(file, f"{name}` of `{source.name}")


@contextmanager
def _member(archive: zipfile.ZipFile, name: str) -> Iterator[IO[bytes]]:
    """Open a member for random access: in place if it is stored uncompressed."""
    member = archive.getinfo(name)
    if member.compress_type == zipfile.ZIP_STORED:
        with archive.open(name) as stream:
            yield stream
        return
    if member.file_size > SMALL_BYTES + MOST_UNPACKED * member.compress_size:
        sizes = f"`{name}` in it unpacks from {member.compress_size:,} to {member.file_size:,} bytes"
        raise _refusal(Path(str(archive.filename)).name, f"{sizes}, more than weights ever do")
    with tempfile.TemporaryFile() as file:
        unpack_member(archive, name, file)
        yield file


def _check_config(text: str | bytes, name: str) -> None:
    """Refuse a configuration that would crash Keras or ovmake.

    Raises:
        ActionError: it is too large, or nested too deeply.
        ValueError: it is not JSON.
    """
    if len(text) > LARGEST_CONFIG:
        raise _refusal(name, f"its configuration has {len(text):,} bytes, and at most {LARGEST_CONFIG:,} are read")
    if _is_deep(text):
        raise _refusal(name, f"its configuration is nested more than {DEEPEST_CONFIG} levels deep")


def _is_deep(text: str | bytes) -> bool:
    try:
        level = [json.loads(text)]
    except RecursionError:
        return True
    for _ in range(DEEPEST_CONFIG):
        level = [inner for part in level for inner in _parts(part)]
    return bool(level)


def _parts(value: object) -> list[object]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def _refusal(name: str, why: str) -> ActionError:
    return ActionError("unsafe-source", f"`{name}` is not read: {why}", setting="source", help=_HELP)
