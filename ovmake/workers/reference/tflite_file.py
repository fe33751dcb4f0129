"""A .tflite file as flatbuffers: its tensors by name, their quantization, and the part between two sets of them.

    model = parsed(source)                      a `ModelT`, which is changed in place
    cut(model, inputs, outputs)                 begins and ends at these tensors, by their indexes
    cut_out(source, inputs, outputs) -> bytes   the same as a file, by their names
    quantization(source)                        scale and zero point by tensor

Nothing of the model is run. The main graph is `subgraphs[0]`; others are bodies of loops and branches.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tensorflow.lite.python.schema_py_generated import (
    BuiltinOperator,
    ModelT,
    OperatorT,
    SubGraphT,
    TensorT,
    TensorType,
)
from tensorflow.lite.tools import flatbuffer_utils

from ovmake.diagnostics import did_you_mean
from ovmake.errors import ActionError, message_of
from ovmake.workers.conversion.refusing_tflite import unread

_LARGEST_OLD_CODE = 127  # the field is one byte; 127 means "see the newer field"
_INTEGERS = (TensorType.INT8, TensorType.UINT8, TensorType.INT16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantization:
    """A tensor's value is (integer - zero_point) * scale."""

    scale: float
    zero_point: int


def parsed(source: Path, allowed: Collection[str] = ()) -> ModelT:
    """Read a file. `allowed` names operations that may run though they do more than compute.

    Raises:
        ActionError: it cannot be read, or does more than compute.
    """
    try:
        return flatbuffer_utils.read_model(str(source))
    except Exception as error:
        message = f"TFLite cannot read `{source.name}`: {message_of(error)}"
        failure = ActionError("tensorflow-cannot-load", message, setting="source")
        raise unread(failure, source, allowed) from error


def _name(tensor: TensorT) -> str:
    return str(tensor.name, "utf-8", "replace") if isinstance(tensor.name, bytes) else str(tensor.name or "")


def by_name(model: ModelT) -> dict[str, int]:
    """Return the tensors of the main graph by name; of several with one name, the first."""
    found: dict[str, int] = {}
    for index, tensor in enumerate(model.subgraphs[0].tensors):
        found.setdefault(_name(tensor), index)
    return found


def index_of(tensors: Mapping[str, int], name: str, side: str) -> int:
    """Return a tensor's index. `:0` may be left out, as OpenVINO does."""
    for candidate in (name, f"{name}:0"):
        if candidate in tensors:
            return tensors[candidate]
    message = f"the model has no tensor `{name}`"
    raise ActionError("unknown-tensor", message, setting=f"cut.{side}", help=did_you_mean(name, list(tensors)))


def computes_in_integers(model: ModelT) -> bool:
    """Whether some tensor of the main graph holds integers of 8 or 16 bits."""
    return any(tensor.type in _INTEGERS for tensor in model.subgraphs[0].tensors)


def quantum(model: ModelT, index: int) -> float:
    """Return the step size of a tensor, in its own unit: 1 for integers, the scale for dequantized ones."""
    graph = model.subgraphs[0]
    if graph.tensors[index].type in _INTEGERS:
        return 1.0
    makers = [op for op in graph.operators if index in _indexes(op.outputs)]
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    if not makers or codes[makers[0].opcodeIndex] != BuiltinOperator.DEQUANTIZE:
        return 0.0
    before = graph.tensors[_indexes(makers[0].inputs)[0]].quantization
    return float(before.scale[0]) if before is not None and before.scale is not None and len(before.scale) else 0.0


def quantization(source: Path) -> dict[str, Quantization]:
    """Return the quantization of a model's tensors by name; tensors quantized per channel (weights) are left out.

    Raises:
        ActionError: the model cannot be read.
    """
    found = {}
    for tensor in parsed(source).subgraphs[0].tensors:
        scales = [] if tensor.quantization is None or tensor.quantization.scale is None else tensor.quantization.scale
        if len(scales) == 1:
            points = tensor.quantization.zeroPoint
            zero_point = int(points[0]) if points is not None and len(points) else 0
            found[_name(tensor)] = Quantization(scale=float(scales[0]), zero_point=zero_point)
    return found


# cuts


def is_whole(model: ModelT, inputs: Iterable[int], outputs: Iterable[int]) -> bool:
    """Whether the model as it is takes these tensors, and gives those."""
    graph = model.subgraphs[0]
    return set(graph.inputs) == set(inputs) and set(outputs) <= set(graph.outputs)


def cut(model: ModelT, inputs: list[int], outputs: list[int]) -> None:
    """Make the main graph begin at `inputs` and end at `outputs`, with only the operations in between.

    Operations without outputs (they set variables) are kept if an operation in between reads a variable or a table.
    """
    graph = model.subgraphs[0]
    kept = _between(graph, inputs, outputs)
    if any(_takes_resource(graph, graph.operators[place]) for place in kept):
        silent = {place for place, op in enumerate(graph.operators) if not _indexes(op.outputs)}
        kept |= silent | _between(
            graph, inputs, [i for place in silent for i in _indexes(graph.operators[place].inputs)]
        )
    graph.operators = [op for place, op in enumerate(graph.operators) if place in kept]
    graph.inputs, graph.outputs = inputs, outputs
    model.signatureDefs = None


def _drop_unused(model: ModelT) -> None:
    """Drop unused subgraphs, and give unused handles a plain type, because OpenVINO reads all of them."""
    graph = model.subgraphs[0]
    options = [found for op in graph.operators for found in (op.builtinOptions, op.builtinOptions2) if found]
    if not any(name.endswith("SubgraphIndex") for found in options for name in vars(found)):
        model.subgraphs = [graph]
    used = {index for op in graph.operators for index in (*_indexes(op.inputs), *_indexes(op.outputs))}
    for index, tensor in enumerate(graph.tensors):
        if tensor.type in (TensorType.RESOURCE, TensorType.VARIANT) and index not in used:
            tensor.type = TensorType.INT32


def _takes_resource(graph: SubGraphT, op: OperatorT) -> bool:
    return any(graph.tensors[index].type == TensorType.RESOURCE for index in _indexes(op.inputs))


def _between(graph: SubGraphT, inputs: Collection[int], outputs: Iterable[int]) -> set[int]:
    """Return the indexes of the operations that compute `outputs` from `inputs`.

    Raises:
        ActionError: an input of the model is needed that is not among `inputs`.
    """
    makers = {int(index): place for place, op in enumerate(graph.operators) for index in _indexes(op.outputs)}
    kept: set[int] = set()
    stack = list(outputs)
    while stack:
        index = stack.pop()
        place = makers.get(index)
        if index in inputs or place in kept:
            continue
        if place is not None:
            kept.add(place)
            stack += _indexes(graph.operators[place].inputs)
        elif index in graph.inputs:
            name = _name(graph.tensors[index])
            message = f"the part between the cut's inputs and outputs also needs the input `{name}`"
            hint = f'add "{name}" to `cut.inputs`, or move the cut'
            raise ActionError("incomplete-cut", message, setting="cut.inputs", help=hint)
    return kept


def _indexes(found: Iterable[int] | None) -> list[int]:
    """Return an operation's tensors, without omitted ones (-1)."""
    return [] if found is None else [int(index) for index in found if index >= 0]


def cut_out(source: Path, inputs: Collection[str], outputs: Collection[str]) -> bytes:
    """Return the part of a model between these tensors, as a file.

    Raises:
        ActionError: the model cannot be read, lacks such a tensor, or needs a further input.
    """
    model = parsed(source)
    tensors = by_name(model)
    begin, end = (
        [index_of(tensors, name, side) for name in names] for names, side in ((inputs, "inputs"), (outputs, "outputs"))
    )
    cut(model, begin, end)
    _drop_unused(model)
    for code in model.operatorCodes:  # TFLite reads both fields, OpenVINO only the old one
        code.deprecatedBuiltinCode = min(max(code.builtinCode, code.deprecatedBuiltinCode), _LARGEST_OLD_CODE)
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))
