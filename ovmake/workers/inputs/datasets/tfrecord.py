"""Read TFRecord files of tf.train.Example without TensorFlow. Several files are read in the order of their names.

A record is a length (8 bytes), the masked crc32c of the length (4), the data, and the masked crc32c of the data (4),
all little-endian. See tensorflow/core/lib/io/record_writer.h.

Opening a file reads all lengths, so that each record can be read by its number. The checksum of the data is verified
when a record is read. A file that was compressed by gzip is unpacked first.
"""

from __future__ import annotations

import gzip
import zlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import google_crc32c
import numpy as np

from ovmake.contracts.files.interface import Tensor
from ovmake.contracts.forms import form_of
from ovmake.sources.protobuf import ProtobufError
from ovmake.workers.inputs.datasets.columns import (
    Column,
    Given,
    each_of,
    one_by_one,
    reshaped,
    side_by_side,
    stacked,
    stacked_labels,
    unpacked,
)
from ovmake.workers.inputs.datasets.examples import Value, features, value_of
from ovmake.workers.inputs.datasets.pictures import Picture, looks_like_image
from ovmake.workers.inputs.preparing import NUMPY_TYPES, Array

GZIP = b"\x1f\x8b"
LENGTH_BYTES, CRC_BYTES = 8, 4
HEADER_BYTES = LENGTH_BYTES + CRC_BYTES
MASK = 0xA282EAD8
SHOWN = 5


def shards(path: Path) -> list[Path]:
    """Return the TFRecord files at a path: the file itself, or those in the folder; else none.

    Raises:
        OSError: the folder cannot be listed.
    """
    if not path.is_dir():
        return [path] if _is_named_so(path) else []
    return sorted(file for file in path.iterdir() if _is_named_so(file) and file.is_file())


def _is_named_so(path: Path) -> bool:
    """Match `val.tfrecord`, `val.tfrecords.gz`, `val.tfrec`, and TFDS's `mnist-test.tfrecord-00000-of-00001`."""
    return form_of(path.name) == "tfrecord" and not path.name.startswith(".")


@dataclass(frozen=True, slots=True, kw_only=True)
class TFRecords:
    """Open files: `starts` and `lengths` of each record's data, and the first record of each of `shards`."""

    given: Given
    shards: tuple[tuple[str, Array], ...]
    shard: Array
    starts: Array
    lengths: Array
    what: str = "feature"

    @classmethod
    def open(cls, files: Sequence[Path], given: Given) -> TFRecords:
        """Find the offsets of the records.

        Raises:
            ActionError: there is no record, or a file is unreadable, truncated within a record, or has damaged lengths.
        """
        shards = tuple((file.name, _mapped(file, given)) for file in files)
        places = [_places(name, data, given) for name, data in shards]
        if not any(len(place[0]) for place in places):
            listed = ", ".join(f"`{file.name}`" for file in files[:SHOWN]) + (", …" if files[SHOWN:] else "")
            raise given.error("dataset-empty", f"the dataset has no samples: there is no record in {listed}")
        starts, lengths = (np.concatenate([place[part] for place in places]) for part in (0, 1))
        return cls(
            given=given,
            shards=shards,
            shard=np.repeat(np.arange(len(shards)), [len(place[0]) for place in places]),
            starts=starts,
            lengths=lengths,
        )

    @property
    def names(self) -> list[str]:
        """The features of the first record."""
        return list(self._features(0))

    def inputs(self, names: tuple[str, ...], tensor: Tensor) -> Column:
        """Return a feature as samples of `tensor`: numbers, an encoded image, or the raw bytes of an array."""
        if len(names) > 1:
            return side_by_side([self._numbers(name) for name in names], self.what)
        (name,) = names
        label = f"feature `{name}`"
        encoded = _encoded(self.value(name, 0))
        picture = Picture.of(tensor, self.given) if encoded else None

        def sample(number: int) -> Array:
            value = self.value(name, number)
            if picture and (image := _encoded(value)):
                return picture.array(image, self._called(number))
            return reshaped(self._plain(value, tensor, name, number), tensor, label, self.given)

        def look(number: int) -> None:
            image = _encoded(self.value(name, number)) if picture else None
            if picture and image:
                picture.look(image, self._called(number))
            else:
                sample(number)

        first = None if picture else sample(0)
        return Column(
            label=label,
            count=len(self.starts),
            dtype=np.dtype(np.uint8) if first is None else first.dtype,
            shape=picture.shape if picture else _open_shape(tensor, first),
            rows=lambda numbers: stacked(each_of(sample, numbers), label, self.given),
            look=one_by_one(look),
        )

    def labels(self, name: str) -> Column | None:
        """Return a feature as labels: numbers, or indexes in `classes`."""
        if not name:
            return None

        def rows(numbers: Array) -> Array:
            return stacked_labels([self._label(name, number) for number in numbers.tolist()])

        first = np.asarray(self._label(name, 0))
        return Column(
            label=f"feature `{name}`", count=len(self.starts), dtype=first.dtype, shape=first.shape, rows=rows
        )

    # one record

    def _called(self, number: int) -> str:
        """Return a record's name for messages: its number in its file, counted from 0."""
        shard = int(self.shard[number])
        return f"record {number - int(np.searchsorted(self.shard, shard))} of {self.shards[shard][0]}"

    def _data(self, number: int) -> bytes:
        data = self.shards[int(self.shard[number])][1]
        start = int(self.starts[number])
        end = start + int(self.lengths[number])
        record = data[start:end].tobytes()
        if _masked_crc(record) != int.from_bytes(data[end : end + CRC_BYTES].tobytes(), "little"):
            message = f"{self._called(number)} is damaged: its checksum is wrong"
            raise self.given.error("dataset-unreadable", message)
        return record

    def _features(self, number: int) -> dict[str, memoryview]:
        try:
            return features(memoryview(self._data(number)))
        except ProtobufError as error:
            raise self.given.unreadable(
                ValueError(f"{error}; is it a tf.train.Example?"), self._called(number)
            ) from error

    def value(self, name: str, number: int) -> Value:
        """Return the value of a feature of a record."""
        found = self._features(number)
        if name not in found:
            message = f"{self._called(number)} has no feature `{name}`, which other records have"
            raise self.given.error("dataset-array", message)
        try:
            return value_of(found[name])
        except ProtobufError as error:
            raise self.given.unreadable(error, self._called(number)) from error

    def _plain(self, value: Value, tensor: Tensor, name: str, number: int) -> Array:
        """Return a feature's numbers; raw bytes as the input's type, or as uint8 if that fits the shape."""
        if isinstance(value, np.ndarray):
            return value
        size = int(np.prod(tensor.shape[1:]))
        dtype = np.dtype(NUMPY_TYPES.get(tensor.type, "uint8"))
        if len(value) == 1 and len(value[0]) == size:
            return np.frombuffer(value[0], dtype=np.uint8)
        if len(value) == 1 and (
            len(value[0]) == size * dtype.itemsize or (size < 0 and not len(value[0]) % dtype.itemsize)
        ):
            return np.frombuffer(value[0], dtype=dtype)
        held = f"{len(value[0])} bytes" if len(value) == 1 else f"{len(value)} strings"
        message = f"{self._called(number)} has {held} in `{name}`, input `{tensor.name}` wants {list(tensor.shape[1:])}"
        raise self.given.error("dataset-shape", f"{message} after its batch, of {tensor.type} or of bytes")

    def _numbers(self, name: str) -> Column:
        def one(number: int) -> Array:
            value = self.value(name, number)
            if isinstance(value, np.ndarray) and value.size == 1:
                return value.reshape(())
            message = f"{self._called(number)} must have a single number in `{name}`, to be part of a vector"
            raise self.given.error("dataset-shape", message)

        first = one(0)
        return Column(
            label=f"feature `{name}`",
            count=len(self.starts),
            dtype=first.dtype,
            shape=(),
            rows=lambda numbers: np.stack([one(number) for number in numbers.tolist()]),
        )

    def _label(self, name: str, number: int) -> Array:
        value = self.value(name, number)
        if isinstance(value, np.ndarray):
            return value.reshape(()) if value.size == 1 else value
        classes = self.given.params.classes
        words = [bytes(part).decode(errors="replace") for part in value]
        if len(words) == 1 and words[0] in classes:
            return np.asarray(classes.index(words[0]))
        message = f"{self._called(number)} has `{', '.join(words)[:40]}` for its label `{name}`"
        hint = 'list the classes in order; a label is an index in that list: `classes = ["cat", "dog"]`'
        raise self.given.error("dataset-class", message, key="classes" if classes else "labels", help=hint)


def _open_shape(tensor: Tensor, first: Array | None) -> tuple[int, ...]:
    """Return the shape of all samples: -1 where the input leaves a size open and records may differ."""
    wanted = tensor.shape[1:]
    return wanted if first is not None and len(wanted) == first.ndim else () if first is None else first.shape


def _encoded(value: Value) -> memoryview | None:
    """Return the bytes of an encoded image, None if the feature is something else."""
    if isinstance(value, np.ndarray) or len(value) != 1 or not looks_like_image(value[0]):
        return None
    return value[0]


def _mapped(file: Path, given: Given) -> Array:
    try:
        with file.open("rb") as opened:
            start = opened.read(len(GZIP))
        if start == GZIP:
            with gzip.open(file) as stream, unpacked(stream, given) as plain:
                return np.memmap(plain, dtype=np.uint8, mode="r") if plain.read(1) else np.zeros(0, np.uint8)
        return np.memmap(file, dtype=np.uint8, mode="r") if start else np.zeros(0, np.uint8)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise given.unreadable(error, file.name) from error


def _places(name: str, data: Array, given: Given) -> tuple[Array, Array]:
    """Return the offset and length of each record's data."""
    # Arrays, not lists: a record may take 16 bytes of the file, and two numbers in lists would take 80.
    starts, lengths = array("q"), array("q")
    at, size = 0, len(data)
    while at < size:
        header = data[at : at + HEADER_BYTES].tobytes()
        length, crc = header[:LENGTH_BYTES], header[LENGTH_BYTES:]
        if len(crc) < CRC_BYTES or _masked_crc(length) != int.from_bytes(crc, "little"):
            damaged = f"is damaged after record {len(starts) - 1}"
            message = f"`{name}` {damaged if starts else 'does not begin with a record; is it a TFRecord?'}"
            raise given.error("dataset-unreadable", message)
        starts.append(at + HEADER_BYTES)
        lengths.append(min(int.from_bytes(length, "little"), size))
        at += HEADER_BYTES + lengths[-1] + CRC_BYTES
    if at > size:
        raise given.error("dataset-unreadable", f"`{name}` ends within record {len(starts) - 1}")
    return np.asarray(starts, dtype=np.int64), np.asarray(lengths, dtype=np.int64)


def _masked_crc(data: bytes) -> int:
    crc = int(google_crc32c.value(data))
    return ((crc >> 15 | crc << 17) + MASK) & 0xFFFFFFFF
