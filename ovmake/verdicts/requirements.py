"""Requirements: what an IR must reach beside its accuracy, and whether it does. Pure.

    judge(wanted, measurement, why) -> tuple      one `JudgedRequirement` per requirement
    judge_size(most, size_bytes)                  the one that is known before anything is measured

Rule: the median decides. Where the range around it holds what is wanted, another measurement might say the opposite,
and the result is called not decided.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from ovmake.contracts.files.measurement import Measurement
from ovmake.contracts.files.requirements import Requirement, Result
from ovmake.units import digits, size_in_words

PASSED: Final = "passed"
MISSED: Final = "missed"
NOT_MEASURED: Final = "not-measured"


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedRequirement:
    """A requirement and what became of it. `name` is its key; `wanted` and `measured` are words."""

    name: str
    wanted: str
    measured: str
    result: Result
    decided: bool = True
    reason: str = ""

    @property
    def text(self) -> str:
        """The whole sentence, without a final period."""
        if self.result == NOT_MEASURED:
            return f"{self.name} is not measured: {self.reason}; {self.wanted} wanted"
        doubt = "" if self.decided else f"; not decided, for {self.reason}"
        return f"{self.name} is {self.measured}, {self.wanted} wanted{doubt}"

    @property
    def told(self) -> Requirement:
        """What a file says of it."""
        return Requirement(
            name=self.name,
            wanted=self.wanted,
            measured=self.measured,
            result=self.result,
            decided=self.decided,
            text=self.text,
        )


def judge_size(most: int, size_bytes: int) -> JudgedRequirement:
    """Return whether an IR is small enough."""
    return JudgedRequirement(
        name="size",
        wanted=f"at most {size_in_words(most)}",
        measured=size_in_words(size_bytes),
        result=PASSED if size_bytes <= most else MISSED,
    )


def unmade_size(most: int) -> JudgedRequirement:
    """Return that there is nothing to weigh."""
    wanted = f"at most {size_in_words(most)}"
    return JudgedRequirement(
        name="size", wanted=wanted, measured="not measured", result=NOT_MEASURED, reason="there is no IR"
    )


def judge(wanted: Mapping[str, float], measurement: Measurement | None, why: str = "") -> tuple[JudgedRequirement, ...]:
    """Return what became of each requirement, by key; `why` says why there is no measurement."""
    return tuple(_judge(FIGURES[name], name, value, measurement, why) for name, value in wanted.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Figure:
    """The figure that a requirement is about. `most`: it may be no more, else no less; `name` is a side's field."""

    name: str
    of: Callable[[Measurement], float | None]
    words: Callable[[float], str]
    most: bool
    unit: float = 1.0

    def bound(self, wanted: float) -> str:
        return f"at {'most' if self.most else 'least'} {self.words(wanted)}"

    def keeps(self, value: float, wanted: float) -> bool:
        return value <= wanted if self.most else value >= wanted


def _times(value: float) -> str:
    return f"{value:.2f} times as fast as TensorFlow"


def _ms(value: float) -> str:
    return f"{digits(value)} ms"


def _rate(value: float) -> str:
    return f"{digits(value)} samples per second"


FIGURES = {
    "speedup": _Figure(name="speedup", of=lambda found: found.speedup.median, words=_times, most=False),
    "p95-ms": _Figure(
        name="latency_p95_us", of=lambda found: found.openvino.latency_p95_us, words=_ms, most=True, unit=1000.0
    ),
    "throughput": _Figure(
        name="throughput_per_second", of=lambda found: found.openvino.throughput_per_second, words=_rate, most=False
    ),
    "memory": _Figure(
        name="peak_memory_bytes", of=lambda found: found.openvino.peak_memory_bytes, words=size_in_words, most=True
    ),
}


def _judge(figure: _Figure, name: str, wanted: float, measurement: Measurement | None, why: str) -> JudgedRequirement:
    bound = figure.bound(wanted)
    found = figure.of(measurement) if measurement else None
    if measurement is None or found is None:
        missing = measurement.openvino.missing.get(figure.name, "") if measurement else ""
        reason = missing or why or "the measurement does not say why"
        return JudgedRequirement(name=name, wanted=bound, measured="not measured", result=NOT_MEASURED, reason=reason)
    value = found / figure.unit
    doubts = _doubts(measurement, wanted) if name == "speedup" else _labels(measurement)
    return JudgedRequirement(
        name=name,
        wanted=bound,
        measured=figure.words(value),
        result=PASSED if figure.keeps(value, wanted) else MISSED,
        decided=not doubts,
        reason=doubts,
    )


def _doubts(measurement: Measurement, wanted: float) -> str:
    """Return why the speed-up decides nothing, "" if it does."""
    low, high = measurement.speedup.low, measurement.speedup.high
    held = f"the range of {low:.2f} to {high:.2f} holds what is wanted" if low <= wanted <= high else ""
    return held and ", and ".join(filter(None, (held, _labels(measurement))))


def _labels(measurement: Measurement) -> str:
    if measurement.loaded:
        return "others used the processor meanwhile"
    return "the inter-core latency was high meanwhile" if measurement.high_latency else ""
