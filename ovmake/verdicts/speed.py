"""Decide whether an IR of reduced precision is slower than the FP32 IR, and list likely reasons. Pure.

judge(comparison, precision) -> SpeedCheck
in_words(speed) -> "0.79 times as fast (0.78 to 0.80)"
"""

from __future__ import annotations

from ovmake.contracts.files.speed import SpeedCheck, SpeedComparison, SpeedRatio
from ovmake.verdicts.intervals import ratio_of

# A shorter inference is mostly overhead: starting layers, and converting between their types.
SHORT_US = 100.0


# With a larger share of layers in floating point, the conversions between them and the INT8 layers take much time.
PATCHY = 0.25


def judge(comparison: SpeedComparison, precision: str) -> SpeedCheck:
    """Return the verdict on the figures of `workers.measurement.ir_timing.compare_speed`.

    Slower means that the whole interval of the ratio is below 1. On a noisy machine the interval is wide, so there is
    no warning.
    """
    speed = ratio_of(comparison.rounds, slow="fp32", fast="ir")
    if speed is None or not speed.clearly_slower:
        return SpeedCheck(slower=False, speed=speed.rounded if speed else None)
    return SpeedCheck(slower=True, speed=speed.rounded, reasons=_reasons(comparison, precision))


def in_words(speed: SpeedRatio) -> str:
    """Return a ratio with its interval."""
    return f"{speed.median:.2f} times as fast ({speed.low:.2f} to {speed.high:.2f})"


def _reasons(comparison: SpeedComparison, precision: str) -> tuple[str, ...]:
    found = (
        _unpacking(precision),
        _no_instructions(comparison) if precision == "int8" else "",
        _islands(comparison) if precision == "int8" else "",
        _dynamic(comparison),
        _short(comparison),
    )
    return tuple(filter(None, found))


def _unpacking(precision: str) -> str:
    if not precision.endswith("-weights"):
        return ""
    return "only weights are reduced: the layers unpack them, and compute in floating point"


def _no_instructions(comparison: SpeedComparison) -> str:
    # Empty: the processor has none. None: unknown.
    if comparison.int8_instructions != ():
        return ""
    return "this CPU has no instructions for INT8 products (VNNI or AMX on x86, dot product on Arm)"


def _islands(comparison: SpeedComparison) -> str:
    executed, conversions = comparison.executed, comparison.conversions
    if not executed:
        return ""
    total = sum(executed.values())
    floats = total - sum(executed.get(name, 0) for name in ("i8", "u8"))
    # One conversion is for the input.
    if conversions <= 1 or floats / total <= PATCHY:
        return ""
    return (
        f"{floats} of {total} layers compute in floating point, and activations are converted to INT8 "
        f"in {conversions} places"
    )


def _dynamic(comparison: SpeedComparison) -> str:
    names = comparison.dynamic_inputs
    if not names:
        return ""
    listed = ", ".join(f"`{name}`" for name in names[:3]) + (", …" if names[3:] else "")
    return f"the shape of {listed} is dynamic, so kernels are chosen at run time; `batch` or `shape` fixes it"


def _short(comparison: SpeedComparison) -> str:
    times = [times["ir"] for times in comparison.rounds]
    if not times or (shortest := min(times)) >= SHORT_US:
        return ""
    return f"an inference takes {shortest:.0f} µs, and much of it is the overhead of starting layers"
