"""Values that JSON and the digest of an action both hold."""

from __future__ import annotations

JsonValue = None | bool | int | float | str | tuple["JsonValue", ...]
