"""Samples from a dataset or from a seed: the same arrays for TensorFlow and for OpenVINO.

    samples = take(request, interface, asked)             as is asked for and the request's plan says, in their order
    samples = calibrating(request, interface, asked, 300) those that a quantization uses
    for feed in samples.feeds(): ...           feed.inputs: input name -> array as the model takes it

Nothing is read before a feed is requested. `datasets/` reads the forms of datasets, `input_binding.py` binds them to
the model's inputs, and `synthetic.py` generates samples from a seed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ovmake.contracts.files.interface import Interface, Tensor
from ovmake.contracts.params.data import SampleParams
from ovmake.diagnostics import did_you_mean
from ovmake.workers.inputs.datasets import open_dataset
from ovmake.workers.inputs.datasets.columns import Column, Given, Reader
from ovmake.workers.inputs.datasets.loader import Loaded
from ovmake.workers.inputs.datasets.yielded import YIELD_ONE, Yielded
from ovmake.workers.inputs.feeding_plan import FeedingPlan
from ovmake.workers.inputs.input_binding import bind, is_whole
from ovmake.workers.inputs.preparing import Array
from ovmake.workers.inputs.synthetic import SyntheticSizes, synthetic_samples
from ovmake.workers.ipc.progress import counted
from ovmake.workers.ipc.protocol import Request

# The batch size for a model with a dynamic batch: enough to use all cores, with little memory.
BATCH = 64
SEEDED_SAMPLES = 16
# How many samples of a batch are also run alone: if one depends on its neighbours, others do too.
ALONE = 8
# How many of the unused calibration samples are compared: enough for a cosine, and short compared with a calibration.
HELD_OUT = 32
# How many names of an untrusted file a message shows.
SHOWN, SHOWN_CHARACTERS = 20, 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """The inputs of one run of the model, by name. `count` samples are real.

    `fed` also counts the padding. `labels` [count, ...] are those of the real samples, None without labels.
    """

    inputs: dict[str, Array]
    labels: Array | None
    count: int
    fed: int

    def alone(self, place: int) -> Feed:
        """Return one of its samples as a feed of its own, without a label: one row of each array."""
        inputs = {name: array[place : place + 1] for name, array in self.inputs.items()}
        return Feed(inputs=inputs, labels=None, count=1, fed=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Some samples of a dataset: `order` are their numbers in it. Columns are bound to the model's inputs.

    `origin` is "dataset", "calibration" (samples of the calibration set that do not calibrate), or "noise"; for noise,
    `why` says why there is nothing better. `batch` samples are fed at once; None: each sample is a whole input.
    `fixed`: the model takes exactly `batch` at a time, so the last feed is padded. `yielded` has the fingerprints of a
    loader's pass.
    """

    columns: Mapping[str, Column]
    order: Array
    batch: int | None
    fixed: bool
    labels: Column | None = None
    yielded: Yielded | None = None
    origin: str = "dataset"
    why: str = ""

    @property
    def count(self) -> int:
        """How many samples there are."""
        return len(self.order)

    def __iter__(self) -> Iterator[Feed]:
        return self.feeds()

    def __len__(self) -> int:
        """How many feeds there are."""
        return math.ceil(self.count / (self.batch or 1))

    def feeds(self) -> Iterator[Feed]:
        """Yield the feeds; each is read on request."""
        for numbers in self.numbers():
            yield self._feed(numbers)

    def numbers(self) -> Iterator[Array]:
        """Yield the samples' numbers in the dataset, feed by feed."""
        size = self.batch or 1
        parts = (self.order[start : start + size] for start in range(0, self.count, size))
        yield from counted(parts, of=self.count, unit="samples", each=size)

    def _feed(self, numbers: Array) -> Feed:
        arrays = {name: column.rows(numbers) for name, column in self.columns.items()}
        labels = None if self.labels is None else self.labels.rows(numbers)
        count = fed = len(numbers)
        if self.batch is None:
            # An element of a row of scalars is not an array any more.
            arrays = {name: np.asarray(array[0], order="C") for name, array in arrays.items()}
        elif self.fixed and count < self.batch:
            arrays, fed = {name: _filled(array, self.batch) for name, array in arrays.items()}, self.batch
        arrays = {name: np.asarray(array, order="C") for name, array in arrays.items()}
        return Feed(inputs=arrays, labels=labels, count=count, fed=fed)

    def first(self, count: int) -> Samples:
        """Return only the first samples."""
        return replace(self, order=self.order[:count])

    def after(self, count: int) -> Samples:
        """Return all samples except the first ones."""
        return replace(self, order=self.order[count:])

    def shuffled(self, seed: int) -> Samples:
        """Return the same samples in the order of a seeded shuffle."""
        return replace(self, order=self.order[np.random.default_rng(seed).permutation(self.count)])

    def with_batch(self, batch: int) -> Samples:
        """Return the samples fed `batch` at a time, if the model's batch is dynamic."""
        return self if self.fixed or self.batch is None else replace(self, batch=batch)


def alone(count: int) -> list[int]:
    """Return the indexes in a batch of `count` whose samples are also run alone: the first, the last, some in between.

    TensorFlow and the IR use the same ones.
    """
    if count <= ALONE:
        return list(range(count))
    return [round(place * (count - 1) / (ALONE - 1)) for place in range(ALONE)]


def _filled(array: Array, batch: int) -> Array:
    return np.concatenate([array, np.repeat(array[-1:], batch - len(array), axis=0)])


def take(
    request: Request,
    interface: Interface,
    asked: SampleParams,
    role: str = "dataset",
    plan: FeedingPlan | None = None,
) -> Samples:
    """Return the samples that are asked for: of the request's dataset of that role, or from a seed.

    If some samples of the dataset calibrate (`calibrating`), the result has only samples that do not; synthetic ones if
    all calibrate. `plan` is the request's by default; *reference* passes the plan that it tries.

    Raises:
        ActionError: the dataset cannot be read, lacks an array, or does not fit the model.
    """
    plan = plan or FeedingPlan.of(request)
    seed = asked.seed or 0
    if asked.dataset is None:
        return _planned(_seeded(seed, interface, plan.drawn), plan)
    samples = _from_dataset(Given.of(request, role, asked.dataset), interface)
    if asked.dataset.limit is not None:
        samples = samples.shuffled(seed).first(asked.dataset.limit)
    if asked.calibrating is not None:
        others = samples.shuffled(seed).after(asked.calibrating).first(HELD_OUT)
        if others.count:
            samples = replace(others, origin="calibration")
        else:
            why = f"all {samples.count} samples of the calibration set calibrate"
            samples = replace(_seeded(seed, interface, plan.drawn), why=why)
    return _planned(samples, plan)


def _planned(samples: Samples, plan: FeedingPlan) -> Samples:
    samples = samples if plan.count is None else samples.first(plan.count)
    return samples.with_batch(1) if plan.whole else samples


def calibrating(request: Request, interface: Interface, asked: SampleParams, count: int) -> Samples:
    """Return the `count` samples that calibrate; a seeded shuffle chooses them if the dataset has more.

    They are fed one at a time if the model allows it: statistics are per sample, whatever the batch.
    """
    samples = take(request, interface, asked)
    if count < samples.count:
        samples = samples.shuffled(asked.seed or 0).first(count)
    return samples.with_batch(1)


# samples from a dataset


def _from_dataset(given: Given, interface: Interface) -> Samples:
    reader = open_dataset(given)
    has_batch = interface.batch is not None
    columns = {
        tensor.name: bind(_column_for(tensor, reader, given), tensor, given, has_batch=has_batch)
        for tensor in interface.inputs
    }
    whole = {is_whole(columns[tensor.name], tensor) for tensor in interface.inputs}
    if len(whole) > 1:
        message = "some arrays contain rows of a batch and some contain whole inputs; all must be of one kind"
        raise given.error("dataset-shape", message)
    if isinstance(reader, Loaded) and True in whole and has_batch:
        _check_no_batches(reader, columns, given)
    labels = _labels(reader, given)
    batch = None if True in whole else interface.batch
    varied = any(-1 in column.shape for column in columns.values())
    return Samples(
        columns=columns,
        order=np.arange(_count(columns, labels, given)),
        batch=_open_batch(interface, 1 if varied else BATCH) if batch == -1 else batch,
        fixed=batch is not None and (batch > 0 or interface.batch_bounds is not None or varied),
        labels=labels,
        yielded=reader.yielded if isinstance(reader, Loaded) else None,
    )


def _check_no_batches(reader: Loaded, columns: Mapping[str, Column], given: Given) -> None:
    """Refuse a loader that yields batches: arrays with the input's number of dimensions. A batch of one is a sample."""
    size = max((column.shape[0] for column in columns.values() if column.shape), default=1)
    if size > 1:
        message = f"`{reader.yielded.called}` yields batches of {size} samples"
        raise given.error("dataset-batch", message, help=YIELD_ONE)


def _count(columns: Mapping[str, Column], labels: Column | None, given: Given) -> int:
    counts = {name: column.count for name, column in columns.items()}
    if labels is not None:
        counts["labels"] = labels.count
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"`{name}` {count}" for name, count in counts.items())
        raise given.error("dataset-length", f"the arrays have different numbers of samples: {listed}")
    count = min(counts.values(), default=0)
    if count == 0:
        raise given.error("dataset-empty", "the dataset has no samples")
    return count


def _open_batch(interface: Interface, wanted: int) -> int:
    """Return the batch size for a model that leaves it open, within the model's bounds if it has some."""
    least, most = interface.batch_bounds or (1, -1)
    return max(least, min(wanted, most) if most > 0 else wanted)


def _column_for(tensor: Tensor, reader: Reader, given: Given) -> Column:
    known = list(reader.names)
    spelt = next((name for name in (tensor.name, f"{tensor.name}:0") if name in given.params.inputs), "")
    key = f"inputs.{spelt}" if spelt else ""
    fed = given.params.inputs[spelt] if spelt else ("" if "" in known else tensor.name)
    names = (fed,) if isinstance(fed, str) else fed
    for name in names:
        if name not in known:
            what = reader.what
            listed = _listed(known)
            message = f"the dataset has no {what} `{name}` for input `{tensor.name}`; it has {listed}"
            table = "inputs = { " + tensor.name + f' = "{what.upper()}" }}'
            hint = did_you_mean(name, known) or f"name the {what} that feeds it: `{table}` in the dataset's table"
            raise given.error("dataset-array", message, key=key, help=hint)
    return reader.inputs(names, tensor)


def _listed(known: list[str]) -> str:
    """Return the names of columns, at most SHOWN of them."""
    more = f" and {len(known) - SHOWN} more" if known[SHOWN:] else ""
    shown = ", ".join(f"`{name[:SHOWN_CHARACTERS]}`" for name in known[:SHOWN] if name)
    return f"{shown}{more}" if shown else "one without a name" if known else "none"


def _labels(reader: Reader, given: Given) -> Column | None:
    name = given.params.labels or ""
    known = list(reader.names)
    if name and name not in known and known != [""]:
        message = f"the dataset has no {reader.what} `{name}` for its labels; it has {_listed(known)}"
        raise given.error("dataset-array", message, key="labels", help=did_you_mean(name, known))
    return reader.labels(name)


# samples from a seed


def _seeded(seed: int, interface: Interface, drawn: SyntheticSizes) -> Samples:
    generator = np.random.default_rng(seed)
    batch = interface.batch
    columns = {}
    for tensor in interface.inputs:
        array = synthetic_samples(tensor, generator, count=SEEDED_SAMPLES, has_batch=batch is not None, drawn=drawn)
        columns[tensor.name] = Column.of(array, f"input `{tensor.name}`")
    return Samples(
        columns=columns,
        order=np.arange(SEEDED_SAMPLES),
        batch=_open_batch(interface, SEEDED_SAMPLES) if batch == -1 else batch,
        fixed=batch is not None and (batch > 0 or interface.batch_bounds is not None),
        origin="noise",
    )
