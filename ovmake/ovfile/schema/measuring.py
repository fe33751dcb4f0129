"""The keys of `benchmark`, `require` and `limits`: measurements, what an IR must reach, what an action may take."""

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
    """How long the measurement of one target may take, and on which devices beside the target's it is measured."""

    max_seconds: float = key(
        Number(minimum=1),
        default=20.0,
        doc="Time that the measurement of a target may take; it ends earlier where the speed-up is known to 3 %",
        reaches=TIMED,
        stated=True,
    )
    devices: tuple[str, ...] = key(
        ListOf(element=Text(), expected="an array of OpenVINO devices", once="device"),
        default=(),
        shown="none",
        doc="Devices to measure on beside `device`, such as `GPU`; one that is not there is said to be missing",
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
    """What an IR must reach beside its accuracy, None where the Ovfile asks for nothing. Sizes are in bytes."""

    size: int | None = key(
        Size(),
        default=None,
        shown="any",
        doc="Largest size of .xml and .bin together; an IR that is larger is not published",
        reaches=("check-size",),
    )
    speedup: float | None = key(
        Number(above=0),
        default=None,
        shown="any",
        doc="How many times as fast as TensorFlow the IR must be. This and what follows is measured by "
        "`ovmake report`, which fails where it is missed or cannot be measured",
        reaches=REQUIRED,
    )
    p95_ms: float | None = key(
        Number(above=0),
        default=None,
        shown="any",
        doc="Largest 95th percentile of the latency, in ms",
        reaches=REQUIRED,
    )
    throughput: float | None = key(
        Number(above=0),
        default=None,
        shown="any",
        doc="Least throughput, in samples per second",
        reaches=REQUIRED,
    )
    memory: int | None = key(
        Size(),
        default=None,
        shown="any",
        doc="Largest peak memory of a process with this model alone",
        reaches=REQUIRED,
    )

    @property
    def measured(self) -> tuple[tuple[str, float], ...]:
        """What a measurement must show, by key: speedup, p95-ms, throughput, memory (in bytes)."""
        return tuple((name, value) for name, value in reaching("require", self) if isinstance(value, int | float))


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one action may take, None where nobody says. They change no result, and are settings of no action."""

    minutes: float | None = key(
        Number(above=0),
        default=None,
        shown="no limit",
        doc="An action that takes longer is ended, and fails",
    )
    memory_bytes: int | None = key(
        Size(),
        name="memory",
        default=None,
        shown="90 % of what the machine has, or the container",
        doc="An action whose worker needs more is ended, and fails. GB are powers of 1000, GiB of 1024",
    )


BENCHMARK = Table(keys=keys_of(Benchmark), title="benchmark")
REQUIRE = Table(keys=keys_of(Require), title="require")
LIMITS_TABLE = Table(keys=keys_of(Limits))
