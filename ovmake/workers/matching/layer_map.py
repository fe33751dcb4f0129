"""Map the layers of a source to the operations of an IR that compute them.

    traced = trace(model, request, converted, samples)
    traced.of_layer("block_1_expand") -> {"convolution.12", "add.14", "relu.15"}
    traced.layer_of("convolution.12", "Convolution") -> "block_1_expand"
    traced.names                      the layers' names, as `ovmake inspect` prints them

probes.py marks the layers' outputs in a second conversion, and locate_layers.py finds them in the IR. The operations
between a layer's output and the outputs before it belong to the layer. A layer that OpenVINO folded into a neighbour
has the neighbour's operations: a convolution and the batch normalization after it both mean the one convolution that
is left.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import openvino as ov

from ovmake.contracts.files.interface import Interface
from ovmake.contracts.params.data import SampleParams
from ovmake.contracts.params.model import ConvertParams
from ovmake.sources.dataflow import op_of
from ovmake.sources.layers import Layers
from ovmake.workers.inputs.samples import take
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.matching.locate_layers import places
from ovmake.workers.matching.probes import Tap, nodes_of, tap

# Operations that compute nothing themselves.
_CONSTANT = {"Constant", "Parameter", "Result"}
# IR type -> the types in sources, in lower case: Conv2D, CONV_2D, DepthwiseConv2dNative.
_KIN = {
    **dict.fromkeys(("Convolution", "ConvolutionBackpropData"), ("conv",)),
    **dict.fromkeys(("GroupConvolution", "GroupConvolutionBackpropData"), ("depthwise", "conv")),
    "MatMul": ("matmul", "fully", "einsum", "dense"),
    "ReduceMean": ("mean",),
    "AvgPool": ("avgpool", "average_pool"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """The layers of a source, and the names of each one's operations in an IR, by index in `taps`."""

    layers: Layers
    taps: Sequence[Tap]
    operations: Mapping[int, frozenset[str]]

    @property
    def names(self) -> list[str]:
        """The names of the layers, in order of execution."""
        return list(dict.fromkeys(tap.layer for tap in self.taps))

    def of_layer(self, name: str, setting: str) -> frozenset[str]:
        """Return the operations of a layer, or of all layers in it; none if the IR has no operation for it.

        Raises:
            ActionError: there is no such layer, or several; the error points at `setting`.
        """
        ops = self.layers.ops_in(name, setting)
        return self._of(number for number, tap in enumerate(self.taps) if op_of(tap.tensor) in ops)

    def of_names(self, names: Collection[str]) -> frozenset[str]:
        """Return the operations of the layers with these names."""
        return self._of(number for number, tap in enumerate(self.taps) if tap.layer in names)

    def layer_of(self, operation: str, type_: str) -> str:
        """Return the layer that an operation computes, "" if it belongs to none.

        If several layers were folded into one operation, it is the first one of the same kind: a Convolution made from
        a Pad, a Conv2D and a batch normalization is the Conv2D.
        """
        kin = _KIN.get(type_, (type_.lower(),))
        owners = [tap for number, tap in enumerate(self.taps) if operation in self.operations.get(number, ())]
        alike = (tap for tap in owners if any(word in spelt.lower() for spelt in tap.types for word in kin))
        return next(alike, owners[0]).layer if owners else ""

    def _of(self, numbers: Iterable[int]) -> frozenset[str]:
        return frozenset().union(*(self.operations.get(number, frozenset()) for number in numbers))


def trace(model: ov.Model, request: Request, converted: ConvertParams, given: SampleParams) -> Traced:
    """Return the layers of the request's source in `model`, its IR.

    The source is converted once more, as `converted` says, and both are run on the first of the samples.

    Raises:
        ActionError: the source cannot be converted again.
    """
    samples = take(request, Interface.read(request.inputs["interface"]), given).first(1)
    tapped = tap(request, converted)
    found = places(tapped, model, [next(samples.feeds()).inputs]).found
    ends = {number: spot.port[0] for number, spot in found.items()}
    regions = _regions(model, set(ends.values()))
    owners = _owners(tapped.taps, ends)
    operations = {number: frozenset().union(*(regions[end] for end in owners[number])) for number in owners}
    return Traced(layers=tapped.layers, taps=tapped.taps, operations=operations)


def _regions(model: ov.Model, ends: Collection[int]) -> dict[int, frozenset[str]]:
    """Return for every end the operations between it and the ends before it, including itself, by index."""
    operations = model.get_ordered_ops()
    nodes = nodes_of(model)
    regions = {}
    for end in ends:
        inside, pending = {end}, [end]
        while pending:
            before = {port[0] for port in nodes[pending.pop()].inputs} - inside - set(ends)
            inside |= before
            pending += before
        named = (operations[place] for place in inside)
        regions[end] = frozenset(op.get_friendly_name() for op in named if op.get_type_name() not in _CONSTANT)
    return regions


def _owners(taps: Sequence[Tap], ends: Mapping[int, int]) -> dict[int, set[int]]:
    """Return for every tap the ends whose regions belong to its layer.

    An end that several taps share belongs to the first one: the later ones compute nothing. A tap without an end was
    folded into its consumer.
    """
    first: dict[int, int] = {}
    for number in sorted(ends):
        first.setdefault(ends[number], number)
    owners: dict[int, set[int]] = {}
    for number in reversed(range(len(taps))):
        if number in ends:
            owners[number] = {ends[number]} if first[ends[number]] == number else set()
        else:
            takers = [later for later in range(number + 1, len(taps)) if taps[number].tensor in taps[later].inputs]
            owners[number] = set[int]().union(*(owners[later] for later in takers))
    return owners
