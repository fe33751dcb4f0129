"""What the keys for precisions in integers mean, and which of them go together.

    quantization_of(own, problems) -> Quantization
    weights_of(own, precision, problems) -> WeightCompression | None

Whether a model has what `ignored` names is *quantize*'s business.
"""

from __future__ import annotations

from ovmake.ovfile.meaning.settings import Settings
from ovmake.ovfile.problems import Also, Problem, Problems, bad_value
from ovmake.ovfile.spec import (
    DEFAULT_GROUP_SIZE_FALLBACK,
    DEFAULT_MAX_EVALUATIONS,
    DEFAULT_PRESET,
    DEFAULT_SAMPLES,
    DEFAULT_WEIGHTS_MODE,
    AccuracyControl,
    Ignored,
    Quantization,
    WeightCompression,
)

BITS = {"int8-weights": "int8", "int4-weights": "int4"}


def quantization_of(own: Settings, problems: Problems) -> Quantization:
    """Return what the Ovfile says about INT8, and report settings that do nothing beside others."""
    _check_effect(own, problems)
    return Quantization(
        calibration=own.text("calibration", default=""),
        samples=own.whole("samples") or DEFAULT_SAMPLES,
        preset=own.text("preset", default=DEFAULT_PRESET),
        model_type=own.text("model-type", default="") or None,
        ignored=_ignored(own),
        smooth_quant=_alphas(own),
        bias_correction=own.get("bias-correction") is not False,
        fast_bias_correction=own.get("fast-bias-correction") is not False,
        overflow_fix=own.text("overflow-fix", default="") or None,
        control=_control(own, problems),
    )


def _control(own: Settings, problems: Problems) -> AccuracyControl | None:
    limits = [key for key in ("max-evaluations", "max-minutes") if own.origin(key)]
    if own.text("on-drop", default="fail") == "fail":
        for key in limits:
            message = f'`{key}` limits the search for layers to give back, which needs `on-drop = "mixed"`'
            hint = 'add `on-drop = "mixed"`, or take it out'
            at = own.origins[key]
            problems.add(Problem(code="without-effect", at=at, on="key", message=message, help=hint))
        return None
    if own.get("accuracy") is False:
        problems.add(
            Problem(
                code="without-effect",
                at=own.origins["on-drop"],
                message="the gate is off, so there is no drop at which layers could be given back",
                also=Also(at=own.origins["accuracy"], text="switched off here"),
                help="promise something under `accuracy`, or take `on-drop` out",
            )
        )
    minutes = own.get("max-minutes")
    return AccuracyControl(
        max_evaluations=own.whole("max-evaluations") or DEFAULT_MAX_EVALUATIONS,
        max_minutes=float(minutes) if isinstance(minutes, int | float) else None,
    )


def weights_of(own: Settings, precision: str, problems: Problems) -> WeightCompression | None:
    """Return what the Ovfile says about the weights of this precision, None of one that has none of these settings."""
    if precision not in BITS:
        return None
    mode = f"{BITS[precision]}-{own.text('mode', default=DEFAULT_WEIGHTS_MODE)}"
    if precision == "int8-weights":  # NNCF refuses the others
        return WeightCompression(mode=mode, ignored=_ignored(own))
    _check_zeros(own, problems)
    ratio = own.get("ratio")
    return WeightCompression(
        mode=mode,
        ignored=_ignored(own),
        group_size=own.whole("group-size"),
        ratio=float(ratio) if isinstance(ratio, int | float) else None,
        all_layers=own.get("all-layers") is True,
        backup_mode=own.text("backup-mode", default="") or None,
        group_size_fallback_mode=own.text("group-size-fallback-mode", default=DEFAULT_GROUP_SIZE_FALLBACK),
    )


def _check_zeros(own: Settings, problems: Problems) -> None:
    if own.whole("group-size") == 0:
        hint = "leave it out for 128; -1 takes all weights of a channel together"
        problems.add(bad_value("0: no weight would have a scale", "", own.origins["group-size"], hint=hint))
    if own.get("ratio") == 0:  # NNCF computes `ratio or 1`
        hint = "for no weight in 4 bits, take the precision `int8-weights`"
        problems.add(bad_value("0, which NNCF takes for 1", "", own.origins["ratio"], hint=hint))


def _ignored(own: Settings) -> Ignored:
    """The order in which they are written means nothing."""
    named = {key: tuple(sorted(set(own.strings("ignored", key, default=())))) for key in ("names", "types", "patterns")}
    return Ignored(**named)


def _alphas(own: Settings) -> tuple[tuple[str, float], ...] | None:
    if own.get("smooth-quant") is False:
        return None
    alphas = {kind: own.get("smooth-quant", kind) for kind in ("convolution", "matmul")}
    return tuple((kind, float(alpha)) for kind, alpha in alphas.items() if isinstance(alpha, int | float))


def _check_effect(own: Settings, problems: Problems) -> None:
    alphas = [kind for kind, _ in _alphas(own) or ()]
    if alphas and not own.origin("model-type"):
        problems.add(
            Problem(
                code="without-effect",
                at=own.origins[f"smooth-quant.{alphas[0]}"],
                on="key",
                message="SmoothQuant is for transformers, so its alphas do nothing here",
                help='say that the model is one: `model-type = "transformer"`, or take the alphas out',
            )
        )
    if own.get("bias-correction") is False and own.origin("fast-bias-correction"):
        problems.add(
            Problem(
                code="without-effect",
                at=own.origins["fast-bias-correction"],
                on="key",
                message="no bias is corrected here, so `fast-bias-correction` does nothing",
                also=Also(at=own.origins["bias-correction"], text="switched off here"),
                help="take one of the two out",
            )
        )
