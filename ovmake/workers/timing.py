"""The timed side of a measurement, the same for both frameworks: one process, one model, one loop.

The bench worker sends `time` requests with a `step`:

    open         load the model, get its feeds ready, settle on the fastest way of calling it
    block        {"runs": n} -> {"ns": [...]}            n inferences one after the other, each timed
    memory       -> {"peak_bytes": ...}                  the highest resident memory of this process so far
    throughput   {"seconds": s} -> {"samples", "seconds"}   as many inferences as the framework can do side by side

Feeds are real samples where there is a dataset, up to FEEDS of them in turn, so that no cache sees one input only. They
are ready before the clock starts, on TensorFlow's side prepared: what the IR does inside is not on TensorFlow's bill.
"""

from __future__ import annotations

import gc
import itertools
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol

from ovmake.workers.interface import Interface
from ovmake.workers.preparing import Array
from ovmake.workers.protocol import Request
from ovmake.workers.samples import take

FEEDS = 32


class Subject(Protocol):
    """A loaded model whose inferences are timed. `way` says in words how it is called."""

    way: str

    def settle(self, feed: Any) -> None:
        """Choose the fastest way of calling the model, where there are several."""

    def feed(self, arrays: Mapping[str, Array]) -> Any:
        """Return a feed in the form that `infer` wants, ready to go."""

    def infer(self, feed: Any) -> None:
        """Do one inference and wait for its result."""

    def flood(self, feeds: list[Any], seconds: float) -> tuple[int, float]:
        """Do inferences side by side; return how many, and the seconds they took."""


class _Session:
    """What is open in this process."""

    subject: ClassVar[Subject]
    feeds: ClassVar[list[Any]]
    turn: ClassVar[Iterator[Any]]
    batch: ClassVar[int]


def answer(request: Request, make: Callable[[Request, Interface], Subject]) -> dict[str, object]:
    """Do one step."""
    match request.params["step"]:
        case "open":
            return _open(request, make)
        case "block":
            return {"ns": _block(int(str(request.params["runs"])))}
        case "memory":
            return {"peak_bytes": peak_memory_bytes()}
        case "throughput":
            count, seconds = _Session.subject.flood(_Session.feeds, float(str(request.params["seconds"])))
            return {"samples": count * _Session.batch, "seconds": seconds}
        case step:
            raise ValueError(f"unknown step {step}")


def _open(request: Request, make: Callable[[Request, Interface], Subject]) -> dict[str, object]:
    interface = Interface.read(request.inputs["interface"])
    samples = take(request, interface).with_batch(1)
    per_feed = samples.batch or 1
    started = time.perf_counter_ns()
    subject = make(request, interface)
    loaded = time.perf_counter_ns()
    feeds = [subject.feed(feed.inputs) for feed in itertools.islice(samples.feeds(), FEEDS)]
    subject.settle(feeds[0])
    subject.infer(feeds[0])
    _Session.subject, _Session.feeds = subject, feeds
    _Session.turn = itertools.cycle(feeds)
    _Session.batch = per_feed
    return {
        "batch": per_feed,
        "load_ms": (loaded - started) / 1e6,
        "dataset": "dataset" in request.inputs,
        "way": subject.way,
    }


def _block(runs: int) -> list[int]:
    """Return the time of each inference, in nanoseconds. The collector waits until the block is over."""
    infer, turn = _Session.subject.infer, _Session.turn
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


def side_by_side(infer: Sequence[Callable[[Any], object]], feeds: list[Any], seconds: float) -> tuple[int, float]:
    """Call each of `infer` in a thread of its own, over and over; return how many calls, and the seconds they took."""
    counts = [0] * len(infer)
    started = time.perf_counter()

    def work(index: int) -> None:
        for feed in itertools.islice(itertools.cycle(feeds), index, None):
            if time.perf_counter() - started >= seconds:
                return
            infer[index](feed)
            counts[index] += 1

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(infer))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts), time.perf_counter() - started


def peak_memory_bytes() -> int | None:
    """Return this process's highest resident memory so far; None where the system does not tell."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration, IndexError, ValueError):
        return None
