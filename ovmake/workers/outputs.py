"""What a model gives: split into samples, written as it comes, read as it is needed.

    rows(array, tensor, count=..., fed=...) -> Array    a feed's output as [samples, ...]
    with Writing(path) as written: written.add({"y": rows})
    with Reading(path) as stored: stored.take("y", 64)

The file is an .npz that numpy reads too. TensorFlow's outputs for a whole validation set may be larger than the memory
(5,000 masks of 512 × 512 in 21 classes take 110 GB), so no more than a feed of them is ever in it.
"""  # noqa: RUF002 - the sign for times is meant as such

from __future__ import annotations

import io
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
from numpy.lib import format as npy

from ovmake.workers.interface import Tensor
from ovmake.workers.preparing import Array
from ovmake.workers.protocol import ActionError


def rows(array: Array, tensor: Tensor, *, count: int, fed: int) -> Array:
    """Return what a feed of `fed` samples, of which `count` are real, gave for an output: [count, ...].

    An output with as many rows as samples went in has one per sample. With several times as many, each sample has
    several, if the output's size follows the batch at all. What does not follow it is one row, whole.
    """
    array = np.asarray(array)
    if array.ndim > 0 and len(array) > fed > 1 and tensor.shape[0] == -1 and len(array) % fed == 0:
        array = array.reshape(fed, -1, *array.shape[1:])
    per_sample = array.ndim > 0 and len(array) == fed
    return array[:count] if per_sample else array[np.newaxis]


@dataclass(slots=True)
class _Growing:
    """An array that grows by rows: a file without a name, removed with the process."""

    file: IO[bytes]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    count: int = 0


class Writing:
    """Takes outputs and makes an .npz of them when it is left; without any, an .npz of nothing."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._arrays: dict[str, _Growing] = {}

    def add(self, outputs: Mapping[str, Array]) -> None:
        """Add some rows to each output.

        Raises:
            ActionError: an output changes its size from one feed to the next.
        """
        for name, array in outputs.items():
            if name not in self._arrays:
                file = tempfile.TemporaryFile(dir=self._path.parent)  # noqa: SIM115 - closed when all is written
                self._arrays[name] = _Growing(file=file, shape=array.shape[1:], dtype=array.dtype)
            growing = self._arrays[name]
            if array.shape[1:] != growing.shape:
                message = (
                    f"output `{name}` changes its size from sample to sample: it was {list(growing.shape)} per sample, "
                    f"and then {list(array.shape[1:])}"
                )
                raise ActionError("output-shape", message)
            growing.file.write(np.ascontiguousarray(array, dtype=growing.dtype).data)
            growing.count += len(array)

    def discard(self) -> None:
        """Forget what was added."""
        for growing in self._arrays.values():
            growing.file.close()
        self._arrays.clear()

    def __enter__(self) -> Self:
        """Nothing is written before the end."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Make the .npz."""
        if error is None:
            with zipfile.ZipFile(self._path, "w") as archive:
                for name, growing in self._arrays.items():
                    self._store(archive, name, growing)
        self.discard()

    def _store(self, archive: zipfile.ZipFile, name: str, growing: _Growing) -> None:
        header = io.BytesIO()
        shape = (growing.count, *growing.shape)
        about = {"descr": npy.dtype_to_descr(growing.dtype), "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(header, about)
        growing.file.seek(0)
        # Of a ZipInfo without a date, so that the same outputs are the same bytes.
        with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
            member.write(header.getvalue())
            shutil.copyfileobj(growing.file, member, 1 << 20)


@dataclass(slots=True)
class _Stream:
    """An array of the file, read up to row `count - left`."""

    member: IO[bytes]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    left: int


@dataclass(slots=True)
class Reading:
    """Hands out what `Writing` wrote, in its order."""

    path: str
    _archive: zipfile.ZipFile = field(init=False)
    _streams: dict[str, _Stream] = field(init=False, default_factory=dict)

    def take(self, name: str, count: int) -> Array:
        """Return the next rows of an output: `count`, or what is left."""
        stream = self._stream(name)
        count = min(count, stream.left)
        stream.left -= count
        shape = (count, *stream.shape)
        data = stream.member.read(int(np.prod(shape)) * stream.dtype.itemsize)
        return np.frombuffer(data, dtype=stream.dtype).reshape(shape)

    def left(self, name: str) -> int:
        """Return how many rows of an output have not been taken."""
        return self._stream(name).left

    def _stream(self, name: str) -> _Stream:
        if name not in self._streams:
            member = self._archive.open(f"{name}.npy")
            npy.read_magic(member)
            shape, _, dtype = npy.read_array_header_1_0(member)
            self._streams[name] = _Stream(member=member, shape=shape[1:], dtype=dtype, left=shape[0])
        return self._streams[name]

    def __enter__(self) -> Self:
        """Open the file."""
        self._archive = zipfile.ZipFile(self.path)
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        for stream in self._streams.values():
            stream.member.close()
        self._archive.close()
