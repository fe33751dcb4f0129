"""TensorFlow to be timed, at its best: with oneDNN on, in each of its two plain ways of being called.

    subject_of(request, interface) -> SignatureSubject | FrozenSubject       by the request's `name`

*signature*: a SavedModel as it was shipped, which is how most call it. *frozen*: the graph without variables in one
ConcreteFunction, the fastest plain way. Which of them is faster depends on the model, so both are measured.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Generic, TypeVar

import tensorflow as tf

from ovmake.contracts.executed import TimedLayer
from ovmake.errors import ActionError, message_of
from ovmake.sources.screening.screen import allowed_of
from ovmake.workers.inputs.interface import Interface
from ovmake.workers.inputs.preparing import Array, prepared
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.loading.shipped import Shipped, load_shipped, signature_of
from ovmake.workers.measurement.timing import best_callers, in_threads
from ovmake.workers.reference.frozen import Frozen
from ovmake.workers.reference.reference_model import UNFROZEN

Feed = TypeVar("Feed")


class _Subject(ABC, Generic[Feed]):
    """See `timing.Subject`. What both ways of calling TensorFlow have in common: how many callers, and no layers."""

    way = ""

    def __init__(self, request: Request) -> None:
        self._threads = _use_threads(request)
        self._callers = 1

    @abstractmethod
    def infer(self, feed: Feed) -> None:
        """Call the function: on a CPU it returns when the results are there."""

    def side_by_side(self, feeds: list[Feed]) -> int:
        """As many Python threads as it can use: TensorFlow lets go of the interpreter while it computes."""
        self._callers = best_callers({n: [self.infer] * n for n in _numbers(self._threads)}, feeds)
        return self._callers

    def flood(self, feeds: list[Feed], seconds: float) -> tuple[int, float]:
        """All of them share TensorFlow's threads."""
        return in_threads([self.infer] * self._callers, feeds, seconds)

    def layers(self) -> dict[str, object]:
        """TensorFlow does not tell."""
        return {}

    def profile(self, feeds: list[Feed], seconds: float) -> list[TimedLayer]:
        """TensorFlow is not asked: what it took counts, and not why."""
        del feeds, seconds
        return []


class FrozenSubject(_Subject[list[tf.Tensor]]):
    """See `timing.Subject`. Its feeds are tensors in the order of the function's arguments."""

    way = "frozen"

    def __init__(self, request: Request, interface: Interface) -> None:
        super().__init__(request)
        self._interface = interface
        try:
            self._model = Frozen.load(request, interface)
        except ActionError as error:
            if error.code not in UNFROZEN:
                raise
            raise ActionError("no-such-way", f"it cannot be frozen: {error.message}") from error
        self._function = self._model.function

    def feed(self, arrays: Mapping[str, Array]) -> list[tf.Tensor]:
        """Tensors, prepared already."""
        return self._model.tensors(prepared(arrays, self._interface))

    def infer(self, feed: list[tf.Tensor]) -> None:
        """See `_Subject`."""
        self._function(*feed)

    def renew(self) -> None:
        """Another function of the same graph, which TensorFlow optimizes anew."""
        self._function = self._model.make()


class SignatureSubject(_Subject[dict[str, tf.Tensor]]):
    """See `timing.Subject`. It loads a SavedModel and does nothing else, as an application would."""

    way = "signature"

    def __init__(self, request: Request, interface: Interface) -> None:
        super().__init__(request)
        self._interface = interface
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

    def feed(self, arrays: Mapping[str, Array]) -> dict[str, tf.Tensor]:
        """Tensors by the signature's names, prepared already."""
        ready = prepared(arrays, self._interface)
        return {self._names[name]: tf.constant(array) for name, array in ready.items()}

    def infer(self, feed: dict[str, tf.Tensor]) -> None:
        """See `_Subject`.

        Raises:
            ActionError: the signature does not take it: the Ovfile's shapes are not the source's.
        """
        try:
            self._function(**feed)
        except (tf.errors.OpError, ValueError, TypeError) as error:
            raise ActionError("no-such-way", f"the signature does not take it: {message_of(error)}") from error


def subject_of(request: Request, interface: Interface) -> FrozenSubject | SignatureSubject:
    """Return the model in the way that the request names."""
    if request.params["name"] == "signature":
        return SignatureSubject(request, interface)
    return FrozenSubject(request, interface)


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
