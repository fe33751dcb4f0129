"""Build the Ovfile's preprocessing of inputs into the IR: type, layout, resizing, channel order, mean and scale.

    prepared, preparations = preprocess(model, settings)     settings: input name -> InputParams

The order inside the IR is: convert to f32, resize, reverse the channels, subtract mean, divide by scale, transpose to
the source's layout. It is the order of the old Model Optimizer. All but the transpose use the IR's layout.

`preparations` describes the same with numbers and axes, for TensorFlow (`preparing.py`).
"""

from __future__ import annotations

from collections.abc import Mapping

import openvino as ov
from openvino import opset13
from openvino.preprocess import InputInfo, PrePostProcessor, ResizeAlgorithm

from ovmake.contracts.files.interface import Preparation
from ovmake.contracts.params.model import InputParams
from ovmake.errors import ActionError, message_of
from ovmake.workers.conversion import ir
from ovmake.workers.inputs.channels import RGB, RGBA, channel_axis

Settings = Mapping[str, InputParams]

# What makes preprocessing of an input; `model_layout` alone says only how to read the others.
KEYS = ("mean", "scale", "layout", "type", "reverse_channels", "resize")
ALGORITHMS = {
    "linear": ResizeAlgorithm.RESIZE_LINEAR,
    "cubic": ResizeAlgorithm.RESIZE_CUBIC,
    "nearest": ResizeAlgorithm.RESIZE_NEAREST,
}
# The usual layouts of TensorFlow models. Other ranks have no usual layout.
HABITUAL = {4: "NHWC", 5: "NDHWC"}
COLOURS = (RGB, RGBA, 1)


def preprocess(model: ov.Model, settings: Settings) -> tuple[ov.Model, dict[str, Preparation]]:
    """Return the model with built-in preprocessing, and the preparation of each input that has some.

    Raises:
        ActionError: a setting does not fit its input.
    """
    wanted = {name: keys for name, keys in settings.items() if _asked(keys)}
    if not wanted:
        return model, {}
    preparations = {name: _plan(model.input(name), name, keys) for name, keys in wanted.items()}
    processor = PrePostProcessor(model)
    for name, keys in wanted.items():
        _add_steps(processor.input(name), preparations[name], keys, _letters(model.input(name), name, keys))
    try:
        return processor.build(), preparations
    except Exception as error:
        first = next(iter(wanted))
        key = _asked(wanted[first])[0].replace("_", "-")
        message = f"OpenVINO cannot build in the preprocessing: {message_of(error)}"
        raise ActionError("cannot-preprocess", message, setting=f"inputs.{first}.{key}") from error


def _asked(keys: InputParams) -> list[str]:
    """Return which of KEYS the Ovfile gives."""
    return [key for key in KEYS if getattr(keys, key) not in {None, False}]


def _add_steps(given: InputInfo, plan: Preparation, keys: InputParams, letters: tuple[str, str]) -> None:
    layout, model_layout = letters
    given.tensor().set_layout(_named(layout))
    given.model().set_layout(_named(model_layout))
    if keys.type is not None:
        given.tensor().set_element_type(getattr(ov.Type, keys.type))
    steps = given.preprocess()
    if plan.computes:
        steps.convert_element_type(ov.Type.f64 if plan.type == "f64" else ov.Type.f32)
    if plan.resize:
        given.tensor().set_spatial_dynamic_shape()
        steps.resize(ALGORITHMS[plan.resize])
    if plan.reverse >= 0:
        if plan.colours == RGBA:
            steps.custom(lambda node: _reversed_but_alpha(node, plan.reverse))
        else:
            steps.reverse_channels()
    for key, values in (("mean", plan.mean), ("scale", plan.scale)):
        if values:
            numbers = [float(value) for value in values]
            getattr(steps, key)(numbers if len(numbers) > 1 else numbers[0])


def _reversed_but_alpha(node: ov.Output, axis: int) -> ov.Output:
    """Convert BGRA to RGBA, and RGBA to BGRA. OpenVINO's own channel reversal would put alpha first."""
    order = opset13.constant([2, 1, 0, 3], ov.Type.i64)
    return opset13.gather(node, order, opset13.constant(axis, ov.Type.i64)).output(0)


def _named(letters: str) -> ov.Layout:
    """Return OpenVINO's layout. Generated letters become `?`: OpenVINO takes `B` for the batch, like `N`."""
    return ov.Layout("[" + ",".join("?" if letter.islower() else letter for letter in letters) + "]")


def _plan(port: ov.Output, name: str, keys: InputParams) -> Preparation:
    """Return the preparation, with axes of the IR's layout. Without a layout, channels are guessed from sizes."""
    shape = ir.dimensions(port.get_partial_shape())
    _check_type(port, name, keys)
    layout, model_layout = _letters(port, name, keys)
    transpose = tuple(layout.index(letter) for letter in model_layout)
    size: tuple[int, ...] = ()
    if keys.resize is not None:
        size = tuple(_static_size(shape, model_layout, letter, name) for letter in "HW")
    mean, scale = keys.mean or (), keys.scale or ()
    per_channel = max(len(mean), len(scale)) > 1
    channels = layout.index("C") if "C" in layout and (per_channel or keys.reverse_channels) else -1
    if keys.reverse_channels:
        _check_colours(shape, model_layout, name)
    return Preparation(
        resize=keys.resize or "",
        size=size,
        axes=tuple(layout.index(letter) for letter in "HW") if size else (),
        reverse=channels if keys.reverse_channels else -1,
        colours=shape[model_layout.index("C")] if keys.reverse_channels else 0,
        mean=mean,
        scale=scale,
        channels=channels if per_channel else -1,
        transpose=transpose if layout != model_layout else (),
        type=port.get_element_type().to_string(),
        shape=shape,
    )


def _letters(port: ov.Output, name: str, keys: InputParams) -> tuple[str, str]:
    """Return the IR's layout and the source's: every dimension has a letter, a generated one if it is unnamed.

    Raises:
        ActionError: a layout does not fit the input.
    """
    shape = ir.dimensions(port.get_partial_shape())
    written, model = keys.layout, keys.model_layout
    model = model or _source_layout(shape, keys, name) or written or _unnamed(len(shape))
    layout = written or model
    for key, letters, said in (("layout", layout, keys.layout), ("model-layout", model, keys.model_layout)):
        if len(letters) != len(shape) and said is not None:
            message = f"`{letters}` has {len(letters)} dimensions, input `{name}` has {len(shape)}: {list(shape)}"
            raise ActionError("layout-rank", message, setting=f"inputs.{name}.{key}")
    if sorted(layout) != sorted(model):
        message = f"`{layout}` is not a permutation of `{model}`, the assumed layout of the source"
        hint = f'state the layout of the source: `model-layout = "…"` in the table of input `{name}`'
        raise ActionError("layout-mismatch", message, setting=f"inputs.{name}.layout", help=hint)
    counts = {len(values or ()) for values in (keys.mean, keys.scale)} - {0, 1}
    if "C" in model and counts and shape[model.index("C")] not in {*counts, -1}:
        key = "mean" if len(keys.mean or ()) > 1 else "scale"
        message = (
            f"`{key}` has {max(counts)} values, input `{name}` has {shape[model.index('C')]} channels in `{model}`"
        )
        raise ActionError("channel-count", message, setting=f"inputs.{name}.{key}")
    return layout, model


def _source_layout(shape: tuple[int, ...], keys: InputParams, name: str) -> str:
    """Return the source's layout if the Ovfile leaves it open, "" if no setting needs one."""
    per_channel = max(len(values or ()) for values in (keys.mean, keys.scale))
    if not (keys.layout is not None or keys.resize is not None) and (per_channel > 1 or keys.reverse_channels):
        key = "mean" if len(keys.mean or ()) > 1 else "scale" if per_channel > 1 else "reverse-channels"
        axis = channel_axis(shape, per_channel, f"inputs.{name}.{key}") if per_channel > 1 else _colours(shape, name)
        letters = _unnamed(len(shape))
        return letters[:axis] + "C" + letters[axis + 1 :]
    return HABITUAL.get(len(shape), "")


def _colours(shape: tuple[int, ...], name: str) -> int:
    """Return the axis of the channels to reverse: the last or the second, if its size is a number of colours."""
    for axis in (len(shape) - 1, 1):
        if 0 <= axis < len(shape) and shape[axis] in COLOURS:
            return axis
    message = f"cannot tell the channels of input `{name}` {list(shape)}"
    hint = 'state the layout: `model-layout = "NHWC"`'
    raise ActionError("channel-count", message, setting=f"inputs.{name}.reverse-channels", help=hint)


def _check_colours(shape: tuple[int, ...], model_layout: str, name: str) -> None:
    """Refuse `reverse-channels` for an input without colour channels.

    Raises:
        ActionError: there are not three channels, or four with alpha; or the layout does not name them.
    """
    setting = f"inputs.{name}.reverse-channels"
    if "C" not in model_layout:
        message = f"`{model_layout}` of input `{name}` has no channels `C` to reverse"
        raise ActionError("channel-count", message, setting=setting, help='name them: `model-layout = "NHWC"`')
    count = shape[model_layout.index("C")]
    if count not in (RGB, RGBA):
        has = "an open number of channels" if count == -1 else f"{count} channel{'' if count == 1 else 's'}"
        message = f"input `{name}` {list(shape)} has {has}, and `reverse-channels` needs 3 colours, or 4 with alpha"
        hint = "give their number in `shape`" if count == -1 else "remove `reverse-channels`"
        if count > RGBA:
            hint = 'remove it, or state the layout: `model-layout = "NHWC"`'
        raise ActionError("channel-count", message, setting=setting, help=hint)


def _unnamed(rank: int) -> str:
    """Return letters without a meaning, except that the first of several is a batch."""
    return ("N" + "abdefgijklmo"[: rank - 1]) if rank > 1 else "a"[:rank]


def _static_size(shape: tuple[int, ...], layout: str, letter: str, name: str) -> int:
    if letter not in layout or shape[layout.index(letter)] == -1:
        message = f"`resize` needs a fixed height and width, and input `{name}` has {list(shape)}"
        hint = "give them in `shape`; the layout says which dimensions they are"
        raise ActionError("resize-shape", message, setting=f"inputs.{name}.resize", help=hint)
    return shape[layout.index(letter)]


def _check_type(port: ov.Output, name: str, keys: InputParams) -> None:
    kind = port.get_element_type()
    for key, said in (("mean", keys.mean), ("scale", keys.scale), ("resize", keys.resize)):
        if said is not None and not kind.is_real():
            message = f"input `{name}` takes {kind.to_string()}, `{key}` needs a floating-point input"
            raise ActionError("needs-float", message, setting=f"inputs.{name}.{key}")
    if keys.type is not None and "string" in {kind.to_string(), keys.type}:
        message = f"input `{name}` takes {kind.to_string()}, which `type` cannot replace"
        raise ActionError("needs-float", message, setting=f"inputs.{name}.type")
