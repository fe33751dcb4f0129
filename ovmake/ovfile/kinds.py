"""The kinds of value an Ovfile's key can have, and how a wrong value is described.

    kind.check(value, at, problems)     report everything that is wrong with `value`, which stands at key path `at`

A kind checks form only. What needs other keys (an unknown dataset, a missing calibration set) is `parse.py`'s business.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from ovmake.diagnostics import did_you_mean
from ovmake.ovfile.spec import KeyPath

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
PERCENT = re.compile(r"-?\d+(\.\d+)?%\Z")
BOUNDED = re.compile(r"\d+\.\.(\d+)?\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A mistake at a key path; `on` says whether the caret goes under the key or the value."""

    code: str
    at: KeyPath
    message: str
    label: str = ""
    help: str = ""
    on: Literal["key", "value"] = "value"
    first: KeyPath | None = None


@dataclass(slots=True)
class Problems:
    """Collects problems, so that one run shows all of them."""

    found: list[Problem] = field(default_factory=list)

    def add(self, problem: Problem) -> None:
        """Add `problem`, once: several precisions may run into the same line of the Ovfile."""
        if problem not in self.found:
            self.found.append(problem)


class Kind(Protocol):
    """A kind of value."""

    @property
    def expected(self) -> str:
        """What a value should be, for "expected ..."."""

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """Report what is wrong with `value`."""


def dotted(at: KeyPath) -> str:
    """Return a key path as a user writes it: `models.digits.inputs.image.shape[0]`."""
    text = ""
    for part in at:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def wrong_type(expected: str, value: object, at: KeyPath) -> Problem:
    """Return the problem of a value of the wrong TOML type."""
    message = f"`{dotted(at)}` is {toml_type(value)}, not {expected}"
    return Problem(code="wrong-type", at=at, message=message, label=f"expected {expected}")


def toml_type(value: object) -> str:
    """Return TOML's name for the type of a parsed value, with its article."""
    # bool before int: True is an int in Python
    names = (
        (bool, "a boolean"),
        (int, "an integer"),
        (float, "a float"),
        (str, "a string"),
        (list, "an array"),
        (dict, "a table"),
    )
    return next((name for kind, name in names if isinstance(value, kind)), "a date or time")


def is_number(value: object) -> bool:
    """Whether a TOML value is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A string that is not empty."""

    expected: str = "a string"

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """A NUL can be in no path and no name."""
        if not isinstance(value, str):
            problems.add(wrong_type(self.expected, value, at))
        elif not value or "\0" in value:
            problems.add(Problem(code="bad-value", at=at, message=f"`{dotted(at)}` is empty or holds a NUL character"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """true or false."""

    expected: str = "true or false"

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """Only TOML's booleans will do."""
        if not isinstance(value, bool):
            problems.add(wrong_type(self.expected, value, at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number in a range, both ends included unless `above`."""

    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    whole: bool = False

    @property
    def expected(self) -> str:
        """For example "a whole number of at least 1"."""
        text = "a whole number" if self.whole else "a number"
        text += "" if self.minimum is None else f" of at least {self.minimum:g}"
        text += "" if self.above is None else f" above {self.above:g}"
        return text + ("" if self.maximum is None else f" and at most {self.maximum:g}")

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """Infinity and NaN are TOML floats, but never numbers here."""
        if not isinstance(value, int | float) or isinstance(value, bool) or (self.whole and not isinstance(value, int)):
            problems.add(wrong_type(self.expected, value, at))
        elif not self._holds(value):
            message = f"`{dotted(at)}` is {value:g}, not {self.expected}"
            problems.add(Problem(code="bad-value", at=at, message=message, label=f"expected {self.expected}"))

    def _holds(self, value: float) -> bool:
        if not is_number(value):
            return False
        low = self.minimum is None or value >= self.minimum
        return low and (self.above is None or value > self.above) and (self.maximum is None or value <= self.maximum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of a few words. `code` is the diagnostic's, such as `unknown-preset`; `what` is what the words name."""

    words: tuple[str, ...]
    code: str
    what: str

    @property
    def expected(self) -> str:
        """The words, for "expected ..."."""
        quoted = [f"`{word}`" for word in self.words]
        return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """A word that is not among them gets a "did you mean"."""
        if not isinstance(value, str):
            problems.add(wrong_type("a string", value, at))
        elif value not in self.words:
            message = f"unknown {self.what} `{value}`"
            hint = did_you_mean(value, list(self.words))
            problems.add(Problem(code=self.code, at=at, message=message, label=f"expected {self.expected}", help=hint))


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOf:
    """An array whose elements are all of one kind."""

    element: Kind
    expected: str
    at_least: int = 1

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """Every wrong element is reported at its own place."""
        if not isinstance(value, list):
            problems.add(wrong_type(self.expected, value, at))
            return
        if len(value) < self.at_least:
            problems.add(
                Problem(code="bad-value", at=at, message=f"`{dotted(at)}` is empty", label=f"expected {self.expected}")
            )
        for index, element in enumerate(value):
            self.element.check(element, (*at, index), problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """An array of dimensions: a size, -1 for dynamic, or "1..8" for bounded."""

    expected: str = "an array of dimensions such as [-1, 224, 224, 3]"

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """Bounded dimensions are legal but not supported yet."""
        if not isinstance(value, list):
            problems.add(wrong_type(self.expected, value, at))
            return
        for index, dimension in enumerate(value):
            self._check_dimension(dimension, (*at, index), problems)

    def _check_dimension(self, dimension: object, at: KeyPath, problems: Problems) -> None:
        if isinstance(dimension, str) and BOUNDED.match(dimension):
            problems.add(not_yet("bounded dimensions", at, on="value"))
        elif isinstance(dimension, bool) or not isinstance(dimension, int) or dimension == 0 or dimension < -1:
            shown = f'"{dimension}"' if isinstance(dimension, str) else f"{dimension}".lower()
            message = f"`{dotted(at)}` is {shown}, which is no dimension"
            problems.add(
                Problem(code="bad-shape", at=at, message=message, label='expected a size, -1 or a range such as "1..8"')
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class PerChannel:
    """One number, or an array with one number per channel. `zero` says whether 0 is legal."""

    zero: bool = True
    expected: str = "a number or an array of numbers, one per channel"

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """Dividing by a scale of 0 would fill the model with infinities."""
        elements = value if isinstance(value, list) else [value]
        if not elements:
            problems.add(
                Problem(code="bad-value", at=at, message=f"`{dotted(at)}` is empty", label=f"expected {self.expected}")
            )
        for index, element in enumerate(elements):
            place = (*at, index) if isinstance(value, list) else at
            if not is_number(element):
                problems.add(
                    wrong_type("a finite number" if isinstance(value, list) else self.expected, element, place)
                )
            elif element == 0 and not self.zero:
                problems.add(
                    Problem(code="bad-value", at=place, message=f"`{dotted(place)}` is 0, and the IR divides by it")
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class DropAmount:
    """A number in metric units, or "1%" of TensorFlow's metric. Negative: the IR must be better."""

    expected: str = 'a number such as 0.01, or a string such as "1%"'

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """A string that is no percentage is a bad value, not a wrong type."""
        if isinstance(value, str) and not PERCENT.match(value):
            problems.add(
                Problem(
                    code="bad-value",
                    at=at,
                    message=f'`{dotted(at)}` is "{value}", not a percentage',
                    label=f"expected {self.expected}",
                )
            )
        elif not isinstance(value, str) and not is_number(value):
            problems.add(wrong_type(self.expected, value, at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Off:
    """The word `false`, where a table may stand."""

    expected: str = "a table or false"

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """`true` would say nothing."""
        if value is not False:
            problems.add(wrong_type(self.expected, value, at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key of a table. `doc` is one line for the reference.

    `ready` says which values this version supports: True all, False none, a tuple just those.
    """

    name: str
    kind: Kind
    doc: str
    ready: bool | tuple[object, ...] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with known keys. `otherwise` may take a value that is no table, as in `accuracy = false`."""

    keys: Sequence[Key]
    otherwise: Kind | None = None

    @property
    def expected(self) -> str:
        """A table, or what stands for it."""
        return self.otherwise.expected if self.otherwise else "a table"

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """Unknown keys are errors; keys that wait for their issue say so instead of being ignored."""
        if not isinstance(value, dict):
            if self.otherwise:
                self.otherwise.check(value, at, problems)
            else:
                problems.add(wrong_type("a table", value, at))
            return
        known = {key.name: key for key in self.keys}
        for name, element in value.items():
            if name not in known:
                problems.add(_unknown_key(name, list(known), at))
            else:
                _check_key(known[name], element, (*at, name), problems)


def _check_key(key: Key, value: object, at: KeyPath, problems: Problems) -> None:
    before = len(problems.found)
    key.kind.check(value, at, problems)
    if len(problems.found) > before or key.ready is True:
        return
    if key.ready is False:
        problems.add(not_yet(f"`{key.name}`", at, on="key"))
    elif value not in key.ready:
        problems.add(not_yet(f"`{key.name} = {_toml(value)}`", at, on="value"))


def _toml(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A table whose keys are names that the user chose: models, datasets, inputs.

    `strict` names become folders under the build folder, so they are kept to letters, digits and `._-`.
    """

    element: Kind
    what: str
    strict: bool = True
    reserved: tuple[str, ...] = ()

    @property
    def expected(self) -> str:
        """A table of tables."""
        return f"a table with a key per {self.what}"

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """A bad name is reported at the name."""
        if not isinstance(value, dict):
            problems.add(wrong_type(self.expected, value, at))
            return
        for name, element in value.items():
            if self.strict and not NAME.match(name):
                problems.add(
                    self._bad_name(
                        name, (*at, name), "use letters, digits, `.`, `_` and `-`, and begin with a letter or digit"
                    )
                )
            elif name in self.reserved:
                problems.add(
                    self._bad_name(name, (*at, name), f"`{name}` is taken: ovmake writes a folder of that name")
                )
            self.element.check(element, (*at, name), problems)

    def _bad_name(self, name: str, at: KeyPath, hint: str) -> Problem:
        return Problem(
            code="bad-name", at=at, on="key", message=f"`{name}` cannot be the name of a {self.what}", help=hint
        )


def _unknown_key(name: str, known: list[str], table: KeyPath) -> Problem:
    where = f"in [{dotted(table)}]" if table else "at the top of the Ovfile"
    hint = did_you_mean(name, known) or f"known here: {', '.join(sorted(known))}"
    return Problem(code="unknown-key", at=(*table, name), on="key", message=f"unknown key `{name}` {where}", help=hint)


def not_yet(what: str, at: KeyPath, on: Literal["key", "value"]) -> Problem:
    """Return the problem of something that is planned but not built, named so that it is never ignored in silence."""
    verb = "are" if what.endswith("s") else "is"
    message = f"{what} {verb} not supported yet"
    return Problem(
        code="not-yet-supported",
        at=at,
        on=on,
        message=message,
        help="leave it out: this version of ovmake cannot do it",
    )
