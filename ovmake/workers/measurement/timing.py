"""The timed side of a measurement, the same for both frameworks: one process, models by name, one loop.

The bench worker sends `time` requests with a `step`:

    import       -> {"import_ms", "memory_bytes", "version"}     the framework alone, in a process that did nothing yet
    open         load the model, run it once -> how long that took, and what is fed
    block        {"runs": n} -> {"ns": [...]}                    n inferences one after the other, each timed
    memory       -> {"peak_bytes": ...}                          the highest resident memory of this process so far
    renew        make the model anew: another compilation, other buffers
    feeds        get more inputs ready than the first one
    side-by-side -> {"in_flight": n}                             find how many inferences at a time are fastest
    throughput   {"seconds": s} -> {"samples", "seconds"}        so many at a time, for so long

    layers       -> facts about the compiled model's layers (an IR's only)
    profile      {"seconds": s} -> {"layers": [...]}             how long each layer takes (an IR's only)

A process may hold several models at a time: each request says by `name` which one it is about. On TensorFlow's side the
name is the way of calling the model.

Feeds are real samples where there is a dataset, up to FEEDS of them in turn, so that no cache sees one input only. They
are ready before the clock starts, on TensorFlow's side prepared: what the IR does inside is not on TensorFlow's bill.
Until the memory was read there is one feed: inputs that wait are not what a model needs.
"""

from __future__ import annotations

import gc
import itertools
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ovmake.contracts.codec import encode_object
from ovmake.contracts.executed import TimedLayer
from ovmake.contracts.timing import ExecutedIr, OpenedModel, Profile
from ovmake.workers.inputs.interface import Interface
from ovmake.workers.inputs.preparing import Array
from ovmake.workers.inputs.samples import Samples, take
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.measurement.import_cost import peak_memory_bytes

FEEDS = 32


class Subject(Protocol):
    """A loaded model whose inferences are timed. `way` says in words how it is called."""

    way: str

    def feed(self, arrays: Mapping[str, Array]) -> Any:
        """Return a feed in the form that `infer` wants, ready to go."""

    def infer(self, feed: Any) -> None:
        """Do one inference and wait for its result."""

    def renew(self) -> None:
        """Make the model anew, of what was read already."""

    def side_by_side(self, feeds: list[Any]) -> int:
        """Find out how many inferences at a time give the most of them, and get ready for that."""

    def flood(self, feeds: list[Any], seconds: float) -> tuple[int, float]:
        """Do so many at a time; return how many were done, and the seconds they took."""

    def profile(self, feeds: list[Any], seconds: float) -> tuple[TimedLayer, ...]:
        """Return each layer with the time it takes; empty where the framework does not tell."""

    def layers(self) -> ExecutedIr:
        """Return what the runtime makes of the IR; nothing where the framework does not tell."""


@dataclass(slots=True, kw_only=True)
class _Opened:
    """A model that is ready to be timed. `turn` goes round its `feeds`."""

    subject: Subject
    samples: Samples
    feeds: list[Any]
    turn: Iterator[Any]


# What is open in this process, by name.
_OPEN: dict[str, _Opened] = {}


def answer(request: Request, make: Callable[[Request, Interface], Subject]) -> dict[str, object]:
    """Do one step."""
    name = str(request.params["name"])
    step = request.params["step"]
    if step == "open":
        return encode_object(_open(request, make, name))
    if step == "memory":
        return {"peak_bytes": peak_memory_bytes()}
    return STEPS[str(step)](_OPEN[name], request.params)


def _open(request: Request, make: Callable[[Request, Interface], Subject], name: str) -> OpenedModel:
    interface = Interface.read(request.inputs["interface"])
    samples = take(request, interface).with_batch(1)
    started = time.perf_counter_ns()
    subject = make(request, interface)
    loaded = time.perf_counter_ns()
    feed = subject.feed(next(samples.feeds()).inputs)
    ready = time.perf_counter_ns()
    subject.infer(feed)
    done = time.perf_counter_ns()
    _OPEN[name] = _Opened(subject=subject, samples=samples, feeds=[feed], turn=itertools.repeat(feed))
    return OpenedModel(
        batch=samples.batch or 1,
        load_ms=(loaded - started) / 1e6,
        first_inference_ms=(done - ready) / 1e6,
        dataset="dataset" in request.inputs,
        way=subject.way,
        dynamic_inputs=tuple(tensor.name for tensor in interface.inputs if -1 in tensor.shape),
    )


def _more_feeds(opened: _Opened) -> dict[str, object]:
    opened.feeds = [opened.subject.feed(feed.inputs) for feed in itertools.islice(opened.samples.feeds(), FEEDS)]
    opened.turn = itertools.cycle(opened.feeds)
    return {"feeds": len(opened.feeds)}


def _renew(opened: _Opened) -> dict[str, object]:
    opened.subject.renew()
    gc.collect()  # what is replaced may hold all weights, and refer to itself
    opened.subject.infer(next(opened.turn))
    return {}


def _throughput(opened: _Opened, seconds: float) -> dict[str, object]:
    count, took = opened.subject.flood(opened.feeds, seconds)
    return {"samples": count * (opened.samples.batch or 1), "seconds": took}


# What is done with a model that is open.
STEPS: Mapping[str, Callable[[_Opened, Mapping[str, object]], dict[str, object]]] = {
    "block": lambda opened, params: {"ns": _block(opened, int(_number(params, "runs")))},
    "feeds": lambda opened, _: _more_feeds(opened),
    "layers": lambda opened, _: encode_object(opened.subject.layers()),
    "renew": lambda opened, _: _renew(opened),
    "profile": lambda opened, params: encode_object(
        Profile(layers=opened.subject.profile(opened.feeds, _number(params, "seconds")))
    ),
    "side-by-side": lambda opened, _: {"in_flight": opened.subject.side_by_side(opened.feeds)},
    "throughput": lambda opened, params: _throughput(opened, _number(params, "seconds")),
}


def _number(params: Mapping[str, object], name: str) -> float:
    return float(str(params[name]))


def _block(opened: _Opened, runs: int) -> list[int]:
    """Return the time of each inference, in nanoseconds. The collector waits until the block is over."""
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


# How long each number of callers is tried.
TRIAL_SECONDS = 0.25


def best_callers(infer: Mapping[int, Sequence[Callable[[Any], object]]], feeds: list[Any]) -> int:
    """Return the key whose callers get the most done side by side."""
    rates = {}
    for key, callers in infer.items():
        count, took = in_threads(callers, feeds, TRIAL_SECONDS)
        rates[key] = count / took
    return max(rates, key=lambda key: rates[key])


def in_threads(infer: Sequence[Callable[[Any], object]], feeds: list[Any], seconds: float) -> tuple[int, float]:
    """Call each of `infer` in a thread of its own, over and over; return how many calls, and the seconds they took."""
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
