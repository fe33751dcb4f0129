"""Is an IR of reduced precision faster than the FP32 one, and if it is slower, why that may be. Pure.

judge(comparison, precision) -> SpeedVerdict
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ovmake.verdicts.intervals import Interval, ratio_of

# An inference of less than this is mostly overhead: of starting layers, and of converting between their types.
SHORT_US = 100.0


# With a larger share of layers in floating point, the conversions between them and the INT8 ones weigh.
PATCHY = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedVerdict:
    """Whether an IR is slower than its FP32 sibling; `speed` is None where there were too few rounds to tell.

    `reasons` are likely ones, from facts about the processor, the IR and its interface; only where it is slower.
    """

    slower: bool
    speed: Interval | None
    reasons: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return the content of the check's output."""
        speed = None if self.speed is None else self.speed.to_json()
        return {"format": 1, "slower": self.slower, "speed": speed, "reasons": list(self.reasons)}


def judge(comparison: Mapping[str, object], precision: str) -> SpeedVerdict:
    """Return the verdict over what `workers.measurement.ir_timing.compare_speed` measured.

    Slower means that the whole range of the ratio is below 1: a restless machine shows as a wide range, and no warning.
    """
    rounds = comparison.get("rounds")
    speed = ratio_of(rounds if isinstance(rounds, list) else [], slow="fp32", fast="ir")
    if speed is None or not speed.clearly_slower:
        return SpeedVerdict(slower=False, speed=speed)
    return SpeedVerdict(slower=True, speed=speed, reasons=_reasons(comparison, precision))


def _reasons(comparison: Mapping[str, object], precision: str) -> tuple[str, ...]:
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
    return "only weights are reduced; they are unpacked to floating point, which is what the layers compute in"


def _no_instructions(comparison: Mapping[str, object]) -> str:
    # An empty list: the processor was asked and has none. None: nobody knows.
    if comparison.get("int8_instructions") != []:
        return ""
    return "this CPU has no instructions for INT8 products (VNNI or AMX on x86, dot product on Arm)"


def _islands(comparison: Mapping[str, object]) -> str:
    executed, conversions = comparison.get("executed"), comparison.get("conversions")
    if not isinstance(executed, dict) or not isinstance(conversions, int) or not executed:
        return ""
    total = sum(executed.values())
    floats = total - sum(executed.get(name, 0) for name in ("i8", "u8"))
    # One conversion is that of the input.
    if conversions <= 1 or floats / total <= PATCHY:
        return ""
    return (
        f"{floats} of {total} layers compute in floating point, and activations are made INT8 in {conversions} places"
    )


def _dynamic(comparison: Mapping[str, object]) -> str:
    names = comparison.get("dynamic_inputs")
    if not isinstance(names, list) or not names:
        return ""
    listed = ", ".join(f"`{name}`" for name in names[:3]) + (", …" if names[3:] else "")
    return f"the shape of {listed} is dynamic, so kernels are chosen while it runs; `batch` or `shape` fixes it"


def _short(comparison: Mapping[str, object]) -> str:
    rounds = comparison.get("rounds")
    times = [times["ir"] for times in rounds] if isinstance(rounds, list) else []
    if not times or (shortest := min(times)) >= SHORT_US:
        return ""
    return f"an inference takes {shortest:.0f} µs, which leaves little to gain over what starting its layers takes"
