"""One declaration per key: a field of a dataclass that says all there is to know of a key.

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Benchmark:
        max_seconds: float = key(
            Number(minimum=1), default=20.0, doc="Time that the measurement may take", reaches=("benchmark",)
        )

That is `max-seconds`, and all else follows from it: the check of its form, "did you mean", the row of the reference,
the JSON Schema, the value in the spec (`meaning/reading.py`: the nearest table that has it, else the default), and the
actions that an edit makes stale. What uses the value reads the field.

    keys_of(Benchmark) -> (Key(name="max-seconds", ...), ...)       in the order of the fields
    reaching("benchmark", target.benchmark, "benchmark.") -> (("benchmark.max-seconds", 30.0), ...)

Rule 1: `reaches` names the kinds of action that see the value; `tests/rules/test_reach.py` edits each key and compares.
        A path, or a dataset by name, is seen as an input instead: it reaches whatever reads that.
Rule 2: an action does not see a value at its default, so that a new key changes nothing that was built before;
        `stated` keys are the exception, whose default is as much part of the work as any other value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields, replace
from functools import cache
from typing import TypeVar, cast

from ovmake.contracts.values import JsonValue
from ovmake.ovfile.schema.kinds import JsonSchema, Kind, Scalar

KEY, TABLE, BY_HAND = "key", "table", "by hand"
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key of a table. `doc` is one line for the reference, and so is `default`.

    `ready` are the values that this version supports, if it does not support all that have a meaning. `required` is not
    empty for a key that must be there, and says what to do when it is not. `reaches`, `stated`: see above.
    """

    name: str
    kind: Kind
    doc: str
    default: str = ""
    ready: tuple[object, ...] = ()
    required: str = ""
    reaches: tuple[str, ...] = ()
    stated: bool = False

    def json_schema(self) -> JsonSchema:
        """Return what an editor is told, and shows beside the key."""
        told = f"{self.doc}. Default: {self.default}" if self.default else self.doc
        ready = {"enum": list(self.ready)} if self.ready else {}
        return {"description": told, **self.kind.json_schema(), **ready}


def key(
    kind: Scalar[T],
    *,
    default: T,
    doc: str,
    shown: str | None = None,
    name: str = "",
    ready: tuple[object, ...] = (),
    reaches: tuple[str, ...] = (),
    stated: bool = False,
) -> T:
    """Declare a key whose value is of a kind.

    `name` is for a key that is not called as its field is, with hyphens for underscores; `shown` for a default that
    needs words. The others are those of `Key`.
    """
    told = words_for(default) if shown is None else shown
    said = Key(name=name, kind=kind, doc=doc, default=told, ready=ready, reaches=reaches, stated=stated)
    return field(default=default, metadata={KEY: said})


def required(kind: Scalar[T], *, doc: str, cure: str) -> T:
    """Declare a key that must be there; `cure` says what to do when it is not."""
    return cast("T", field(metadata={KEY: Key(name="", kind=kind, doc=doc, required=cure)}))


def by_hand(kind: Kind, *, default: T, doc: str, shown: str = "", name: str = "", reaches: tuple[str, ...] = ()) -> T:
    """Declare a key whose value takes more to tell than what stands there; whoever reads the table gives it."""
    said = Key(name=name, kind=kind, doc=doc, default=shown, reaches=reaches)
    return field(default=default, metadata={KEY: said, BY_HAND: True})


def table(kind: Kind, *, default: Callable[[], T], doc: str, shown: str = "", reaches: tuple[str, ...] = ()) -> T:
    """Declare a key that is a table: its keys are the fields of the dataclass `default`.

    `reaches` is for a table in whose place `false` may stand, which is None in the spec.
    """
    said = Key(name="", kind=kind, doc=doc, default=shown, reaches=reaches)
    return field(default_factory=default, metadata={KEY: said, TABLE: default})


@cache
def declared(cls: type) -> Mapping[str, Key]:
    """Return the keys that a dataclass declares, by the names of their fields."""
    return {one.name: _named(one) for one in _fields(cls) if KEY in one.metadata}


@cache
def read_by_kind(cls: type) -> Mapping[str, Scalar[object]]:
    """Return the kinds of the keys whose values their kinds read, by the names of their fields."""
    others = tables(cls)
    plain = (one for one in _fields(cls) if KEY in one.metadata and BY_HAND not in one.metadata)
    return {one.name: one.metadata[KEY].kind for one in plain if one.name not in others}


@cache
def tables(cls: type) -> Mapping[str, type]:
    """Return the dataclasses of the keys that are tables, by the names of their fields."""
    return {one.name: one.metadata[TABLE] for one in _fields(cls) if TABLE in one.metadata}


def keys_of(cls: type, *, beyond: type | None = None) -> tuple[Key, ...]:
    """Return the keys that a dataclass declares; `beyond` is one that it extends, whose keys are left out."""
    inherited = declared(beyond) if beyond else {}
    return tuple(key for name, key in declared(cls).items() if name not in inherited)


def reaching(
    kind: str, settings: object, prefix: str = "", *, beyond: type | None = None
) -> tuple[tuple[str, JsonValue], ...]:
    """Return what actions of a kind see of a dataclass of keys, by the names that an Ovfile has for it.

    `beyond` is a class that it extends, whose keys are left out.
    """
    cls: type = type(settings)
    found: list[tuple[str, JsonValue]] = []
    for one in _fields(cls):
        said = declared(cls).get(one.name)
        if said is None or (beyond and one.name in declared(beyond)):
            continue
        name, value = f"{prefix}{said.name}", getattr(settings, one.name)
        if one.name in tables(cls) and value is not None:
            found += reaching(kind, value, f"{name}.")
        elif kind in said.reaches and one.name in tables(cls):
            found.append((name, False))
        elif kind in said.reaches and (said.stated or value != one.default):
            found.append((name, value))
    return tuple(found)


def words_for(default: object) -> str:
    """Return a default as the reference has it: words and numbers as they are, `true`, `[]`."""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, float):
        return f"{default:g}"
    if isinstance(default, tuple):
        return ", ".join(map(str, default)) or "[]"
    return "" if default is None else str(default)


def _fields(cls: type) -> tuple[Field[object], ...]:
    return fields(cls)


def _named(one: Field[object]) -> Key:
    said: Key = one.metadata[KEY]
    return said if said.name else replace(said, name=one.name.replace("_", "-"))
