"""The source as TensorFlow itself runs it: what an IR is compared with and timed against.

    model = reference_model(request, interface, source)

A `Frozen` graph; for a SavedModel that cannot be frozen, its signature as shipped; for a .tflite TFLite's interpreter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ovmake.contracts.params.source import DEFAULT_KIND, SourceParams
from ovmake.errors import ActionError
from ovmake.workers.inputs.interface import Interface
from ovmake.workers.inputs.preparing import Array, filled
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.reference.frozen import CANNOT_FREEZE, Frozen

if TYPE_CHECKING:
    from ovmake.workers.reference.tflite import Lite

# Why there may be no frozen graph of what can be called all the same.
UNFROZEN = frozenset({CANNOT_FREEZE, "tensorflow-cannot-load"})


class ReferenceModel(Protocol):
    """A loaded source.

    `quanta` holds the step of each output that comes in integers, by the interface's names.
    """

    @property
    def operations(self) -> int:
        """How many operations compute something."""

    @property
    def quanta(self) -> Mapping[str, float]:
        """The step of each output that comes in integers."""

    def __call__(self, feed: Mapping[str, Array]) -> dict[str, Array]:
        """Run once, on a prepared feed."""

    @property
    def in_integers(self) -> bool:
        """Whether it computes in integers, whose rounding is left to the kernels."""

    def again(self, feed: Mapping[str, Array]) -> dict[str, Array] | None:
        """Run once more, with what may be different without being wrong; None if there is nothing.

        In integers: with other kernels of the same framework. In floating point: with inputs moved by a last place.
        """

    @property
    def computes_in(self) -> str:
        """The half precision that some of it computes in, `f16` or `bf16`; "" if none does."""

    @property
    def truth_name(self) -> str:
        """What the same model in a higher precision is, in words; "" if there is none."""

    @property
    def truth_is_dear(self) -> bool:
        """Whether that takes so long that it is asked only where others differ: TFLite's reference kernels do."""

    def truth(self, feed: Mapping[str, Array]) -> dict[str, Array]:
        """Run that once."""


@dataclass(frozen=True, slots=True)
class LiteOriginal:
    """A .tflite model."""

    lite: Lite

    @property
    def operations(self) -> int:
        """See `ReferenceModel`."""
        return self.lite.operations

    @property
    def quanta(self) -> Mapping[str, float]:
        """See `ReferenceModel`."""
        return self.lite.quanta

    @property
    def in_integers(self) -> bool:
        """See `ReferenceModel`."""
        return self.lite.plain is not None

    def __call__(self, feed: Mapping[str, Array]) -> dict[str, Array]:
        """See `ReferenceModel`."""
        return self.lite(feed)

    def again(self, feed: Mapping[str, Array]) -> dict[str, Array] | None:
        """See `ReferenceModel`."""
        return self.lite.again(feed)

    @property
    def computes_in(self) -> str:
        """See `ReferenceModel`: OpenVINO has no .tflite compute in half precision."""
        return ""

    @property
    def truth_name(self) -> str:
        """See `ReferenceModel`."""
        return self.lite.truth_name

    @property
    def truth_is_dear(self) -> bool:
        """See `ReferenceModel`."""
        return self.lite.truth_is_dear

    def truth(self, feed: Mapping[str, Array]) -> dict[str, Array]:
        """See `ReferenceModel`."""
        return self.lite.truth(feed)


def reference_model(request: Request, interface: Interface, source: SourceParams) -> ReferenceModel:
    """Load the request's source, with the interface's cut, shapes and constants.

    Raises:
        ActionError: TensorFlow cannot load or run it.
    """
    if source.kind != "tflite":
        return _of_graph(request, interface, source)
    from ovmake.workers.reference.tflite import Lite

    return LiteOriginal(
        Lite.load(
            Path(request.inputs["source"]),
            inputs={tensor.name: (tensor.source_name, tensor.source_shape) for tensor in interface.inputs},
            outputs={tensor.name: tensor.source_name for tensor in interface.outputs},
            constants={constant.source_name: filled(constant) for constant in interface.constants},
            allowed=source.allowed,
        )
    )


def _of_graph(request: Request, interface: Interface, source: SourceParams) -> ReferenceModel:
    """Return the source frozen, or where that cannot be, as shipped.

    Raises:
        ActionError: neither; freezing's error, with the other as a note.
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
