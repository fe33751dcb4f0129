"""TensorFlow to be timed, at its best: with oneDNN on, and called in the faster of its two plain ways.

*frozen* is the graph without variables in one function; *signature* is a SavedModel as shipped. Which is faster depends
on the model, so both are tried, and `way` says which one the figures are of.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from ovmake.workers.frozen import Frozen
from ovmake.workers.interface import Interface
from ovmake.workers.preparing import Array, prepared
from ovmake.workers.protocol import Request
from ovmake.workers.timing import side_by_side

# Enough to get past the first slow calls of either way.
TRIALS = 15
# Enough for a slow model, whose inferences all take about the same; the first call of each way is never enough.
LEAST_TRIALS = 3
TRIAL_SECONDS = 1.0


class TensorFlowSubject:
    """See `timing.Subject`."""

    def __init__(self, request: Request, interface: Interface) -> None:
        self._threads = int(str(request.params["threads"]))
        tf.config.threading.set_intra_op_parallelism_threads(self._threads)
        self._interface = interface
        self._model = Frozen.load(request, interface)
        self._call: Callable[[Any], object] = self._frozen
        self.way = "frozen"

    def _frozen(self, feed: Any) -> object:
        return self._model.function(*feed)

    def _signature(self, feed: Any) -> object:
        return self._model.signature(**dict(zip(self._model.inputs, feed, strict=True)))

    def settle(self, feed: Any) -> None:
        """Take the faster way of calling, tried in turns on one feed."""
        if self._model.signature is None:
            return
        times: dict[str, list[int]] = {"frozen": [], "signature": []}
        ways = {"frozen": self._frozen, "signature": self._signature}
        started = time.perf_counter()
        try:
            for trial in range(TRIALS):
                if trial >= LEAST_TRIALS and time.perf_counter() - started > TRIAL_SECONDS:
                    break
                for name, way in ways.items():
                    before = time.perf_counter_ns()
                    way(feed)
                    times[name].append(time.perf_counter_ns() - before)
        except (tf.errors.OpError, ValueError, TypeError):
            return  # the Ovfile's shapes are not those the signature takes
        self.way = min(times, key=lambda name: statistics.median(times[name]))
        self._call = ways[self.way]

    def layers(self) -> dict[str, object]:
        """TensorFlow does not tell."""
        return {}

    def feed(self, arrays: Mapping[str, Array]) -> Any:
        """Tensors, prepared already."""
        return self._model.tensors(prepared(arrays, self._interface))

    def infer(self, feed: Any) -> None:
        """On a CPU the function returns when the results are there."""
        self._call(feed)

    def flood(self, feeds: list[Any], seconds: float) -> tuple[int, float]:
        """As many Python threads as cores: TensorFlow lets go of the interpreter while it computes."""
        return side_by_side([self._call] * self._threads, feeds, seconds)
