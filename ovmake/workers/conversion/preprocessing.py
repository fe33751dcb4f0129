"""Make what the Ovfile says of an input part of the IR: type, layout, resizing, channel order, mean and scale.

    prepared, preparations = preprocess(model, settings)     settings: input name -> {"mean": [...], ...}

Inside the IR, in this order: convert to f32, resize, reverse the channels, subtract mean, divide by scale, transpose to
the source's layout. It is the order of the old Model Optimizer, and all but the last step are in the IR's layout.

`preparations` says the same in numbers and axes, for TensorFlow's side (`preparing.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import openvino as ov
from openvino import opset13
from openvino.preprocess import InputInfo, PrePostProcessor, ResizeAlgorithm

from ovmake.errors import ActionError, message_of
from ovmake.workers.conversion import ir
from ovmake.workers.inputs.interface import RGB, RGBA, Preparation, channel_axis

Settings = Mapping[str, Mapping[str, Any]]

KEYS = frozenset({"mean", "scale", "layout", "type", "reverse-channels", "resize"})
ALGORITHMS = {
    "linear": ResizeAlgorithm.RESIZE_LINEAR,
    "cubic": ResizeAlgorithm.RESIZE_CUBIC,
    "nearest": ResizeAlgorithm.RESIZE_NEAREST,
}
# What TensorFlow's models mostly have. Other ranks have no habit.
HABITUAL = {4: "NHWC", 5: "NDHWC"}
COLOURS = (RGB, RGBA, 1)


def preprocess(model: ov.Model, settings: Settings) -> tuple[ov.Model, dict[str, Preparation]]:
    """Return the model with preprocessing built in, and what it does to each input that has some.

    Raises:
        ActionError: a setting does not fit its input.
    """
    wanted = {name: keys for name, keys in settings.items() if KEYS & set(keys)}
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
        key = next(iter(KEYS & set(wanted[first])))
        message = f"OpenVINO cannot build the preprocessing in: {message_of(error)}"
        raise ActionError("cannot-preprocess", message, setting=f"inputs.{first}.{key}") from error


def _add_steps(given: InputInfo, plan: Preparation, keys: Mapping[str, Any], letters: tuple[str, str]) -> None:
    layout, model_layout = letters
    given.tensor().set_layout(_named(layout))
    given.model().set_layout(_named(model_layout))
    if "type" in keys:
        given.tensor().set_element_type(getattr(ov.Type, str(keys["type"])))
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
    """Return RGBA of BGRA, and the other way round. OpenVINO's own step would put alpha first."""
    order = opset13.constant([2, 1, 0, 3], ov.Type.i64)
    return opset13.gather(node, order, opset13.constant(axis, ov.Type.i64)).output(0)


def _named(letters: str) -> ov.Layout:
    """Return OpenVINO's layout. Letters of our own are no names there: it takes `B` for the batch, as it does `N`."""
    return ov.Layout("[" + ",".join("?" if letter.islower() else letter for letter in letters) + "]")


def _plan(port: ov.Output, name: str, keys: Mapping[str, Any]) -> Preparation:
    """Return the steps in axes of the IR's layout. The channels are those of the layouts, else guessed from sizes."""
    shape = ir.dimensions(port.get_partial_shape())
    _check_type(port, name, keys)
    layout, model_layout = _letters(port, name, keys)
    transpose = tuple(layout.index(letter) for letter in model_layout)
    size: tuple[int, ...] = ()
    if "resize" in keys:
        size = tuple(_static_size(shape, model_layout, letter, name) for letter in "HW")
    mean, scale = tuple(keys.get("mean", ())), tuple(keys.get("scale", ()))
    per_channel = max(len(mean), len(scale)) > 1
    channels = layout.index("C") if "C" in layout and (per_channel or keys.get("reverse-channels")) else -1
    if keys.get("reverse-channels"):
        _check_colours(shape, model_layout, name)
    return Preparation(
        resize=str(keys.get("resize", "")),
        size=size,
        axes=tuple(layout.index(letter) for letter in "HW") if size else (),
        reverse=channels if keys.get("reverse-channels") else -1,
        colours=shape[model_layout.index("C")] if keys.get("reverse-channels") else 0,
        mean=mean,
        scale=scale,
        channels=channels if per_channel else -1,
        transpose=transpose if layout != model_layout else (),
        type=port.get_element_type().to_string(),
        shape=shape,
    )


def _letters(port: ov.Output, name: str, keys: Mapping[str, Any]) -> tuple[str, str]:
    """Return the IR's layout and the source's: every dimension has a letter, those that nobody named one of their own.

    Raises:
        ActionError: a layout does not fit the input.
    """
    shape = ir.dimensions(port.get_partial_shape())
    written, model = keys.get("layout"), keys.get("model-layout")
    model = model or _source_layout(shape, keys, name) or written or _unnamed(len(shape))
    layout = written or model
    for key, letters in (("layout", layout), ("model-layout", model)):
        if len(letters) != len(shape) and key in keys:
            message = f"`{letters}` has {len(letters)} dimensions, input `{name}` has {len(shape)}: {list(shape)}"
            raise ActionError("layout-rank", message, setting=f"inputs.{name}.{key}")
    if sorted(layout) != sorted(model):
        message = f"`{layout}` is no rearrangement of `{model}`, which is taken to be the source's layout"
        hint = f'say which it is: `model-layout = "…"` in the table of input `{name}`'
        raise ActionError("layout-mismatch", message, setting=f"inputs.{name}.layout", help=hint)
    counts = {len(keys.get(key, ())) for key in ("mean", "scale")} - {0, 1}
    if "C" in model and counts and shape[model.index("C")] not in {*counts, -1}:
        key = "mean" if len(keys.get("mean", ())) > 1 else "scale"
        message = (
            f"`{key}` has {max(counts)} values, input `{name}` has {shape[model.index('C')]} channels in `{model}`"
        )
        raise ActionError("channel-count", message, setting=f"inputs.{name}.{key}")
    return layout, model


def _source_layout(shape: tuple[int, ...], keys: Mapping[str, Any], name: str) -> str:
    """Return the source's layout where the Ovfile leaves it open, "" if nothing asks for one."""
    per_channel = max(len(keys.get(key, ())) for key in ("mean", "scale"))
    if not ("layout" in keys or "resize" in keys) and (per_channel > 1 or keys.get("reverse-channels")):
        key = "mean" if len(keys.get("mean", ())) > 1 else "scale" if per_channel > 1 else "reverse-channels"
        axis = channel_axis(shape, per_channel, f"inputs.{name}.{key}") if per_channel > 1 else _colours(shape, name)
        letters = _unnamed(len(shape))
        return letters[:axis] + "C" + letters[axis + 1 :]
    return HABITUAL.get(len(shape), "")


def _colours(shape: tuple[int, ...], name: str) -> int:
    """Return the axis whose channels are reversed: the last or the second, if it is as long as pixels have colours."""
    for axis in (len(shape) - 1, 1):
        if 0 <= axis < len(shape) and shape[axis] in COLOURS:
            return axis
    message = f"cannot tell the channels of input `{name}` {list(shape)}"
    hint = 'say where they are: `model-layout = "NHWC"`'
    raise ActionError("channel-count", message, setting=f"inputs.{name}.reverse-channels", help=hint)


def _check_colours(shape: tuple[int, ...], model_layout: str, name: str) -> None:
    """Refuse to reverse what has no order of colours.

    Raises:
        ActionError: the channels are not three, or four with alpha; or nothing says where they are.
    """
    setting = f"inputs.{name}.reverse-channels"
    if "C" not in model_layout:
        message = f"`{model_layout}` of input `{name}` has no channels `C` to reverse"
        raise ActionError("channel-count", message, setting=setting, help='name them: `model-layout = "NHWC"`')
    count = shape[model_layout.index("C")]
    if count not in (RGB, RGBA):
        has = "an open number of channels" if count == -1 else f"{count} channel{'' if count == 1 else 's'}"
        message = f"input `{name}` {list(shape)} has {has}, and colours to reverse are 3, or 4 with alpha"
        hint = "give their number in `shape`" if count == -1 else "take `reverse-channels` out"
        if count > RGBA:
            hint = 'take it out, or say where the channels are: `model-layout = "NHWC"`'
        raise ActionError("channel-count", message, setting=setting, help=hint)


def _unnamed(rank: int) -> str:
    """Return letters that mean nothing in particular, but the first of several: a batch."""
    return ("N" + "abdefgijklmo"[: rank - 1]) if rank > 1 else "a"[:rank]


def _static_size(shape: tuple[int, ...], layout: str, letter: str, name: str) -> int:
    if letter not in layout or shape[layout.index(letter)] == -1:
        message = f"`resize` needs a height and a width to resize to, and input `{name}` has {list(shape)}"
        hint = "give them in `shape`; the layout says which dimensions they are"
        raise ActionError("resize-shape", message, setting=f"inputs.{name}.resize", help=hint)
    return shape[layout.index(letter)]


def _check_type(port: ov.Output, name: str, keys: Mapping[str, Any]) -> None:
    kind = port.get_element_type()
    for key in ("mean", "scale", "resize"):
        if key in keys and not kind.is_real():
            message = f"input `{name}` takes {kind.to_string()}, `{key}` needs a floating-point input"
            raise ActionError("needs-float", message, setting=f"inputs.{name}.{key}")
    if "type" in keys and "string" in {kind.to_string(), keys["type"]}:
        message = f"input `{name}` takes {kind.to_string()}, which no `type` can replace"
        raise ActionError("needs-float", message, setting=f"inputs.{name}.type")
