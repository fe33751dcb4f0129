"""The kinds of value that a key of an Ovfile can have, and the messages about wrong values.

    kind.check(value, at, problems)     report everything that is wrong with `value`, which is at key path `at`
    kind.read(value)                    the typed value (string, number, tuple), None if its form is wrong
    kind.expected                       description for "expected ..." and for the key reference
    kind.json_schema()                  the same for editors, in JSON Schema

A kind checks only the form of one value. `meaning/` checks what needs several keys, such as an unknown dataset or a
missing calibration set. If JSON Schema cannot express a check, the schema accepts more than `check`.
"""

from __future__ import annotations

import math
import posixpath
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, Protocol, TypeVar

from ovmake.diagnostics import did_you_mean
from ovmake.ovfile.problems import Also, Problem, Problems, bad_value, clipped, toml, wrong_type
from ovmake.ovfile.words import KeyPath
from ovmake.units import EXAMPLES, memory_of

LARGEST = (1 << 63) - 1
NOTHING = r"(?!)"  # a pattern that matches no word

JsonSchema = dict[str, object]
T_co = TypeVar("T_co", covariant=True)


class Kind(Protocol):
    """A kind of value."""

    @property
    def expected(self) -> str:
        """Describe a right value, for "expected ..."."""

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """Report what is wrong with `value`."""

    def json_schema(self) -> JsonSchema:
        """Return the JSON Schema of the value."""


class Scalar(Kind, Protocol[T_co]):
    """A kind of value that is not a table."""

    def read(self, value: object) -> T_co | None:
        """Return the typed value; None if its form is wrong or there is no value."""


def is_number(value: float) -> bool:
    """Whether a TOML number is finite and fits into 64 bits. tomli reads integers of any length."""
    return abs(value) <= LARGEST if isinstance(value, int) else math.isfinite(value)


def no_number(value: float) -> str:
    """Return why `is_number` is False, to continue "... is"."""
    return "too large" if isinstance(value, int) else f"{value}, not a finite number"


def one_of(words: Sequence[str]) -> str:
    """Return "`a`, `b` or `c`"."""
    quoted = [f"`{word}`" for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def in_any_dialect(pattern: str) -> str:
    r"""Return a Python pattern without `\Z`, which JavaScript lacks, and `\0`, which Taplo (in Rust) lacks."""
    return pattern.replace(r"\Z", "$").replace(r"\0", r"\x00")


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A string that is not empty."""

    expected: str = "a string"

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """Report empty strings, and NUL, which no path or name can contain."""
        if not isinstance(value, str):
            problems.add(wrong_type(self.expected, value, at))
        elif not value:
            problems.add(bad_value("empty", self.expected, at))
        elif "\0" in value:
            problems.add(bad_value("a string with a NUL character in it", "", at))

    def read(self, value: object) -> str | None:
        """Return the typed value; None if its form is wrong."""
        return value if isinstance(value, str) else None

    def json_schema(self) -> JsonSchema:
        """Return the JSON Schema of the value."""
        return {"type": "string", "minLength": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePath(Text):
    """A path, relative to the Ovfile. `./d/../v.npz` means `v.npz`."""

    def read(self, value: object) -> str | None:
        """Return the path in its plain form."""
        return posixpath.normpath(value) if isinstance(value, str) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOrMore:
    """A string, or an array of strings."""

    expected: str = "a string or an array of strings"

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """Report each wrong element at its own index."""
        if isinstance(value, list):
            ListOf(element=Text(), expected=self.expected).check(value, at, problems)
        else:
            Text(expected=self.expected).check(value, at, problems)

    def read(self, value: object) -> tuple[str, ...] | None:
        """Return the typed value; None if its form is wrong."""
        found = value if isinstance(value, list) else [value]
        return tuple(one for one in found if isinstance(one, str)) or None

    def json_schema(self) -> JsonSchema:
        """Return the JSON Schema of the value."""
        text = Text().json_schema()
        return {"anyOf": [text, {"type": "array", "items": text, "minItems": 1}]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A Python regular expression."""

    expected: str = "a regular expression"

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """Report an expression that cannot be compiled, with the reason."""
        before = len(problems.found)
        Text(expected=self.expected).check(value, at, problems)
        if isinstance(value, str) and len(problems.found) == before:
            try:
                re.compile(value)
            except (re.error, RecursionError, OverflowError) as error:
                message = f"{toml(value)} is not a valid regular expression: {error}"
                hint = "write literal names in `names`; `\\.` is a dot"
                problems.add(Problem(code="bad-pattern", at=at, message=message, help=hint))

    def read(self, value: object) -> str | None:
        """Return the typed value; None if its form is wrong."""
        return value if isinstance(value, str) else None

    def json_schema(self) -> JsonSchema:
        """Return the JSON Schema of the value."""
        return {"type": "string", "minLength": 1, "format": "regex"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """true or false."""

    expected: str = "true or false"

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """Report everything except TOML's booleans."""
        if not isinstance(value, bool):
            problems.add(wrong_type(self.expected, value, at))

    def read(self, value: object) -> bool | None:
        """Return the typed value; None if its form is wrong."""
        return value if isinstance(value, bool) else None

    def json_schema(self) -> JsonSchema:
        """Return the JSON Schema of the value."""
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number in a range. `minimum` and `maximum` are included; `above` is not."""

    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None

    _whole: ClassVar[bool] = False

    @property
    def expected(self) -> str:
        """For example "a whole number of at least 1"."""
        text = "a whole number" if self._whole else "a number"
        text += "" if self.minimum is None else f" of at least {self.minimum:g}"
        text += "" if self.above is None else f" above {self.above:g}"
        return text + ("" if self.maximum is None else f" and at most {self.maximum:g}")

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """Report wrong types and values out of range; infinity and NaN are TOML floats, and are refused."""
        if (
            not isinstance(value, int | float)
            or isinstance(value, bool)
            or (self._whole and not isinstance(value, int))
        ):
            problems.add(wrong_type(self.expected, value, at))
        elif not is_number(value):
            problems.add(bad_value(no_number(value), self.expected, at))
        elif not self._in_range(value):
            problems.add(bad_value(f"{toml(value)}, not {self.expected}", self.expected, at))

    def _in_range(self, value: float) -> bool:
        ends = (self.minimum is None or value >= self.minimum) and (self.maximum is None or value <= self.maximum)
        return ends and (self.above is None or value > self.above)

    def read(self, value: object) -> float | None:
        """Return the typed value; None if its form is wrong."""
        return float(value) if isinstance(value, int | float) and is_number(value) else None

    def json_schema(self) -> JsonSchema:
        """Return the JSON Schema of the value."""
        ends = {"minimum": self.minimum, "exclusiveMinimum": self.above, "maximum": self.maximum}
        told = {name: end for name, end in ends.items() if end is not None}
        return {"type": "integer" if self._whole else "number", **told}


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole(Number):
    """A whole number in a range."""

    _whole: ClassVar[bool] = True

    def read(self, value: object) -> int | None:
        """Return the number."""
        return value if isinstance(value, int) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """A size of memory, with a unit."""

    expected: str = f"a size such as `{EXAMPLES}`"

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """Report a size without a unit, or with an unknown one."""
        if not isinstance(value, str):
            problems.add(wrong_type(self.expected, value, at, hint="write it with a unit, as a string"))
        elif memory_of(value) is None:
            hint = "units are B, kB, MB, GB, TB (powers of 1000) and KiB, MiB, GiB, TiB (powers of 1024)"
            problems.add(bad_value(f"{toml(value)}, not a valid size", self.expected, at, hint=hint))

    def read(self, value: object) -> int | None:
        """Return the typed value; None if its form is wrong."""
        return memory_of(value) if isinstance(value, str) else None

    def json_schema(self) -> JsonSchema:
        """Return the JSON Schema of the value."""
        return {"type": "string", "pattern": r"^\s*[0-9.]+\s*([kKmMgGtT][iI]?)?[bB]\s*$"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of a few words.

    `code` is the code of the diagnostic, such as `unknown-preset`; `what` describes the words. Words that match
    `pattern` are allowed too. `advice(word)` returns help for an unknown word, or "".
    """

    words: tuple[str, ...]
    code: str
    what: str
    pattern: str = NOTHING
    advice: Callable[[str], str] = lambda _: ""

    @property
    def expected(self) -> str:
        """The words, for "expected ..."."""
        return one_of(self.words)

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """Report an unknown word, with a "did you mean"."""
        if not isinstance(value, str):
            problems.add(wrong_type("a string", value, at))
        elif value not in self.words and not re.fullmatch(self.pattern, value):
            message = f"unknown {self.what} `{clipped(value)}`"
            hint = did_you_mean(value, list(self.words)) or self.advice(value)
            problems.add(Problem(code=self.code, at=at, message=message, label=f"expected {self.expected}", help=hint))

    def read(self, value: object) -> str | None:
        """Return the typed value; None if its form is wrong."""
        return value if isinstance(value, str) else None

    def json_schema(self) -> JsonSchema:
        """Return the JSON Schema of the value."""
        words: JsonSchema = {"enum": list(self.words)}
        if self.pattern == NOTHING:
            return words
        return {"anyOf": [words, {"type": "string", "pattern": f"^({in_any_dialect(self.pattern)})$"}]}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOf(Generic[T_co]):
    """An array of elements of one kind. `once`, if given, names the elements, which must not repeat.

    If not `ordered`, order and repetition have no meaning: the elements are read sorted, each once.
    """

    element: Scalar[T_co]
    expected: str
    at_least: int = 1
    once: str = ""
    ordered: bool = True

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """Report each wrong element at its own index."""
        if not isinstance(value, list):
            problems.add(wrong_type(self.expected, value, at))
            return
        if len(value) < self.at_least:
            problems.add(bad_value("empty", self.expected, at))
        first: dict[str, int] = {}
        for index, element in enumerate(value):
            self.element.check(element, (*at, index), problems)
            if self.once and isinstance(element, str) and first.setdefault(element, index) != index:
                problems.add(self._again(element, (*at, index), (*at, first[element])))

    def _again(self, element: str, at: KeyPath, first: KeyPath) -> Problem:
        return Problem(
            code="duplicate-target",
            at=at,
            message=f"{self.once} `{clipped(element)}` is listed twice",
            also=Also(at=first, text="first listed here"),
            help="remove one of them",
        )

    def read(self, value: object) -> tuple[T_co, ...] | None:
        """Return the typed value; None if its form is wrong."""
        if not isinstance(value, list):
            return None
        found = (self.element.read(element) for element in value)
        known = [element for element in found if element is not None]
        return tuple(known if self.ordered else sorted(dict.fromkeys(known), key=str))

    def json_schema(self) -> JsonSchema:
        """Return the JSON Schema of the value."""
        once = {"uniqueItems": True} if self.once else {}
        return {"type": "array", "items": self.element.json_schema(), "minItems": self.at_least, **once}


STRINGS = ListOf(element=Text(), expected="an array of strings")
