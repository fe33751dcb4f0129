"""The base of params that an Ovfile's keys fill: a field per key that a worker reads, and `more` for all other keys.

A key that `ovfile/schema` declares reaches an action without a line here: `rules.filling` puts it into the field of the
same name, or into `more`. Only a key that a worker reads needs a field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ovmake.contracts.codec import flat_as


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """The base of such params. `more` holds values by their Ovfile keys, without defaults."""

    KEBAB: ClassVar[bool] = True

    more: Mapping[str, object] = field(default_factory=dict, metadata=flat_as(""))
