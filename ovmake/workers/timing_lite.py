"""A .tflite model to be timed, at its best: TFLite's interpreter with XNNPACK, on as many threads as the IR gets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ovmake.workers.interface import Interface
from ovmake.workers.lite import Lite
from ovmake.workers.preparing import Array, filled, prepared
from ovmake.workers.protocol import Request
from ovmake.workers.timing import side_by_side


class LiteSubject:
    """See `timing.Subject`."""

    def __init__(self, request: Request, interface: Interface) -> None:
        self._threads = int(str(request.params["threads"]))
        self._source = Path(request.inputs["source"])
        self._interface = interface
        self._lite = self._load(self._threads)
        self.way = "TFLite's interpreter with XNNPACK"

    def _load(self, threads: int) -> Lite:
        return Lite.load(
            self._source,
            inputs={tensor.name: (tensor.source_name, tensor.source_shape) for tensor in self._interface.inputs},
            outputs={tensor.name: tensor.source_name for tensor in self._interface.outputs},
            constants={constant.source_name: filled(constant) for constant in self._interface.constants},
            threads=threads,
        )

    def settle(self, feed: Any) -> None:
        """There is one way only."""

    def layers(self) -> dict[str, object]:
        """TensorFlow does not tell."""
        return {}

    def feed(self, arrays: Mapping[str, Array]) -> Any:
        """Arrays, prepared already."""
        return prepared(arrays, self._interface)

    def infer(self, feed: Any) -> None:
        """Fill the inputs, run, and fetch the outputs: an application has to do all three."""
        self._lite(feed)

    def flood(self, feeds: list[Any], seconds: float) -> tuple[int, float]:
        """An interpreter with one thread per core: they share nothing, and leave Python while they compute."""
        interpreters = [self._load(1) for _ in range(self._threads)]
        for interpreter in interpreters:
            interpreter(feeds[0])
        return side_by_side(interpreters, feeds, seconds)
