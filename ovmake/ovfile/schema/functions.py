"""Read names of the user's functions in an Ovfile: `metrics.py:f1_of_plants`.

UserFunction()                 a kind like those of `kinds.py`
form_of(written) -> str        how to write a wrong name correctly, "" if it does not look like a function
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ovmake.ovfile.problems import Problems, bad_value, clipped, toml, wrong_type
from ovmake.ovfile.schema.kinds import JsonSchema, in_any_dialect
from ovmake.ovfile.words import KeyPath

FUNCTION = re.compile(r"[^:\0]+\.py:[A-Za-z_][A-Za-z_0-9]*\Z")
_FILE = re.compile(r"([^:\0]+\.py):*\Z")
# `metrics.mine`, `metrics:mine`, `metrics.py::mine`, `lib/metrics.py:mine()`
_NEARLY = re.compile(r"([A-Za-z_0-9/\\. -]*?[A-Za-z_0-9-])(?:\.py)?(?:::?|\.)([A-Za-z_][A-Za-z_0-9]*)(?:\(\))?\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFunction:
    """One of the user's functions: its .py file and its name."""

    expected: str = "a function in a file, such as `data.py:val`"

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """Report a value that does not name a function; a name has no arguments."""
        if not isinstance(value, str):
            problems.add(wrong_type(self.expected, value, at))
        elif not FUNCTION.match(value):
            problems.add(bad_value(f"{toml(value)}, which names no function", self.expected, at, form_of(value)))

    def json_schema(self) -> JsonSchema:
        """Return the JSON Schema of the value."""
        return {"type": "string", "pattern": in_any_dialect(f"^(?:{FUNCTION.pattern})")}


def form_of(written: str) -> str:
    """Return help for a wrong name of a function, "" if `written` does not look like one."""
    if file := _FILE.match(written):
        return f"name the function too, after a colon: `{clipped(file[1])}:FUNCTION`"
    if (nearly := _NEARLY.match(written)) and nearly[2] != "py":
        module = nearly[1] if ":" in written or "/" in nearly[1] else nearly[1].replace(".", "/")
        return f"name your function by its file: `{clipped(module)}.py:{clipped(nearly[2])}`"
    return ""
