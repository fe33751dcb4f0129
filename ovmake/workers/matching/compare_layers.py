"""compare-layers: every layer of a source in TensorFlow and in an IR, on a few samples.

params      those of *convert* and of the samples; `samples`: how many; `kind` where there is no frozen graph
inputs      xml, bin: the IR; interface; graph and names, or source; dataset
outputs     layers: {"format": 1, "samples": 4, "layers": [
                {"layer": "block_1_expand", "operation": "Conv2D, BiasAdd", "tensor": "…/BiasAdd:0", "inputs": ["…:0"],
                 "state": "matched", "shape": [4, 28, 28, 64], "figures": {…},       see differences.difference
                 "counterpart": "add.17"},
                {…, "state": "folded", "why": "…"}, {…, "state": "unmatched", "why": "…"}]}

The layers are in the order in which they compute. locate_layers.py finds them in the IR, outputs are added there, and
both frameworks run, a group of layers at a time (probe_runs.py); TensorFlow in a process of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import openvino as ov

from ovmake.sources.tflite_graph import OPERATOR
from ovmake.workers.conversion import executed, ir
from ovmake.workers.evaluation.comparison import compile_model
from ovmake.workers.evaluation.differences import difference
from ovmake.workers.inputs.interface import Interface
from ovmake.workers.inputs.preparing import Array
from ovmake.workers.inputs.samples import take
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.matching.locate_layers import FOLDED, Places, places
from ovmake.workers.matching.probe_runs import Feeds, groups, run, run_tensorflow
from ovmake.workers.matching.probes import Tap, tap

NO_NUMBERS = "TensorFlow's tensor holds no numbers"
NO_OUTPUT = "OpenVINO cannot run the IR with an output there"
OTHER_SHAPE = "TensorFlow's tensor has shape {}, what seems to be its counterpart {}"

Row = dict[str, object]


def compare_layers(request: Request) -> dict[str, object]:
    """Compare; write `layers`.

    Raises:
        ActionError: the source cannot be converted again, or TensorFlow or OpenVINO cannot run it, or not in the
            target's precision.
    """
    _insist(request)
    count = request.params.get("samples")
    samples = take(request, Interface.read(request.inputs["interface"])).first(count if isinstance(count, int) else 1)
    feeds = [feed.inputs for feed in samples.feeds()]
    tapped = tap(request)
    found = places(tapped, _read(request), feeds)
    rows: dict[int, Row] = {number: _without(why) for number, why in found.why.items()}
    for group in groups(found.found, found.sizes):
        rows |= _compared(request, {number: tapped.taps[number] for number in group}, found, feeds)
    layers = [{**_known(tapped.taps[number]), **rows[number]} for number in sorted(rows)]
    body = {"format": 1, "samples": samples.count, "layers": layers}
    Path(request.outputs["layers"]).write_text(json.dumps(body, indent=1) + "\n")
    return {"layers": len(layers), "matched": sum(row["state"] == "matched" for row in layers)}


def _insist(request: Request) -> None:
    if "execute-in" in request.params:
        model = _read(request)
        compiled = compile_model(model, "CPU", ir.compile_properties(request.params))
        executed.insist(request.params, executed.layers(compiled, model))


def _read(request: Request) -> ov.Model:
    return ir.read(request.inputs["xml"], request.inputs["bin"])


def _known(layer: Tap) -> Row:
    operation = ", ".join(layer.types)
    return {"layer": layer.layer, "operation": operation, "tensor": layer.tensor, "inputs": list(layer.inputs)}


def _without(why: str) -> Row:
    return {"state": "folded" if why == FOLDED else "unmatched", "why": why}


def _compared(request: Request, group: Mapping[int, Tap], found: Places, feeds: Feeds) -> dict[int, Row]:
    tensors = {number: layer.spelt for number, layer in group.items()}
    integers = [tensor for number, tensor in tensors.items() if found.found[number].integers]
    expected = run_tensorflow(request, tensors, feeds, integers)
    target = _read(request)
    operations = target.get_ordered_ops()
    made_by = {number: operations[found.found[number].port[0]] for number in group}
    spots = {number: found.found[number] for number in group}
    actual = run(target, spots, feeds, ir.compile_properties(request.params))
    rows = {}
    for number in group:
        if number not in expected.values:
            rows[number] = _without(NO_NUMBERS)
        elif number not in actual:
            rows[number] = _without(NO_OUTPUT)
        else:
            row = _figures(expected.values[number], actual[number], expected.steps.get(number))
            rows[number] = {**row, **_counterpart(group[number], made_by[number])}
    return rows


def _counterpart(layer: Tap, operation: ov.Node) -> Row:
    """Return who computes a layer in the IR. TFLite's operations have numbers for names, so the IR's stand in."""
    known: Row = {"counterpart": operation.get_friendly_name()}
    if layer.types != (OPERATOR,):
        return known
    if operation.get_type_name() == "FakeQuantize":
        operation = operation.input_value(0).get_node()
    return {**known, "operation": operation.get_type_name()}


def _figures(expected: Sequence[Array], actual: Sequence[Array], step: float | None) -> Row:
    """Return how far a layer's values, one per feed, are apart; a dimension of size 1 more or less does not matter."""
    shaped = [_like(theirs, ours) for theirs, ours in zip(actual, expected, strict=True)]
    for ours, theirs in zip(expected, shaped, strict=True):
        if ours.shape != theirs.shape:
            return _without(OTHER_SHAPE.format(list(ours.shape), list(theirs.shape)))
    first, second = (np.concatenate([array.ravel() for array in arrays]) for arrays in (expected, shaped))
    shape = list(expected[0].shape)
    return {"state": "matched", "shape": shape, "figures": {**difference(first, second), "quantum": step}}


def _like(array: Array, other: Array) -> Array:
    squeezed = [size for size in array.shape if size != 1] == [size for size in other.shape if size != 1]
    return array.reshape(other.shape) if squeezed else array
