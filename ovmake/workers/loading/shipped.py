"""A SavedModel as shipped: its signature, called as an application calls it.

    shipped = load_shipped(source, "serving_default", ("serve",), allowed=frozenset())
    shipped({"x": array}) -> {"y": array}
    Signature.load(request, interface, source)    the same as an `original.Original`

It is for models that cannot be frozen: those with lookup tables, or with variables that are assigned. A frozen graph
is faster and can be cut, so it is preferred if it exists.

Every model is screened before it is loaded (`screen.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.types.experimental import ConcreteFunction

from ovmake.contracts.files.interface import Interface
from ovmake.contracts.params.source import DEFAULT_SIGNATURE, SourceParams
from ovmake.errors import ActionError, message_of
from ovmake.sources.screening.screen import screen
from ovmake.workers.inputs.perturbation import perturbed
from ovmake.workers.inputs.preparing import Array, filled
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.loading.graphs import NOT_COUNTED, nodes
from ovmake.workers.loading.half_precision import computes_in

# Functions that TensorFlow adds, for initialization and training.
INTERNAL = "__saved_model_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """A loaded signature, or a function that replaces it. `inputs`, `outputs`: names, in the order of its tensors."""

    function: ConcreteFunction
    inputs: Sequence[str]
    outputs: Sequence[str]
    way: str

    def __call__(self, feed: Mapping[str, Array]) -> dict[str, tf.Tensor]:
        """Run once, on arrays by name.

        Raises:
            tf.errors.OpError, ValueError, TypeError: TensorFlow's own.
        """
        results = self.function(**{name: tf.constant(value) for name, value in feed.items()})
        return dict(zip(self.outputs, tf.nest.flatten(results), strict=True))


def load_shipped(source: Path, signature: str, tags: tuple[str, ...], allowed: frozenset[str]) -> Shipped:
    """Screen a SavedModel, load it with TensorFlow, and return one signature; if it has none, its only function.

    Raises:
        ActionError: it has side effects; or it has no signature, and not exactly one function.
        Exception: TensorFlow's own, of any kind.
    """
    screen(source, "saved-model", allowed)
    loaded = tf.saved_model.load(str(source), tags=list(tags))
    if signature == DEFAULT_SIGNATURE and not loaded.signatures:
        return _only_function(loaded)
    function = loaded.signatures[signature]
    # The signature refers to its variables weakly: the caller must keep `loaded`, which owns them.
    function._ovmake_owner = loaded  # noqa: SLF001
    return Shipped(
        function=function,
        inputs=list(function._arg_keywords),  # noqa: SLF001
        outputs=sorted(function.structured_outputs),
        way="tf.saved_model.load",
    )


def _only_function(loaded: object) -> Shipped:
    """Return the only concrete function of a model without a signature, with the names that a signature would have.

    If a function was also traced for training, that trace is ignored.

    Raises:
        ActionError: it has none, or several; or it keeps state between calls.
    """
    found = [
        (name, function)
        for name, value in sorted(vars(loaded).items())
        for function in getattr(value, "concrete_functions", ())
        if not any(flag is True for flag in tf.nest.flatten(function.structured_input_signature))
    ]
    if len(found) != 1:
        raise _unsigned(list(dict.fromkeys(name for name, _ in found)))
    ((name, function),) = found
    function._ovmake_owner = loaded  # noqa: SLF001
    return Shipped(
        function=function,
        inputs=list(function._arg_keywords),  # noqa: SLF001
        outputs=_output_names(function.structured_outputs),
        way=f"tf.saved_model.load, its only function `{name}`",
    )


def _output_names(outputs: object) -> list[str]:
    """Return TensorFlow's names of a signature's outputs, in the order of the flattened structure."""
    if isinstance(outputs, Mapping):
        return sorted(map(str, outputs))
    return [f"output_{place}" for place, _ in enumerate(tf.nest.flatten(outputs))]


def _unsigned(functions: Sequence[str]) -> ActionError:
    message = f"the SavedModel has no signature `{DEFAULT_SIGNATURE}`; it has none"
    example = f"model.{functions[0]}" if functions else "..."
    if functions:
        listed = ", ".join(f"`{name}`" for name in functions)
        message += f", and several functions: {listed}" if functions[1:] else f", and {listed} was traced for several"
    hint = f"save the model with one: `tf.saved_model.save(model, folder, signatures={example})`"
    return ActionError("unknown-signature", message, setting="signature", help=hint)


def handles(function: ConcreteFunction) -> list[str]:
    """Return the placeholders of captured variables and tables in a function's graph."""
    return [tensor.op.name for tensor in function.inputs if tensor.dtype == tf.resource]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A SavedModel's signature as the reference of an IR; see `ReferenceModel`."""

    shipped: Shipped
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    constants: Mapping[str, Array]

    @classmethod
    def load(cls, request: Request, interface: Interface, asked: SourceParams) -> Signature:
        """Load the signature that is asked for.

        Raises:
            ActionError: it has side effects, TensorFlow cannot load it, or the IR is cut and so a different function.
        """
        source = Path(request.inputs["source"])
        try:
            shipped = load_shipped(source, asked.signature, asked.tags, asked.allowed)
        except ActionError:
            raise
        except Exception as error:
            message = f"TensorFlow cannot load `{source.name}` as shipped: {message_of(error)}"
            raise ActionError("tensorflow-cannot-load", message, setting="source") from error
        inputs = {tensor.name: tensor.source_name for tensor in interface.inputs}
        outputs = {tensor.name: tensor.source_name for tensor in interface.outputs}
        constants = {constant.source_name: filled(constant) for constant in interface.constants}
        if {*inputs.values(), *constants} != set(shipped.inputs) or not {*outputs.values()} <= set(shipped.outputs):
            raise ActionError("no-such-way", "the IR computes a different function than the signature")
        return cls(shipped=shipped, inputs=inputs, outputs=outputs, constants=constants)

    @property
    def operations(self) -> int:
        """See `ReferenceModel`."""
        return sum(node.op not in NOT_COUNTED for node in nodes(self.shipped.function.graph.as_graph_def()))

    @property
    def quanta(self) -> Mapping[str, float]:
        """See `ReferenceModel`."""
        return {}

    @property
    def in_integers(self) -> bool:
        """See `ReferenceModel`."""
        return False

    def __call__(self, feed: Mapping[str, Array]) -> dict[str, Array]:
        """See `ReferenceModel`."""
        given = {self.inputs[name]: array for name, array in feed.items()}
        results = self.shipped({**given, **self.constants})
        arrays = {name: np.asarray(results[key]) for name, key in self.outputs.items()}
        return {
            name: array.astype(np.float32) if array.dtype.name == "bfloat16" else array
            for name, array in arrays.items()
        }

    def again(self, feed: Mapping[str, Array]) -> dict[str, Array] | None:
        """See `ReferenceModel`."""
        moved = perturbed(feed)
        return None if moved is None else self(moved)

    @property
    def computes_in(self) -> str:
        """See `ReferenceModel`."""
        return computes_in(nodes(self.shipped.function.graph.as_graph_def()))

    @property
    def truth_name(self) -> str:
        """See `ReferenceModel`: a model that cannot be frozen cannot be rewritten in f32 either."""
        return ""

    @property
    def truth_is_slow(self) -> bool:
        """See `ReferenceModel`."""
        return False

    def truth(self, feed: Mapping[str, Array]) -> dict[str, Array]:
        """See `ReferenceModel`."""
        return self(feed)
