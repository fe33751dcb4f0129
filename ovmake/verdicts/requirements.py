"""Judge an IR by the requirements besides accuracy: size, speed-up, latency, throughput, memory. Pure.

    judge(wanted, measurement, why) -> tuple      one `JudgedRequirement` per requirement
    judge_size(most, size_bytes)                  the size, which needs no measurement

Rule: the median decides. If the range around it contains the limit, a second measurement might give the opposite
result, and the requirement is *not decided*.
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
    """A requirement and its result. `name` is its key; `wanted` and `measured` are texts."""

    name: str
    wanted: str
    measured: str
    result: Result
    decided: bool = True
    reason: str = ""

    @property
    def text(self) -> str:
        """The whole sentence, without a period."""
        if self.result == NOT_MEASURED:
            return f"{self.name} is not measured: {self.reason}; {self.wanted} wanted"
        doubt = "" if self.decided else f"; not decided, because {self.reason}"
        return f"{self.name} is {self.measured}, {self.wanted} wanted{doubt}"

    @property
    def told(self) -> Requirement:
        """The requirement as it is stored in a file."""
        return Requirement(
            name=self.name,
            wanted=self.wanted,
            measured=self.measured,
            result=self.result,
            decided=self.decided,
            text=self.text,
        )


def judge_size(most: int, size_bytes: int) -> JudgedRequirement:
    """Return the result for the size of an IR, in bytes."""
    return JudgedRequirement(
        name="size",
        wanted=f"at most {size_in_words(most)}",
        measured=size_in_words(size_bytes),
        result=PASSED if size_bytes <= most else MISSED,
    )


def unmade_size(most: int) -> JudgedRequirement:
    """Return the result for the size if there is no IR."""
    wanted = f"at most {size_in_words(most)}"
    return JudgedRequirement(
        name="size", wanted=wanted, measured="not measured", result=NOT_MEASURED, reason="there is no IR"
    )


def judge(wanted: Mapping[str, float], measurement: Measurement | None, why: str = "") -> tuple[JudgedRequirement, ...]:
    """Return the result of each requirement; `wanted` is by key, `why` says why there is no measurement."""
    return tuple(_judge(FIGURES[name], name, value, measurement, why) for name, value in wanted.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Figure:
    """The figure that a requirement limits: from above (`most`) or from below. `name` is its field in the file."""

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
    """Return why the speed-up is not decided, "" if it is."""
    low, high = measurement.speedup.low, measurement.speedup.high
    held = f"the range of {low:.2f} to {high:.2f} contains the limit" if low <= wanted <= high else ""
    return held and ", and ".join(filter(None, (held, _labels(measurement))))


def _labels(measurement: Measurement) -> str:
    if measurement.loaded:
        return "other processes used the CPU during the measurement"
    return "the inter-core latency was high during the measurement" if measurement.high_latency else ""
