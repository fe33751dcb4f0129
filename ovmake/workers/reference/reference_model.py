"""The source as run by TensorFlow itself: the reference for comparison and timing.

    model = reference_model(request, interface, source)

It is a `Frozen` graph; for a SavedModel that cannot be frozen, its signature as shipped; for a .tflite file, TFLite's
interpreter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ovmake.contracts.files.interface import Interface
from ovmake.contracts.params.source import DEFAULT_KIND, SourceParams
from ovmake.errors import ActionError
from ovmake.workers.inputs.preparing import Array, filled
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.reference.frozen import CANNOT_FREEZE, Frozen

if TYPE_CHECKING:
    from ovmake.workers.reference.tflite import TfliteKernels

# Codes of errors after which a source may still be callable, although it cannot be frozen.
UNFROZEN = frozenset({CANNOT_FREEZE, "tensorflow-cannot-load"})


class ReferenceModel(Protocol):
    """A loaded source.

    `quanta` has the step size of each integer output, by the interface's names.
    """

    @property
    def operations(self) -> int:
        """The number of operations that compute something."""

    @property
    def quanta(self) -> Mapping[str, float]:
        """The step size of each integer output."""

    def __call__(self, feed: Mapping[str, Array]) -> dict[str, Array]:
        """Run once, on a prepared feed."""

    @property
    def in_integers(self) -> bool:
        """Whether it computes in integers, where rounding depends on the kernels."""

    def again(self, feed: Mapping[str, Array]) -> dict[str, Array] | None:
        """Run again with an equally valid variation; None if there is none.

        In integers: with different kernels of the same framework. In floating point: with inputs perturbed by one unit
        in the last place.
        """

    @property
    def computes_in(self) -> str:
        """The half precision that a part of it computes in, `f16` or `bf16`; "" if none does."""

    @property
    def truth_name(self) -> str:
        """The name of the same model in a higher precision, for messages; "" if there is none."""

    @property
    def truth_is_slow(self) -> bool:
        """Whether the truth is so slow that it is computed only if kernels differ: TFLite's reference kernels are."""

    def truth(self, feed: Mapping[str, Array]) -> dict[str, Array]:
        """Run the model in the higher precision once."""


@dataclass(frozen=True, slots=True)
class LiteOriginal:
    """A .tflite model."""

    tflite: TfliteKernels

    @property
    def operations(self) -> int:
        """See `ReferenceModel`."""
        return self.tflite.operations

    @property
    def quanta(self) -> Mapping[str, float]:
        """See `ReferenceModel`."""
        return self.tflite.quanta

    @property
    def in_integers(self) -> bool:
        """See `ReferenceModel`."""
        return self.tflite.plain is not None

    def __call__(self, feed: Mapping[str, Array]) -> dict[str, Array]:
        """See `ReferenceModel`."""
        return self.tflite(feed)

    def again(self, feed: Mapping[str, Array]) -> dict[str, Array] | None:
        """See `ReferenceModel`."""
        return self.tflite.again(feed)

    @property
    def computes_in(self) -> str:
        """See `ReferenceModel`: OpenVINO computes no .tflite model in half precision."""
        return ""

    @property
    def truth_name(self) -> str:
        """See `ReferenceModel`."""
        return self.tflite.truth_name

    @property
    def truth_is_slow(self) -> bool:
        """See `ReferenceModel`."""
        return self.tflite.truth_is_slow

    def truth(self, feed: Mapping[str, Array]) -> dict[str, Array]:
        """See `ReferenceModel`."""
        return self.tflite.truth(feed)


def reference_model(request: Request, interface: Interface, source: SourceParams) -> ReferenceModel:
    """Load the request's source, with the interface's cut, shapes and constants.

    Raises:
        ActionError: TensorFlow cannot load or run it.
    """
    if source.kind != "tflite":
        return _of_graph(request, interface, source)
    from ovmake.workers.reference.tflite import TfliteKernels

    return LiteOriginal(
        TfliteKernels.load(
            Path(request.inputs["source"]),
            inputs={tensor.name: (tensor.source_name, tensor.source_shape) for tensor in interface.inputs},
            outputs={tensor.name: tensor.source_name for tensor in interface.outputs},
            constants={constant.source_name: filled(constant) for constant in interface.constants},
            allowed=source.allowed,
        )
    )


def _of_graph(request: Request, interface: Interface, source: SourceParams) -> ReferenceModel:
    """Return the source frozen; if that is impossible, as shipped.

    Raises:
        ActionError: neither works; the error is that of freezing, with the other one as a note.
    """
    try:
        return Frozen.load(request, interface, source)
    except ActionError as error:
        if "graph" in request.inputs or source.kind != DEFAULT_KIND:
            raise
        if error.code not in UNFROZEN:
            raise
        first = error
    from ovmake.workers.loading.shipped import Signature

    try:
        return Signature.load(request, interface, source)
    except ActionError as error:
        notes = (*first.notes, f"as shipped: {error.message}")
        raise ActionError(first.code, first.message, setting=first.setting, notes=notes, help=first.help) from first
