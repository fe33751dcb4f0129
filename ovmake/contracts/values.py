"""Values that JSON and action digests can hold, and objects of such values.

JsonValue   an immutable value: arrays are tuples
Facts       what an action reports about its result, by name: a few small values, stored with its trace
JsonObject  a JSON object that no contract has decoded yet, or one that a framework expects
"""

from __future__ import annotations

from collections.abc import Mapping

JsonValue = None | bool | int | float | str | tuple["JsonValue", ...]
Facts = Mapping[str, JsonValue]
JsonObject = Mapping[str, object]
