"""Read the settings of integer precisions, and check which of them go together.

    quantization_of(own, problems) -> Quantization
    weights_of(own, precision, problems) -> WeightCompression | None

*quantize* checks whether a model has the layers that `ignored` names.
"""

from __future__ import annotations

from ovmake.ovfile.meaning.reading import read
from ovmake.ovfile.meaning.settings import Settings
from ovmake.ovfile.problems import Also, Problem, Problems, bad_value
from ovmake.ovfile.schema.compression import FourBits, Ignored, Quantization, WeightCompression

BITS = {"int8-weights": "int8", "int4-weights": "int4"}


def quantization_of(own: Settings, problems: Problems) -> Quantization:
    """Return the settings of INT8, and report settings that others make useless."""
    found = read(Quantization, own)
    _check_effect(own, found, problems)
    _check_search(own, found, problems)
    return found


def _check_search(own: Settings, found: Quantization, problems: Problems) -> None:
    """Report limits without a search, and a search without a gate."""
    if found.on_drop == "fail":
        for key in (key for key in ("max-evaluations", "max-minutes") if own.origin(key)):
            message = f'`{key}` limits the search for layers to revert to float, which needs `on-drop = "mixed"`'
            hint = 'add `on-drop = "mixed"`, or remove it'
            at = own.origins[key]
            problems.add(Problem(code="without-effect", at=at, on="key", message=message, help=hint))
    elif own.get("accuracy") is False:
        problems.add(
            Problem(
                code="without-effect",
                at=own.origins["on-drop"],
                message="the gate is off, so no layer is ever reverted to float",
                also=Also(at=own.origins["accuracy"], text="switched off here"),
                help="set a gate under `accuracy`, or remove `on-drop`",
            )
        )


def weights_of(own: Settings, precision: str, problems: Problems) -> WeightCompression | None:
    """Return the settings of weight compression, None for a precision without it."""
    if precision not in BITS:
        return None
    cls = FourBits if precision == "int4-weights" else WeightCompression  # NNCF refuses the other settings for 8 bits
    found = read(cls, own, bits=BITS[precision], ignored=read(Ignored, own, "ignored"))
    if isinstance(found, FourBits):
        _check_zeros(own, found, problems)
    return found


def _check_zeros(own: Settings, found: FourBits, problems: Problems) -> None:
    if found.group_size == 0:
        hint = "leave it out for 128; -1 groups all weights of a channel"
        problems.add(bad_value("0: no weight would have a scale", "", own.origins["group-size"], hint=hint))
    if found.ratio == 0:  # NNCF computes `ratio or 1`
        hint = "for no weights in 4 bits, use the precision `int8-weights`"
        problems.add(bad_value("0, which NNCF reads as 1", "", own.origins["ratio"], hint=hint))


def _check_effect(own: Settings, found: Quantization, problems: Problems) -> None:
    alphas = [key for key in ("convolution", "matmul") if own.origin("smooth-quant", key)]
    if alphas and found.model_type is None:
        problems.add(
            Problem(
                code="without-effect",
                at=own.origins[f"smooth-quant.{alphas[0]}"],
                on="key",
                message="SmoothQuant is for transformers, so its alphas have no effect here",
                help='add `model-type = "transformer"`, or remove the alphas',
            )
        )
    if not found.bias_correction and own.origin("fast-bias-correction"):
        problems.add(
            Problem(
                code="without-effect",
                at=own.origins["fast-bias-correction"],
                on="key",
                message="`bias-correction` is off, so `fast-bias-correction` has no effect",
                also=Also(at=own.origins["bias-correction"], text="switched off here"),
                help="remove one of the two",
            )
        )
