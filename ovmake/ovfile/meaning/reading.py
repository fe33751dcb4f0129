"""Read the plain keys of a table into the dataclass that declares them, nearest table first.

    read(Benchmark, own, "benchmark") -> Benchmark(max_seconds=20.0, ...)

A field has the value of the nearest table with its key, else its default. Nested tables are read in the same way, and
are None if their value is `false`. Values that the check of the form refused count as missing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ovmake.ovfile.meaning.settings import Settings
from ovmake.ovfile.schema.declaring import readings

T = TypeVar("T")


def read(cls: type[T], own: Settings, *at: str, **given: object) -> T:
    """Return an instance of a dataclass of keys. `at` is its table; `given` has the fields that are not read here."""
    make: Callable[..., T] = cls
    if not own.has(*at):
        return make(**given)
    table: type = cls
    values = dict(given)
    for one in readings(table):
        if one.field in given:
            continue
        if one.table:
            values[one.field] = None if own.is_off(*at, one.key) else read(one.table, own, *at, one.key)
        elif one.kind and (value := one.kind.read(own.get(*at, one.key))) is not None:
            values[one.field] = value
    return make(**values)
