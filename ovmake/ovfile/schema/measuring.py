"""Keys about measurements: how `ovmake report` takes them, and what figures an IR must reach.

Part of the schema, like `schema_compression`.
"""

from __future__ import annotations

from ovmake.ovfile.schema.kinds import Choice, ListOf, Number, Size, Text
from ovmake.ovfile.schema.tables import Key, Table
from ovmake.ovfile.spec import DEFAULT_MAX_SECONDS

BENCHMARK = Table(
    keys=(
        Key(
            name="max-seconds",
            kind=Number(minimum=1),
            doc="Time that the measurement of a target may take; it ends earlier where the speed-up is known to 3 %",
            default=f"{DEFAULT_MAX_SECONDS:g}",
        ),
        Key(
            name="devices",
            kind=ListOf(element=Text(), expected="an array of OpenVINO devices", once="device"),
            doc="Devices to measure on beside `device`, such as `GPU`; one that is not there is said to be missing",
            default="none",
        ),
        Key(
            name="hints",
            kind=ListOf(
                element=Choice(words=("latency", "throughput"), code="unknown-hint", what="performance hint"),
                expected="an array of hints",
            ),
            doc="What to measure: `latency` and `throughput`",
            default="both",
            ready=(["latency", "throughput"], ["throughput", "latency"]),
        ),
    ),
)

REQUIRE = Table(
    keys=(
        Key(
            name="size",
            kind=Size(),
            doc="Largest size of .xml and .bin together; an IR that is larger is not published",
            default="any",
        ),
        Key(
            name="speedup",
            kind=Number(above=0),
            doc="How many times as fast as TensorFlow the IR must be. This and what follows is measured by "
            "`ovmake report`, which fails where it is missed or cannot be measured",
            default="any",
        ),
        Key(name="p95-ms", kind=Number(above=0), doc="Largest 95th percentile of the latency, in ms", default="any"),
        Key(name="throughput", kind=Number(above=0), doc="Least throughput, in samples per second", default="any"),
        Key(name="memory", kind=Size(), doc="Largest peak memory of a process with this model alone", default="any"),
    ),
)
