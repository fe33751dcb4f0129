"""Declare each key once: a dataclass field holds everything about it.

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Benchmark:
        max_seconds: float = key(
            Number(minimum=1), default=20.0, doc="Time that the measurement may take", reaches=("benchmark",)
        )

This declares `max-seconds`. Everything else is derived from it: the check of its form, "did you mean", its row of the
reference, its JSON Schema, its value in the spec (`meaning/reading.py`: the nearest table that has it, else the
default), and the actions that an edit makes stale. Code that uses the value reads the field.

    keys_of(Benchmark) -> (Key(name="max-seconds", ...), ...)       in the order of the fields
    reaching("require", target.require) -> (("speedup", 2.0), ...)
    seen_fields(target.benchmark, "benchmark") -> (Seen(field="max_seconds", ...), ...)     see `rules/filling.py`

Rule 1: `reaches` names the kinds of action that depend on the value; `tests/rules/test_declared_reach.py` edits each
        key and compares. A path or the name of a dataset becomes an input: it reaches every action that reads it.
Rule 2: an action does not see a default value, so a new key makes nothing stale that was built before. The exception
        are `stated` keys: actions see their defaults too.
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

    `ready` lists the values that this version supports, if it does not support all valid ones. For a mandatory key,
    `required` says what to do if the key is missing; otherwise it is empty. `reaches`, `stated`: see above.
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
        """Return the JSON Schema of the key; editors show its description."""
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
    """Declare a key with a kind.

    `name` is needed if the key differs from the field's name with hyphens for underscores. `shown` describes a default
    that needs words. For the other parameters see `Key`.
    """
    told = words_for(default) if shown is None else shown
    said = Key(name=name, kind=kind, doc=doc, default=told, ready=ready, reaches=reaches, stated=stated)
    return field(default=default, metadata={KEY: said})


def required(kind: Scalar[T], *, doc: str, cure: str) -> T:
    """Declare a mandatory key; `cure` says what to do if it is missing."""
    return cast("T", field(metadata={KEY: Key(name="", kind=kind, doc=doc, required=cure)}))


def by_hand(kind: Kind, *, default: T, doc: str, shown: str = "", name: str = "", reaches: tuple[str, ...] = ()) -> T:
    """Declare a key whose value is not read by its kind alone; the caller of `read` passes it."""
    said = Key(name=name, kind=kind, doc=doc, default=shown, reaches=reaches)
    return field(default=default, metadata={KEY: said, BY_HAND: True})


def table(kind: Kind, *, default: Callable[[], T], doc: str, shown: str = "", reaches: tuple[str, ...] = ()) -> T:
    """Declare a key that is a table: its keys are the fields of the dataclass `default`.

    `reaches` is for a table that may be `false`, which is None in the spec.
    """
    said = Key(name="", kind=kind, doc=doc, default=shown, reaches=reaches)
    return field(default_factory=default, metadata={KEY: said, TABLE: default})


@cache
def declared(cls: type) -> Mapping[str, Key]:
    """Return the keys that a dataclass declares, by field name."""
    return {one.name: _named(one) for one in _fields(cls) if KEY in one.metadata}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A field that is read from the document: its key, and its kind, or the dataclass of its table."""

    field: str
    key: str
    kind: Scalar[object] | None = None
    table: type | None = None


@cache
def readings(cls: type) -> tuple[Reading, ...]:
    """Return the fields of a dataclass that are read from a document, without those declared `by_hand`."""
    return tuple(_reading(one) for one in _fields(cls) if KEY in one.metadata and BY_HAND not in one.metadata)


def _reading(one: Field[object]) -> Reading:
    name = _named(one).name
    if TABLE in one.metadata:
        return Reading(field=one.name, key=name, table=one.metadata[TABLE])
    return Reading(field=one.name, key=name, kind=one.metadata[KEY].kind)


def keys_of(cls: type, *, beyond: type | None = None) -> tuple[Key, ...]:
    """Return the keys that a dataclass declares, without those of its base class `beyond`."""
    inherited = declared(beyond) if beyond else {}
    return tuple(key for name, key in declared(cls).items() if name not in inherited)


def reaching(
    kind: str, settings: object, prefix: str = "", *, beyond: type | None = None
) -> tuple[tuple[str, JsonValue], ...]:
    """Return the keys and values that actions of a kind see in a dataclass of keys.

    Keys of its base class `beyond` are left out.
    """
    found: list[tuple[str, JsonValue]] = []
    cls: type = type(settings)
    for one in _seen(cls, kind, beyond):
        name, value = f"{prefix}{one.name}", getattr(settings, one.field)
        if one.is_table:
            switched_off = ((name, False),) if one.reached else ()
            found += switched_off if value is None else reaching(kind, value, f"{name}.")
        elif one.is_told(value):
            found.append((name, value))
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A field that actions of a kind see, or a table that may contain such fields."""

    field: str
    name: str
    default: object
    stated: bool
    is_table: bool
    reached: bool

    def is_told(self, value: object) -> bool:
        """Whether an action sees this value: not if it is the default, see rule 2."""
        return self.stated or value != self.default


def seen_fields(settings: object, kind: str, beyond: type | None = None) -> tuple[Seen, ...]:
    """Return the fields that actions of a kind see, without tables; `beyond` as in `reaching`."""
    cls: type = type(settings)
    return tuple(one for one in _seen(cls, kind, beyond) if not one.is_table)


@cache
def _seen(cls: type, kind: str, beyond: type | None) -> tuple[Seen, ...]:
    inherited = declared(beyond) if beyond else {}
    mine = ((one, said) for one in _fields(cls) if (said := declared(cls).get(one.name)) and one.name not in inherited)
    return tuple(
        Seen(
            field=one.name,
            name=said.name,
            default=one.default,
            stated=said.stated,
            is_table=TABLE in one.metadata,
            reached=kind in said.reaches,
        )
        for one, said in mine
        if kind in said.reaches or TABLE in one.metadata
    )


def words_for(default: object) -> str:
    """Return a default as the reference shows it: words and numbers unchanged, `true`, `[]`."""
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
