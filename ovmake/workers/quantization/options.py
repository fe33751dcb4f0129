"""What an Ovfile says about quantization, in NNCF's words.

    quantize_model(model, feeds, request) -> ov.Model        `nncf.quantize`, as *quantize* and accuracy control call it
    int8_options(model, request) -> {"preset": ..., ...}      its keyword arguments, less data and subset size
    weight_options(model, request) -> {"mode": ..., ...}      those of `nncf.compress_weights`
    ignored_scope(model, request) -> nncf.IgnoredScope | None

Everything that the Ovfile gets wrong about this model is found here, before any sample is run.

Rule 1: a param that is absent leaves NNCF's own default alone; the two defaults that are ours say why.
Rule 2: `ignored` that matches nothing is an error: a layer that was to stay in floating point would be quantized.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import nncf
import openvino as ov
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

# What a scope can leave alone: the rest of an IR is nothing that could be quantized.
_NO_LAYERS = {"Constant", "Parameter", "Result"}
_SHOWN = 8


def quantize_model(model: ov.Model, samples: Samples, request: Request) -> ov.Model:
    """Return `model` quantized to INT8 as the request's params say, calibrated on all of `samples`.

    The order of the samples matters to the bytes: NNCF averages as it goes.

    Raises:
        ActionError: a setting does not fit the model, or NNCF cannot quantize it.
    """
    options = int8_options(model, request)
    data = nncf.Dataset(samples, lambda feed: feed.inputs)
    with _refusals():
        return nncf.quantize(model, data, subset_size=len(samples), **options)


def compress_weights(model: ov.Model, request: Request) -> ov.Model:
    """Return `model` with its weights in 8 or 4 bits as the request's params say. It needs no data.

    Raises:
        ActionError: a setting does not fit the model, or NNCF cannot compress it.
    """
    options = weight_options(model, request)
    with _refusals():
        return nncf.compress_weights(model, **options)


def _unscalable(model: ov.Model) -> set[str]:
    """Return the operations on a constant for which NNCF finds no axis to scale along, and fails.

    That is a table of single numbers ([10000], of a Gather), where each number would need a scale; and what is empty.
    Such constants stay in floating point, as all do that are no weights of a layer's.
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
    """Return the shape of a constant in floating point, which may be stored in another; None of anything else."""
    while node.get_type_name() == "Convert":
        node = node.input_value(0).get_node()
    is_real = node.get_type_name() == "Constant" and node.get_element_type().is_real()
    return list(node.get_shape()) if is_real else None


@contextlib.contextmanager
def _refusals() -> Iterator[None]:
    """Tell what NNCF says no to as an error of the action."""
    try:
        yield
    except (nncf.ValidationError, nncf.ParameterNotSupportedError, nncf.UnsupportedModelError) as error:
        raise ActionError("cannot-quantize", f"NNCF refuses: {message_of(error)}") from error


def int8_options(model: ov.Model, request: Request) -> dict[str, object]:
    """Return how `nncf.quantize` is to be called.

    Raises:
        ActionError: a setting does not fit the model.
    """
    params = request.params
    options: dict[str, object] = {
        "preset": nncf.QuantizationPreset(str(params["preset"])),
        "target_device": nncf.TargetDevice(str(params.get("target-device", "ANY"))),
        "fast_bias_correction": params.get("fast-bias-correction") is not False,
    }
    # NNCF writes into the IR what it was given: nothing, where nothing was asked for.
    if (advanced := _advanced(params)) != AdvancedQuantizationParameters():
        options["advanced_parameters"] = advanced
    if "model-type" in params:
        options["model_type"] = nncf.ModelType(str(params["model-type"]))
    if (scope := ignored_scope(model, request)) is not None:
        options["ignored_scope"] = scope
    return options


def weight_options(model: ov.Model, request: Request) -> dict[str, object]:
    """Return how `nncf.compress_weights` is to be called.

    Raises:
        ActionError: a setting does not fit the model.
    """
    params = request.params
    options: dict[str, object] = {"mode": nncf.CompressWeightsMode(_word(params["mode"]))}
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
    """Return NNCF's spelling of a word: `int4-asym` is `int4_asym` there."""
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


def ignored_scope(model: ov.Model, request: Request) -> nncf.IgnoredScope | None:
    """Return what NNCF is to leave alone in `model`, None if the params name nothing.

    Names and patterns are of IR operations, or of layers of the source: those are traced to the operations that
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
    # NNCF's own check would refuse what its graph lacks, such as an operation on weights; ours is done.
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
        message = f"layer `{name}` has no operation of its own in the IR, so there is nothing to leave alone"
        raise ActionError("unknown-layer", message, setting="ignored.names", help="take the name out")
    return inside


def _matching(pattern: str, traced: Traced, operations: Collection[str]) -> frozenset[str]:
    """Return the operations whose whole name fits a pattern, or whose layer's does."""
    fits = re.compile(pattern).fullmatch
    named = {name for name in operations if fits(name)}
    found = named | traced.of_names({name for name in traced.names if fits(name)})
    if not found:
        message = f"the pattern `{pattern}` fits the whole name of no layer and of no operation of the IR"
        hint = "`ovmake inspect MODEL` lists the layers; `.*` stands for any characters"
        raise ActionError("unknown-layer", message, setting="ignored.patterns", help=hint)
    return frozenset(found)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:_SHOWN])
    return shown + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
