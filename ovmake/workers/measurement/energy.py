"""Energy per inference, from the counters of Intel's and AMD's processors (RAPL, as Linux shows them in powercap).

    meter = open_meter()                       a Meter, or NotAvailable with the reason
    measure(meter, idle=..., run=...)          Energy, or NotAvailable with the reason

A zone counts the microjoules of a processor package (or of its memory, `dram`) and starts again from 0 at
`max_energy_range_uj`. Zones below a package that are parts of it (core, uncore) are in its count already; `psys` is the
whole board, with what has nothing to do with inference; and `intel-rapl-mmio` shows the same package a second time.

Counters are of the machine and not of a process. So runs are of their own, with nothing timed beside them, and what the
machine takes when it idles is taken off: `joules = run - idle watts * seconds`. Idling is measured before and after
each run. Where what is left is not clearly more than idling varies by, there is no figure: never 0, never less.

Source: Documentation/power/powercap/powercap.rst of the Linux kernel. Standard library only.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ovmake.contracts.measurement import Energy

POWERCAP = "sys/class/powercap"
# How much a package can take at most: between two readings a counter may start again once, and not twice.
MOST_WATTS = 1000.0
MICRO = 1e-6
REPEATS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAvailable:
    """Why there is no figure."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A counter: where it is, what it counts, and from where it starts again (in µJ)."""

    path: str
    name: str
    range_uj: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The counters at a time, in µJ by the zone's path."""

    at_s: float
    counters: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """Reads the counters of some zones."""

    zones: tuple[Zone, ...]
    clock: Callable[[], float] = time.monotonic

    @property
    def longest_s(self) -> float:
        """How long may pass between two readings, so that no counter can start again twice."""
        return min(zone.range_uj for zone in self.zones) * MICRO / MOST_WATTS

    def read(self) -> Reading:
        """Return what was counted so far.

        Raises:
            OSError, ValueError: a counter cannot be read any more.
        """
        counters = {zone.path: _number(f"{zone.path}/energy_uj") for zone in self.zones}
        return Reading(at_s=self.clock(), counters=counters)

    def joules_between(self, before: Reading, after: Reading) -> float:
        """Return what was taken between two readings; a counter that is lower than before started again.

        Raises:
            ValueError: so much time passed that it may have done so twice.
        """
        if after.at_s - before.at_s > self.longest_s:
            raise ValueError(f"the counters may have started again twice in {after.at_s - before.at_s:.0f} s")
        total = 0
        for zone in self.zones:
            counted = after.counters[zone.path] - before.counters[zone.path]
            total += counted if counted >= 0 else counted + zone.range_uj
        return total * MICRO


def open_meter(root: str = "", clock: Callable[[], float] = time.monotonic) -> Meter | NotAvailable:
    """Return a meter of this machine's processors, or why there is none."""
    folder = Path(f"{root}/{POWERCAP}")
    if not folder.is_dir():
        return NotAvailable(
            reason=f"this kernel shows no energy counters (/{POWERCAP} is not there), as is usual in a virtual machine"
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
            # Since Linux 5.10 (CVE-2020-8694): who can read them fast enough can guess at keys of others.
            where = f"/{POWERCAP}/{path.name}/energy_uj"
            return NotAvailable(reason=f"{where} may be read by root only: `sudo chmod a+r {where}` lets others")
        except (OSError, ValueError) as error:
            return NotAvailable(reason=f"/{POWERCAP}/{path.name} cannot be read: {error}")
        zones.append(zone)
    counted = _counted(zones)
    if not counted:
        return NotAvailable(reason=f"/{POWERCAP} has no zone of a processor package (RAPL)")
    return Meter(zones=tuple(counted), clock=clock)


def _counted(zones: list[Zone]) -> list[Zone]:
    """Return the packages, and memory beside them; each once."""
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
    """Measure what an inference takes. `idle` does nothing for a while; `run` does inferences and returns how many."""
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
    """Take idling off each run: the mean of what was measured before and after it."""
    beside = [statistics.fmean(pair) for pair in itertools.pairwise(idles)]
    watts = [run.joules / run.seconds for run in runs]
    restless = max(idles) - min(idles)
    if min(found - still for found, still in zip(watts, beside, strict=True)) <= restless:
        return NotAvailable(
            reason=f"the runs took {min(watts):.1f} to {max(watts):.1f} W, which is not clearly more than the machine "
            f"took when it idled, {min(idles):.1f} to {max(idles):.1f} W: something else ran"
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
