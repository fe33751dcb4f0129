"""Time TensorFlow at its best: with oneDNN on, in each of the two plain ways to call it.

    subject_of(request, interface, asked) -> SignatureSubject | FrozenSubject       by the request's `name`

*signature*: a SavedModel as shipped, the most common way. *frozen*: the graph without variables in one
ConcreteFunction, usually the fastest. Which one is faster depends on the model, so both are measured.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Generic, TypeVar

import tensorflow as tf

from ovmake.contracts.files.executed import TimedLayer
from ovmake.contracts.files.interface import Interface
from ovmake.contracts.files.timing import ExecutedIr
from ovmake.contracts.params.helping import TimeParams
from ovmake.errors import ActionError, message_of
from ovmake.workers.inputs.preparing import Array, prepared
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.loading.shipped import Shipped, load_shipped
from ovmake.workers.measurement.timing import best_callers, in_threads
from ovmake.workers.reference.frozen import Frozen
from ovmake.workers.reference.reference_model import UNFROZEN

Feed = TypeVar("Feed")


class _Subject(ABC, Generic[Feed]):
    """See `timing.Subject`. What both ways of calling TensorFlow have in common: how many callers, and no layers."""

    way = ""

    def __init__(self, threads: int) -> None:
        self._threads = _use_threads(threads)
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

    def layers(self) -> ExecutedIr:
        """TensorFlow does not report layers."""
        return ExecutedIr()

    def profile(self, feeds: list[Feed], seconds: float) -> tuple[TimedLayer, ...]:
        """TensorFlow is not profiled: only its total time counts."""
        del feeds, seconds
        return ()


class FrozenSubject(_Subject[list[tf.Tensor]]):
    """See `timing.Subject`. Its feeds are tensors in the order of the function's arguments."""

    way = "frozen"

    def __init__(self, request: Request, interface: Interface, asked: TimeParams) -> None:
        super().__init__(asked.threads)
        self._interface = interface
        try:
            self._model = Frozen.load(request, interface, asked.source)
        except ActionError as error:
            if error.code not in UNFROZEN:
                raise
            raise ActionError("no-such-way", f"it cannot be frozen: {error.message}") from error
        self._function = self._model.function

    def feed(self, arrays: Mapping[str, Array]) -> list[tf.Tensor]:
        """Tensors, already preprocessed."""
        return self._model.tensors(prepared(arrays, self._interface))

    def infer(self, feed: list[tf.Tensor]) -> None:
        """See `_Subject`."""
        self._function(*feed)

    def renew(self) -> None:
        """A new function of the same graph, which TensorFlow optimizes again."""
        self._function = self._model.make()


class SignatureSubject(_Subject[dict[str, tf.Tensor]]):
    """See `timing.Subject`. It only loads a SavedModel, as an application does."""

    way = "signature"

    def __init__(self, request: Request, interface: Interface, asked: TimeParams) -> None:
        super().__init__(asked.threads)
        self._interface = interface
        self._path, self._source = Path(request.inputs["source"]), asked.source
        try:
            self.renew()
        except Exception as error:
            if isinstance(error, ActionError) and error.code == "op-refused":
                raise
            raise ActionError("no-such-way", f"TensorFlow cannot load it as shipped: {message_of(error)}") from error
        self._names = _names(interface, self._shipped)

    def renew(self) -> None:
        """Load it again."""
        source = self._source
        self._shipped = load_shipped(self._path, source.signature, source.tags, source.allowed)
        self._function = self._shipped.function

    def feed(self, arrays: Mapping[str, Array]) -> dict[str, tf.Tensor]:
        """Tensors by the signature's names, already preprocessed."""
        ready = prepared(arrays, self._interface)
        return {self._names[name]: tf.constant(array) for name, array in ready.items()}

    def infer(self, feed: dict[str, tf.Tensor]) -> None:
        """See `_Subject`.

        Raises:
            ActionError: the signature refuses the feed: the Ovfile's shapes differ from the source's.
        """
        try:
            self._function(**feed)
        except (tf.errors.OpError, ValueError, TypeError) as error:
            raise ActionError("no-such-way", f"the signature refuses the inputs: {message_of(error)}") from error


def subject_of(request: Request, interface: Interface, asked: TimeParams) -> FrozenSubject | SignatureSubject:
    """Return the model in the way that the request names."""
    if asked.name == "signature":
        return SignatureSubject(request, interface, asked)
    return FrozenSubject(request, interface, asked)


def _use_threads(threads: int) -> int:
    # After its first computation TensorFlow cannot change the number, and the second model finds it set.
    if tf.config.threading.get_intra_op_parallelism_threads() != threads:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
    return threads


def _numbers(threads: int) -> list[int]:
    """Return the numbers of callers to try."""
    return sorted({1, threads, 2 * threads})


def _names(interface: Interface, shipped: Shipped) -> dict[str, str]:
    """Return the signature's names of the inputs.

    Raises:
        ActionError: the IR computes a different function: it is cut, or an input is a constant.
    """
    taken, given = set(shipped.inputs), set(shipped.outputs)
    names = {tensor.name: tensor.source_name for tensor in interface.inputs}
    wanted = {tensor.source_name for tensor in interface.outputs}
    if interface.constants or set(names.values()) != taken or wanted != given:
        raise ActionError("no-such-way", "the IR computes a different function than the signature")
    return names
