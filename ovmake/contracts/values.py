"""Values that JSON and the digest of an action both hold, and objects of them.

JsonValue   a value that is frozen: arrays are tuples
Facts       what an action says of its result, by name: few and small values, kept with its trace
JsonObject  an object as a JSON reader gives it, before a contract has read it; or one that a framework wants
"""

from __future__ import annotations

from collections.abc import Mapping

JsonValue = None | bool | int | float | str | tuple["JsonValue", ...]
Facts = Mapping[str, JsonValue]
JsonObject = Mapping[str, object]
