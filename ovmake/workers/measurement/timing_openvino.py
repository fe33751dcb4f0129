"""Time an IR: the latency hint for blocks, the throughput hint with the runtime's queue for throughput."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping

import openvino as ov

from ovmake.contracts.files.executed import TimedLayer
from ovmake.contracts.files.interface import Interface
from ovmake.contracts.files.timing import ExecutedIr
from ovmake.contracts.params.helping import TimeParams
from ovmake.errors import ActionError, message_of
from ovmake.workers.conversion import executed, ir
from ovmake.workers.evaluation.by_default import DEFAULTS, usual
from ovmake.workers.inputs.preparing import Array
from ovmake.workers.ipc.protocol import Request

# Tensors by the input's place.
Feed = Mapping[int, ov.Tensor]
MOST_PROFILED = 200
BY_DEFAULT = "by-default"


class OpenVinoSubject:
    """See `timing.Subject`. It refuses a target whose precision is not executed on this machine.

    With the name BY_DEFAULT it is compiled without properties.
    """

    def __init__(self, request: Request, interface: Interface, asked: TimeParams) -> None:
        self._places = {tensor.name: index for index, tensor in enumerate(interface.inputs)}
        execute_in, self._device = asked.device.execute_in, asked.device.device
        verified = ir.compile_properties(execute_in)
        is_default = asked.name == BY_DEFAULT
        self._properties = dict(DEFAULTS) if is_default else verified
        self._by_default = usual(self._device, verified)
        self._model = ir.read(request.inputs["xml"], request.inputs["bin"])
        self._threads = {"INFERENCE_NUM_THREADS": asked.threads}
        self._core = ov.Core()
        self._compiled = self._compile("LATENCY")
        if not is_default:
            executed.insist(execute_in, executed.layers(self._compiled, self._model))
        self._request = self._compiled.create_infer_request()
        self._queue: ov.AsyncInferQueue | None = None
        self.way = "compiled with the latency hint"

    def layers(self) -> ExecutedIr:
        """What the runtime makes of the IR."""
        layers = executed.layers(self._compiled, self._model)
        # A FakeQuantize that is a layer of its own converts floats to INT8; the rest is fused into the layer before.
        conversions = sum(layer.type == "FakeQuantize" for layer in layers)
        return ExecutedIr(executed=executed.counts(layers), conversions=conversions, by_default=self._by_default)

    def _compile(self, hint: str, **more: object) -> ov.CompiledModel:
        properties: dict[str, object] = {**self._properties, "PERFORMANCE_HINT": hint, **more}
        if self._device == "CPU":  # other devices, including AUTO, lack the property
            properties |= self._threads
        try:
            return self._core.compile_model(self._model, self._device, properties)
        except RuntimeError as error:
            there = ", ".join(self._core.available_devices)
            if all(self._device != name for name in self._core.available_devices) and self._device != "CPU":
                message = f"OpenVINO cannot compile for the device {self._device}; this machine has {there}"
                raise ActionError("device-not-available", message, notes=(message_of(error),)) from error
            raise

    def feed(self, arrays: Mapping[str, Array]) -> Feed:
        """Tensors share the arrays' memory."""
        return {self._places[name]: ov.Tensor(array, shared_memory=array.ndim > 0) for name, array in arrays.items()}

    def infer(self, feed: Feed) -> None:
        """One synchronous inference; outputs stay in the runtime's memory, as in an application."""
        self._request.infer(feed, share_inputs=True, share_outputs=True)

    def renew(self) -> None:
        """Another compilation of the same model."""
        self._compiled = self._compile("LATENCY")
        self._request = self._compiled.create_infer_request()

    def side_by_side(self, feeds: list[Feed]) -> int:
        """As many parallel requests as the runtime considers best."""
        compiled = self._compile("THROUGHPUT")
        self._queue = ov.AsyncInferQueue(compiled, compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        turn = itertools.cycle(feeds)
        for _ in range(2 * len(self._queue)):
            self._queue.start_async(next(turn))
        self._queue.wait_all()
        return len(self._queue)

    def flood(self, feeds: list[Feed], seconds: float) -> tuple[int, float]:
        """The runtime's own queue, which starts a request as soon as one is free."""
        if self._queue is None:
            raise AssertionError("`side_by_side` makes the queue")
        turn = itertools.cycle(feeds)
        count, started = 0, time.perf_counter()
        while not count or time.perf_counter() - started < seconds:
            self._queue.start_async(next(turn))
            count += 1
        self._queue.wait_all()
        return count, time.perf_counter() - started

    def profile(self, feeds: list[Feed], seconds: float) -> tuple[TimedLayer, ...]:
        """Return the executed layers in order, with the mean time of each in an inference.

        They are of a second compilation, because profiling costs time: their sum exceeds the time of an inference.
        """
        request = self._compile("LATENCY", PERF_COUNT=True).create_infer_request()
        turn = itertools.cycle(feeds)
        request.infer(next(turn), share_inputs=True, share_outputs=True)
        found: dict[tuple[str, str, str], float] = {}
        count, started = 0, time.perf_counter()
        while not count or (time.perf_counter() - started < seconds and count < MOST_PROFILED):
            request.infer(next(turn), share_inputs=True, share_outputs=True)
            count += 1
            for one in request.get_profiling_info():
                if one.status == ov.ProfilingInfo.Status.EXECUTED:
                    key = (one.node_name, one.node_type, one.exec_type)
                    found[key] = found.get(key, 0.0) + one.real_time.total_seconds() * 1e6
        return tuple(_timed(*key, us=total / count) for key, total in found.items())


def _timed(name: str, kind: str, kernel: str, *, us: float) -> TimedLayer:
    precision = executed.precision_of(kernel)
    return TimedLayer(name=name, type=kind, precision=precision, us=round(us, 3), moves=executed.moves(kind))
