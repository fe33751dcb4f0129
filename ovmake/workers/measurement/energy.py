"""Energy per inference, from the RAPL counters of Intel and AMD processors in Linux's powercap.

    meter = open_meter()                       a Meter, or NotAvailable with the reason
    measure(meter, idle=..., run=...)          Energy, or NotAvailable with the reason

A zone counts the microjoules of a processor package (or of its memory, `dram`) and wraps to 0 at `max_energy_range_uj`.
Zones below a package (core, uncore) are included in its count; `psys` is the whole board, with parts unrelated to
inference; and `intel-rapl-mmio` shows the same package a second time.

Counters are of the machine, not of a process. So energy is measured in separate runs, without any timing, and the idle
power is subtracted: `joules = run - idle watts * seconds`. Idle power is measured before and after each run. If the
difference does not clearly exceed the variation of idle power, there is no figure, instead of 0 or a negative one.

Source: Documentation/power/powercap/powercap.rst of the Linux kernel. Standard library only.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ovmake.contracts.files.measurement import Energy

POWERCAP = "sys/class/powercap"
# The most that a package can draw: between two readings a counter may wrap once, but not twice.
MOST_WATTS = 1000.0
MICRO = 1e-6
REPEATS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAvailable:
    """Why there is no figure."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A counter: its path, its zone, and the value at which it wraps, in µJ."""

    path: str
    name: str
    range_uj: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The counters at one time, in µJ by the zone's path."""

    at_s: float
    counters: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """Reads the counters of some zones."""

    zones: tuple[Zone, ...]
    clock: Callable[[], float] = time.monotonic

    @property
    def longest_s(self) -> float:
        """The longest time between two readings, such that no counter can wrap twice."""
        return min(zone.range_uj for zone in self.zones) * MICRO / MOST_WATTS

    def read(self) -> Reading:
        """Return the current counts.

        Raises:
            OSError, ValueError: a counter can no longer be read.
        """
        counters = {zone.path: _number(f"{zone.path}/energy_uj") for zone in self.zones}
        return Reading(at_s=self.clock(), counters=counters)

    def joules_between(self, before: Reading, after: Reading) -> float:
        """Return the energy between two readings; a counter that is lower than before has wrapped.

        Raises:
            ValueError: so much time passed that it may have wrapped twice.
        """
        if after.at_s - before.at_s > self.longest_s:
            raise ValueError(f"the counters may have wrapped twice in {after.at_s - before.at_s:.0f} s")
        total = 0
        for zone in self.zones:
            counted = after.counters[zone.path] - before.counters[zone.path]
            total += counted if counted >= 0 else counted + zone.range_uj
        return total * MICRO


def open_meter(root: str = "", clock: Callable[[], float] = time.monotonic) -> Meter | NotAvailable:
    """Return a meter of this machine's processors, or the reason why it has none."""
    folder = Path(f"{root}/{POWERCAP}")
    if not folder.is_dir():
        return NotAvailable(
            reason=f"this kernel has no energy counters (/{POWERCAP} does not exist), as is usual in a virtual machine"
        )
    zones = []
    for path in sorted(folder.glob("intel-rapl*:*")):
        try:
            zone = Zone(
                path=str(path),
                name=(path / "name").read_text().strip(),
                range_uj=_number(f"{path}/max_energy_range_uj"),
            )
            _number(f"{path}/energy_uj")
        except PermissionError:
            # Since Linux 5.10 (CVE-2020-8694): a fast reader can infer the keys of other users.
            where = f"/{POWERCAP}/{path.name}/energy_uj"
            return NotAvailable(reason=f"only root may read {where}: `sudo chmod a+r {where}` allows everyone")
        except (OSError, ValueError) as error:
            return NotAvailable(reason=f"/{POWERCAP}/{path.name} cannot be read: {error}")
        zones.append(zone)
    counted = _counted(zones)
    if not counted:
        return NotAvailable(reason=f"/{POWERCAP} has no zone of a processor package (RAPL)")
    return Meter(zones=tuple(counted), clock=clock)


def _counted(zones: list[Zone]) -> list[Zone]:
    """Return the packages and their memory, each once."""
    found: dict[str, Zone] = {}
    for zone in zones:
        control, _, number = zone.path.rpartition("/")[2].partition(":")
        package = number.partition(":")[0]
        key = zone.name if zone.name.startswith("package") else f"{zone.name} of {package}"
        if zone.name.startswith(("package", "dram")) and (key not in found or control == "intel-rapl"):
            found[key] = zone
    return list(found.values())


def measure(
    meter: Meter | NotAvailable, *, idle: Callable[[], object], run: Callable[[], int], repeats: int = REPEATS
) -> Energy | NotAvailable:
    """Measure the energy of an inference. `idle` waits for a while; `run` does inferences and returns their number."""
    if isinstance(meter, NotAvailable):
        return meter
    try:
        idles = [_watts(meter, idle)]
        runs = []
        for _ in range(repeats):
            runs.append(_run(meter, run))
            idles.append(_watts(meter, idle))
    except (OSError, ValueError) as error:
        return NotAvailable(reason=f"the counters could not be read: {error}")
    return _energy(meter, runs, idles)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    joules: float
    seconds: float
    inferences: int


def _run(meter: Meter, run: Callable[[], int]) -> _Run:
    before = meter.read()
    inferences = run()
    after = meter.read()
    return _Run(
        joules=meter.joules_between(before, after), seconds=after.at_s - before.at_s, inferences=max(1, inferences)
    )


def _watts(meter: Meter, idle: Callable[[], object]) -> float:
    before = meter.read()
    idle()
    after = meter.read()
    return meter.joules_between(before, after) / max(after.at_s - before.at_s, 1e-9)


def _energy(meter: Meter, runs: list[_Run], idles: list[float]) -> Energy | NotAvailable:
    """Subtract idle power from each run: the mean of the measurements before and after it."""
    beside = [statistics.fmean(pair) for pair in itertools.pairwise(idles)]
    watts = [run.joules / run.seconds for run in runs]
    restless = max(idles) - min(idles)
    if min(found - still for found, still in zip(watts, beside, strict=True)) <= restless:
        return NotAvailable(
            reason=f"the runs drew {min(watts):.1f} to {max(watts):.1f} W, not clearly more than the idle machine, "
            f"{min(idles):.1f} to {max(idles):.1f} W: another process was running"
        )
    each = [(run.joules - still * run.seconds) / run.inferences for run, still in zip(runs, beside, strict=True)]
    return Energy(
        joules_per_inference=statistics.median(each),
        low=min(each),
        high=max(each),
        watts=statistics.median(watts),
        idle_watts=statistics.median(idles),
        seconds=sum(run.seconds for run in runs),
        inferences=sum(run.inferences for run in runs),
        zones=tuple(zone.name for zone in meter.zones),
    )


def _number(path: str) -> int:
    return int(Path(path).read_text())
