"""A .tflite model to be timed, at its best: TFLite's interpreter with XNNPACK, on as many threads as the IR gets.

    subject_of(request, interface) -> LeanSubject | LiteSubject        by the request's `name`

*interpreter* is what is timed. *lean* is the same without what ovmake does to be sure of a model (it rewrites one that
is cut, and runs it in a process of its own first): what an application would load, to see what memory it takes.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tensorflow.lite.python.interpreter import Interpreter

from ovmake.contracts.executed import TimedLayer
from ovmake.contracts.timing import ExecutedIr
from ovmake.errors import ActionError
from ovmake.sources.screening.screen import allowed_of, screen
from ovmake.workers.inputs.interface import Interface
from ovmake.workers.inputs.preparing import Array, filled, prepared
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.measurement.timing import best_callers, in_threads
from ovmake.workers.reference.tflite import Lite


class LiteSubject:
    """See `timing.Subject`."""

    def __init__(self, request: Request, interface: Interface) -> None:
        self._threads = int(str(request.params["threads"]))
        self._source = Path(request.inputs["source"])
        self._allowed = allowed_of(request)
        screen(self._source, "tflite", self._allowed)
        self._interface = interface
        self._call: Callable[[Any], object] = self._load(self._threads)
        self._callers: list[Callable[[Any], object]] = [self._call]
        self.way = "TFLite's interpreter with XNNPACK"

    def _load(self, threads: int) -> Callable[[Any], object]:
        return Lite.load(
            self._source,
            inputs={tensor.name: (tensor.source_name, tensor.source_shape) for tensor in self._interface.inputs},
            outputs={tensor.name: tensor.source_name for tensor in self._interface.outputs},
            constants={constant.source_name: filled(constant) for constant in self._interface.constants},
            threads=threads,
            allowed=self._allowed,
        )

    def feed(self, arrays: Mapping[str, Array]) -> Any:
        """Arrays, prepared already."""
        return prepared(arrays, self._interface)

    def infer(self, feed: Any) -> None:
        """Fill the inputs, run, and fetch the outputs: an application has to do all three."""
        self._call(feed)

    def renew(self) -> None:
        """Another interpreter of the same model."""
        self._call = self._call.renewed() if isinstance(self._call, Lite) else self._load(self._threads)

    def side_by_side(self, feeds: list[Any]) -> int:
        """One interpreter with all threads, or one with one thread per core: those share nothing but the model."""
        single = [self._load(1) for _ in range(self._threads)]
        for interpreter in single:
            interpreter(feeds[0])
        ways = {1: [self._call], self._threads: single}
        best = best_callers(ways, feeds)
        self._callers = ways[best]
        return best

    def flood(self, feeds: list[Any], seconds: float) -> tuple[int, float]:
        """They leave Python while they compute."""
        return in_threads(self._callers, feeds, seconds)

    def layers(self) -> ExecutedIr:
        """TensorFlow does not tell."""
        return ExecutedIr()

    def profile(self, feeds: list[Any], seconds: float) -> tuple[TimedLayer, ...]:
        """TensorFlow is not asked: what it took counts, and not why."""
        del feeds, seconds
        return ()


class LeanSubject(LiteSubject):
    """The model as an application loads it. Only for one that is not cut."""

    def _load(self, threads: int) -> Callable[[Any], object]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it will move to another package, in a TensorFlow to come
            interpreter = Interpreter(model_path=str(self._source), num_threads=threads)
        taken = {str(detail["name"]): detail["index"] for detail in interpreter.get_input_details()}
        given = {str(detail["name"]): detail["index"] for detail in interpreter.get_output_details()}
        names = {tensor.name: tensor.source_name for tensor in self._interface.inputs}
        wanted = {tensor.source_name for tensor in self._interface.outputs}
        if self._interface.constants or set(names.values()) != set(taken) or not wanted <= set(given):
            raise ActionError("no-such-way", "the IR computes something else than the model does")
        for tensor in self._interface.inputs:
            shape = [1 if size == -1 else size for size in tensor.source_shape]
            interpreter.resize_tensor_input(taken[tensor.source_name], shape)
        interpreter.allocate_tensors()

        def call(feed: Any) -> object:
            for name, array in feed.items():
                interpreter.set_tensor(taken[names[name]], array)
            interpreter.invoke()
            return [interpreter.get_tensor(given[name]) for name in wanted]

        return call


def subject_of(request: Request, interface: Interface) -> LiteSubject:
    """Return the model in the way that the request names."""
    return (LeanSubject if request.params["name"] == "lean" else LiteSubject)(request, interface)
