"""TensorFlow to be timed: the frozen graph in one ConcreteFunction, its fastest plain way, with oneDNN on."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from ovmake.workers.frozen import Frozen
from ovmake.workers.interface import Interface
from ovmake.workers.protocol import Request
from ovmake.workers.samples import Array, normalized


class TensorFlowSubject:
    """See `timing.Subject`."""

    def __init__(self, request: Request, interface: Interface) -> None:
        self._threads = int(str(request.params["threads"]))
        tf.config.threading.set_intra_op_parallelism_threads(self._threads)
        self._request, self._interface = request, interface
        shapes = {tensor.name: tensor.shape for tensor in interface.inputs}
        self._model = Frozen.load(Path(request.inputs["source"]), shapes)

    def feed(self, arrays: Mapping[str, Array]) -> Any:
        """Tensors, normalized already."""
        return self._model.tensors(normalized(arrays, self._request, self._interface))

    def infer(self, feed: Any) -> None:
        """On a CPU the function returns when the results are there."""
        self._model.function(*feed)

    def flood(self, feeds: list[Any], seconds: float) -> tuple[int, float]:
        """As many Python threads as cores: TensorFlow lets go of the interpreter while it computes."""
        started = time.perf_counter()
        counts = [0] * self._threads

        def work(index: int) -> None:
            for feed in itertools.islice(itertools.cycle(feeds), index, None):
                if time.perf_counter() - started >= seconds:
                    return
                self._model.function(*feed)
                counts[index] += 1

        threads = [threading.Thread(target=work, args=(index,)) for index in range(self._threads)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sum(counts), time.perf_counter() - started
