"""An INT8 model beside the floating-point one that it was made from.

    pair = Pair(floating, quantized)
    pair.layers                        what is quantized, in the order of execution
    pair.with_float(names) -> model    the INT8 model with these layers given back

Operations that both models have bear the same name; what only the INT8 model has is the quantizer's doing. To give a
layer back is to undo three things: FakeQuantize on what it takes, 8 bits in its weights, and the correction of its
bias. With all layers given back the model computes what the float one does, to the last bit.

A FakeQuantize may stand before a Transpose that several layers read, some of which stay. So nothing is removed: the
given-back layer is wired to the float values, through its own copy of the Transpose where need be, and what nobody
reads any more is gone when the model is written or compiled.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

# Operations that hand values on as they are, so that NNCF may quantize before them what a layer after them takes. Those
# that take a mean, such as ReduceMean, compute on quantized values: they are layers.
MOVES = frozenset({
    "AdaptiveMaxPool", "BatchToSpace", "Broadcast", "Concat", "Convert", "ConvertLike", "DepthToSpace", "Gather",
    "GatherElements", "GatherND", "MaxPool", "Maximum", "Minimum", "Pad", "ReduceMax", "Reshape", "Reverse",
    "ReverseSequence", "Roll", "ScatterElementsUpdate", "ScatterNDUpdate", "ScatterUpdate", "ShuffleChannels", "Slice",
    "SpaceToBatch", "SpaceToDepth", "Split", "Squeeze", "StridedSlice", "Tile", "Transpose", "Unsqueeze",
    "VariadicSplit",
})  # fmt: skip
FEW_BITS = frozenset({"i8", "u8", "i4", "u4"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """An operation that the INT8 model computes on quantized values. `name` is its name in both models."""

    name: str
    type: str


class Pair:
    """See the module."""

    def __init__(self, floating: Any, quantized: Any) -> None:
        self.floating = floating
        self.quantized = quantized
        originals = set(by_name(floating))
        self.layers = tuple(
            Layer(name=node.get_friendly_name(), type=node.get_type_name())
            for node in quantized.get_ordered_ops()
            if node.get_friendly_name() in originals and _is_quantized(node, originals)
        )

    def with_float(self, names: Collection[str]) -> Any:
        """Return the INT8 model with these layers in floating point."""
        surgery = _Surgery(self.floating.clone(), self.quantized.clone())
        for name in names:
            surgery.give_back(name)
        surgery.model.validate_nodes_and_infer_types()
        return surgery.model


def by_name(model: Any) -> dict[str, Any]:
    """Return a model's nodes by their names, which no two share (`ir.make_canonical`)."""
    return {node.get_friendly_name(): node for node in model.get_ordered_ops()}


def _sources(node: Any) -> list[Any]:
    return [value.get_node() for value in node.input_values()]


def _is_quantized(node: Any, originals: set[str]) -> bool:
    """Whether a node that is no mere move takes quantized values."""
    if node.get_type_name() in MOVES | {"Result", "Constant", "Parameter"}:
        return False
    return any(comes_quantized(source, originals) for source in _sources(node))


def comes_quantized(node: Any, originals: set[str]) -> bool:
    """Whether what a node gives was quantized on its way from the last layer, or from a constant."""
    kind = node.get_type_name()
    if node.get_friendly_name() not in originals:
        # Weights are Constant (i8) -> Convert -> Multiply; a corrected bias is a Constant, and in floating point.
        if kind == "FakeQuantize":
            return True
        if kind == "Constant":
            return node.get_element_type().to_string() in FEW_BITS
    elif kind not in MOVES:
        return False
    return any(comes_quantized(source, originals) for source in _sources(node))


@dataclass(slots=True)
class _Surgery:
    """One INT8 model being changed; `floating` is a copy that gives its nodes away."""

    floating: Any
    model: Any
    originals: dict[str, Any] = field(init=False)
    twins: dict[str, Any] = field(init=False)
    copied: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.originals, self.twins = by_name(self.floating), by_name(self.model)

    def give_back(self, name: str) -> None:
        original, twin = self.originals[name], self.twins[name]
        for place, value in enumerate(original.input_values()):
            twin.input(place).replace_source_output(self._float(value))
        self._restore_bias(original, twin)

    def _float(self, value: Any) -> Any:
        """Return the value, of the float model, as it is in the INT8 model before anybody quantizes it."""
        node = value.get_node()
        name = node.get_friendly_name()
        if is_constant(node):
            return value
        twin = self.twins[name]
        moved = node.get_type_name() in MOVES
        if not moved or not any(comes_quantized(source, set(self.originals)) for source in _sources(twin)):
            return twin.output(value.get_index())
        if name not in self.copied:
            self.copied[name] = node
            for place, given in enumerate(node.input_values()):
                node.input(place).replace_source_output(self._float(given))
        return self.copied[name].output(value.get_index())

    def _restore_bias(self, original: Any, twin: Any) -> None:
        """Undo the correction of what is added to a layer's result."""
        for reader in readers(original):
            if reader.get_type_name() == "Add":
                other = self.twins[reader.get_friendly_name()]
                for place, value in enumerate(reader.input_values()):
                    if (
                        is_constant(value.get_node())
                        and other.input_value(place).get_node().get_type_name() == "Constant"
                    ):
                        other.input(place).replace_source_output(value)
        for reader in readers(twin):
            # NNCF gives layers without a bias one of zeros, to correct it.
            if reader.get_friendly_name() not in self.originals and reader.get_type_name() == "Add":
                reader.output(0).replace(twin.output(0))


def readers(node: Any) -> list[Any]:
    """Return the nodes that read a node's first output."""
    return [target.get_node() for target in node.output(0).get_target_inputs()]


def is_constant(node: Any) -> bool:
    """Whether a node's value is known before anything runs."""
    if node.get_type_name() == "Constant":
        return True
    sources = _sources(node)
    return bool(sources) and all(is_constant(source) for source in sources)
