"""A benchmark's measurement, with the machine that it was made on.

measured_on(measurement, machine) -> Measured
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from ovmake.contracts.files.measurement import Measurement


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured(Measurement):
    """A measurement. `machine` is the identity of the machine, "" if unknown; `machine_facts` are its facts."""

    machine: str


def measured_on(measurement: Measurement, machine: str) -> Measured:
    """Return a measurement with the machine that it was made on."""
    return Measured(**{one.name: getattr(measurement, one.name) for one in fields(measurement)}, machine=machine)
