"""Give a model's inputs and outputs the names that users of the source know.

    name_by_signature(model, folder)     a model that OpenVINO's reader made from a SavedModel
    name_by_cut(model, cut)              a model of the part of a graph between two sets of tensors

A tensor may have several names, and two ports may share a tensor. So an output is identified by the name of its Result.
Its tensor gets the name too, unless another port has it.
"""

from __future__ import annotations

from pathlib import Path

import openvino as ov

from ovmake.errors import ActionError
from ovmake.sources.cutting import Cut
from ovmake.sources.protobuf import Message, ProtobufError
from ovmake.workers.conversion import ir

# The signature and tags that OpenVINO's reader takes.
SIGNATURE, TAGS = "serving_default", frozenset({"serve"})


def name_by_signature(model: ov.Model, folder: Path) -> None:
    """Name the outputs of a SavedModel by the keys of its default signature.

    The reader names the output `scores` of an operation `scores` `scores_1`, as in most TF1 models.

    Raises:
        ActionError: the reader lost an output, as it does with constants, or read something else.
    """
    keys = _keys(folder)
    if keys is None or not model.outputs:  # without outputs: the reader hides its failure
        message = f"OpenVINO cannot convert `{folder.name}`: its reader finds no outputs"
        raise ActionError("cannot-convert", message, setting="source")
    ports = {port.get_node().get_friendly_name(): port for port in model.outputs}
    named = {key: ports.pop(key) for key in keys if key in ports}
    for port in ports.values():
        key = next((key for key in keys if key not in named and key in port.get_names()), "")
        if key:
            named[key] = port
            port.get_node().set_friendly_name(key)
    lost = [key for key in keys if key not in named]
    if lost:
        message = (
            f"OpenVINO cannot convert `{folder.name}`: its reader loses the output `{lost[0]}`, as it loses constants"
        )
        kept = ", ".join(f'"{key}"' for key in named)
        hint = f"name the outputs to keep: `cut.outputs = [{kept}]`" if named else "remove it from the signature"
        raise ActionError("cannot-convert", message, setting="source", help=hint)
    ir.name_ports(model)


def _keys(folder: Path) -> list[str] | None:
    """Return the outputs of the default signature; None if the reader would guess."""
    try:
        proto = Message(memoryview((folder / "saved_model.pb").read_bytes()))
        graphs = [graph for graph in proto.messages(2) if set(graph.message(1).texts(4)) == TAGS]
        signatures = graphs[0].entries(5) if graphs else {}
        return sorted(Message(signatures[SIGNATURE]).entries(2)) if SIGNATURE in signatures else None
    except (OSError, ProtobufError):
        return None


def name_by_cut(model: ov.Model, cut: Cut) -> None:
    """Put inputs and outputs into the order of the cut, and give them its names."""
    parameters = {tensor: _with_tensor(model.inputs, tensor) for _, tensor in cut.inputs}
    for name, tensor in cut.inputs:
        parameters[tensor].get_node().set_friendly_name(name)
    results = [_with_tensor(model.outputs, tensor, place) for place, (_, tensor) in enumerate(cut.outputs)]
    for (name, _), port in zip(cut.outputs, results, strict=True):
        port.get_node().set_friendly_name(name)
    # Inputs first: a cut that begins and ends at one layer has an input and an output of that name.
    for name, tensor in cut.inputs:
        _add_name(parameters[tensor], name, [*model.inputs, *model.outputs])
    for port, name in zip(results, [name for name, _ in cut.outputs], strict=True):
        _add_name(port, name, [*model.inputs, *model.outputs])


def _with_tensor(ports: list[ov.Output], tensor: str, place: int | None = None) -> ov.Output:
    """Return the port of a tensor. If two outputs share it, return the one at index `place`."""
    found = [port for port in ports if tensor in port.get_names()]
    if place is not None and place < len(ports) and ports[place] in found:
        return ports[place]
    if not found:
        message = f"OpenVINO's reader lost the tensor `{tensor}`"
        raise ActionError("cannot-convert", message, setting="source")
    return found[0]


def _add_name(port: ov.Output, name: str, ports: list[ov.Output]) -> None:
    others = {found for other in ports if other != port for found in other.get_names()}
    if name not in others:
        port.get_tensor().add_names({name})
