"""The keys of `benchmark`, `require` and `limits`: measurements, requirements of an IR, limits of an action."""

from __future__ import annotations

from dataclasses import dataclass

from ovmake.ovfile.schema.declaring import key, keys_of, reaching
from ovmake.ovfile.schema.kinds import Choice, ListOf, Number, Size, Text
from ovmake.ovfile.schema.reach import TIMED
from ovmake.ovfile.schema.tables import Table

HINTS = ("latency", "throughput")
REQUIRED = ("require",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """How long the measurement of one target may take, and the additional devices to measure on."""

    max_seconds: float = key(
        Number(minimum=1),
        default=20.0,
        doc="Time limit in seconds for the measurement of a target; it ends earlier when the speed-up is known to 3 %",
        reaches=TIMED,
        stated=True,
    )
    devices: tuple[str, ...] = key(
        ListOf(element=Text(), expected="an array of OpenVINO devices", once="device"),
        default=(),
        shown="none",
        doc="Devices to measure on in addition to `device`, such as `GPU`; the report says if one is missing",
    )
    hints: tuple[str, ...] = key(
        ListOf(
            element=Choice(words=HINTS, code="unknown-hint", what="performance hint"),
            expected="an array of hints",
            ordered=False,
        ),
        default=HINTS,
        shown="both",
        doc="What to measure: `latency` and `throughput`",
        ready=(list(HINTS), list(reversed(HINTS))),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Require:
    """Requirements of an IR in addition to its accuracy. None: no requirement. Sizes are in bytes."""

    size: int | None = key(
        Size(),
        default=None,
        shown="any",
        doc="Maximum size of .xml and .bin together; a larger IR is not published",
        reaches=("check-size",),
    )
    speedup: float | None = key(
        Number(above=0),
        default=None,
        shown="any",
        doc="How many times as fast as TensorFlow the IR must be. `ovmake report` measures this and the keys below, "
        "and fails if one is missed or cannot be measured",
        reaches=REQUIRED,
    )
    p95_ms: float | None = key(
        Number(above=0),
        default=None,
        shown="any",
        doc="Maximum 95th percentile of the latency, in ms",
        reaches=REQUIRED,
    )
    throughput: float | None = key(
        Number(above=0),
        default=None,
        shown="any",
        doc="Minimum throughput, in samples per second",
        reaches=REQUIRED,
    )
    memory: int | None = key(
        Size(),
        default=None,
        shown="any",
        doc="Maximum peak memory of a process that runs only this model",
        reaches=REQUIRED,
    )

    @property
    def measured(self) -> tuple[tuple[str, float], ...]:
        """The requirements to measure, by key: speedup, p95-ms, throughput, memory (in bytes)."""
        seen = reaching("require", self)
        return tuple((name, float(value)) for name, value in seen if isinstance(value, int | float))


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of one action; None: the Ovfile sets none. They change no result and are params of no action."""

    minutes: float | None = key(
        Number(above=0),
        default=None,
        shown="no limit",
        doc="An action that takes longer is ended and fails",
    )
    memory_bytes: int | None = key(
        Size(),
        name="memory",
        default=None,
        shown="90 % of the memory of the machine or container",
        doc="An action whose worker needs more is ended and fails. GB are powers of 1000, GiB of 1024",
    )


BENCHMARK = Table(keys=keys_of(Benchmark), title="benchmark")
REQUIRE = Table(keys=keys_of(Require), title="require")
LIMITS_TABLE = Table(keys=keys_of(Limits))
