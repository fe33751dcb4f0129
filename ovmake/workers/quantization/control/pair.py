"""An INT8 model and the float model that it was made from.

    pair = Pair(floating, quantized)
    pair.layers                        the quantized layers, in order of execution
    pair.with_float(names) -> model    the INT8 model with these layers reverted to float

Operations in both models have the same name; the quantizer added the rest of the INT8 model. Reverting a layer to float
undoes three changes: the FakeQuantize on its inputs, the 8-bit weights, and the bias correction. With all layers
reverted, the model's results are bit-equal to the float model's.

A FakeQuantize may be before a Transpose that several layers read, some of which stay in INT8. So nothing is removed:
the reverted layer is connected to the float values, if necessary through its own copy of the Transpose. Operations
that are no longer used disappear when the model is written or compiled.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import openvino as ov

# Operations that hand on values unchanged, so that NNCF may quantize a layer's input before them. Operations that
# average, such as ReduceMean, compute on quantized values: they are layers.
MOVES = frozenset({
    "AdaptiveMaxPool", "BatchToSpace", "Broadcast", "Concat", "Convert", "ConvertLike", "DepthToSpace", "Gather",
    "GatherElements", "GatherND", "MaxPool", "Maximum", "Minimum", "Pad", "ReduceMax", "Reshape", "Reverse",
    "ReverseSequence", "Roll", "ScatterElementsUpdate", "ScatterNDUpdate", "ScatterUpdate", "ShuffleChannels", "Slice",
    "SpaceToBatch", "SpaceToDepth", "Split", "Squeeze", "StridedSlice", "Tile", "Transpose", "Unsqueeze",
    "VariadicSplit",
})  # fmt: skip
NO_LAYERS = frozenset({"Constant", "Parameter", "Result"})
FEW_BITS = frozenset({"i8", "u8", "i4", "u4"})


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantizedLayer:
    """An operation that the INT8 model computes on quantized values. `name` is its name in both models."""

    name: str
    type: str


class Pair:
    """See the module. `quantized_values` names the operations of the INT8 model that hand on quantized values."""

    def __init__(self, floating: ov.Model, quantized: ov.Model) -> None:
        self.floating = floating
        self.quantized = quantized
        self.originals = frozenset(by_name(floating))
        self.quantized_values = self._quantized_values()
        self.layers = tuple(
            QuantizedLayer(name=node.get_friendly_name(), type=node.get_type_name())
            for node in quantized.get_ordered_ops()
            if node.get_friendly_name() in self.originals
            and node.get_type_name() not in MOVES | NO_LAYERS
            and self.takes_quantized(node)
        )

    def takes_quantized(self, node: ov.Node) -> bool:
        """Whether a node of the INT8 model takes 8-bit weights, or values quantized since the last layer."""
        return any(source.get_friendly_name() in self.quantized_values for source in sources(node))

    def _quantized_values(self) -> frozenset[str]:
        found: set[str] = set()
        for node in self.quantized.get_ordered_ops():
            kind, name = node.get_type_name(), node.get_friendly_name()
            added = name not in self.originals
            # Weights are Constant (i8) -> Convert -> Multiply; a corrected bias is a Constant, and in floating point.
            starts = added and (
                kind == "FakeQuantize" or (kind == "Constant" and node.get_element_type().to_string() in FEW_BITS)
            )
            goes_on = (added or kind in MOVES) and any(source.get_friendly_name() in found for source in sources(node))
            if starts or goes_on:
                found.add(name)
        return frozenset(found)

    def with_float(self, names: Collection[str]) -> ov.Model:
        """Return the INT8 model with these layers reverted to float."""
        surgery = _Surgery(pair=self, floating=self.floating.clone(), model=self.quantized.clone())
        for name in names:
            surgery.revert(name)
        surgery.model.validate_nodes_and_infer_types()
        return surgery.model


def by_name(model: ov.Model) -> dict[str, ov.Node]:
    """Return a model's nodes, except Results, by name. Names are unique (`ir.make_canonical`)."""
    return {node.get_friendly_name(): node for node in model.get_ordered_ops() if node.get_type_name() != "Result"}


def sources(node: ov.Node) -> list[ov.Node]:
    """Return the nodes that a node reads."""
    return [value.get_node() for value in node.input_values()]


@dataclass(slots=True, kw_only=True)
class _Surgery:
    """An INT8 model that is being changed; nodes of `floating`, a copy of the float model, move into it."""

    pair: Pair
    floating: ov.Model
    model: ov.Model
    originals: dict[str, ov.Node] = field(init=False)
    twins: dict[str, ov.Node] = field(init=False)
    copies: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.originals, self.twins = by_name(self.floating), by_name(self.model)

    def revert(self, name: str) -> None:
        original, twin = self.originals[name], self.twins[name]
        for place, value in enumerate(original.input_values()):
            twin.input(place).replace_source_output(self._float(value))
        self._restore_bias(original, twin)

    def _float(self, value: ov.Output) -> ov.Output:
        """Return the unquantized value in the INT8 model for a value of the float model."""
        node = value.get_node()
        name = node.get_friendly_name()
        if is_constant(node) or name in self.copies:
            return value
        if name not in self.pair.quantized_values:
            return self.twins[name].output(value.get_index())
        # A move behind a FakeQuantize: the float model's node, connected to the INT8 model, is the copy.
        node.set_friendly_name(f"{name}/float")
        self.copies.add(node.get_friendly_name())
        for place, given in enumerate(node.input_values()):
            node.input(place).replace_source_output(self._float(given))
        return value

    def _restore_bias(self, original: ov.Node, twin: ov.Node) -> None:
        """Undo the bias correction of a layer."""
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
            # NNCF gives layers without a bias a zero bias, to correct it.
            if reader.get_friendly_name() not in self.originals and reader.get_type_name() == "Add":
                reader.output(0).replace(twin.output(0))


def readers(node: ov.Node) -> list[ov.Node]:
    """Return the nodes that read a node's first output."""
    return [target.get_node() for target in node.output(0).get_target_inputs()]


def is_constant(node: ov.Node) -> bool:
    """Whether a node's value is constant."""
    if node.get_type_name() == "Constant":
        return True
    given = sources(node)
    return bool(given) and all(is_constant(source) for source in given)
