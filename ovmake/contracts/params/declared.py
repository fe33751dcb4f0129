"""Params that an Ovfile's keys fill: one field per key that a worker reads, and `more` for the others.

A key that is declared in `ovfile/schema` reaches an action without a line here: `rules.filling` puts it into the field
of its name, or into `more`. A key gets a field once a worker reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ovmake.contracts.codec import flat_as


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """The base of such params. `more` holds values by the Ovfile's names, less those at their default."""

    KEBAB: ClassVar[bool] = True

    more: Mapping[str, object] = field(default_factory=dict, metadata=flat_as(""))
