"""Time a .tflite model at its best: TFLite's interpreter with XNNPACK, on as many threads as the IR.

    subject_of(request, interface) -> LeanSubject | LiteSubject        by the request's `name`

*interpreter* is timed. *lean* is the same without ovmake's precautions (it rewrites a model that is cut, and first runs
it in a process of its own). It is what an application loads, and is used to measure the memory.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

from tensorflow.lite.python.interpreter import Interpreter

from ovmake.contracts.files.executed import TimedLayer
from ovmake.contracts.files.interface import Interface
from ovmake.contracts.files.timing import ExecutedIr
from ovmake.contracts.params.helping import TimeParams
from ovmake.errors import ActionError
from ovmake.sources.screening.screen import screen
from ovmake.workers.inputs.preparing import Array, filled, prepared
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.measurement.timing import best_callers, in_threads
from ovmake.workers.reference.tflite import TfliteKernels

# Arrays by the input's name, prepared.
Feed = Mapping[str, Array]


class LiteSubject:
    """See `timing.Subject`."""

    def __init__(self, request: Request, interface: Interface, asked: TimeParams) -> None:
        self._threads = asked.threads
        self._source = Path(request.inputs["source"])
        self._allowed = asked.source.allowed
        screen(self._source, "tflite", self._allowed)
        self._interface = interface
        self._call: Callable[[Feed], object] = self._load(self._threads)
        self._callers: list[Callable[[Feed], object]] = [self._call]
        self.way = "TFLite's interpreter with XNNPACK"

    def _load(self, threads: int) -> Callable[[Feed], object]:
        return TfliteKernels.load(
            self._source,
            inputs={tensor.name: (tensor.source_name, tensor.source_shape) for tensor in self._interface.inputs},
            outputs={tensor.name: tensor.source_name for tensor in self._interface.outputs},
            constants={constant.source_name: filled(constant) for constant in self._interface.constants},
            threads=threads,
            allowed=self._allowed,
        )

    def feed(self, arrays: Mapping[str, Array]) -> Feed:
        """Arrays, already preprocessed."""
        return prepared(arrays, self._interface)

    def infer(self, feed: Feed) -> None:
        """Fill the inputs, run, and fetch the outputs: an application needs all three."""
        self._call(feed)

    def renew(self) -> None:
        """A new interpreter of the same model."""
        self._call = self._call.renewed() if isinstance(self._call, TfliteKernels) else self._load(self._threads)

    def side_by_side(self, feeds: list[Feed]) -> int:
        """One interpreter with all threads, or one single-threaded interpreter per core; these share only the model."""
        single = [self._load(1) for _ in range(self._threads)]
        for interpreter in single:
            interpreter(feeds[0])
        ways = {1: [self._call], self._threads: single}
        best = best_callers(ways, feeds)
        self._callers = ways[best]
        return best

    def flood(self, feeds: list[Feed], seconds: float) -> tuple[int, float]:
        """The interpreters release Python's lock while they compute."""
        return in_threads(self._callers, feeds, seconds)

    def layers(self) -> ExecutedIr:
        """TFLite does not report layers."""
        return ExecutedIr()

    def profile(self, feeds: list[Feed], seconds: float) -> tuple[TimedLayer, ...]:
        """TFLite is not profiled: only its total time counts."""
        del feeds, seconds
        return ()


class LeanSubject(LiteSubject):
    """The model as an application loads it. It must not be cut."""

    def _load(self, threads: int) -> Callable[[Feed], object]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a warning that it will move to another package
            interpreter = Interpreter(model_path=str(self._source), num_threads=threads)
        taken = {str(detail["name"]): detail["index"] for detail in interpreter.get_input_details()}
        given = {str(detail["name"]): detail["index"] for detail in interpreter.get_output_details()}
        names = {tensor.name: tensor.source_name for tensor in self._interface.inputs}
        wanted = {tensor.source_name for tensor in self._interface.outputs}
        if self._interface.constants or set(names.values()) != set(taken) or not wanted <= set(given):
            raise ActionError("no-such-way", "the IR computes a different function than the model")
        for tensor in self._interface.inputs:
            shape = [1 if size == -1 else size for size in tensor.source_shape]
            interpreter.resize_tensor_input(taken[tensor.source_name], shape)
        interpreter.allocate_tensors()

        def call(feed: Feed) -> object:
            for name, array in feed.items():
                interpreter.set_tensor(taken[names[name]], array)
            interpreter.invoke()
            return [interpreter.get_tensor(given[name]) for name in wanted]

        return call


def subject_of(request: Request, interface: Interface, asked: TimeParams) -> LiteSubject:
    """Return the model in the way that the request names."""
    return (LeanSubject if asked.name == "lean" else LiteSubject)(request, interface, asked)
