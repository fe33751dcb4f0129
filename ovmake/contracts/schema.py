"""The JSON Schema (draft 2020-12) of what `codec.encode` writes of a dataclass.

schema(Verdict) -> {"$schema": ..., "$ref": "#/$defs/Verdict", "$defs": {...}}
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping

from ovmake.contracts.codec import fields

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schema(cls: type) -> dict[str, object]:
    """Return the JSON Schema of what `encode` writes of a dataclass. Its docstring's first line is the description."""
    definitions: dict[str, object] = {}
    body = _reference(cls, definitions)
    return {"$schema": DRAFT, **body, "$defs": dict(sorted(definitions.items()))}


def _reference(cls: type, definitions: dict[str, object]) -> dict[str, object]:
    if cls.__name__ not in definitions:
        definitions[cls.__name__] = {}  # a class may hold itself
        held = fields(cls)
        definitions[cls.__name__] = {
            "type": "object",
            "description": (cls.__doc__ or "").partition("\n")[0],
            "properties": {one.name: _schema(one.type, definitions) for one in held},
            "required": [one.name for one in held if one.required],
            "additionalProperties": False,
        }
    return {"$ref": f"#/$defs/{cls.__name__}"}


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
