"""Fill the params of an action from the declared keys of an Ovfile.

    filled(InputParams, "convert", tensor) -> InputParams(shape=(1, 28, 28), ...)

`reaches` in a key's declaration (`ovfile/schema`) names the kinds of action that use the key. Its value goes into the
params' field of the same name, or into `more` if there is no such field. So a new key reaches its actions by its
declaration alone.

The digest omits a field at the field's default, and a key in `more` at its declared default.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ovmake.contracts.codec import fields
from ovmake.contracts.params.declared import Declared
from ovmake.ovfile.schema.declaring import seen_fields

P = TypeVar("P", bound=Declared)


def filled(cls: type[P], kind: str, settings: object, /, *, beyond: type | None = None, **given: object) -> P:
    """Return the params of an action of this kind, filled from `settings`, a dataclass of keys.

    `beyond` is a base class of `settings` whose keys are omitted. `given` are fields that do not come from a single
    key: tables, and values computed from several keys. They override keys.
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
