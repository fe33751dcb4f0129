"""What the keys for precisions in integers mean, and which of them go together.

    quantization_of(own, problems) -> Quantization
    weights_of(own, precision, problems) -> WeightCompression | None

Whether a model has what `ignored` names is *quantize*'s business.
"""

from __future__ import annotations

from ovmake.ovfile.meaning.reading import read
from ovmake.ovfile.meaning.settings import Settings
from ovmake.ovfile.problems import Also, Problem, Problems, bad_value
from ovmake.ovfile.schema.compression import FourBits, Ignored, Quantization, WeightCompression

BITS = {"int8-weights": "int8", "int4-weights": "int4"}


def quantization_of(own: Settings, problems: Problems) -> Quantization:
    """Return what the Ovfile says about INT8, and report settings that do nothing beside others."""
    found = read(Quantization, own)
    _check_effect(own, found, problems)
    _check_search(own, found, problems)
    return found


def _check_search(own: Settings, found: Quantization, problems: Problems) -> None:
    """Report limits of a search that is not made, and a search without anything to reach."""
    if found.on_drop == "fail":
        for key in (key for key in ("max-evaluations", "max-minutes") if own.origin(key)):
            message = f'`{key}` limits the search for layers to revert to float, which needs `on-drop = "mixed"`'
            hint = 'add `on-drop = "mixed"`, or take it out'
            at = own.origins[key]
            problems.add(Problem(code="without-effect", at=at, on="key", message=message, help=hint))
    elif own.get("accuracy") is False:
        problems.add(
            Problem(
                code="without-effect",
                at=own.origins["on-drop"],
                message="the gate is off, so there is no drop at which layers could be reverted to float",
                also=Also(at=own.origins["accuracy"], text="switched off here"),
                help="promise something under `accuracy`, or take `on-drop` out",
            )
        )


def weights_of(own: Settings, precision: str, problems: Problems) -> WeightCompression | None:
    """Return what the Ovfile says about the weights of this precision, None of one that has none of these settings."""
    if precision not in BITS:
        return None
    cls = FourBits if precision == "int4-weights" else WeightCompression  # of 8 bits, NNCF refuses the others
    found = read(cls, own, bits=BITS[precision], ignored=read(Ignored, own, "ignored"))
    if isinstance(found, FourBits):
        _check_zeros(own, found, problems)
    return found


def _check_zeros(own: Settings, found: FourBits, problems: Problems) -> None:
    if found.group_size == 0:
        hint = "leave it out for 128; -1 takes all weights of a channel together"
        problems.add(bad_value("0: no weight would have a scale", "", own.origins["group-size"], hint=hint))
    if found.ratio == 0:  # NNCF computes `ratio or 1`
        hint = "for no weight in 4 bits, take the precision `int8-weights`"
        problems.add(bad_value("0, which NNCF takes for 1", "", own.origins["ratio"], hint=hint))


def _check_effect(own: Settings, found: Quantization, problems: Problems) -> None:
    alphas = [key for key in ("convolution", "matmul") if own.origin("smooth-quant", key)]
    if alphas and found.model_type is None:
        problems.add(
            Problem(
                code="without-effect",
                at=own.origins[f"smooth-quant.{alphas[0]}"],
                on="key",
                message="SmoothQuant is for transformers, so its alphas do nothing here",
                help='say that the model is one: `model-type = "transformer"`, or take the alphas out',
            )
        )
    if not found.bias_correction and own.origin("fast-bias-correction"):
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
