"""Look through a .keras or .h5 file before Keras sees it: sizes, names, depth, and what is elsewhere.

    screen_file(source, kind)     kind: "keras" or "keras-h5"

A .keras file is a zip archive: `config.json` says how the model is made, `model.weights.h5` holds the weights. An .h5
file has the same configuration in an attribute.

Rule: a configuration is read only where it is no larger and no deeper than any that people make. The largest of
Keras' own applications has 1 MB, and five models in each other make some 40 levels.
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
# Keras writes its archives unpacked, and refuses weights that unpack to 100 times as much. Small ones may.
MOST_UNPACKED, SMALL_BYTES = 100, 1 << 24
_WEIGHTS = (".h5", ".hdf5")
_HELP = "save the model again with Keras; a file that somebody sent may have been made to do harm"


def screen_file(source: Path, kind: str) -> None:
    """Look through a file.

    Raises:
        ActionError: it holds what no file of Keras' does.
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
    """Open a member to be read here and there: where it lies, if it is stored as it is."""
    member = archive.getinfo(name)
    if member.compress_type == zipfile.ZIP_STORED:
        with archive.open(name) as stream:
            yield stream
        return
    if member.file_size > SMALL_BYTES + MOST_UNPACKED * member.compress_size:
        sizes = f"`{name}` in it unpacks from {member.compress_size:,} to {member.file_size:,} bytes"
        raise _refusal(Path(str(archive.filename)).name, f"{sizes}, which no weights do")
    with tempfile.TemporaryFile() as file:
        unpack_member(archive, name, file)
        yield file


def _check_config(text: str | bytes, name: str) -> None:
    """Refuse a configuration that would take Keras down, or us.

    Raises:
        ActionError: it is too large, or too deep.
        ValueError: it is no JSON.
    """
    if len(text) > LARGEST_CONFIG:
        raise _refusal(name, f"its configuration is {len(text):,} bytes large, and one of up to {LARGEST_CONFIG:,} is")
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
