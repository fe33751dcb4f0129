"""TensorFlow to be timed, at its best: with oneDNN on, in each of its two plain ways of being called.

    subject_of(request, interface) -> SignatureSubject | FrozenSubject       by the request's `name`

*signature*: a SavedModel as it was shipped, which is how most call it. *frozen*: the graph without variables in one
ConcreteFunction, the fastest plain way. Which of them is faster depends on the model, so both are measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from ovmake.contracts.executed import TimedLayer
from ovmake.contracts.timing import ExecutedIr
from ovmake.errors import ActionError, message_of
from ovmake.sources.screening.screen import allowed_of
from ovmake.workers.inputs.interface import Interface
from ovmake.workers.inputs.preparing import Array, prepared
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.loading.shipped import Shipped, load_shipped, signature_of
from ovmake.workers.measurement.timing import best_callers, in_threads
from ovmake.workers.reference.frozen import Frozen
from ovmake.workers.reference.reference_model import UNFROZEN


class FrozenSubject:
    """See `timing.Subject`."""

    def __init__(self, request: Request, interface: Interface) -> None:
        self._threads = _use_threads(request)
        self._interface = interface
        try:
            self._model = Frozen.load(request, interface)
        except ActionError as error:
            if error.code not in UNFROZEN:
                raise
            raise ActionError("no-such-way", f"it cannot be frozen: {error.message}") from error
        self._function = self._model.function
        self._callers = 1
        self.way = "frozen"

    def feed(self, arrays: Mapping[str, Array]) -> Any:
        """Tensors, prepared already."""
        return self._model.tensors(prepared(arrays, self._interface))

    def infer(self, feed: Any) -> None:
        """On a CPU the function returns when the results are there."""
        self._function(*feed)

    def renew(self) -> None:
        """Another function of the same graph, which TensorFlow optimizes anew."""
        self._function = self._model.make()

    def side_by_side(self, feeds: list[Any]) -> int:
        """As many Python threads as it can use: TensorFlow lets go of the interpreter while it computes."""
        self._callers = best_callers({n: [self.infer] * n for n in _numbers(self._threads)}, feeds)
        return self._callers

    def flood(self, feeds: list[Any], seconds: float) -> tuple[int, float]:
        """All of them share TensorFlow's threads."""
        return in_threads([self.infer] * self._callers, feeds, seconds)

    def layers(self) -> ExecutedIr:
        """TensorFlow does not tell."""
        return ExecutedIr()

    def profile(self, feeds: list[Any], seconds: float) -> tuple[TimedLayer, ...]:
        """TensorFlow is not asked: what it took counts, and not why."""
        del feeds, seconds
        return ()


class SignatureSubject(FrozenSubject):
    """See `timing.Subject`. It loads a SavedModel and does nothing else, as an application would."""

    def __init__(self, request: Request, interface: Interface) -> None:
        self._threads = _use_threads(request)
        self._interface = interface
        self._callers = 1
        self.way = "signature"
        self._request = request
        try:
            self.renew()
        except Exception as error:
            if isinstance(error, ActionError) and error.code == "op-refused":
                raise
            raise ActionError("no-such-way", f"TensorFlow cannot load it as shipped: {message_of(error)}") from error
        self._names = _names(interface, self._shipped)

    def renew(self) -> None:
        """Load it again."""
        signature, tags = signature_of(self._request)
        self._shipped = load_shipped(Path(self._request.inputs["source"]), signature, tags, allowed_of(self._request))
        self._function = self._shipped.function

    def feed(self, arrays: Mapping[str, Array]) -> Any:
        """Tensors by the signature's names, prepared already."""
        ready = prepared(arrays, self._interface)
        return {self._names[name]: tf.constant(array) for name, array in ready.items()}

    def infer(self, feed: Any) -> None:
        """On a CPU the function returns when the results are there.

        Raises:
            ActionError: the signature does not take it: the Ovfile's shapes are not the source's.
        """
        try:
            self._function(**feed)
        except (tf.errors.OpError, ValueError, TypeError) as error:
            raise ActionError("no-such-way", f"the signature does not take it: {message_of(error)}") from error


def subject_of(request: Request, interface: Interface) -> FrozenSubject:
    """Return the model in the way that the request names."""
    return (SignatureSubject if request.params["name"] == "signature" else FrozenSubject)(request, interface)


def _use_threads(request: Request) -> int:
    threads = int(str(request.params["threads"]))
    # Once it has computed something TensorFlow takes no other number, and the second model finds it set.
    if tf.config.threading.get_intra_op_parallelism_threads() != threads:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
    return threads


def _numbers(threads: int) -> list[int]:
    """Return the numbers of callers that are worth trying."""
    return sorted({1, threads, 2 * threads})


def _names(interface: Interface, shipped: Shipped) -> dict[str, str]:
    """Return the signature's names of the inputs.

    Raises:
        ActionError: the IR is another function than the signature: cut, or with an input that is a constant.
    """
    taken, given = set(shipped.inputs), set(shipped.outputs)
    names = {tensor.name: tensor.source_name for tensor in interface.inputs}
    wanted = {tensor.source_name for tensor in interface.outputs}
    if interface.constants or set(names.values()) != taken or wanted != given:
        raise ActionError("no-such-way", "the IR computes something else than the signature does")
    return names
