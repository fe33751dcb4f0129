"""Apply the Ovfile's shapes and constants to a model's inputs.

settings = input_settings(model, inputs)     {"image": InputParams(shape=(1, "96..224", 224, 3), mean=(0.5,))}
reshape(model, settings)                     sizes, -1, ranges
set_batch(model, 4, frozen)                  set the batch of every input that has one
constants = freeze_inputs(model, settings)   turn inputs into constants
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import openvino as ov

from ovmake.contracts.codec import flat, written
from ovmake.contracts.files.interface import Constant
from ovmake.contracts.params.model import InputParams
from ovmake.diagnostics import did_you_mean
from ovmake.errors import ActionError, message_of
from ovmake.workers.conversion import ir
from ovmake.workers.inputs.preparing import NUMPY_TYPES, Array, filled

Settings = Mapping[str, InputParams]

FIXED = "the operation that OpenVINO names requires different sizes: give those, or cut the model before it"


def input_settings(model: ov.Model, inputs: Settings) -> Settings:
    """Return the settings of each input, by the model's own names.

    Raises:
        ActionError: there is no such input.
    """
    known = [port.get_node().get_friendly_name() for port in model.inputs]
    settings: dict[str, InputParams] = {}
    for name, asked in inputs.items():
        tensor = name if name in known else ir.user_name(name)
        if tensor not in known:
            listed = ", ".join(f"`{name}`" for name in known) or "none"
            message = f"the model has no input `{tensor}`; its inputs are {listed}"
            setting = next(iter(flat({"inputs": {name: asked}})), f"inputs.{name}")
            raise ActionError("unknown-input", message, setting=setting, help=did_you_mean(tensor, known))
        # An input that is named both with and without `:0` gets the settings of both.
        both = {field.attribute: value for field, value in written(asked)}
        settings[tensor] = replace(settings.get(tensor, InputParams()), **both)  # type: ignore[arg-type]
    return settings


def reshape(model: ov.Model, settings: Settings) -> None:
    """Give inputs the shapes of the Ovfile.

    Raises:
        ActionError: the rank differs, or the model cannot take the shape.
    """
    shapes = {name: _partial_shape(keys.shape) for name, keys in settings.items() if keys.shape is not None}
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
    """Refuse inputs of unknown rank: no samples can be fed into them, real or synthetic.

    Raises:
        ActionError: an input has no known rank.
    """
    for port in model.inputs:
        if port.get_partial_shape().rank.is_dynamic:
            name = port.get_node().get_friendly_name()
            message = f"the source does not state the number of dimensions of input `{name}`"
            hint = f"give its shape, such as `shape = [-1, 224, 224, 3]` in the table of input `{name}`"
            raise ActionError("unknown-rank", message, setting="source", help=hint)


def set_batch(model: ov.Model, batch: int | None, frozen: Iterable[str]) -> None:
    """Set the first dimension of every input that has a batch: a dynamic one, else the one all inputs share.

    `frozen` are inputs that become constants; they do not count for the shared dimension.

    Raises:
        ActionError: no input has a batch, or the model cannot take this one.
    """
    if batch is None:
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
    frozen = {name: keys.value for name, keys in settings.items() if keys.value is not None}
    return tuple(_freeze(model, name, value, tensors.get(name, "")) for name, value in frozen.items())


def _freeze(model: ov.Model, name: str, value: Sequence[bool | float], tensor: str) -> Constant:
    port = model.input(name)
    node = port.get_node()
    kind = port.get_element_type().to_string()
    shape = ir.dimensions(port.get_partial_shape())
    setting = f"inputs.{name}.value"
    if -1 in shape:
        message = f"a constant needs a static shape, and input `{name}` has {list(shape)}"
        raise ActionError("frozen-shape", message, setting=setting, help="give one with `shape` or `batch`")
    if kind not in NUMPY_TYPES:
        raise ActionError("frozen-shape", f"input `{name}` takes {kind}, which `value` cannot give", setting=setting)
    constant = Constant(name=name, shape=shape, type=kind, values=tuple(value), tensor=tensor)
    array = filled(constant)
    made = ov.opset13.constant(array, dtype=port.get_element_type()) if array.ndim else _scalar(array, port)
    made.set_friendly_name(name)
    node.output(0).replace(made.output(0))
    model.remove_parameter(node)
    return constant


def _scalar(array: Array, port: ov.Output) -> ov.op.Constant:
    return ov.opset13.constant(array.item(), dtype=port.get_element_type())
