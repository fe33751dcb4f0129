"""convert and compress: from a TensorFlow source to canonical IRs.

The frontend is driven directly instead of through `ov.convert_model`: that one tries all frameworks in turn, and when a
file is broken says "Cannot recognize input model." in place of what was wrong with it.

Inside the IR the input passes through: subtract mean, divide by scale.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import openvino as ov
from openvino.frontend import FrontEndManager
from openvino.preprocess import PrePostProcessor

from ovmake.diagnostics import did_you_mean
from ovmake.workers import ir
from ovmake.workers.fingerprint import fingerprint
from ovmake.workers.interface import Interface, Tensor, channel_axis
from ovmake.workers.protocol import ActionError, Request, message_of


def convert(request: Request) -> dict[str, object]:
    """Convert `source`; write `xml`, `bin` and `interface`."""
    source = Path(request.inputs["source"])
    model = _load(source)
    if not source.is_dir():
        ir.drop_echoes(model)
    ir.name_ports(model)
    settings = _input_settings(model, request)
    _reshape(model, settings)
    _set_batch(model, request.params.get("batch"))
    model = _normalize(model, settings)
    _optimize(model)
    ir.write(model, request.outputs["xml"], request.outputs["bin"])
    found = fingerprint(source)
    interface = Interface(
        inputs=tuple(_with_normalization(tensor, settings) for tensor in ir.tensors(model.inputs)),
        outputs=ir.tensors(model.outputs),
        fingerprint=f"{found.kind}:{found.sha256}",
    )
    interface.write(request.outputs["interface"])
    return {"operations": ir.operations(model), "fingerprint_note": found.note}


def compress(request: Request) -> dict[str, object]:
    """Round the weights of an IR to FP16."""
    from openvino._offline_transformations import compress_model_transformation

    model = ir.read(request.inputs["xml"], request.inputs["bin"])
    compress_model_transformation(model)
    ir.write(model, request.outputs["xml"], request.outputs["bin"])
    return {}


def _load(source: Path) -> Any:
    frontend = FrontEndManager().load_by_framework("tf")
    _check_kind(source)
    try:
        return frontend.convert(frontend.load(str(source)))
    except Exception as error:
        message = f"OpenVINO cannot convert `{source.name}`: {message_of(error)}"
        raise ActionError("cannot-convert", message, setting="source") from error


def _check_kind(source: Path) -> None:
    if source.is_dir():
        if not (source / "saved_model.pb").is_file():
            inside = ", ".join(sorted(entry.name for entry in source.iterdir())[:5]) or "nothing"
            message = f"the folder `{source.name}` is no SavedModel: it has no `saved_model.pb` but {inside}"
            raise ActionError("unknown-source", message, setting="source")
    elif source.suffix != ".pb":
        message = f"`{source.name}` is neither a SavedModel folder nor a frozen .pb"
        hint = "export the model as a SavedModel: `model.export(folder)` in Keras"
        raise ActionError("unknown-source", message, setting="source", help=hint)


def _input_settings(model: Any, request: Request) -> dict[str, dict[str, Any]]:
    """Return what the params say per input: {"image": {"mean": [0.5]}}.

    Raises:
        ActionError: there is no such input.
    """
    known = [port.get_node().get_friendly_name() for port in model.inputs]
    settings: dict[str, dict[str, Any]] = {}
    for name, value in request.params.items():
        if name.startswith("inputs."):
            tensor, _, key = name.removeprefix("inputs.").rpartition(".")
            if tensor not in known:
                listed = ", ".join(f"`{name}`" for name in known) or "none"
                message = f"the model has no input `{tensor}`; its inputs are {listed}"
                raise ActionError("unknown-input", message, setting=name, help=did_you_mean(tensor, known))
            settings.setdefault(tensor, {})[key] = value
    return settings


def _reshape(model: Any, settings: dict[str, dict[str, Any]]) -> None:
    shapes = {name: ov.PartialShape(keys["shape"]) for name, keys in settings.items() if "shape" in keys}
    for name, shape in shapes.items():
        now = model.input(name).get_partial_shape()
        if now.rank.is_static and now.rank != shape.rank:
            message = f"`shape` has {len(shape)} dimensions, input `{name}` has {now.rank}: {now.to_string()}"
            raise ActionError("shape-rank", message, setting=f"inputs.{name}.shape")
    if not shapes:
        return
    try:
        model.reshape(shapes)
    except Exception as error:
        first = next(iter(shapes))
        message = f"the model cannot take this shape: {message_of(error)}"
        raise ActionError("cannot-reshape", message, setting=f"inputs.{first}.shape") from error


def _set_batch(model: Any, batch: object) -> None:
    """Set the first dimension of every input that has a batch: a dynamic one, else the one all inputs share."""
    if not isinstance(batch, int):
        return
    shapes = {port.get_node().get_friendly_name(): ir.dimensions(port.get_partial_shape()) for port in model.inputs}
    dynamic = [name for name, shape in shapes.items() if shape and shape[0] == -1]
    firsts = {shape[0] if shape else None for shape in shapes.values()}
    names = dynamic or (list(shapes) if len(firsts) == 1 and None not in firsts else [])
    if not names:
        listed = ", ".join(f"`{name}` {list(shape)}" for name, shape in shapes.items())
        message = f"no input has a batch dimension: {listed}"
        raise ActionError("no-batch", message, setting="batch", help="give the shapes under [models.NAME.inputs]")
    try:
        model.reshape({name: ov.PartialShape([batch, *shapes[name][1:]]) for name in names})
    except Exception as error:
        message = f"the model cannot take batches of {batch}: {message_of(error)}"
        raise ActionError("cannot-reshape", message, setting="batch") from error


def _normalize(model: Any, settings: dict[str, dict[str, Any]]) -> Any:
    if not any({"mean", "scale"} & set(keys) for keys in settings.values()):
        return model
    processor = PrePostProcessor(model)
    for name, keys in settings.items():
        for key in ("mean", "scale"):  # first mean, then scale: (x - mean) / scale
            if key in keys:
                _add_step(processor, model, name, key, keys[key])
    return processor.build()


def _with_normalization(tensor: Tensor, settings: dict[str, dict[str, Any]]) -> Tensor:
    keys = settings.get(tensor.name, {})
    return replace(tensor, mean=tuple(keys.get("mean", ())), scale=tuple(keys.get("scale", ())))


def _add_step(processor: Any, model: Any, name: str, key: str, values: list[float]) -> None:
    setting = f"inputs.{name}.{key}"
    port = model.input(name)
    if not port.get_element_type().is_real():
        message = f"input `{name}` takes {port.get_element_type().to_string()}, `{key}` needs a floating-point input"
        raise ActionError("needs-float", message, setting=setting)
    tensor = processor.input(name)
    if len(values) == 1:
        getattr(tensor.preprocess(), key)(float(values[0]))
        return
    shape = ir.dimensions(port.get_partial_shape())
    axis = channel_axis(shape, len(values), setting)
    tensor.tensor().set_layout(ov.Layout("[" + ",".join("C" if i == axis else "?" for i in range(len(shape))) + "]"))
    getattr(tensor.preprocess(), key)([float(value) for value in values])


def _optimize(model: Any) -> None:
    """Fuse and clean up as `ovc` does: batch normalization into convolutions, constants together."""
    from openvino._offline_transformations import (
        apply_fused_names_cleanup,
        apply_moc_transformations,
        compress_quantize_weights_transformation,
    )

    apply_moc_transformations(model, cf=False, smart_reshape=True)
    compress_quantize_weights_transformation(model)
    apply_fused_names_cleanup(model)
