"""Encode frozen dataclasses as JSON, and decode them strictly. `schema.py` derives the JSON Schema.

    encode(value) -> JSON                     a dataclass becomes an object; a field at its default is left out
    decode(Verdict, data, "verdict") -> Verdict
    to_bytes(value) -> bytes; from_bytes(Verdict, data, "verdict") -> Verdict      a whole file
    save(value, path); load(Verdict, path, "verdict") -> Verdict                   the same, by its path
    to_bytes(None), found(Verdict, data, "verdict") -> Verdict | None              a file that may hold `null`
    flat(value) -> {"accuracy.max-drop": "1%", ...}      for reasons and for an action's digest
    beyond(value, base) -> value                         only the fields that differ from `base`

One dataclass defines the writer, the reader, the digest and the schema. Fields may be None, bool, int, float, str, a
`Literal`, a dataclass, `X | None`, a union of dataclasses that differ in a `Literal` field, `Mapping[str, X]`,
`tuple[X, ...]`, `tuple[X, Y]`, and `object` for any JSON. The JSON name is the field's name, with hyphens for
underscores in a class with `KEBAB = True` (as in an Ovfile); `field(metadata=named("class"))` sets a different one.
`flat` differs in two things: `field(metadata=flat_as("accuracy"))` renames a field, and "" merges its fields into the
parent's; a class with a method `setting()` becomes the one value that the method returns.
A class with `FORMAT = 2` is a file: it begins with this number, and a different number is an error.

Rule 1: nothing is guessed. An unknown field, a missing field, a wrong type and a number that is not finite are each a
        `ContractError` that names the file and the field.
Rule 2: a field with a default may be missing, and is left out if it has that default. So a new option with a default
        does not change existing digests.
Rule 3: standard library only. Workers import this, and their environment may have little else.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from ovmake.contracts.values import JsonValue

NAME, FLAT = "name", "flat"
FORMAT = "format"

T = TypeVar("T")


class ContractError(ValueError):
    """The data does not match the dataclass. The message names the file, the field and what was expected."""


def named(name: str) -> Mapping[str, str]:
    """Return the metadata of a field that has a different name in JSON, such as "class" or "from"."""
    return {NAME: name}


def flat_as(name: str) -> Mapping[str, str]:
    """Return the metadata of a field that has a different name in `flat`; "" merges its fields into the parent's."""
    return {FLAT: name}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of a dataclass: its name in Python, in JSON and in `flat`, its type, and its default.

    `required`: it has no default.
    """

    attribute: str
    name: str
    flat: str
    type: object
    required: bool
    default: Callable[[], object]


@functools.cache
def fields(cls: type) -> tuple[Field, ...]:
    """Return the fields of a dataclass, in order."""
    hints = typing.get_type_hints(cls)
    kebab = bool(getattr(cls, "KEBAB", False))
    return tuple(_field(one, hints[one.name], kebab=kebab) for one in dataclasses.fields(cls))


def _field(one: dataclasses.Field[object], hint: object, *, kebab: bool) -> Field:
    plain = one.name.replace("_", "-") if kebab else one.name
    made = one.default_factory
    factory = made if made is not dataclasses.MISSING else functools.partial(_given, one.default)
    name = one.metadata.get(NAME, plain)
    return Field(
        attribute=one.name,
        name=name,
        flat=one.metadata.get(FLAT, name),
        type=hint,
        required=one.default is dataclasses.MISSING and made is dataclasses.MISSING,
        default=factory,
    )


def _given(value: object) -> object:
    return value


def is_contract(value: object) -> bool:
    """Whether a value is an instance of a dataclass."""
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def encode(value: object) -> object:
    """Return a value as JSON: objects, arrays, strings, numbers, true, false, null.

    Raises:
        ContractError: a number is not finite, or JSON cannot hold the value.
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ContractError(f"JSON cannot hold the number {value}")
        return value
    if isinstance(value, list | tuple):
        return [encode(one) for one in value]
    if isinstance(value, Mapping) or is_contract(value):
        return encode_object(value)
    raise ContractError(f"JSON cannot hold a {type(value).__name__}")


def encode_object(value: object) -> dict[str, object]:
    """Return a dataclass or a mapping as a JSON object; an empty one for None.

    Raises:
        ContractError: see `encode`.
    """
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return {str(name): encode(one) for name, one in value.items()}
    return {one.name: encode(held) for one, held in written(value)}


def written(value: object) -> Iterator[tuple[Field, object]]:
    """Yield the fields of a dataclass that are not at their default, with their values."""
    for one in fields(type(value)):  # type: ignore[arg-type] # a class is hashable
        held = getattr(value, one.attribute)
        if one.required or held != one.default() or type(held) is not type(one.default()):
            yield one, held


def to_bytes(value: object) -> bytes:
    """Return a JSON file's content; `null` for None."""
    content = encode(value)
    number = format_of(type(value))
    if number is not None and isinstance(content, dict):
        content = {FORMAT: number, **content}
    return (json.dumps(content, indent=1, allow_nan=False) + "\n").encode()


def from_bytes(cls: type[T], data: bytes, where: str) -> T:
    """Decode a JSON file; `where` is its name in errors.

    Raises:
        ContractError: it is not JSON, does not match the dataclass, or has a different format.
    """
    content = _parsed(data, where)
    number = format_of(cls)
    if number is None or not isinstance(content, Mapping):
        return decode(cls, content, where)
    if content.get(FORMAT) != number:
        raise ContractError(f"{where} has format {json.dumps(content.get(FORMAT))}, expected {number}")
    return decode(cls, {name: value for name, value in content.items() if name != FORMAT}, where)


def found(cls: type[T], data: bytes, where: str) -> T | None:
    """Decode a JSON file that may hold `null`: None then. Raises what `from_bytes` raises."""
    return None if _parsed(data, where) is None else from_bytes(cls, data, where)


def save(value: object, path: str) -> None:
    """Write a JSON file."""
    Path(path).write_bytes(to_bytes(value))


def load(cls: type[T], path: str, where: str) -> T:
    """Read a JSON file. Raises what `from_bytes` raises."""
    return from_bytes(cls, Path(path).read_bytes(), where)


def format_of(cls: type) -> int | None:
    """Return the number of a file's format; None if the class is not a file."""
    number = getattr(cls, "FORMAT", None)
    return number if isinstance(number, int) else None


def _parsed(data: bytes, where: str) -> object:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ContractError(f"{where} is not JSON: {error}") from error


def decode(cls: type[T], data: object, where: str) -> T:
    """Return the dataclass that JSON describes; `where` is its name in errors.

    Raises:
        ContractError: the data does not match the dataclass.
    """
    made: T = _object(cls, data, where)  # type: ignore[assignment]
    return made


def _object(cls: type, data: object, where: str) -> object:
    if not isinstance(data, Mapping):
        raise ContractError(f"{where} is {_kind(data)}, expected an object")
    expected = fields(cls)
    known = {one.name for one in expected}
    for name in data:
        if name not in known:
            raise ContractError(f"{where} has an unknown field `{name}`")
    values = {}
    for one in expected:
        if one.name in data:
            values[one.attribute] = _value(one.type, data[one.name], f"{where}: `{one.name}`")
        elif one.required:
            raise ContractError(f"{where} lacks the field `{one.name}`")
    return cls(**values)


def _value(hint: object, data: object, where: str) -> object:
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _object(hint, data, where)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        if not any(data == one and type(data) is type(one) for one in arguments):
            raise ContractError(f"{where} is {json.dumps(data)}, expected one of {', '.join(map(repr, arguments))}")
        return data
    if origin in (typing.Union, types.UnionType):
        return _one_of(arguments, data, where)
    if origin is tuple:
        return _array(arguments, data, where)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        if not isinstance(data, Mapping):
            raise ContractError(f"{where} is {_kind(data)}, expected an object")
        return {name: _value(arguments[1], one, f"{where}: `{name}`") for name, one in data.items()}
    return _scalar(hint, data, where)


def _array(arguments: tuple[object, ...], data: object, where: str) -> tuple[object, ...]:
    if not isinstance(data, list | tuple):
        raise ContractError(f"{where} is {_kind(data)}, expected an array")
    if len(arguments) == 2 and arguments[1] is Ellipsis:  # noqa: PLR2004 - tuple[X, ...]
        return tuple(_value(arguments[0], one, f"{where}[{index}]") for index, one in enumerate(data))
    if len(data) != len(arguments):
        raise ContractError(f"{where} has {len(data)} elements, expected {len(arguments)}")
    pairs = enumerate(zip(arguments, data, strict=True))
    return tuple(_value(hint, one, f"{where}[{index}]") for index, (hint, one) in pairs)


_SCALARS: Mapping[object, tuple[str, Callable[[object], bool]]] = {
    bool: ("true or false", lambda data: isinstance(data, bool)),
    int: ("a whole number", lambda data: isinstance(data, int) and not isinstance(data, bool)),
    float: ("a number", lambda data: isinstance(data, int | float) and not isinstance(data, bool)),
    str: ("a string", lambda data: isinstance(data, str)),
    type(None): ("null", lambda data: data is None),
}


def _scalar(hint: object, data: object, where: str) -> object:
    if hint is object:  # any JSON, frozen
        return _frozen(data)
    if hint not in _SCALARS:
        raise TypeError(f"{where}: a contract cannot have a field of type {hint}")
    words, fits = _SCALARS[hint]
    if not fits(data):
        raise ContractError(f"{where} is {_kind(data)}, expected {words}")
    if hint is float and not math.isfinite(float(data)):  # type: ignore[arg-type]
        raise ContractError(f"{where} is not finite")
    return float(data) if hint is float and not isinstance(data, float) and isinstance(data, int) else data


def _frozen(data: object) -> object:
    return tuple(map(_frozen, data)) if isinstance(data, list | tuple) else data


def _one_of(hints: tuple[object, ...], data: object, where: str) -> object:
    """Decode as the first type that fits; for dataclasses, as the one with the matching tag."""
    if data is None and type(None) in hints:
        return None
    rest = [hint for hint in hints if hint is not type(None)]
    if len(rest) == 1:
        return _value(rest[0], data, where)
    errors = []
    for hint in rest:
        try:
            return _exactly(hint, data, where)
        except ContractError as error:
            errors.append(str(error))
    tagged = _by_tag(rest, data)
    if tagged is not None:
        return _object(tagged, data, where)
    raise ContractError(f"{where} fits no expected type: {'; '.join(dict.fromkeys(errors))}")


def _exactly(hint: object, data: object, where: str) -> object:
    """Decode; 1 stays an int if a union has both int and float."""
    if hint is float and isinstance(data, int):
        raise ContractError(f"{where} is a whole number")
    return _value(hint, data, where)


def _by_tag(hints: list[object], data: object) -> type | None:
    """Return the first dataclass that has a `Literal` field with the object's value, or None."""
    for hint in hints:
        if isinstance(hint, type) and dataclasses.is_dataclass(hint) and isinstance(data, Mapping):
            tags = [one for one in fields(hint) if typing.get_origin(one.type) is typing.Literal]
            if any(data.get(tag.name) in typing.get_args(tag.type) for tag in tags):
                return hint
    return None


def _kind(data: object) -> str:
    kinds = {type(None): "null", bool: "true or false", int: "a number", float: "a number", str: "a string"}
    return "an array" if isinstance(data, list | tuple) else kinds.get(type(data), "an object")


def beyond(value: T, base: T) -> T:
    """Return `value` with the fields that equal those of `base` reset to their defaults.

    A field without a default stays.
    """
    changed: dict[str, object] = {}
    for one in fields(type(value)):  # type: ignore[arg-type] # a class is hashable
        own, other = getattr(value, one.attribute), getattr(base, one.attribute)
        if own == other and not one.required:
            changed[one.attribute] = one.default()
        elif is_contract(own) and type(own) is type(other):
            changed[one.attribute] = beyond(own, other)
    return dataclasses.replace(value, **changed)  # type: ignore[type-var]


def flat(value: object) -> dict[str, JsonValue]:
    """Return a dataclass as dotted names and values, without defaults: `{"inputs.image.mean": (0.5,)}`.

    Dots in names are not escaped: people read the result, and only `encode` is decoded.
    """
    return dict(_flattened(value, ""))


def _flattened(value: object, prefix: str) -> Iterator[tuple[str, JsonValue]]:
    setting = getattr(value, "setting", None)
    if callable(setting):
        yield prefix.removesuffix("."), _leaf(setting())
    elif is_contract(value):
        for one, held in written(value):
            yield from _flattened(held, f"{prefix}{one.flat}." if one.flat else prefix)
    elif isinstance(value, Mapping):
        for name, held in value.items():
            yield from _flattened(held, f"{prefix}{name}.")
    else:
        yield prefix.removesuffix("."), _leaf(value)


def _leaf(value: object) -> JsonValue:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return tuple(map(_leaf, value))
    if isinstance(value, Mapping):
        return tuple((str(name), _leaf(one)) for name, one in value.items())
    if is_contract(value):
        return tuple((one.name, _leaf(held)) for one, held in written(value))
    raise TypeError(f"a {type(value).__name__} cannot be a setting")
