"""Check that every file of a source is present: a checkout or a copy may leave some behind.

    check_fetched(source)         refuses a source in which a file is a Git LFS pointer
    lacking(source) -> "…"        the missing files of a SavedModel's or a checkpoint's variables, "" if all are present

A pointer is a text of a hundred bytes. Frameworks report a pointer instead of `variables.data-…` as an exceeded bound,
and read a pointer instead of a vocabulary as three words. So pointers are detected before anything is loaded, at the
cost of a `stat` per file and of opening the small ones. Standard library only.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from ovmake.errors import ActionError
from ovmake.sources.protobuf import Message, ProtobufError
from ovmake.sources.recognise import LFS, companions

# A pointer has fewer bytes, by the specification of Git LFS.
_POINTER_BYTES = 1024
_VARIABLES = re.compile(rb"VarHandleOp|VariableV2")
_MOST_MISSING = 3  # names in a message


def check_fetched(source: Path) -> None:
    """Refuse a source in which a file is still a Git LFS pointer.

    Raises:
        ActionError: `not-fetched`, with the file.
        OSError: the source cannot be read.
    """
    for path in _files(source):
        if is_pointer(path):
            shown = f"{source.name}/{path.relative_to(source)}" if source.is_dir() else path.name
            message = f"`{shown}` is a Git LFS pointer, not the file itself"
            raise ActionError("not-fetched", message, setting="source", help="fetch the file: `git lfs pull`")


def is_pointer(path: Path) -> bool:
    """Whether a file is a pointer of Git LFS.

    Raises:
        OSError: it cannot be read.
    """
    return path.stat().st_size < _POINTER_BYTES and path.read_bytes().startswith(LFS)


def _files(source: Path) -> Iterator[Path]:
    if not source.is_dir():
        yield from (path for path in (source, *companions(source)) if path.is_file())
        return
    for folder, _, names in os.walk(source):
        yield from (path for name in sorted(names) if (path := Path(folder, name)).is_file())


def lacking(source: Path) -> str:
    """Return which files of the variables are missing, to follow "`m` is incomplete: "; "" if none is.

    An index that cannot be read is damaged; it says nothing about missing files.
    """
    prefix = source / "variables/variables" if source.is_dir() else source.with_suffix("")
    index = Path(f"{prefix}.index")
    folder = f"`{prefix.parent.name}/`" if source.is_dir() else "its folder"
    if not index.is_file():
        return f"{folder} lacks `{index.name}`" if source.is_dir() and _has_variables(source) else ""
    missing = [name for name in _shards(index, prefix.name) if not (prefix.parent / name).is_file()]
    more = f" and {len(missing) - _MOST_MISSING} more" if missing[_MOST_MISSING:] else ""
    listed = ", ".join(f"`{name}`" for name in missing[:_MOST_MISSING])
    return f"{folder} lacks {listed}{more}" if missing else ""


def _has_variables(source: Path) -> bool:
    try:
        return _VARIABLES.search((source / "saved_model.pb").read_bytes()) is not None
    except OSError:
        return False


def _shards(index: Path, prefix: str) -> list[str]:
    """Return the names of the data files that an index lists; nothing if it cannot be read."""
    from ovmake.sources.leveldb import DamagedTableError, SlowChecksumError, table

    try:
        header = next(iter(table(memoryview(index.read_bytes()))))[1]
        count = Message(header, (1, 2, 3)).integer(1)
    except (OSError, StopIteration, ProtobufError, DamagedTableError, SlowChecksumError):
        return []
    # A false count may be in the billions, so the number of names is limited.
    return [f"{prefix}.data-{number:05d}-of-{count:05d}" for number in range(min(count, 1000))]
