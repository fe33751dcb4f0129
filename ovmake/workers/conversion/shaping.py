"""Shapes and constants of a model's inputs, as the Ovfile has them.

settings = input_settings(model, params)     {"image": {"shape": [1, "96..224", 224, 3], "mean": [0.5]}}
reshape(model, settings)                     sizes, -1, ranges
set_batch(model, 4, frozen)                  of every input that has a batch
constants = freeze_inputs(model, settings)   inputs become constants
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import openvino as ov

from ovmake.diagnostics import did_you_mean
from ovmake.errors import ActionError, message_of
from ovmake.workers.conversion import ir
from ovmake.workers.inputs.interface import Constant
from ovmake.workers.inputs.preparing import NUMPY_TYPES, Array, filled

Settings = Mapping[str, Mapping[str, Any]]

FIXED = "the operation that OpenVINO names goes with other sizes only: give those, or cut the model before it"


def input_settings(model: ov.Model, params: Mapping[str, object]) -> Settings:
    """Return what the params say per input.

    Raises:
        ActionError: there is no such input.
    """
    known = [port.get_node().get_friendly_name() for port in model.inputs]
    settings: dict[str, dict[str, Any]] = {}
    for name, value in params.items():
        if name.startswith("inputs."):
            tensor, _, key = name.removeprefix("inputs.").rpartition(".")
            tensor = tensor if tensor in known else ir.user_name(tensor)
            if tensor not in known:
                listed = ", ".join(f"`{name}`" for name in known) or "none"
                message = f"the model has no input `{tensor}`; its inputs are {listed}"
                raise ActionError("unknown-input", message, setting=name, help=did_you_mean(tensor, known))
            settings.setdefault(tensor, {})[key] = value
    return settings


def reshape(model: ov.Model, settings: Settings) -> None:
    """Give inputs the shapes of the Ovfile.

    Raises:
        ActionError: the rank is another, or the model cannot take the shape.
    """
    shapes = {name: _partial_shape(keys["shape"]) for name, keys in settings.items() if "shape" in keys}
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
        raise ActionError("cannot-reshape", message, setting=f"inputs.{first}.shape", help=FIXED) from error


def _partial_shape(written: Iterable[int | str]) -> ov.PartialShape:
    return ov.PartialShape([_dimension(size) for size in written])


def _dimension(written: int | str) -> ov.Dimension:
    if isinstance(written, int):
        return ov.Dimension(written)
    least, _, most = written.partition("..")
    return ov.Dimension(int(least), int(most) if most else -1)


def check_ranks(model: ov.Model) -> None:
    """Refuse inputs of unknown rank: nothing can be fed into them, made up or not.

    Raises:
        ActionError: there is one.
    """
    for port in model.inputs:
        if port.get_partial_shape().rank.is_dynamic:
            name = port.get_node().get_friendly_name()
            message = f"the source does not say how many dimensions input `{name}` has"
            hint = f"give them, such as `shape = [-1, 224, 224, 3]` in the table of input `{name}`"
            raise ActionError("unknown-rank", message, setting="source", help=hint)


def set_batch(model: ov.Model, batch: object, frozen: Iterable[str]) -> None:
    """Set the first dimension of every input that has a batch: a dynamic one, else the one all inputs share.

    `frozen` are inputs that become constants, which have no say in what the others share.

    Raises:
        ActionError: no input has a batch, or the model cannot take this one.
    """
    if not isinstance(batch, int):
        return
    shapes = {port.get_node().get_friendly_name(): port.get_partial_shape() for port in model.inputs}
    live = {name: shape for name, shape in shapes.items() if name not in set(frozen)}
    dynamic = [name for name, shape in shapes.items() if len(shape) and shape[0].is_dynamic]
    firsts = {ir.dimensions(shape)[0] if len(shape) else None for shape in live.values()}
    names = dynamic or (list(live) if len(firsts) == 1 and None not in firsts else [])
    if not names:
        listed = ", ".join(f"`{name}` {list(ir.dimensions(shape))}" for name, shape in shapes.items())
        message = f"no input has a batch dimension: {listed}"
        raise ActionError("no-batch", message, setting="batch", help="give the shapes under [models.NAME.inputs]")
    try:
        model.reshape({name: ov.PartialShape([ov.Dimension(batch), *list(shapes[name])[1:]]) for name in names})
    except Exception as error:
        message = f"the model cannot take batches of {batch}: {message_of(error)}"
        raise ActionError("cannot-reshape", message, setting="batch", help=FIXED) from error


def freeze_inputs(model: ov.Model, settings: Settings, tensors: Mapping[str, str]) -> tuple[Constant, ...]:
    """Turn the inputs that have a `value` into constants; return them.

    Raises:
        ActionError: the value does not fill the input's shape.
    """
    frozen = [name for name, keys in settings.items() if "value" in keys]
    return tuple(_freeze(model, name, settings[name]["value"], tensors.get(name, "")) for name in frozen)


def _freeze(model: ov.Model, name: str, value: list[Any], tensor: str) -> Constant:
    port = model.input(name)
    node = port.get_node()
    kind = port.get_element_type().to_string()
    shape = ir.dimensions(port.get_partial_shape())
    setting = f"inputs.{name}.value"
    if -1 in shape:
        message = f"a constant needs a static shape, and input `{name}` has {list(shape)}"
        raise ActionError("frozen-shape", message, setting=setting, help="give one with `shape` or `batch`")
    if kind not in NUMPY_TYPES:
        raise ActionError("frozen-shape", f"input `{name}` takes {kind}, which no `value` can fill", setting=setting)
    constant = Constant(name=name, shape=shape, type=kind, values=tuple(value), tensor=tensor)
    array = filled(constant)
    made = ov.opset13.constant(array, dtype=port.get_element_type()) if array.ndim else _scalar(array, port)
    made.set_friendly_name(name)
    node.output(0).replace(made.output(0))
    model.remove_parameter(node)
    return constant


def _scalar(array: Array, port: ov.Output) -> ov.op.Constant:
    return ov.opset13.constant(array.item(), dtype=port.get_element_type())
