"""Tables of an Ovfile: those with known keys, and those whose keys are names that the user chose.

Table(keys=...), Named(element=...)     kinds like those of `kinds.py`
Off()                                   the word `false` in place of a table
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ovmake.ovfile.problems import (
    Problem,
    Problems,
    bad_value,
    clipped,
    dotted,
    not_yet,
    toml,
    wrong_type,
)
from ovmake.ovfile.schema.declaring import Key
from ovmake.ovfile.schema.kinds import JsonSchema, Kind, in_any_dialect
from ovmake.ovfile.text.cures import plain_name
from ovmake.ovfile.words import KeyPath

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")


def no_table(value: object, at: KeyPath, hint: str = "") -> Problem:
    """Return the problem of a value that should be a table, with a hint for `[[a]]`, an array of tables."""
    if isinstance(value, list) and value and all(isinstance(element, dict) for element in value):
        hint = f"write [{dotted(at)}], with single brackets, once"
    return wrong_type("a table", value, at, hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with known keys. `otherwise` is a kind for other values, as in `accuracy = false`.

    `title` names a table that occurs several times, so that its JSON Schema is written once.
    """

    keys: Sequence[Key]
    otherwise: Kind | None = None
    title: str = ""

    @property
    def expected(self) -> str:
        """The words for "expected ..."."""
        return self.otherwise.expected if self.otherwise else "a table"

    def json_schema(self) -> JsonSchema:
        """Return the JSON Schema, or a reference to it if the table has a title."""
        return {"$ref": f"#/$defs/{self.title}"} if self.title else self.definition()

    def definition(self) -> JsonSchema:
        """Return the JSON Schema with all keys; others are not allowed."""
        table: JsonSchema = {
            "type": "object",
            "properties": {key.name: key.json_schema() for key in self.keys},
            "additionalProperties": False,
        }
        if required := [key.name for key in self.keys if key.required]:
            table["required"] = required
        return {**table, **self.otherwise.json_schema()} if self.otherwise else table

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """Report unknown keys, wrong values, values that are not supported yet, and missing keys."""
        if not isinstance(value, dict):
            if self.otherwise:
                self.otherwise.check(value, at, problems)
            else:
                problems.add(no_table(value, at))
            return
        known = {key.name: key for key in self.keys}
        for name, element in value.items():
            if name not in known:
                message = f"unknown key `{clipped(name)}`"
                problems.add(Problem(code="unknown-key", at=(*at, name), on="key", message=message))
            else:
                _check_key(known[name], element, (*at, name), problems)
        if value.keys() <= known.keys():  # an unknown key may be the missing one, misspelt
            self._check_required(value, at, problems)

    def _check_required(self, value: dict[str, object], at: KeyPath, problems: Problems) -> None:
        for key in self.keys:
            if key.required and key.name not in value:
                message = f"[{dotted(at)}] has no `{key.name}`"
                problems.add(Problem(code="missing-key", at=at, message=message, help=key.required))


def _check_key(key: Key, value: object, at: KeyPath, problems: Problems) -> None:
    before = len(problems.found)
    key.kind.check(value, at, problems)
    if len(problems.found) == before and key.ready and value not in key.ready:
        problems.add(not_yet(at, value, ready=f"`{toml(key.ready[0])}`"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A table whose keys are names that the user chose: models, datasets, inputs.

    `strict` names become folders in the build folder, so they may have letters, digits and `._-` only.
    """

    element: Kind
    what: str
    strict: bool = True
    reserved: tuple[str, ...] = ()

    @property
    def expected(self) -> str:
        """The words for "expected ..."."""
        return f"a table with a key per {self.what}"

    def json_schema(self) -> JsonSchema:
        """Return the JSON Schema of the value."""
        names: JsonSchema = {"minLength": 1}
        if self.strict:
            names = {"pattern": in_any_dialect(f"^{NAME.pattern}"), "not": {"enum": list(self.reserved)}}
        return {"type": "object", "propertyNames": names, "additionalProperties": self.element.json_schema()}

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """Report bad names at the name, and check each element."""
        if not isinstance(value, dict):
            problems.add(wrong_type(self.expected, value, at))
            return
        for name, element in value.items():
            place = (*at, name)
            if not (NAME.match(name) if self.strict else name):
                hint = "use up to 100 letters a to z, digits, `.`, `_` and `-`, and begin with a letter or digit"
                hint += f": `{plain}`" if NAME.match(plain := plain_name(name)) else ""
                problems.add(self._bad_name(name, place, hint))
            elif name in self.reserved:
                problems.add(
                    self._bad_name(name, place, f"choose another name: ovmake writes a folder `{name}` of its own")
                )
            if isinstance(self.element, Table) and not isinstance(element, dict):
                hint = f"each key here is the name of a {self.what}; its settings go in a table [{dotted(at)}.NAME]"
                problems.add(no_table(element, place, hint=hint))
            else:
                self.element.check(element, place, problems)

    def _bad_name(self, name: str, at: KeyPath, hint: str) -> Problem:
        message = f"`{clipped(name)}` cannot be the name of a {self.what}"
        return Problem(code="bad-name", at=at, on="key", message=message, help=hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Off:
    """The word `false` in place of a table."""

    expected: str = "a table or `false`"

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """Report every value except `false`; `true` has no meaning."""
        if value is True:
            problems.add(
                bad_value("true, which has no meaning here", self.expected, at, hint="leave it out for the default")
            )
        elif value is not False:
            problems.add(wrong_type(self.expected, value, at))

    def json_schema(self) -> JsonSchema:
        """Return the part of a table's JSON Schema that allows `false`."""
        return {"type": ["object", "boolean"], "not": {"const": True}}
