"""An IR to be timed: the latency hint for blocks, the throughput hint with the runtime's queue for a flood."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping
from typing import Any

import openvino as ov

from ovmake.contracts.executed import TimedLayer
from ovmake.contracts.timing import ExecutedIr
from ovmake.errors import ActionError, message_of
from ovmake.workers.conversion import executed, ir
from ovmake.workers.evaluation.by_default import DEFAULTS, usual
from ovmake.workers.inputs.interface import Interface
from ovmake.workers.inputs.preparing import Array
from ovmake.workers.ipc.protocol import Request

MOST_PROFILED = 200
BY_DEFAULT = "by-default"


class OpenVinoSubject:
    """See `timing.Subject`. It refuses a target whose precision is not executed here.

    Under the name of BY_DEFAULT it is compiled without the properties that it was verified with.
    """

    def __init__(self, request: Request, interface: Interface) -> None:
        self._places = {tensor.name: index for index, tensor in enumerate(interface.inputs)}
        self._device = str(request.params.get("device", "CPU"))
        verified = ir.compile_properties(request.params)
        is_default = request.params.get("name") == BY_DEFAULT
        self._properties = dict(DEFAULTS) if is_default else verified
        self._by_default = usual(self._device, verified)
        self._model = ir.read(request.inputs["xml"], request.inputs["bin"])
        self._threads = {"INFERENCE_NUM_THREADS": int(str(request.params["threads"]))}
        self._core = ov.Core()
        self._compiled = self._compile("LATENCY")
        if not is_default:
            executed.insist(request.params, executed.layers(self._compiled, self._model))
        self._request = self._compiled.create_infer_request()
        self._queue: Any = None
        self.way = "compiled with the latency hint"

    def layers(self) -> ExecutedIr:
        """What the runtime makes of the IR."""
        layers = executed.layers(self._compiled, self._model)
        # A FakeQuantize that is executed by itself is where floats become INT8: others are part of the layer before.
        conversions = sum(layer.type == "FakeQuantize" for layer in layers)
        return ExecutedIr(executed=executed.counts(layers), conversions=conversions, by_default=self._by_default)

    def _compile(self, hint: str, **more: object) -> Any:
        properties: dict[str, Any] = {**self._properties, "PERFORMANCE_HINT": hint, **more}
        if self._device == "CPU":  # other devices, and AUTO among them, do not know the property
            properties |= self._threads
        try:
            return self._core.compile_model(self._model, self._device, properties)
        except RuntimeError as error:
            there = ", ".join(self._core.available_devices)
            if all(self._device != name for name in self._core.available_devices) and self._device != "CPU":
                message = f"OpenVINO cannot compile for the device {self._device}; this machine has {there}"
                raise ActionError("device-not-available", message, notes=(message_of(error),)) from error
            raise

    def feed(self, arrays: Mapping[str, Array]) -> Any:
        """Tensors share the arrays' memory."""
        return {self._places[name]: ov.Tensor(array, shared_memory=array.ndim > 0) for name, array in arrays.items()}

    def infer(self, feed: Any) -> None:
        """One synchronous inference; outputs stay in the runtime's memory, as they do in an application."""
        self._request.infer(feed, share_inputs=True, share_outputs=True)

    def renew(self) -> None:
        """Another compilation of the same model."""
        self._compiled = self._compile("LATENCY")
        self._request = self._compiled.create_infer_request()

    def side_by_side(self, feeds: list[Any]) -> int:
        """As many requests at a time as the runtime finds best."""
        compiled = self._compile("THROUGHPUT")
        self._queue = ov.AsyncInferQueue(compiled, compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        turn = itertools.cycle(feeds)
        for _ in range(2 * len(self._queue)):
            self._queue.start_async(next(turn))
        self._queue.wait_all()
        return len(self._queue)

    def flood(self, feeds: list[Any], seconds: float) -> tuple[int, float]:
        """The runtime's own queue, which starts a request as soon as one is free."""
        turn = itertools.cycle(feeds)
        count, started = 0, time.perf_counter()
        while not count or time.perf_counter() - started < seconds:
            self._queue.start_async(next(turn))
            count += 1
        self._queue.wait_all()
        return count, time.perf_counter() - started

    def profile(self, feeds: list[Any], seconds: float) -> tuple[TimedLayer, ...]:
        """Return the layers that are executed, in their order, with the mean time of each in an inference.

        Of a model that is compiled once more, for counting costs time: so the sum is more than an inference takes.
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
    precision = kernel.rpartition("_")[2].lower()
    return TimedLayer(name=name, type=kind, precision=precision, us=round(us, 3), moves=executed.moves(kind))
