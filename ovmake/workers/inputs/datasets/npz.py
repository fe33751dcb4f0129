"""Arrays in an .npz or .npy, mapped into memory instead of read.

An .npz is a ZIP of .npy files. `numpy.savez` stores them uncompressed, so they can be mapped in place.
`savez_compressed` deflates them: large ones are unpacked to a temporary file, small ones are read.

Rule 1: never load pickles. An untrusted .npz must not run code. Its other members, such as names, need not be readable.
Rule 2: a header states a shape. Memory is allocated for it only if the file has that many bytes.
"""

from __future__ import annotations

import io
import math
import tokenize
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from ovmake.contracts.files.interface import Tensor
from ovmake.sources.archives import UNREADABLE, check_members
from ovmake.workers.inputs.datasets.columns import Column, Given, unpacked
from ovmake.workers.inputs.preparing import Array

# A deflated array that is larger is unpacked to a file.
LARGE_BYTES = 32 << 20
# https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3.7: the local header, and the offset of its lengths.
LOCAL_HEADER_BYTES = 30
LENGTHS_AT = 26
# Shape, whether it is in the order of columns, and type.
Header = tuple[tuple[int, ...], bool, np.dtype[np.generic]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrays:
    """An open .npz, or an .npy, whose one array has no name."""

    given: Given
    members: dict[str, zipfile.ZipInfo | None]
    what: str = "array"

    @classmethod
    def open(cls, given: Given) -> Arrays:
        """List the arrays.

        Raises:
            ActionError: it is not an .npz or .npy.
        """
        try:
            with open(given.path, "rb") as file:  # noqa: PTH123
                if file.read(len(npy.MAGIC_PREFIX)) == npy.MAGIC_PREFIX:
                    return cls(given=given, members={"": None})
            with zipfile.ZipFile(given.path) as archive:
                check_members(archive, by_path=False)
                members = {info.filename: info for info in archive.infolist()}
        except UNREADABLE as error:
            raise given.unreadable(error) from error
        return cls(given=given, members={name.removesuffix(".npy"): info for name, info in members.items()})

    @property
    def names(self) -> list[str]:
        """The names of the arrays."""
        return list(self.members)

    def inputs(self, names: tuple[str, ...], tensor: Tensor) -> Column:
        """Return an array as it is stored."""
        if len(names) > 1:
            message = f"{len(names)} arrays cannot feed one input; columns of a .csv can"
            raise self.given.error("dataset-array", message, key=f"inputs.{tensor.name}")
        return self._column(names[0])

    def labels(self, name: str) -> Column | None:
        """Return the array of that name.

        Raises:
            ActionError: this is an .npy, whose array has no name.
        """
        if name and name not in self.members:
            message = f"the dataset has no array `{name}` for its labels: an .npy contains one array"
            raise self.given.error("dataset-array", message, key="labels", help="store both arrays in an .npz")
        return self._column(name) if name else None

    def _column(self, name: str) -> Column:
        try:
            array = self._array(self.members[name])
        except UNREADABLE as error:
            raise self.given.unreadable(error) from error
        if array.ndim == 0:
            message = f"array `{name}` is a single value; the first dimension of an array must count its samples"
            raise self.given.error("dataset-shape", message)
        return Column.of(array, f"array `{name}`")

    def _array(self, member: zipfile.ZipInfo | None) -> Array:
        if member is None:
            return load_npy(Path(self.given.path))
        if member.compress_type == zipfile.ZIP_STORED:
            with open(self.given.path, "rb") as file:  # noqa: PTH123
                start = _start(file, member)
                file.seek(start)
                return _mapped(file, start + member.file_size)
        with zipfile.ZipFile(self.given.path) as archive, archive.open(member) as stream:
            if member.file_size <= LARGE_BYTES:
                # One byte more than stated: zipfile compares the checksum at the end of the stream.
                return _read(stream.read(member.file_size + 1))
            with unpacked(stream, self.given, member.file_size) as file:
                return _mapped(file, member.file_size)


def _start(file: IO[bytes], member: zipfile.ZipInfo) -> int:
    """Return the offset of a stored member's bytes: the local header may be longer than the directory's."""
    file.seek(member.header_offset)
    header = file.read(LOCAL_HEADER_BYTES)
    lengths = (int.from_bytes(header[at : at + 2], "little") for at in (LENGTHS_AT, LENGTHS_AT + 2))
    return member.header_offset + LOCAL_HEADER_BYTES + sum(lengths)


def load_npy(path: Path) -> Array:
    """Return the array of an .npy, mapped.

    Raises:
        UNREADABLE: it is not an .npy, contains Python objects, or is shorter than its header states.
    """
    with path.open("rb") as file:
        return _mapped(file, path.stat().st_size)


def _mapped(file: IO[bytes], end: int) -> Array:
    """Return the .npy that begins at the file's position and ends at `end`, mapped."""
    shape, in_columns, dtype = _header(file, end)
    if 0 in shape or not shape:
        return np.asarray(np.fromfile(file, dtype=dtype, count=math.prod(shape)).reshape(shape))
    return np.memmap(file, dtype=dtype, mode="r", offset=file.tell(), shape=shape, order="F" if in_columns else "C")


def _read(data: bytes) -> Array:
    """Return an .npy that is in memory."""
    file = io.BytesIO(data)
    shape, in_columns, dtype = _header(file, len(data))
    numbers = np.frombuffer(data, dtype=dtype, count=math.prod(shape), offset=file.tell())
    return numbers.reshape(shape, order="F" if in_columns else "C")


def _header(file: IO[bytes], end: int) -> Header:
    """Return shape, order (whether by columns) and type of the .npy that begins at the file's position.

    Raises:
        ValueError: it is not an .npy, holds Python objects, or is shorter than its header says.
    """
    version = npy.read_magic(file)
    # 3.0 is 2.0 with names in UTF-8.
    read: dict[int, Callable[[IO[bytes]], Header]] = {
        1: npy.read_array_header_1_0,
        2: npy.read_array_header_2_0,
        3: npy.read_array_header_2_0,
    }
    if version[0] not in read:
        raise ValueError(f"it is an .npy of version {version[0]}.{version[1]}, and only 1.0 to 3.0 are supported")
    try:  # numpy parses the header as a Python literal
        shape, in_columns, dtype = read[version[0]](file)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError, tokenize.TokenError) as error:
        raise ValueError("its header is damaged, or too large for an array of numbers") from error
    if dtype.hasobject:
        raise ValueError("object arrays are pickles, which are not loaded")
    if not all(type(size) is int and size >= 0 for size in shape):
        raise ValueError(f"its header states the shape {list(shape)}")
    stated, there = math.prod(shape) * dtype.itemsize, max(0, end - file.tell())
    if stated > there:
        raise ValueError(f"its header states an array of {stated:,} bytes, and the file has {there:,}")
    if shape and shape[0] and not stated:
        raise ValueError(f"its header states {shape[0]:,} empty samples")
    return shape, in_columns, dtype
