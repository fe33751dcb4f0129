"""A model's outputs: split into samples, written feed by feed, and read back on request.

    rows(array, tensor, count=..., fed=...) -> Array    a feed's output as [samples, ...]
    with Writing(path) as written: written.add({"y": rows})
    with Reading(path) as stored: stored.take("y", 64)

The file is an .npz that numpy can read too. An output whose size depends on the data is flattened, and `sizes.json`
has its sizes: {"boxes": [[1, [5, 4]], [2, [7, 4]]]} is one sample of 5 boxes, then two of 7 each.

TensorFlow's outputs for a whole validation set may exceed the memory (5,000 masks of 512 × 512 in 21 classes take
110 GB), so only one feed is in memory at a time.
"""  # noqa: RUF002 - the sign for times is meant as such

from __future__ import annotations

import io
import json
import math
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import numpy as np
from numpy.lib import format as npy

from ovmake.contracts.files.interface import Tensor
from ovmake.workers.inputs.preparing import Array

SIZES = "sizes.json"


def rows(array: Array, tensor: Tensor, *, count: int, fed: int, whole: bool = False) -> Array:
    """Return the rows of an output for a feed of `fed` samples, of which `count` are real: [count, ...].

    An output with as many rows as the feed has one row per sample. With a multiple of that, each sample has several
    rows, if the size depends on the batch. An output that does not depend on it, or that is known to be `whole`, is one
    row.
    """
    array = np.asarray(array)
    if whole:
        return array[np.newaxis]
    if array.ndim > 0 and len(array) > fed > 1 and tensor.shape[0] == -1 and len(array) % fed == 0:
        array = array.reshape(fed, -1, *array.shape[1:])
    per_sample = array.ndim > 0 and len(array) == fed
    return array[:count] if per_sample else array[np.newaxis]


@dataclass(slots=True)
class _Block:
    """`count` consecutive rows of one `shape`."""

    count: int
    shape: tuple[int, ...]


@dataclass(slots=True)
class _Growing:
    """An array that grows by rows: an unnamed file that ends with the process."""

    file: IO[bytes]
    dtype: np.dtype[np.generic]
    blocks: list[_Block]

    @property
    def varies(self) -> bool:
        """Whether its rows differ in size."""
        return len(self.blocks) > 1


class Writing:
    """Collects outputs and writes an .npz on exit; an empty one if there are no outputs."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._arrays: dict[str, _Growing] = {}

    @property
    def varied(self) -> frozenset[str]:
        """The outputs whose size varied."""
        return frozenset(name for name, growing in self._arrays.items() if growing.varies)

    def add(self, outputs: Mapping[str, Array]) -> None:
        """Add some rows to each output."""
        for name, array in outputs.items():
            if name not in self._arrays:
                file = tempfile.TemporaryFile(dir=self._path.parent)  # noqa: SIM115 - closed when all is written
                self._arrays[name] = _Growing(file=file, dtype=array.dtype, blocks=[])
            growing = self._arrays[name]
            if not growing.blocks or growing.blocks[-1].shape != array.shape[1:]:
                growing.blocks.append(_Block(count=0, shape=array.shape[1:]))
            growing.blocks[-1].count += len(array)
            growing.file.write(np.ascontiguousarray(array, dtype=growing.dtype).data)

    def discard(self) -> None:
        """Drop all added rows."""
        for growing in self._arrays.values():
            growing.file.close()
        self._arrays.clear()

    def __enter__(self) -> Self:
        """Begin; the file is written on exit."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the .npz."""
        if error is None:
            with zipfile.ZipFile(self._path, "w") as archive:
                for name, growing in self._arrays.items():
                    self._store(archive, name, growing)
                self._store_sizes(archive)
        self.discard()

    def _store_sizes(self, archive: zipfile.ZipFile) -> None:
        """Write the sizes of outputs whose rows vary. The name cannot clash with an output's, which ends in .npy."""
        sizes = {
            name: [[block.count, block.shape] for block in growing.blocks]
            for name, growing in self._arrays.items()
            if growing.varies
        }
        if sizes:
            archive.writestr(zipfile.ZipInfo(SIZES), json.dumps(sizes))

    def _store(self, archive: zipfile.ZipFile, name: str, growing: _Growing) -> None:
        header = io.BytesIO()
        first = growing.blocks[0]
        elements = sum(block.count * math.prod(block.shape) for block in growing.blocks)
        shape = (elements,) if growing.varies else (first.count, *first.shape)
        about = {"descr": npy.dtype_to_descr(growing.dtype), "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(header, about)
        growing.file.seek(0)
        # The ZipInfo has no date, so that equal outputs give equal bytes.
        with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
            member.write(header.getvalue())
            shutil.copyfileobj(growing.file, member, 1 << 20)


@dataclass(slots=True)
class _Stream:
    """An array of the file; `blocks` have not been taken yet."""

    member: IO[bytes]
    dtype: np.dtype[np.generic]
    blocks: list[_Block]


@dataclass(slots=True)
class Reading:
    """Reads back the rows that `Writing` wrote, in order."""

    path: str
    _archive: zipfile.ZipFile = field(init=False)
    _sizes: Mapping[str, list[_Block]] = field(init=False, default_factory=dict)
    _streams: dict[str, _Stream] = field(init=False, default_factory=dict)

    def take(self, name: str, count: int) -> Array:
        """Return the next rows of an output: `count`, or fewer if the size changes or the file ends."""
        stream = self._stream(name)
        block = stream.blocks[0]
        count = min(count, block.count)
        block.count -= count
        if not block.count and len(stream.blocks) > 1:
            stream.blocks.pop(0)
        shape = (count, *block.shape)
        data = stream.member.read(math.prod(shape) * stream.dtype.itemsize)
        return np.frombuffer(data, dtype=stream.dtype).reshape(shape)

    def left(self, name: str) -> int:
        """Return the number of rows of an output that have not been taken."""
        return sum(block.count for block in self._stream(name).blocks)

    def _stream(self, name: str) -> _Stream:
        if name not in self._streams:
            member = self._archive.open(f"{name}.npy")
            npy.read_magic(member)
            shape, _, dtype = npy.read_array_header_1_0(member)
            blocks = self._sizes.get(name) or [_Block(count=shape[0], shape=shape[1:])]
            self._streams[name] = _Stream(member=member, dtype=dtype, blocks=blocks)
        return self._streams[name]

    def __enter__(self) -> Self:
        """Open the file."""
        self._archive = zipfile.ZipFile(self.path)
        if SIZES in self._archive.namelist():
            listed = json.loads(self._archive.read(SIZES))
            self._sizes = {
                name: [_Block(count=count, shape=tuple(shape)) for count, shape in blocks]
                for name, blocks in listed.items()
            }
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        for stream in self._streams.values():
            stream.member.close()
        self._archive.close()
