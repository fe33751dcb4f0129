"""convert and compress: from a TensorFlow source to canonical IRs.

read the source, cut            reading.py
reshape, batch, constants       shaping.py
preprocessing                   preprocessing.py
fuse and clean up               this module, as `ovc` does
names, canonical form           ir.py
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import openvino as ov

from ovmake.contracts.files.interface import Constant, Interface, Preparation, Tensor
from ovmake.contracts.params.model import ConvertParams, ModelParams
from ovmake.contracts.values import JsonObject
from ovmake.diagnostics import did_you_mean
from ovmake.errors import ActionError
from ovmake.sources.integrity.damaged import explained
from ovmake.workers.conversion import ir
from ovmake.workers.conversion.preprocessing import preprocess
from ovmake.workers.conversion.reading import read
from ovmake.workers.conversion.shaping import check_ranks, freeze_inputs, input_settings, reshape, set_batch
from ovmake.workers.inputs.channels import RGBA
from ovmake.workers.ipc.protocol import Request, warning


@explained
def convert(request: Request) -> dict[str, object]:
    """Convert a source; write `xml`, `bin` and `interface`."""
    asked = request.asked(ConvertParams)
    source = read(request, asked)
    made = shaped(source.model, asked.model, source.tensors)
    model = made.model
    optimize(model)
    ir.write(model, request.outputs["xml"], request.outputs["bin"])
    interface = Interface(
        inputs=tuple(_input(tensor, made.preparations, source.tensors) for tensor in ir.tensors(model.inputs)),
        outputs=tuple(_output(tensor, made.outputs, source.given) for tensor in ir.tensors(model.outputs)),
        constants=made.constants,
        read_by=source.way,
    )
    interface.write(request.outputs["interface"])
    return {"operations": ir.operations(model), **source.told, **_told(made.preparations)}


def _told(preparations: Mapping[str, Preparation]) -> JsonObject:
    """Return a warning if `reverse-channels` keeps alpha in its position."""
    kept = [name for name, plan in preparations.items() if plan.colours == RGBA]
    if not kept:
        return {}
    message = f"input `{kept[0]}` has 4 channels: `reverse-channels` reverses the first three, the fourth (alpha) stays"
    return warning("alpha-stays", message, setting=f"inputs.{kept[0]}.reverse-channels")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shaped:
    """A model with the Ovfile's settings. `outputs` maps the new names of renamed outputs to the old ones."""

    model: ov.Model
    constants: tuple[Constant, ...]
    preparations: Mapping[str, Preparation]
    outputs: Mapping[str, str]


def shaped(model: ov.Model, params: ModelParams, tensors: Mapping[str, str]) -> Shaped:
    """Apply the shapes, constants, preprocessing and names of the params to a model.

    Raises:
        ActionError: a setting does not fit the model.
    """
    settings = input_settings(model, params.inputs)
    reshape(model, settings)
    check_ranks(model)
    set_batch(model, params.batch, [name for name, keys in settings.items() if keys.value is not None])
    constants = freeze_inputs(model, settings, tensors)
    model, preparations = preprocess(model, settings)
    outputs = _rename_outputs(model, params.outputs)
    return Shaped(model=model, constants=constants, preparations=preparations, outputs=outputs)


def compress(request: Request) -> dict[str, object]:
    """Round the weights of an IR to FP16."""
    from openvino._offline_transformations import compress_model_transformation

    model = ir.read(request.inputs["xml"], request.inputs["bin"])
    compress_model_transformation(model)
    ir.write(model, request.outputs["xml"], request.outputs["bin"])
    return {}


def _input(tensor: Tensor, preparations: Mapping[str, Preparation], tensors: Mapping[str, str]) -> Tensor:
    return replace(tensor, tensor=tensors.get(tensor.name, ""), prepare=preparations.get(tensor.name))


def _output(tensor: Tensor, renamed: Mapping[str, str], tensors: Mapping[str, str]) -> Tensor:
    """Return an output with its name in the source as `tensor`, also if the Ovfile renames it."""
    before = renamed.get(tensor.name, tensor.name)
    return replace(tensor, tensor=tensors.get(before, before if before != tensor.name else ""))


def _rename_outputs(model: ov.Model, wanted: Mapping[str, str]) -> dict[str, str]:
    """Rename outputs as in the Ovfile; return the old names by the new ones.

    Raises:
        ActionError: there is no such output, or the new name is in use.
    """
    ports = {ir.user_name(port.get_node().get_friendly_name()): port for port in model.outputs}
    for name, new in wanted.items():
        if name not in ports:
            listed = ", ".join(f"`{known}`" for known in ports)
            message = f"the model has no output `{name}`; its outputs are {listed}"
            hint = did_you_mean(name, list(ports))
            raise ActionError("unknown-output", message, setting=f"outputs.{name}", help=hint)
        if new in ports and new not in wanted:
            message = f"the model already has an output `{new}`"
            raise ActionError("duplicate-output", message, setting=f"outputs.{name}")
    # The tensor of an output has its names too, and the names of other outputs of the same tensor.
    tensors = {
        name: (ports[name].get_tensor(), ports[name].get_node().input(0).get_source_output().get_tensor())
        for name in wanted
    }
    for name in wanted:
        for tensor in tensors[name]:
            tensor.set_names(set(tensor.get_names()) - {name, f"{name}:0"})
    for name, new in wanted.items():
        ports[name].get_node().set_friendly_name(new)
        for tensor in tensors[name]:
            tensor.add_names({new})
    return {new: name for name, new in wanted.items()}


def optimize(model: ov.Model) -> None:
    """Fuse and clean up as `ovc` does: batch normalization into convolutions, constants together.

    Inputs and outputs keep their names. Otherwise OpenVINO would rename the output `scores` of an operation `scores` to
    `scores_1`, as in most TF1 models.
    """
    from openvino._offline_transformations import (
        apply_fused_names_cleanup,
        apply_moc_transformations,
        compress_quantize_weights_transformation,
    )

    ends = [port.get_node() for port in (*model.inputs, *model.outputs)]
    names = [node.get_friendly_name() for node in ends]
    apply_moc_transformations(model, cf=False, smart_reshape=True)
    compress_quantize_weights_transformation(model)
    apply_fused_names_cleanup(model)
    for node, name in zip(ends, names, strict=True):
        node.set_friendly_name(name)
