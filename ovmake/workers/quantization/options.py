"""Translate an Ovfile's quantization settings to NNCF's arguments.

    quantize_model(model, feeds, asked, find) -> ov.Model    `nncf.quantize`, as *quantize* and accuracy control call it
    int8_options(model, asked, find) -> {"preset": ..., ...}      its keyword arguments, less data and subset size
    weight_options(model, asked, find) -> {"mode": ..., ...}      those of `nncf.compress_weights`
    ignored_scope(model, asked, find) -> nncf.IgnoredScope | None

Every setting that does not fit this model is an error here, before any sample runs.

Rule 1: an absent param leaves NNCF's own default; the comments at ovmake's two own defaults give the reason.
Rule 2: an `ignored` entry that matches nothing is an error: otherwise a layer would be quantized against the user's
        intention.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

import nncf
import openvino as ov
from nncf.quantization.advanced_parameters import (
    AdvancedCompressionParameters,
    AdvancedQuantizationParameters,
    AdvancedSmoothQuantParameters,
    GroupSizeFallbackMode,
    OverflowFix,
)

from ovmake.contracts.params.quantization import IgnoredParams, QuantizationParams, WeightParams
from ovmake.diagnostics import did_you_mean
from ovmake.errors import ActionError, message_of
from ovmake.workers.inputs.samples import Samples
from ovmake.workers.matching.layer_map import Traced

# Operations that cannot be in an ignored scope, because they cannot be quantized.
_NO_LAYERS = {"Constant", "Parameter", "Result"}
_SHOWN = 8

# Finds the layers of the source in a model (`layer_map.trace`). It converts the source once more: only where needed.
Find = Callable[["ov.Model"], Traced]


def quantize_model(model: ov.Model, samples: Samples, asked: QuantizationParams, find: Find) -> ov.Model:
    """Return `model` quantized to INT8 by the settings in `asked`, calibrated on all of `samples`.

    The order of the samples changes the bytes, because NNCF computes running averages.

    Raises:
        ActionError: a setting does not fit the model, or NNCF cannot quantize it.
    """
    options = int8_options(model, asked, find)
    data = nncf.Dataset(samples, lambda feed: feed.inputs)
    with _refusals():
        return nncf.quantize(model, data, subset_size=len(samples), **options)


def compress_weights(model: ov.Model, asked: WeightParams, find: Find) -> ov.Model:
    """Return `model` with weights in 8 or 4 bits, by the settings in `asked`. It needs no data.

    Raises:
        ActionError: a setting does not fit the model, or NNCF cannot compress it.
    """
    options = weight_options(model, asked, find)
    with _refusals():
        return nncf.compress_weights(model, **options)


def _unscalable(model: ov.Model) -> set[str]:
    """Return the operations on a constant for which NNCF finds no axis to scale along, and fails.

    These are tables of single numbers ([10000], of a Gather), where each number would need a scale, and empty
    constants. They stay in floating point, like all constants that are not weights of a layer.
    """
    found = set()
    for op in model.get_ordered_ops():
        for place, value in enumerate(op.input_values()):
            shape = _constant_shape(value.get_node())
            table = op.get_type_name() == "Gather" and place == 0 and shape is not None and len(shape) < 2  # noqa: PLR2004
            if table or (shape is not None and 0 in shape):
                found.add(op.get_friendly_name())
    return found


def _constant_shape(node: ov.Node) -> list[int] | None:
    """Return the shape of a floating-point constant, also if it is stored in a different type; else None."""
    while node.get_type_name() == "Convert":
        node = node.input_value(0).get_node()
    is_real = node.get_type_name() == "Constant" and node.get_element_type().is_real()
    return list(node.get_shape()) if is_real else None


@contextlib.contextmanager
def _refusals() -> Iterator[None]:
    """Turn NNCF's refusals into errors of the action."""
    try:
        yield
    except (nncf.ValidationError, nncf.ParameterNotSupportedError, nncf.UnsupportedModelError) as error:
        raise ActionError("cannot-quantize", f"NNCF cannot quantize the model: {message_of(error)}") from error


def int8_options(model: ov.Model, asked: QuantizationParams, find: Find) -> dict[str, object]:
    """Return the arguments of `nncf.quantize`.

    Raises:
        ActionError: a setting does not fit the model.
    """
    options: dict[str, object] = {
        "preset": nncf.QuantizationPreset(asked.preset),
        "target_device": nncf.TargetDevice(asked.target_device or "ANY"),
        "fast_bias_correction": asked.fast_bias_correction,
    }
    # NNCF writes its arguments into the IR, so absent ones are not passed.
    if (advanced := _advanced(asked)) != AdvancedQuantizationParameters():
        options["advanced_parameters"] = advanced
    if asked.model_type is not None:
        options["model_type"] = nncf.ModelType(asked.model_type)
    if (scope := ignored_scope(model, asked.ignored, find)) is not None:
        options["ignored_scope"] = scope
    return options


def weight_options(model: ov.Model, asked: WeightParams, find: Find) -> dict[str, object]:
    """Return the arguments of `nncf.compress_weights`.

    Raises:
        ActionError: a setting does not fit the model.
    """
    options: dict[str, object] = {"mode": nncf.CompressWeightsMode(_word(asked.mode))}
    # NNCF writes its arguments into the IR, so only the Ovfile's settings are passed.
    given = {"ratio": asked.ratio, "group_size": asked.group_size, "all_layers": asked.all_layers or None}
    options |= {name: value for name, value in given.items() if value is not None}
    if asked.backup_mode is not None:
        options["backup_mode"] = nncf.BackupMode(_word(asked.backup_mode))
    if asked.group_size_fallback_mode is not None:
        fallback = GroupSizeFallbackMode(_word(asked.group_size_fallback_mode))
        options["advanced_parameters"] = AdvancedCompressionParameters(group_size_fallback_mode=fallback)
    scope = ignored_scope(model, asked.ignored, find)
    if left := _unscalable(model):
        named, types = ([], []) if scope is None else (scope.names, scope.types)
        scope = nncf.IgnoredScope(names=sorted({*named, *left}), types=types, validate=False)
    if scope is not None:
        options["ignored_scope"] = scope
    return options


def _word(value: str) -> str:
    """Return NNCF's spelling of a word: `int4_asym` for `int4-asym`."""
    return value.replace("-", "_")


def _advanced(asked: QuantizationParams) -> AdvancedQuantizationParameters:
    advanced = AdvancedQuantizationParameters(disable_bias_correction=not asked.bias_correction)
    if asked.overflow_fix is not None:
        advanced.overflow_fix = OverflowFix(_word(asked.overflow_fix))
    smooth = asked.smooth_quant
    if smooth is False:
        advanced.smooth_quant_alphas = AdvancedSmoothQuantParameters(convolution=-1, matmul=-1)
        return advanced
    if smooth.convolution is not None:
        advanced.smooth_quant_alphas.convolution = smooth.convolution
    if smooth.matmul is not None:
        advanced.smooth_quant_alphas.matmul = smooth.matmul
    return advanced


# layers that stay in floating point


def ignored_scope(model: ov.Model, asked: IgnoredParams, find: Find) -> nncf.IgnoredScope | None:
    """Return the scope that NNCF ignores in `model`, None if nothing is named.

    Names and patterns are of IR operations, or of layers of the source; layers are mapped to the operations that
    compute them.

    Raises:
        ActionError: a name, type or pattern matches nothing in this model.
    """
    names, patterns, types = asked.names, asked.patterns, list(asked.types)
    if not (names or patterns or types):
        return None
    operations = {op.get_friendly_name(): op.get_type_name() for op in model.get_ordered_ops()}
    operations = {name: type_ for name, type_ in operations.items() if type_ not in _NO_LAYERS}
    _check_types(types, set(operations.values()))
    found = {name for name in names if name in operations}
    unknown = [name for name in names if name not in operations]
    if unknown or patterns:
        traced = find(model)
        found = found.union(*(_of_layer(name, traced) for name in unknown))
        found = found.union(*(_matching(pattern, traced, operations) for pattern in patterns))
    # NNCF's own check would refuse operations that its graph lacks, such as one on weights. They were checked above.
    return nncf.IgnoredScope(names=sorted(found), types=types, validate=False)


def _check_types(types: Iterable[str], known: Collection[str]) -> None:
    for type_ in types:
        if type_ not in known:
            listed = _listed(sorted(known))
            hint = did_you_mean(type_, sorted(known)) or f"this model has {listed}"
            message = f"the model has no operation of type `{type_}`"
            raise ActionError("unknown-operation-type", message, setting="ignored.types", help=hint)


def _of_layer(name: str, traced: Traced) -> frozenset[str]:
    inside = traced.of_layer(name, "ignored.names")
    if not inside:
        message = f"layer `{name}` has no operation of its own in the IR, so it cannot be ignored"
        raise ActionError("unknown-layer", message, setting="ignored.names", help="remove the name")
    return inside


def _matching(pattern: str, traced: Traced, operations: Collection[str]) -> frozenset[str]:
    """Return the operations whose whole name, or whose layer's whole name, matches a pattern."""
    fits = re.compile(pattern).fullmatch
    named = {name for name in operations if fits(name)}
    found = named | traced.of_names({name for name in traced.names if fits(name)})
    if not found:
        message = f"the pattern `{pattern}` matches no whole name of a layer or of an operation of the IR"
        hint = "`ovmake inspect MODEL` lists the layers; `.*` stands for any characters"
        raise ActionError("unknown-layer", message, setting="ignored.patterns", help=hint)
    return frozenset(found)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:_SHOWN])
    return shown + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
