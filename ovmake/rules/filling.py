"""From the declared keys of an Ovfile to the params of an action.

    filled(InputParams, "convert", tensor) -> InputParams(shape=(1, 28, 28), ...)

`reaches` of a key's declaration (`ovfile/schema`) names the kinds of action that see it. Such a key goes into the field
of its name, or into `more` where the params have no such field. So a new key reaches its actions by its declaration
alone.

A key in a field is left out of the digest at the field's default, one in `more` at the declared default.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ovmake.contracts.codec import fields
from ovmake.contracts.params.declared import Declared
from ovmake.ovfile.schema.declaring import seen_fields

P = TypeVar("P", bound=Declared)


def filled(cls: type[P], kind: str, settings: object, /, *, beyond: type | None = None, **given: object) -> P:
    """Return the params that an action of a kind gets of a dataclass of keys.

    `beyond` is a class that `settings` extends, whose keys are left out. `given` are the fields that no key has by
    itself: tables, and what follows from several keys; they win.
    """
    make: Callable[..., P] = cls
    table: type = cls
    attributes = {one.name: one.attribute for one in fields(table)}
    values: dict[str, object] = {}
    more: dict[str, object] = {}
    for one in seen_fields(settings, kind, beyond):
        value = getattr(settings, one.field)
        if one.name in attributes:
            values[attributes[one.name]] = value
        elif one.is_told(value):
            more[one.name] = value
    return make(**{**values, "more": more, **given})
