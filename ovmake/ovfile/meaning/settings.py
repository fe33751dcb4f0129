"""Look settings up in the tables of a document, nearest first.

    Settings(document=..., layers=...).get("accuracy", "max-drop")

A layer is the path of a table. For a target they are:

    [models.m.int8]   [models.m]   [defaults.int8]   [defaults]

Rule 1: a table in a nearer layer does not hide one in a farther layer: they are read as one.
Rule 2: `accuracy = false` does hide the `accuracy` tables of farther layers.
Rule 3: `origins` remembers the key path at which each setting was found.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ovmake.ovfile.words import KeyPath


@dataclass(slots=True, kw_only=True)
class Settings:
    """What some tables of a document say together."""

    document: dict[str, object]
    layers: tuple[KeyPath, ...]
    origins: dict[str, KeyPath] = field(default_factory=dict)
    _tables: list[tuple[KeyPath, object]] = field(init=False)

    def __post_init__(self) -> None:
        """Find the layers that are there: a target asks for some forty settings, and most layers are not."""
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
        """Whether a table says anything under a key. A key of no parts is the tables themselves."""
        return any(dig(within, key)[0] for _, within in self._tables)

    def is_off(self, *key: str) -> bool:
        """Whether `false` stands for a table, in the nearest layer that has the key. A table has no origin itself."""
        if self.get(*key) is False:
            return True
        self.origins.pop(".".join(key), None)
        return False

    def origin(self, *key: str) -> KeyPath | None:
        """Return where a setting is, or None."""
        self.get(*key)
        return self.origins.get(".".join(key))

    def text(self, *key: str, default: str) -> str:
        """Return a string; the schema has seen to its type."""
        value = self.get(*key)
        return value if isinstance(value, str) else default

    def names(self, *key: str) -> tuple[str, ...]:
        """Return the keys of a table over all layers, sorted: their order in the Ovfile means nothing."""
        names: set[str] = set()
        for _, within in self._tables:
            names.update(table(within, key))
        return tuple(sorted(names))


def dig(document: object, path: KeyPath) -> tuple[bool, object]:
    """Return (True, the value at `path`), or (False, what stands in the way: None, or a value that is no table)."""
    value: object = document
    for part in path:
        if not isinstance(value, dict):
            return False, value
        if part not in value:
            return False, None
        value = value[part]
    return True, value


def text_at(document: dict[str, object], path: KeyPath) -> str:
    """Return the string at `path`; an empty one if there is none."""
    found, value = dig(document, path)
    return value if found and isinstance(value, str) else ""


def table(document: object, path: KeyPath) -> dict[str, object]:
    """Return the table at `path`; an empty one if there is none."""
    found, value = dig(document, path)
    return value if found and isinstance(value, dict) else {}
