"""Translate an Ovfile's quantization settings to NNCF's arguments.

    quantize_model(model, feeds, request) -> ov.Model        `nncf.quantize`, as *quantize* and accuracy control call it
    int8_options(model, request) -> {"preset": ..., ...}      its keyword arguments, less data and subset size
    weight_options(model, request) -> {"mode": ..., ...}      those of `nncf.compress_weights`
    ignored_scope(model, request) -> nncf.IgnoredScope | None

Every setting that does not fit this model is an error here, before any sample runs.

Rule 1: an absent param leaves NNCF's own default; the comments at ovmake's two own defaults give the reason.
Rule 2: an `ignored` entry that matches nothing is an error: otherwise a layer would be quantized against the user's
        intention.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import nncf
from nncf.quantization.advanced_parameters import (
    AdvancedCompressionParameters,
    AdvancedQuantizationParameters,
    AdvancedSmoothQuantParameters,
    GroupSizeFallbackMode,
    OverflowFix,
)

from ovmake.diagnostics import did_you_mean
from ovmake.errors import ActionError, message_of
from ovmake.workers.inputs.samples import Samples
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.matching.layer_map import Traced, trace

# Operations that cannot be in an ignored scope, because they cannot be quantized.
_NO_LAYERS = {"Constant", "Parameter", "Result"}
_SHOWN = 8


def quantize_model(model: Any, samples: Samples, request: Request) -> Any:
    """Return `model` quantized to INT8 with the request's params, calibrated on all of `samples`.

    The order of the samples changes the bytes, because NNCF computes running averages.

    Raises:
        ActionError: a setting does not fit the model, or NNCF cannot quantize it.
    """
    options = int8_options(model, request)
    data = nncf.Dataset(samples, lambda feed: feed.inputs)
    return _by_nncf(nncf.quantize, model, data, subset_size=len(samples), **options)


def compress_weights(model: Any, request: Request) -> Any:
    """Return `model` with its weights in 8 or 4 bits, with the request's params. It needs no data.

    Raises:
        ActionError: a setting does not fit the model, or NNCF cannot compress it.
    """
    return _by_nncf(nncf.compress_weights, model, **weight_options(model, request))


def _unscalable(model: Any) -> set[str]:
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


def _constant_shape(node: Any) -> list[int] | None:
    """Return the shape of a floating-point constant, also if it is stored in a different type; else None."""
    while node.get_type_name() == "Convert":
        node = node.input_value(0).get_node()
    is_real = node.get_type_name() == "Constant" and node.get_element_type().is_real()
    return list(node.get_shape()) if is_real else None


def _by_nncf(work: Any, *args: Any, **options: Any) -> Any:
    try:
        return work(*args, **options)
    except (nncf.ValidationError, nncf.ParameterNotSupportedError, nncf.UnsupportedModelError) as error:
        raise ActionError("cannot-quantize", f"NNCF cannot quantize the model: {message_of(error)}") from error


def int8_options(model: Any, request: Request) -> dict[str, Any]:
    """Return the arguments of `nncf.quantize`.

    Raises:
        ActionError: a setting does not fit the model.
    """
    params = request.params
    options: dict[str, Any] = {
        "preset": nncf.QuantizationPreset(str(params["preset"])),
        "target_device": nncf.TargetDevice(str(params.get("target-device", "ANY"))),
        "fast_bias_correction": params.get("fast-bias-correction") is not False,
    }
    # NNCF writes its arguments into the IR, so absent ones are not passed.
    if (advanced := _advanced(params)) != AdvancedQuantizationParameters():
        options["advanced_parameters"] = advanced
    if "model-type" in params:
        options["model_type"] = nncf.ModelType(str(params["model-type"]))
    if (scope := ignored_scope(model, request)) is not None:
        options["ignored_scope"] = scope
    return options


def weight_options(model: Any, request: Request) -> dict[str, Any]:
    """Return the arguments of `nncf.compress_weights`.

    Raises:
        ActionError: a setting does not fit the model.
    """
    params = request.params
    options: dict[str, Any] = {"mode": nncf.CompressWeightsMode(_word(params["mode"]))}
    for name in ("ratio", "group-size", "all-layers"):
        if name in params:
            options[_word(name)] = params[name]
    if "backup-mode" in params:
        options["backup_mode"] = nncf.BackupMode(_word(params["backup-mode"]))
    if "group-size-fallback-mode" in params:
        fallback = GroupSizeFallbackMode(_word(params["group-size-fallback-mode"]))
        options["advanced_parameters"] = AdvancedCompressionParameters(group_size_fallback_mode=fallback)
    scope = ignored_scope(model, request)
    if left := _unscalable(model):
        named, types = ([], []) if scope is None else (scope.names, scope.types)
        scope = nncf.IgnoredScope(names=sorted({*named, *left}), types=types, validate=False)
    if scope is not None:
        options["ignored_scope"] = scope
    return options


def _word(value: object) -> str:
    """Return NNCF's spelling of a word: `int4_asym` for `int4-asym`."""
    return str(value).replace("-", "_")


def _advanced(params: Mapping[str, object]) -> AdvancedQuantizationParameters:
    advanced = AdvancedQuantizationParameters(disable_bias_correction=params.get("bias-correction") is False)
    if "overflow-fix" in params:
        advanced.overflow_fix = OverflowFix(_word(params["overflow-fix"]))
    if params.get("smooth-quant") is False:
        advanced.smooth_quant_alphas = AdvancedSmoothQuantParameters(convolution=-1, matmul=-1)
    for kind in ("convolution", "matmul"):
        if isinstance(alpha := params.get(f"smooth-quant.{kind}"), int | float):
            setattr(advanced.smooth_quant_alphas, kind, alpha)
    return advanced


# what is left alone


def ignored_scope(model: Any, request: Request) -> Any:
    """Return the scope of `model` that NNCF ignores, None if the params name nothing.

    Names and patterns are of IR operations, or of layers of the source; layers are mapped to the operations that
    compute them.

    Raises:
        ActionError: a name, type or pattern matches nothing in this model.
    """
    names = _words(request, "ignored.names")
    patterns = _words(request, "ignored.patterns")
    types = _words(request, "ignored.types")
    if not (names or patterns or types):
        return None
    operations = {op.get_friendly_name(): op.get_type_name() for op in model.get_ordered_ops()}
    operations = {name: type_ for name, type_ in operations.items() if type_ not in _NO_LAYERS}
    _check_types(types, set(operations.values()))
    found = {name for name in names if name in operations}
    unknown = [name for name in names if name not in operations]
    if unknown or patterns:
        traced = trace(model, request)
        found = found.union(*(_of_layer(name, traced) for name in unknown))
        found = found.union(*(_matching(pattern, traced, operations) for pattern in patterns))
    # NNCF's own check would refuse operations that its graph lacks, such as one on weights. They were checked above.
    return nncf.IgnoredScope(names=sorted(found), types=types, validate=False)


def _words(request: Request, name: str) -> list[str]:
    value = request.params.get(name)
    return [str(word) for word in value] if isinstance(value, list | tuple) else []


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
