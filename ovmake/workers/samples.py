"""Samples for TensorFlow and for OpenVINO: the same arrays on both sides, from a file or from a seed.

    samples = take(request, interface)         as the request's params say
    for feed, count in samples.feeds(): ...    feed: input name -> array as the model takes it; `count` samples are real

A file holds one array per input, [samples, ...]. When the array has as many dimensions as the input, its first one goes
along the input's batch; when it has one more, every sample is a whole input.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ovmake.diagnostics import did_you_mean
from ovmake.workers.interface import Interface, Tensor
from ovmake.workers.preparing import NUMPY_TYPES, Array, unprepared
from ovmake.workers.protocol import ActionError, Request

# How many samples go through a model with a dynamic batch at once: enough to keep the cores busy, little memory.
BATCH = 64
SEEDED_SAMPLES = 16
# A size for dynamic dimensions other than the batch when inputs are made up: large enough for a few strided layers.
DYNAMIC_SIZE = 64
# Made-up integers are small, because they are often indexes into a vocabulary.
SMALL_INTEGERS = 10

UNREADABLE = (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Arrays [count, ...] by input. `batch` samples are fed at once; None: each sample is a whole input.

    `fixed` says that the model may take no fewer than `batch` at a time, so that the last feed is filled up.
    """

    arrays: Mapping[str, Array]
    count: int
    batch: int | None
    fixed: bool
    labels: Array | None = None

    def feeds(self) -> Iterator[tuple[dict[str, Array], int]]:
        """Yield what goes into the model, and how many samples of it are real."""
        if self.batch is None:
            for index in range(self.count):
                # Of a row of scalars, an element is no array any more.
                yield {name: np.asarray(array[index], order="C") for name, array in self.arrays.items()}, 1
            return
        for start in range(0, self.count, self.batch):
            feed = {name: array[start : start + self.batch] for name, array in self.arrays.items()}
            count = min(self.batch, self.count - start)
            if count < self.batch and self.fixed:
                feed = {name: _filled(array, self.batch) for name, array in feed.items()}
            yield {name: np.ascontiguousarray(array) for name, array in feed.items()}, count

    def fed(self, feed: Mapping[str, Array]) -> int:
        """Return how many samples a feed holds, counting those that fill it up."""
        return 1 if self.batch is None else len(next(iter(feed.values())))

    def first(self, count: int) -> Samples:
        """Return the first samples only."""
        arrays = {name: array[:count] for name, array in self.arrays.items()}
        labels = None if self.labels is None else self.labels[:count]
        return replace(self, arrays=arrays, labels=labels, count=min(count, self.count))

    def shuffled(self, seed: int) -> Samples:
        """Return the same samples in the order of a seeded shuffle."""
        order = np.random.default_rng(seed).permutation(self.count)
        arrays = {name: array[order] for name, array in self.arrays.items()}
        return replace(self, arrays=arrays, labels=None if self.labels is None else self.labels[order])

    def with_batch(self, batch: int) -> Samples:
        """Return the samples fed `batch` at a time, where the model leaves that open."""
        return self if self.fixed or self.batch is None else replace(self, batch=batch)


def _filled(array: Array, batch: int) -> Array:
    return np.concatenate([array, np.repeat(array[-1:], batch - len(array), axis=0)])


def take(request: Request, interface: Interface) -> Samples:
    """Return the samples that the request's params speak of.

    Raises:
        ActionError: the file cannot be read, lacks an array, or does not fit the model.
    """
    if "dataset" not in request.inputs:
        return _seeded(request, interface)
    samples = _from_file(request, interface)
    limit = request.params.get("dataset.limit")
    if isinstance(limit, int):
        return samples.shuffled(_seed(request)).first(limit)
    return samples


def _seed(request: Request) -> int:
    seed = request.params.get("seed", 0)
    return seed if isinstance(seed, int) else 0


# samples from a file


def _from_file(request: Request, interface: Interface) -> Samples:
    stored = _open(request.inputs["dataset"])
    arrays = {tensor.name: _array_for(tensor, stored, request) for tensor in interface.inputs}
    if interface.batch is None:
        arrays = {tensor.name: _as_whole(array, tensor) for tensor, array in _pairs(interface, arrays)}
    whole = {len(array.shape) == len(tensor.shape) + 1 for tensor, array in _pairs(interface, arrays)}
    if len(whole) > 1:
        message = "some arrays hold batches of samples and some whole inputs; all must be alike"
        raise ActionError("dataset-shape", message, setting="dataset")
    counts = {name: len(array) for name, array in arrays.items()}
    labels = _labels(stored, request)
    if labels is not None:
        counts["labels"] = len(labels)
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"`{name}` {count}" for name, count in counts.items())
        message = f"the arrays do not hold the same number of samples: {listed}"
        raise ActionError("dataset-length", message, setting="dataset")
    count = min(counts.values(), default=0)
    if count == 0:
        raise ActionError("dataset-empty", "the dataset holds no samples", setting="dataset")
    batch = None if True in whole else interface.batch
    fixed = batch is not None and (batch > 0 or interface.batch_bounds is not None)
    return Samples(
        arrays=arrays,
        count=count,
        batch=_open_batch(interface, BATCH) if batch == -1 else batch,
        fixed=fixed,
        labels=labels,
    )


def _open_batch(interface: Interface, wanted: int) -> int:
    """Return how many samples to feed at once where the model leaves it open, within its bounds if it has some."""
    least, most = interface.batch_bounds or (1, -1)
    return max(least, min(wanted, most) if most > 0 else wanted)


def _pairs(interface: Interface, arrays: Mapping[str, Array]) -> list[tuple[Tensor, Array]]:
    return [(tensor, arrays[tensor.name]) for tensor in interface.inputs]


def _as_whole(array: Array, tensor: Tensor) -> Array:
    """Where inputs have no batch in common, samples go in one by one, in inputs whose first dimension can be 1."""
    if array.ndim > len(tensor.shape):
        return array
    if tensor.shape[0] not in {-1, 1}:
        message = (
            f"input `{tensor.name}` takes {tensor.shape[0]} rows at a time and other inputs do not, so that its "
            f"samples must be whole inputs: [samples, {', '.join(map(str, tensor.shape))}]"
        )
        raise ActionError("dataset-shape", message, setting="dataset")
    return array[:, np.newaxis]


def _open(path: str) -> Mapping[str, Array]:
    try:
        # Never pickles: an .npz of a stranger must not run code.
        stored = np.load(path, allow_pickle=False)
        return {"": stored} if isinstance(stored, np.ndarray) else stored
    except UNREADABLE as error:
        raise _unreadable(error) from error


def _read(stored: Mapping[str, Array], name: str) -> Array:
    """Return one array: what else is in an .npz, such as names, need not even be readable."""
    try:
        array = stored[name]
    except UNREADABLE as error:
        raise _unreadable(error) from error
    if array.ndim == 0:
        message = f"array `{name}` is a single value; the first dimension of an array counts its samples"
        raise ActionError("dataset-shape", message, setting="dataset")
    return array


def _unreadable(error: Exception) -> ActionError:
    return ActionError("dataset-unreadable", f"cannot read the samples: {error}", setting="dataset")


def _array_for(tensor: Tensor, stored: Mapping[str, Array], request: Request) -> Array:
    spellings = [f"dataset.inputs.{tensor.name}{end}" for end in ("", ":0")]
    setting = next((spelt for spelt in spellings if spelt in request.params), spellings[0])
    name = request.params.get(setting)
    if not isinstance(name, str):
        setting, name = "dataset", "" if "" in stored else tensor.name
    if name not in stored:
        known = ", ".join(f"`{name}`" for name in stored) or "none"
        message = f"the dataset has no array `{name}` for input `{tensor.name}`; it has {known}"
        table = "inputs = { " + tensor.name + ' = "ARRAY" }'
        hint = did_you_mean(name, list(stored)) or f"say which array feeds it: `{table}` in the dataset's table"
        raise ActionError("dataset-array", message, setting=setting, help=hint)
    array = _read(stored, name)
    _check_shape(array, name, tensor)
    return _converted(array, name, tensor)


def _check_shape(array: Array, name: str, tensor: Tensor) -> None:
    extra = array.ndim - len(tensor.shape)
    sample = array.shape[1:]
    wanted = tensor.shape if extra == 1 else tensor.shape[1:]
    fits = extra in {0, 1} and all(want in {-1, have} for want, have in zip(wanted, sample, strict=True))
    if not fits:
        message = (
            f"sample has shape {list(sample)} (array `{name}`), "
            f"input `{tensor.name}` wants {list(tensor.shape[1:])} after its batch"
        )
        raise ActionError("dataset-shape", message, setting="dataset")


def _converted(array: Array, name: str, tensor: Tensor) -> Array:
    wanted = np.dtype(NUMPY_TYPES[tensor.type]) if tensor.type in NUMPY_TYPES else array.dtype
    if array.dtype != wanted and not np.can_cast(array.dtype, wanted, "same_kind"):
        message = f"array `{name}` holds {array.dtype}, input `{tensor.name}` takes {wanted}"
        raise ActionError("dataset-type", message, setting="dataset")
    converted = array.astype(wanted, copy=False)
    if wanted.kind in "iu" and not np.array_equal(converted, array):
        message = f"array `{name}` holds values from {array.min()} to {array.max()}, which do not fit into {wanted}"
        raise ActionError("dataset-type", message, setting="dataset")
    return converted


def _labels(stored: Mapping[str, Array], request: Request) -> Array | None:
    name = request.params.get("dataset.labels")
    if not isinstance(name, str):
        return None
    if name not in stored:
        known = ", ".join(f"`{name}`" for name in stored)
        message = f"the dataset has no array `{name}` for its labels; it has {known}"
        hint = did_you_mean(name, list(stored))
        raise ActionError("dataset-array", message, setting="dataset.labels", help=hint)
    return _read(stored, name)


# samples from a seed


def _seeded(request: Request, interface: Interface) -> Samples:
    generator = np.random.default_rng(_seed(request))
    batch = interface.batch
    arrays = {}
    for tensor in interface.inputs:
        sizes = _made_up_shape(tensor)
        arrays[tensor.name] = _made_up(generator, (SEEDED_SAMPLES, *(sizes if batch is None else sizes[1:])), tensor)
    return Samples(
        arrays=arrays,
        count=SEEDED_SAMPLES,
        batch=_open_batch(interface, SEEDED_SAMPLES) if batch == -1 else batch,
        fixed=batch is not None and (batch > 0 or interface.batch_bounds is not None),
    )


def _made_up_shape(tensor: Tensor) -> list[int]:
    """Return a size for each dimension; heights and widths that the IR resizes are larger than what it makes."""
    sizes = [DYNAMIC_SIZE if size == -1 else size for size in tensor.shape]
    for axis, (least, most) in enumerate(tensor.bounds):
        sizes[axis] = max(least, min(sizes[axis], most if most > 0 else sizes[axis]))
    if tensor.prepare:
        for axis, size in zip(tensor.prepare.axes, tensor.prepare.size, strict=True):
            sizes[axis] = size + size // (axis + 2) + 1
    return sizes


def _made_up(generator: np.random.Generator, shape: tuple[int, ...], tensor: Tensor) -> Array:
    if tensor.type not in NUMPY_TYPES:
        message = f"cannot make up values of type {tensor.type} for input `{tensor.name}`"
        hint = "name a dataset under `accuracy`, or turn the gate off with `accuracy = false`"
        raise ActionError("no-samples", message, help=hint)
    dtype = np.dtype(NUMPY_TYPES[tensor.type])
    if dtype.kind == "b":
        return generator.random(shape) < 0.5  # noqa: PLR2004 - a fair coin
    if dtype == np.uint8:
        return generator.integers(0, 256, shape, dtype=np.uint8)
    if dtype.kind in "iu":
        return generator.integers(0, SMALL_INTEGERS, shape).astype(dtype)
    # Raw values such that the model itself sees -1 to 1 where it is normalized, and 0 to 1 where it is not.
    unit = generator.random(shape, dtype=np.float32)
    prepare = tensor.prepare
    if prepare and (prepare.mean or prepare.scale):
        whole = unit.ndim == len(tensor.shape)  # else each sample is a whole input, behind one dimension more
        unit = unit * 2 - 1
        unit = unprepared(unit, prepare) if whole else np.stack([unprepared(sample, prepare) for sample in unit])
    return unit.astype(dtype)
