"""Read the plain keys of a table: from what the document says, nearest first, to the dataclass that declares them.

    read(Benchmark, own, "benchmark") -> Benchmark(max_seconds=20.0, ...)

A field has the value of the nearest table that gives its key, else its default; a table in the table is read likewise,
and is None where `false` stands for it. What the form's check refused counts as not given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ovmake.ovfile.meaning.settings import Settings
from ovmake.ovfile.schema.declaring import declared, read_by_kind, tables

T = TypeVar("T")


def read(cls: type[T], own: Settings, *at: str, **given: object) -> T:
    """Return an instance of a dataclass of keys. `at` is its table; `given` are the fields that are read elsewhere."""
    table: type = cls
    keys, values = declared(table), dict(given)
    for field, kind in read_by_kind(table).items():
        if field not in given and (value := kind.read(own.get(*at, keys[field].name))) is not None:
            values[field] = value
    for field, inner in tables(table).items():
        place = (*at, keys[field].name)
        values[field] = None if own.is_off(*place) else read(inner, own, *place)
    make: Callable[..., T] = cls
    return make(**values)
