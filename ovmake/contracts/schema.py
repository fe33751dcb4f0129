"""Derive the JSON Schema (draft 2020-12) of a dataclass, as `codec.encode` writes it.

schema(Verdict) -> {"$schema": ..., "$ref": "#/$defs/Verdict", "$defs": {...}}
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping

from ovmake.contracts.codec import FORMAT, fields, format_of

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schema(cls: type) -> dict[str, object]:
    """Return the JSON Schema of a dataclass as `to_bytes` writes it, described by the first line of its docstring.

    Only the file's own class has a `format`; a class nested in it has none.
    """
    definitions: dict[str, object] = {}
    body = _reference(cls, definitions)
    number = format_of(cls)
    if number is not None:
        definitions[cls.__name__] = _object(cls, definitions, {FORMAT: {"const": number}})
    return {"$schema": DRAFT, **body, "$defs": dict(sorted(definitions.items()))}


def _reference(cls: type, definitions: dict[str, object]) -> dict[str, object]:
    if cls.__name__ not in definitions:
        definitions[cls.__name__] = {}  # a class may contain itself
        definitions[cls.__name__] = _object(cls, definitions, {})
    return {"$ref": f"#/$defs/{cls.__name__}"}


def _object(cls: type, definitions: dict[str, object], first: Mapping[str, object]) -> dict[str, object]:
    """Return the schema of a class; `first` are required properties that come before its fields."""
    held = fields(cls)
    return {
        "type": "object",
        "description": (cls.__doc__ or "").partition("\n")[0],
        "properties": {**first, **{one.name: _schema(one.type, definitions) for one in held}},
        "required": [*first, *(one.name for one in held if one.required)],
        "additionalProperties": False,
    }


_NAMES: Mapping[object, str] = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}


def _schema(hint: object, definitions: dict[str, object]) -> dict[str, object]:
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _reference(hint, definitions)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return {"enum": list(arguments)}
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_schema(one, definitions) for one in arguments]}
    if origin is tuple:
        return {"type": "array", **_elements(arguments, definitions)}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _schema(arguments[1], definitions)}
    return {} if hint is object else {"type": _NAMES[hint]}


def _elements(arguments: tuple[object, ...], definitions: dict[str, object]) -> dict[str, object]:
    if arguments[-1] is Ellipsis:
        return {"items": _schema(arguments[0], definitions)}
    items = [_schema(one, definitions) for one in arguments]
    return {"prefixItems": items, "minItems": len(items), "maxItems": len(items)}
