"""The timed process of a measurement, the same for both frameworks: models by name, one loop.

The bench worker sends `time` requests; `step` names the operation:

    import       -> {"import_ms", "memory_bytes", "version"}     only the framework, in a fresh process
    open         load the model, run it once -> the times, and the origin of the inputs
    block        {"runs": n} -> {"ns": [...]}                    n sequential inferences, each timed
    memory       -> {"peak_bytes": ...}                          the peak resident memory of this process so far
    renew        rebuild the model: a new compilation with new buffers
    feeds        prepare more inputs than the first one
    side-by-side -> {"in_flight": n}                             find the fastest number of parallel inferences
    throughput   {"seconds": s} -> {"samples", "seconds"}        that many in parallel, for that time
    layers       -> facts about the compiled model's layers (only for an IR)
    profile      {"seconds": s} -> {"layers": [...]}             the time of each layer (only for an IR)

A process may have several models at a time: each request names one by `name`. For TensorFlow the name is the way to
call the model.

Feeds are real samples if there is a dataset, up to FEEDS of them in rotation, so that caches do not see only one input.
They are ready before the clock starts. For TensorFlow they are also preprocessed: the IR's built-in preprocessing does
not count against TensorFlow. There is one feed until the memory was read, since further inputs are not part of a
model's memory.
"""

from __future__ import annotations

import gc
import itertools
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from ovmake.contracts.codec import encode_object
from ovmake.contracts.files.executed import TimedLayer
from ovmake.contracts.files.interface import Interface
from ovmake.contracts.files.timing import ExecutedIr, OpenedModel, Profile
from ovmake.contracts.params.helping import TimeParams
from ovmake.workers.inputs.preparing import Array
from ovmake.workers.inputs.samples import Samples, take
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.measurement.import_cost import peak_memory_bytes

FEEDS = 32
# A feed in the form that a framework wants: tensors by place or by name, or arrays.
Feed = TypeVar("Feed")


class Subject(Protocol[Feed]):
    """A loaded model whose inferences are timed. `way` describes how it is called."""

    way: str

    def feed(self, arrays: Mapping[str, Array]) -> Feed:
        """Return a feed in the form that `infer` takes."""

    def infer(self, feed: Feed) -> None:
        """Run one inference and wait for its result."""

    def renew(self) -> None:
        """Rebuild the model from the data that was read."""

    def side_by_side(self, feeds: list[Feed]) -> int:
        """Find the number of parallel inferences with the highest throughput, and prepare for it."""

    def flood(self, feeds: list[Feed], seconds: float) -> tuple[int, float]:
        """Run that many in parallel; return the number of inferences, and their seconds."""

    def profile(self, feeds: list[Feed], seconds: float) -> tuple[TimedLayer, ...]:
        """Return each layer with its time; empty if the framework does not report it."""

    def layers(self) -> ExecutedIr:
        """Return the IR as the runtime executes it; empty if the framework does not report it."""


@dataclass(slots=True, kw_only=True)
class _Opened(Generic[Feed]):
    """A model that is ready to be timed. `turn` is the index of the next feed in `feeds`."""

    subject: Subject[Feed]
    samples: Samples
    feeds: list[Feed]
    turn: Iterator[Feed]


# Each model takes its own type of feeds, made by its `subject`.
_AnyOpened = _Opened[Any]
# Makes a model ready to be timed.
Make = Callable[[Request, Interface, TimeParams], Subject[Any]]

# The open models of this process, by name.
_OPEN: dict[str, _AnyOpened] = {}


def answer(request: Request, make: Make) -> dict[str, object]:
    """Do one operation."""
    asked = request.asked(TimeParams)
    if asked.operation == "open":
        return encode_object(_open(request, make, asked))
    if asked.operation == "memory":
        return {"peak_bytes": peak_memory_bytes()}
    return OPERATIONS[asked.operation](_OPEN[asked.name], asked)


def _open(request: Request, make: Make, asked: TimeParams) -> OpenedModel:
    interface = Interface.read(request.inputs["interface"])
    samples = take(request, interface, asked.samples).with_batch(1)
    started = time.perf_counter_ns()
    subject = make(request, interface, asked)
    loaded = time.perf_counter_ns()
    feed = subject.feed(next(samples.feeds()).inputs)
    ready = time.perf_counter_ns()
    subject.infer(feed)
    done = time.perf_counter_ns()
    _OPEN[asked.name] = _Opened(subject=subject, samples=samples, feeds=[feed], turn=itertools.repeat(feed))
    return OpenedModel(
        batch=samples.batch or 1,
        load_ms=(loaded - started) / 1e6,
        first_inference_ms=(done - ready) / 1e6,
        dataset=asked.samples.dataset is not None,
        way=subject.way,
        dynamic_inputs=tuple(tensor.name for tensor in interface.inputs if -1 in tensor.shape),
    )


def _more_feeds(opened: _AnyOpened) -> dict[str, object]:
    opened.feeds = [opened.subject.feed(feed.inputs) for feed in itertools.islice(opened.samples.feeds(), FEEDS)]
    opened.turn = itertools.cycle(opened.feeds)
    return {"feeds": len(opened.feeds)}


def _renew(opened: _AnyOpened) -> dict[str, object]:
    opened.subject.renew()
    gc.collect()  # the replaced model may hold all weights in reference cycles
    opened.subject.infer(next(opened.turn))
    return {}


def _throughput(opened: _AnyOpened, seconds: float) -> dict[str, object]:
    count, took = opened.subject.flood(opened.feeds, seconds)
    return {"samples": count * (opened.samples.batch or 1), "seconds": took}


# The operations on an open model.
OPERATIONS: Mapping[str, Callable[[_AnyOpened, TimeParams], dict[str, object]]] = {
    "block": lambda opened, asked: {"ns": _block(opened, asked.runs)},
    "feeds": lambda opened, _: _more_feeds(opened),
    "layers": lambda opened, _: encode_object(opened.subject.layers()),
    "renew": lambda opened, _: _renew(opened),
    "profile": lambda opened, asked: encode_object(Profile(layers=opened.subject.profile(opened.feeds, asked.seconds))),
    "side-by-side": lambda opened, _: {"in_flight": opened.subject.side_by_side(opened.feeds)},
    "throughput": lambda opened, asked: _throughput(opened, asked.seconds),
}


def _block(opened: _AnyOpened, runs: int) -> list[int]:
    """Return the time of each inference, in nanoseconds. Garbage collection is off during the block."""
    infer, turn = opened.subject.infer, opened.turn
    clock = time.perf_counter_ns
    times = []
    gc.disable()
    try:
        for _ in range(runs):
            feed = next(turn)
            before = clock()
            infer(feed)
            times.append(clock() - before)
    finally:
        gc.enable()
    return times


# The seconds for trying each number of callers.
TRIAL_SECONDS = 0.25


def best_callers(infer: Mapping[int, Sequence[Callable[[Feed], object]]], feeds: list[Feed]) -> int:
    """Return the key whose callers have the highest throughput in parallel."""
    rates = {}
    for key, callers in infer.items():
        count, took = in_threads(callers, feeds, TRIAL_SECONDS)
        rates[key] = count / took
    return max(rates, key=lambda key: rates[key])


def in_threads(infer: Sequence[Callable[[Feed], object]], feeds: list[Feed], seconds: float) -> tuple[int, float]:
    """Call each of `infer` repeatedly in a thread of its own; return the number of calls, and their seconds."""
    counts = [0] * len(infer)
    started = time.perf_counter()

    def work(index: int) -> None:
        for feed in itertools.islice(itertools.cycle(feeds), index, None):
            infer[index](feed)
            counts[index] += 1
            if time.perf_counter() - started >= seconds:
                return

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(infer))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts), time.perf_counter() - started
