"""Look settings up in the tables of a document, nearest first.

    Settings(document=..., layers=...).get("accuracy", "max-drop")

A layer is the path of a table. For a target they are:

    [models.m.int8]   [models.m]   [defaults.int8]   [defaults]

Rule 1: a table in a nearer layer does not hide one in a farther layer: the tables are merged.
Rule 2: `accuracy = false` hides the `accuracy` tables of farther layers.
Rule 3: `origins` records the key path at which each setting was found.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ovmake.ovfile.words import KeyPath


@dataclass(slots=True, kw_only=True)
class Settings:
    """The merged settings of some tables of a document."""

    document: dict[str, object]
    layers: tuple[KeyPath, ...]
    origins: dict[str, KeyPath] = field(default_factory=dict)
    _tables: list[tuple[KeyPath, object]] = field(init=False)

    def __post_init__(self) -> None:
        """Find the existing layers once: most do not exist, and a target looks up about forty settings."""
        found = [(layer, dig(self.document, layer)[1]) for layer in self.layers]
        self._tables = [(layer, value) for layer, value in found if value is not None]

    def get(self, *key: str) -> object:
        """Return the value of a dotted key, or None."""
        for layer, within in self._tables:
            found, value = dig(within, key)
            if found:
                self.origins[".".join(key)] = (*layer, *key)
                return value
            if value is False:
                return None
        return None

    def has(self, *key: str) -> bool:
        """Whether any table has the key. Without parts: whether any table exists."""
        return any(dig(within, key)[0] for _, within in self._tables)

    def is_off(self, *key: str) -> bool:
        """Whether the nearest layer with the key sets the table to `false`. A table itself has no origin."""
        if self.get(*key) is False:
            return True
        self.origins.pop(".".join(key), None)
        return False

    def origin(self, *key: str) -> KeyPath | None:
        """Return the key path of a setting, or None."""
        self.get(*key)
        return self.origins.get(".".join(key))

    def text(self, *key: str, default: str) -> str:
        """Return a string; the schema has checked its type."""
        value = self.get(*key)
        return value if isinstance(value, str) else default

    def names(self, *key: str) -> tuple[str, ...]:
        """Return the keys of a table over all layers, sorted: their order in the Ovfile has no meaning."""
        names: set[str] = set()
        for _, within in self._tables:
            names.update(table(within, key))
        return tuple(sorted(names))


def dig(document: object, path: KeyPath) -> tuple[bool, object]:
    """Return (True, the value at `path`), or (False, the value on the way that is not a table, or None)."""
    value: object = document
    for part in path:
        if not isinstance(value, dict):
            return False, value
        if part not in value:
            return False, None
        value = value[part]
    return True, value


def text_at(document: dict[str, object], path: KeyPath) -> str:
    """Return the string at `path`, or ""."""
    found, value = dig(document, path)
    return value if found and isinstance(value, str) else ""


def table(document: object, path: KeyPath) -> dict[str, object]:
    """Return the table at `path`, or {}."""
    found, value = dig(document, path)
    return value if found and isinstance(value, dict) else {}
