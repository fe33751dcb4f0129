"""compare-layers: compare every layer of a source in TensorFlow and in an IR, on a few samples.

params      CompareLayersParams
inputs      xml, bin: the IR; interface; graph and names, or source; dataset
outputs     layers: a `LayerComparisons`

The layers are in order of execution. locate_layers.py finds them in the IR. Then outputs are added there, and both
frameworks run, a group of layers at a time (probe_runs.py); TensorFlow runs in a process of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import openvino as ov

from ovmake.contracts.codec import to_bytes
from ovmake.contracts.files.compared import LayerComparison, LayerComparisons, LayerFigures, State
from ovmake.contracts.files.interface import Interface
from ovmake.contracts.params.evaluation import CompareLayersParams
from ovmake.sources.tflite_graph import OPERATOR
from ovmake.workers.conversion import executed, ir
from ovmake.workers.evaluation.comparison import compile_model
from ovmake.workers.evaluation.differences import difference
from ovmake.workers.inputs.preparing import Array
from ovmake.workers.inputs.samples import take
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.matching.locate_layers import FOLDED, Places, places
from ovmake.workers.matching.probe_runs import Feeds, groups, run, run_tensorflow
from ovmake.workers.matching.probes import Tap, tap

NO_NUMBERS = "TensorFlow's tensor does not contain numbers"
NO_OUTPUT = "OpenVINO cannot run the IR with an output there"
OTHER_SHAPE = "TensorFlow's tensor has shape {}, its likely counterpart has {}"


def compare_layers(request: Request) -> dict[str, object]:
    """Compare; write `layers`.

    Raises:
        ActionError: the source cannot be converted again; or TensorFlow or OpenVINO cannot run it, or not in the
            target's precision.
    """
    asked = request.asked(CompareLayersParams)
    _insist(request, asked.execute_in)
    samples = take(request, Interface.read(request.inputs["interface"]), asked.given).first(asked.count)
    feeds = [feed.inputs for feed in samples.feeds()]
    tapped = tap(request, asked.converted)
    found = places(tapped, _read(request), feeds)
    rows = {number: _without(tapped.taps[number], why) for number, why in found.why.items()}
    for group in groups(found.found, found.sizes):
        rows |= _compared(request, asked, {number: tapped.taps[number] for number in group}, found, feeds)
    layers = tuple(rows[number] for number in sorted(rows))
    Path(request.outputs["layers"]).write_bytes(to_bytes(LayerComparisons(samples=samples.count, layers=layers)))
    return {"layers": len(layers), "matched": sum(layer.state == "matched" for layer in layers)}


def _insist(request: Request, execute_in: str) -> None:
    if execute_in != ir.EXECUTE_IN:
        model = _read(request)
        compiled = compile_model(model, "CPU", ir.compile_properties(execute_in))
        executed.insist(execute_in, executed.layers(compiled, model))


def _read(request: Request) -> ov.Model:
    return ir.read(request.inputs["xml"], request.inputs["bin"])


def _row(layer: Tap, state: State) -> LayerComparison:
    operation = ", ".join(layer.types)
    return LayerComparison(name=layer.layer, operation=operation, tensor=layer.tensor, inputs=layer.inputs, state=state)


def _without(layer: Tap, why: str) -> LayerComparison:
    return replace(_row(layer, "folded" if why == FOLDED else "unmatched"), why=why)


def _compared(
    request: Request, asked: CompareLayersParams, group: Mapping[int, Tap], found: Places, feeds: Feeds
) -> dict[int, LayerComparison]:
    tensors = {number: layer.spelt for number, layer in group.items()}
    integers = [tensor for number, tensor in tensors.items() if found.found[number].integers]
    expected = run_tensorflow(request, asked.converted.source, tensors, feeds, integers)
    target = _read(request)
    operations = target.get_ordered_ops()
    made_by = {number: operations[found.found[number].port[0]] for number in group}
    spots = {number: found.found[number] for number in group}
    actual = run(target, spots, feeds, ir.compile_properties(asked.execute_in))
    rows = {}
    for number, layer in group.items():
        if number not in expected.values:
            rows[number] = _without(layer, NO_NUMBERS)
        elif number not in actual:
            rows[number] = _without(layer, NO_OUTPUT)
        else:
            row = _with_counterpart(layer, made_by[number])
            rows[number] = _measured(row, expected.values[number], actual[number], expected.steps.get(number))
    return rows


def _with_counterpart(layer: Tap, operation: ov.Node) -> LayerComparison:
    """Return a layer with its counterpart in the IR. TFLite's operation types are numbers, so the IR's are used."""
    row = replace(_row(layer, "matched"), counterpart=operation.get_friendly_name())
    if layer.types != (OPERATOR,):
        return row
    if operation.get_type_name() == "FakeQuantize":
        operation = operation.input_value(0).get_node()
    return replace(row, operation=operation.get_type_name())


def _measured(
    row: LayerComparison, expected: Sequence[Array], actual: Sequence[Array], step: float | None
) -> LayerComparison:
    """Return the difference of a layer's values, one array per feed; extra dimensions of size 1 are ignored."""
    shaped = [_like(theirs, ours) for theirs, ours in zip(actual, expected, strict=True)]
    for ours, theirs in zip(expected, shaped, strict=True):
        if ours.shape != theirs.shape:
            return replace(row, state="unmatched", why=OTHER_SHAPE.format(list(ours.shape), list(theirs.shape)))
    first, second = (np.concatenate([array.ravel() for array in arrays]) for arrays in (expected, shaped))
    measured = difference(first, second)
    figures = LayerFigures(
        snr_db=measured.snr_db,
        max_abs=measured.max_abs,
        scale=measured.scale,
        cosine=measured.cosine,
        nan_mismatch=measured.nan_mismatch,
        quantum=step,
    )
    return replace(row, shape=expected[0].shape, figures=figures)


def _like(array: Array, other: Array) -> Array:
    squeezed = [size for size in array.shape if size != 1] == [size for size in other.shape if size != 1]
    return array.reshape(other.shape) if squeezed else array
