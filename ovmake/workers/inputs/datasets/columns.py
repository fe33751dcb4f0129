"""The common part of all dataset readers.

Given      one dataset of a request: path, options, folder for temporary files
Column     one array [count, ...] that need not be in memory
Reader     the protocol of all forms of dataset
each_of    read samples in parallel
stacked    samples as one array, or the error if they differ in shape
unpacked   a compressed file as a temporary file, to be mapped
"""

from __future__ import annotations

import gzip
import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

import numpy as np

from ovmake.contracts.files.interface import Tensor
from ovmake.contracts.params.data import DatasetParams
from ovmake.errors import ActionError
from ovmake.workers.inputs.preparing import Array
from ovmake.workers.ipc.protocol import Request

# The share of a disk's free space that unpacking may use: a file of 1 MB may unpack to 1 GB.
ROOM = 0.9
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The dataset of a request with this `role`. `files` are further files and folders that it may read.

    `scratch` is a folder for temporary files, on the disk of the outputs: /tmp may be in memory.
    """

    role: str
    path: str
    params: DatasetParams
    files: tuple[str, ...]
    scratch: str | None
    log: str

    @classmethod
    def of(cls, request: Request, role: str, asked: DatasetParams) -> Given:
        """Return the request's dataset of that role."""
        files = [path for name, path in request.inputs.items() if name.startswith(f"{role}.files.")]
        output = next(iter(request.outputs.values()), None)
        return cls(
            role=role,
            path=request.inputs[role],
            params=asked,
            files=tuple(files),
            scratch=str(Path(output).parent) if output else None,
            log=request.log,
        )

    def error(
        self,
        code: str,
        message: str,
        *,
        key: str = "",
        help: str = "",  # noqa: A002 - as everywhere
        notes: tuple[str, ...] = (),
    ) -> ActionError:
        """Return an error that points at a key of the dataset's table, or at its path."""
        return ActionError(code, message, setting=f"{self.role}.{key}" if key else self.role, help=help, notes=notes)

    def unreadable(self, error: BaseException, what: str = "") -> ActionError:
        """Return the error for samples, or one file of them, that cannot be read."""
        words = " ".join(str(error).split()) or type(error).__name__
        if isinstance(error, OSError) and error.strerror:
            words = error.strerror
        return self.error("dataset-unreadable", f"cannot read {f'`{what}`' if what else 'the samples'}: {words}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One array [count, ...], of which samples are read by number.

    `label` names it in messages ("array `x`"). `shape` is that of one sample, -1 where samples may differ; these are
    read one at a time if the model allows it. `rows` takes numbers [n] and returns [n, ...]. `look` checks whether
    `rows` would fail, if that is cheaper than reading; None if there is nothing to check.
    """

    label: str
    count: int
    dtype: np.dtype[np.generic]
    shape: tuple[int, ...]
    rows: Callable[[Array], Array]
    look: Callable[[Array], None] | None = None

    @classmethod
    def of(cls, array: Array, label: str) -> Column:
        """Return an array, in memory or mapped, as a column."""
        return cls(
            label=label,
            count=len(array),
            dtype=array.dtype,
            shape=array.shape[1:],
            rows=lambda numbers: np.asarray(array[numbers]),
        )


class Reader(Protocol):
    """An open dataset."""

    @property
    def what(self) -> str:
        """Its word for a column: array, column, feature."""

    @property
    def names(self) -> Sequence[str]:
        """The names of its columns; "" for a column without a name."""

    def inputs(self, names: tuple[str, ...], tensor: Tensor) -> Column:
        """Return the column that feeds an input. `names` are in `self.names`; several columns are concatenated."""

    def labels(self, name: str) -> Column | None:
        """Return the labels in the column `name`; with "", the labels that have no name, None if there are none."""


def side_by_side(columns: Sequence[Column], what: str) -> Column:
    """Return several columns of single numbers as one column of vectors."""
    if len(columns) == 1:
        return columns[0]

    def rows(numbers: Array) -> Array:
        return np.stack([column.rows(numbers).reshape(len(numbers)) for column in columns], axis=1)

    labels = ", ".join(column.label.removeprefix(f"{what} ") for column in columns)
    return Column(
        label=f"{what}s {labels}",
        count=min(column.count for column in columns),
        dtype=np.result_type(*(column.dtype for column in columns)),
        shape=(len(columns),),
        rows=rows,
    )


def each_of(sample: Callable[[int], Array], numbers: Array) -> list[Array]:
    """Return samples by number, read in parallel: Pillow releases Python's lock while it decodes."""
    if len(numbers) == 1:
        return [sample(int(numbers[0]))]
    with ThreadPoolExecutor() as threads:
        return list(threads.map(sample, numbers.tolist()))


def one_by_one(look: Callable[[int], object]) -> Callable[[Array], None]:
    """Return a `Column.look` that checks one sample after the other."""

    def all_of(numbers: Array) -> None:
        for number in numbers.tolist():
            look(number)

    return all_of


def stacked(samples: Sequence[Array], label: str, given: Given) -> Array:
    """Return samples as one array.

    Raises:
        ActionError: they differ in shape, so the model cannot take them together.
    """
    shapes = list(dict.fromkeys(sample.shape for sample in samples))
    if len(shapes) > 1:
        first, other = (list(shape) for shape in shapes[:2])
        message = f"samples of {label} have different shapes, {first} and {other}, and the model takes several at once"
        raise given.error("dataset-shape", message, help="give them one shape, or build the model with `batch = 1`")
    return np.stack(samples)


def stacked_labels(labels: Sequence[object]) -> Array:
    """Return labels as one array; an array of objects if they differ in shape, as boxes and masks do."""
    try:
        array = np.asarray(labels)
    except ValueError:  # of different shapes
        array = np.zeros(0, dtype=object)
    if array.dtype.kind in "biuf":
        return array
    found = np.empty(len(labels), dtype=object)
    for place, label in enumerate(labels):
        found[place] = label
    return found


def unpacked(source: IO[bytes] | gzip.GzipFile, given: Given, size_bytes: int | None = None) -> IO[bytes]:
    """Return the rest of a stream as a temporary file. Closing it, or the end of this process, deletes it.

    `size_bytes`: the unpacked size, if it is known.

    Raises:
        ActionError: the disk has too little space; a tenth of it stays free.
    """
    room = int(shutil.disk_usage(given.scratch or tempfile.gettempdir()).free * ROOM)
    if size_bytes is not None and size_bytes > room:
        raise _no_room(given, f"unpacks to {size_bytes:,} bytes", room)
    target = tempfile.TemporaryFile(dir=given.scratch)  # noqa: SIM115 - the caller maps it
    try:
        _copy(source, target, given, room)
    except BaseException:
        target.close()
        raise
    target.seek(0)
    return target


def _copy(source: IO[bytes] | gzip.GzipFile, target: IO[bytes], given: Given, room: int) -> None:
    written = 0
    while part := source.read(CHUNK_BYTES):
        written += len(part)
        if written > room:
            raise _no_room(given, f"unpacks to more than {room:,} bytes", room)
        target.write(part)


def _no_room(given: Given, what: str, room: int) -> ActionError:
    message = f"the dataset {what}, and at most {room:,} of the free space on the disk may be used"
    return given.error("dataset-too-large", message, help="free space, or unpack it once and name the result")


def reshaped(values: Array, tensor: Tensor, label: str, given: Given) -> Array:
    """Return the numbers of one sample in the shape that an input has after its batch.

    Raises:
        ActionError: there are too many or too few.
    """
    wanted = tensor.shape[1:]
    unknown = sum(size == -1 for size in wanted)
    if unknown > 1 or (not wanted and values.size == 1):
        return values if wanted else values.reshape(())
    try:
        return values.reshape(wanted)
    except ValueError:
        message = f"sample has {values.size} values ({label}), input `{tensor.name}` wants {list(wanted)}"
        raise given.error("dataset-shape", f"{message} after its batch") from None
