"""Functions of the user's, as an Ovfile names them: `metrics.py:f1_of_plants`.

UserFunction()                 a kind like those of `kinds.py`
form_of(written) -> str        how a name that is none would be written, "" where nothing of it looks like one
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
    """A function of the user's: the .py file, and the name of the function in it."""

    expected: str = "a function in a file, such as `data.py:val`"

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """It is called without arguments, so there are none here."""
        if not isinstance(value, str):
            problems.add(wrong_type(self.expected, value, at))
        elif not FUNCTION.match(value):
            problems.add(bad_value(f"{toml(value)}, which names no function", self.expected, at, form_of(value)))

    def json_schema(self) -> JsonSchema:
        """Return what an editor is told."""
        return {"type": "string", "pattern": in_any_dialect(f"^(?:{FUNCTION.pattern})")}


def form_of(written: str) -> str:
    """Return what to write for a function, "" where `written` does not look like the name of one."""
    if file := _FILE.match(written):
        return f"name the function too, after a colon: `{clipped(file[1])}:FUNCTION`"
    if (nearly := _NEARLY.match(written)) and nearly[2] != "py":
        module = nearly[1] if ":" in written or "/" in nearly[1] else nearly[1].replace(".", "/")
        return f"a function of yours is named by its file: `{clipped(module)}.py:{clipped(nearly[2])}`"
    return ""
