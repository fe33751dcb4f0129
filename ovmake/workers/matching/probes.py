"""Mark the layers of a source: convert it again, with a mark on every layer's output.

    tapped = tap(request, converted) -> Tapped
    tapped.raw          a model with an output per layer, in TensorFlow's layout, without fusion between layers
    tapped.outputs      tap -> Probe in `raw`
    tapped.marked       the same without these outputs, fused and cleaned up as by *convert*
    tapped.marks        tap -> Mark(port of `marked`, order), for the taps that fusion kept
    tapped.layers       the source's layers, which resolves their names

OpenVINO's readers generate names of operations and drop the source's names, except those of outputs. So every layer
becomes an output, the tensor before each output gets a generated name as a mark, and the outputs are removed again. The
result is the graph that *convert* works with. Fusion moves tensor names to the tensor with the same value.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import openvino as ov

from ovmake.contracts.params.model import ConvertParams, CutParams
from ovmake.errors import ActionError
from ovmake.sources.cutting import Cut, cut_of, whole
from ovmake.sources.dataflow import Op, op_of
from ovmake.sources.layers import Layers, ops_of_graph
from ovmake.sources.tflite_graph import ops_of_tflite
from ovmake.workers.conversion import ir
from ovmake.workers.conversion.converting import optimize, shaped
from ovmake.workers.conversion.frontend import convert_between, suffixed
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.matching.graph_matching import Node, Order, Port, transposed
from ovmake.workers.matching.probe_runs import Probe, name_of, place_of_name

QUANTIZING = {"Convert", "FakeQuantize"}
_NOWHERE: Port = (-1, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tap:
    """The output tensor of a layer. `spelt` is its name in the file, `inputs` are the layer's input tensors."""

    layer: str
    types: tuple[str, ...]
    tensor: str
    spelt: str
    inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """The location of a tap: its value is the port's, transposed by `order`. `quantized`: TFLite has integers there."""

    port: Port
    order: Order
    quantized: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tapped:
    """See the module. Taps are identified by their index in `taps`; `outputs` are those of `raw`."""

    taps: tuple[Tap, ...]
    layers: Layers
    raw: ov.Model
    outputs: Mapping[int, Probe]
    marked: ov.Model
    marks: Mapping[int, Mark]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    framework: str
    path: Path
    suffix: str
    cut: Cut
    layers: Layers
    taps: tuple[Tap, ...]


def tap(request: Request, asked: ConvertParams) -> Tapped:
    """Convert the request's source with its layers marked.

    Raises:
        ActionError: it cannot be converted.
    """
    source = _source(request, asked.model.cut)
    with suffixed(source.path, source.suffix) as path:
        model, read = _converted(source, path)
    marked = model.clone()
    made = _mark(marked, source, read)
    raw = shaped(model, asked.model, source.cut.tensors).model
    optimize(raw)  # does not fuse across an output
    marked = shaped(marked, asked.model, source.cut.tensors).model
    optimize(marked)
    return Tapped(
        taps=source.taps,
        layers=source.layers,
        raw=raw,
        outputs=_outputs(raw, source, read),
        marked=marked,
        marks=_marks(marked, made),
    )


# the tensors to tap


def _source(request: Request, asked: CutParams) -> _Source:
    spelling: Mapping[str, str] = {}
    if "graph" in request.inputs:
        path = Path(request.inputs["graph"])
        names = json.loads(Path(request.inputs["names"]).read_bytes())
        ops, ends = ops_of_graph(path.read_bytes()), (names["inputs"], names["outputs"])
        framework, suffix = "tf", ".pb"
    else:
        path = Path(request.inputs["source"])
        flat = ops_of_tflite(path.read_bytes())
        ops, ends = flat.ops, (flat.inputs, flat.outputs)
        framework, suffix = "tflite", ".tflite"
        spelling = flat.spelling
    layers = Layers(ops, inputs=ends[0], outputs=ends[1])
    cut = cut_of(layers, asked) if asked else whole(*ends)
    return _Source(
        framework=framework,
        path=path,
        suffix=suffix,
        cut=cut.spelt(spelling),
        layers=layers,
        taps=tuple(_taps(layers, _between(ops, cut), spelling)),
    )


def _taps(layers: Layers, inside: set[str], spelling: Mapping[str, str]) -> Iterable[Tap]:
    """Yield the outputs of the innermost layers in the cut, in order of execution."""
    known: set[str] = set()
    for layer in layers.layers():
        new = [tensor for tensor in layer.outputs if op_of(tensor) in inside and tensor not in known]
        if layer.parts or not layer.inputs or layer.inputs == layer.outputs:
            continue
        known.update(new)
        for tensor in new:
            name = layer.name if len(layer.outputs) == 1 else f"{layer.name}.{layer.outputs.index(tensor)}"
            spelt = spelling.get(tensor, tensor)
            yield Tap(layer=name, types=layer.types, tensor=tensor, spelt=spelt, inputs=layer.inputs)


def _between(ops: Iterable[Op], cut: Cut) -> set[str]:
    """Return the ops between the cut's inputs and its outputs."""
    by_name = {op.name: op for op in ops}
    starts = {tensor for _, tensor in cut.inputs}
    found: set[str] = set()
    pending = [tensor for _, tensor in cut.outputs]
    while pending:
        tensor = pending.pop()
        name = op_of(tensor)
        if tensor not in starts and name in by_name and name not in found:
            found.add(name)
            pending += by_name[name].inputs
    return found


# converting it


def _converted(source: _Source, path: Path) -> tuple[ov.Model, list[int]]:
    """Return a model with an output for each tap that the reader provides, and their indexes."""
    places = list(range(len(source.taps)))
    try:
        return _convert(source, path, places), places
    except ActionError as error:
        found = _readable(source, path, places, error)
    return _convert(source, path, found), found


def _convert(source: _Source, path: Path, places: Sequence[int]) -> ov.Model:
    taps = [source.taps[place].spelt for place in places]
    return convert_between(source.framework, path, source.path.name, source.cut, taps)


def _readable(source: _Source, path: Path, places: Sequence[int], error: ActionError) -> list[int]:
    """Return the taps that the reader provides, found by bisection: it has no tensors for lists and resources.

    Raises:
        ActionError: it cannot convert the source without any of them.
    """
    if len(places) == len(source.taps):
        _convert(source, path, [])
    if len(places) == 1:
        return []
    found: list[int] = []
    for half in (places[: len(places) // 2], places[len(places) // 2 :]):
        try:
            _convert(source, path, half)
            found += half
        except ActionError as failure:
            found += _readable(source, path, half, failure) if failure.code == error.code else []
    return found


# marks


def _mark(model: ov.Model, source: _Source, read: Sequence[int]) -> dict[int, Mark]:
    """Name the tensors before the taps' outputs, past Transposes and quantization; remove the outputs."""
    results = model.get_results()[len(source.cut.outputs) :]
    found: dict[int, Mark] = {}
    for place, result in zip(read, results, strict=True):
        port, order = _past_transposes(result.input_value(0))
        quantized = source.framework == "tflite" and port.get_node().get_type_name() in QUANTIZING
        if quantized:
            port, order = _quantized(port, order)
        port.get_tensor().add_names({name_of(place)})
        found[place] = Mark(port=_NOWHERE, order=order, quantized=quantized)
    for result in results:
        model.remove_result(result)
    return found


def _quantized(port: ov.Output, order: Order) -> tuple[ov.Output, Order]:
    """Return the port where the next layer reads a quantized TFLite tensor: after a FakeQuantize, as real numbers.

    The integers themselves exist only for the output. If no layer reads them, the tensor before the quantization is
    marked.
    """
    while port.get_node().get_type_name() in QUANTIZING:
        port, order = _past_transposes(port.get_node().input_value(0), order)
    takers = [taker.get_node() for taker in port.get_target_inputs()]
    found = [node for node in takers if node.get_type_name() == "FakeQuantize" and not to_integers(node)]
    return (found[0].output(0), order) if len(found) == 1 else (port, order)


def to_integers(quantize: ov.Node) -> bool:
    """Whether a FakeQuantize returns integers, not the numbers that they represent: its two ranges differ."""
    bounds = [quantize.input_value(place).get_node() for place in range(1, quantize.get_input_size())]
    if any(bound.get_type_name() != "Constant" for bound in bounds):
        return False
    values = [bound.data.ravel() for bound in bounds]
    return any(before.tolist() != after.tolist() for before, after in zip(values[:2], values[2:], strict=True))


def _past_transposes(port: ov.Output, order: Order = ()) -> tuple[ov.Output, Order]:
    """Return the tensor before the Transposes that make `port`, and their permutation followed by `order`."""
    while found := _order(port.get_node()):
        order = transposed(found, order)
        port = port.get_node().input_value(0)
    return port, order


def _outputs(model: ov.Model, source: _Source, read: Sequence[int]) -> dict[int, Probe]:
    order = {operation.get_name(): index for index, operation in enumerate(model.get_ordered_ops())}
    sources = [result.input_value(0) for result in model.get_results()[len(source.cut.outputs) :]]
    ports = [(order[port.get_node().get_name()], port.get_index()) for port in sources]
    return {place: Probe(port=port) for place, port in zip(read, ports, strict=True)}


def _marks(model: ov.Model, made: Mapping[int, Mark]) -> dict[int, Mark]:
    found: dict[int, Mark] = {}
    for index, operation in enumerate(model.get_ordered_ops()):
        for output in operation.outputs():
            for name in output.get_names():
                if (place := place_of_name(name)) is not None:
                    found[place] = replace(made[place], port=(index, output.get_index()))
    return found


def _order(node: ov.Node) -> Order:
    """Return a Transpose's permutation, () for any other operation."""
    if node.get_type_name() != "Transpose":
        return ()
    constant = node.input_value(1).get_node()
    return tuple(int(axis) for axis in constant.data) if constant.get_type_name() == "Constant" else ()


# for graph_matching.py


def nodes_of(model: ov.Model) -> list[Node]:
    """Return a model's operations as nodes for graph_matching.py, in the order of `get_ordered_ops`."""
    operations = model.get_ordered_ops()
    places = {operation: place for place, operation in enumerate(map(_key, operations))}
    data: set[int] = set()
    nodes = []
    for place, operation in enumerate(operations):
        inputs = [(places[_key(source.get_node())], source.get_index()) for source in operation.input_values()]
        inputs = [port for port in inputs if port[0] in data]
        if inputs or operation.get_type_name() == "Parameter":
            data.add(place)
        shapes = tuple(_shape(output.get_partial_shape()) for output in operation.outputs())
        order = _order(operation)
        nodes.append(Node(type=operation.get_type_name(), inputs=tuple(inputs), shapes=shapes, order=order))
    return nodes


def _key(operation: ov.Node) -> str:
    return str(operation.get_name())  # unique in a process, unlike the friendly name


def _shape(shape: ov.PartialShape) -> tuple[int, ...] | None:
    return None if shape.rank.is_dynamic else ir.dimensions(shape)
