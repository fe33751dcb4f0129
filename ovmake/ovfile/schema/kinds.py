"""The kinds of value an Ovfile's key can have, and how a wrong value is described.

    kind.check(value, at, problems)     report everything that is wrong with `value`, which stands at key path `at`
    kind.expected                       what a value should be, for "expected ..." and for the key reference

A kind checks form only: what one value says by itself. What needs other keys (an unknown dataset, a missing
calibration set) is `meaning.py`'s business.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ovmake.diagnostics import did_you_mean
from ovmake.ovfile.problems import Also, Problem, Problems, bad_value, clipped, toml, wrong_type
from ovmake.ovfile.spec import KeyPath
from ovmake.units import EXAMPLES, memory_of

PERCENT = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,9})?%\Z")
BOUNDED = re.compile(r"([0-9]{1,18})\.\.([0-9]{1,18})?\Z")
LARGEST = (1 << 63) - 1
LARGEST_SIZE = 1 << 31
LARGEST_SIDE = 65535  # of an image, as JPEG has it
LAYOUT = re.compile(r"[A-Z]{1,10}\Z")


class Kind(Protocol):
    """A kind of value."""

    @property
    def expected(self) -> str:
        """What a value should be, for "expected ..."."""

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """Report what is wrong with `value`."""


def is_number(value: float) -> bool:
    """Whether a TOML number is finite and 64 bits hold it. tomli reads integers of any length."""
    return abs(value) <= LARGEST if isinstance(value, int) else math.isfinite(value)


def no_number(value: float) -> str:
    """Return why a TOML number is none for us, to go on after "... is"."""
    return "too large" if isinstance(value, int) else f"{value}, not a finite number"


def one_of(words: Sequence[str]) -> str:
    """Return "`a`, `b` or `c`"."""
    quoted = [f"`{word}`" for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A string that is not empty."""

    expected: str = "a string"

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """A NUL can be in no path and no name."""
        if not isinstance(value, str):
            problems.add(wrong_type(self.expected, value, at))
        elif not value:
            problems.add(bad_value("empty", self.expected, at))
        elif "\0" in value:
            problems.add(bad_value("a string with a NUL character in it", "", at))


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOrMore:
    """A string, or an array of some."""

    expected: str = "a string or an array of strings"

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """Every wrong element is reported at its own place."""
        if isinstance(value, list):
            ListOf(element=Text(), expected=self.expected).check(value, at, problems)
        else:
            Text(expected=self.expected).check(value, at, problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A size in pixels, or a height and a width."""

    expected: str = "a size, or `[height, width]`"

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """Height comes first, as in a shape."""
        sizes = value if isinstance(value, list) else [value]
        if isinstance(value, list) and len(value) != 2:  # noqa: PLR2004 - height and width
            problems.add(bad_value(f"{toml(value)}, not {self.expected}", self.expected, at))
            return
        for index, size in enumerate(sizes):
            place = (*at, index) if isinstance(value, list) else at
            Number(minimum=1, maximum=LARGEST_SIDE, whole=True).check(size, place, problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A regular expression of Python's."""

    expected: str = "a regular expression"

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """What cannot be compiled is reported with the reason."""
        before = len(problems.found)
        Text(expected=self.expected).check(value, at, problems)
        if isinstance(value, str) and len(problems.found) == before:
            try:
                re.compile(value)
            except (re.error, RecursionError, OverflowError) as error:
                message = f"{toml(value)} is no regular expression: {error}"
                hint = "write names that are meant as they are in `names`; `\\.` is a dot"
                problems.add(Problem(code="bad-pattern", at=at, message=message, help=hint))


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
    """A number in a range, both ends included; `above` is an end that is not."""

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
        elif not is_number(value):
            problems.add(bad_value(no_number(value), self.expected, at))
        elif not self._in_range(value):
            problems.add(bad_value(f"{toml(value)}, not {self.expected}", self.expected, at))

    def _in_range(self, value: float) -> bool:
        ends = (self.minimum is None or value >= self.minimum) and (self.maximum is None or value <= self.maximum)
        return ends and (self.above is None or value > self.above)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """A size of memory, with a unit."""

    expected: str = f"a size such as `{EXAMPLES}`"

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """A number alone would leave open what it counts."""
        if not isinstance(value, str):
            problems.add(wrong_type(self.expected, value, at, hint="write it with a unit, as a string"))
        elif memory_of(value) is None:
            hint = "units are B, kB, MB, GB, TB (powers of 1000) and KiB, MiB, GiB, TiB (powers of 1024)"
            problems.add(bad_value(f"{toml(value)}, which is no size", self.expected, at, hint=hint))


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of a few words.

    `code` is the diagnostic's, such as `unknown-preset`; `what` is what the words name. Words that fit `pattern` are
    known as well. `advice(word)` says what to do about an unknown one, "" where it does not know.
    """

    words: tuple[str, ...]
    code: str
    what: str
    pattern: str = r"(?!)"
    advice: Callable[[str], str] = lambda _: ""

    @property
    def expected(self) -> str:
        """The words, for "expected ..."."""
        return one_of(self.words)

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """A word that is not among them gets a "did you mean"."""
        if not isinstance(value, str):
            problems.add(wrong_type("a string", value, at))
        elif value not in self.words and not re.fullmatch(self.pattern, value):
            message = f"unknown {self.what} `{clipped(value)}`"
            hint = did_you_mean(value, list(self.words)) or self.advice(value)
            problems.add(Problem(code=self.code, at=at, message=message, label=f"expected {self.expected}", help=hint))


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOf:
    """An array whose elements are all of one kind. `once`, if given, names the elements, which may not repeat."""

    element: Kind
    expected: str
    at_least: int = 1
    once: str = ""

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """Every wrong element is reported at its own place."""
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
            help="take one of them out",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """An array of dimensions: a size, -1 for dynamic, or "1..8" for bounded."""

    expected: str = 'an array of dimensions such as `[-1, 224, 224, 3]` or `["1..8", 10]`'

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """Every wrong dimension is reported at its own place."""
        if not isinstance(value, list):
            problems.add(wrong_type(self.expected, value, at))
            return
        for index, dimension in enumerate(value):
            self._check_dimension(dimension, (*at, index), problems)

    def _check_dimension(self, dimension: object, at: KeyPath, problems: Problems) -> None:
        if isinstance(dimension, bool) or not _is_dimension(dimension):
            problems.add(
                Problem(
                    code="bad-shape",
                    at=at,
                    message=f"{toml(dimension)} is no dimension of a shape",
                    label='expected a size, -1 for dynamic, or a range such as "1..8"',
                )
            )


def _is_dimension(dimension: object) -> bool:
    """Whether a value is a size that 31 bits hold, -1, or a range of sizes such as "1..8" or "2.."."""
    if isinstance(dimension, str):
        bounds = BOUNDED.match(dimension)
        return bounds is not None and 0 < int(bounds[1]) <= int(bounds[2] or bounds[1]) < LARGEST_SIZE
    return isinstance(dimension, int) and (dimension == -1 or 0 < dimension < LARGEST_SIZE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PerChannel:
    """One number, or an array with one number per channel. `zero` says whether 0 is legal."""

    zero: bool = True
    expected: str = "a number or an array of numbers, one per channel"

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """The IR computes in 32-bit floats: what does not fit in one would fill the model with infinities."""
        elements = value if isinstance(value, list) else [value]
        if not elements:
            problems.add(bad_value("empty", self.expected, at))
        for index, element in enumerate(elements):
            in_array = isinstance(value, list)
            self._check_element(element, (*at, index) if in_array else at, problems, in_array=in_array)

    def _check_element(self, element: object, at: KeyPath, problems: Problems, *, in_array: bool) -> None:
        expected = "a number" if in_array else self.expected
        if not isinstance(element, int | float) or isinstance(element, bool):
            problems.add(wrong_type(expected, element, at))
        elif not self.zero and element == 0:
            problems.add(bad_value("0, and the IR divides by it", expected, at))
        elif not is_number(element):
            problems.add(bad_value(no_number(element), expected, at))
        elif not _fits_float32(element):
            problems.add(bad_value(f"{toml(element)}, which no 32-bit float can hold", expected, at))


def _fits_float32(value: float) -> bool:
    """Whether a number becomes a finite 32-bit float, and not 0 unless it is 0."""
    try:
        # "<": the machine's own "f" makes an infinity of what is too large, and says nothing.
        (rounded,) = struct.unpack("<f", struct.pack("<f", value))
    except OverflowError:
        return False
    return value == 0 or rounded != 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Letters for dimensions, each once: N batch, C channels, H height, W width, D depth, others as one likes."""

    expected: str = "a layout such as `NHWC`"

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """The batch comes first where there is one: samples are counted along the first dimension."""
        if not isinstance(value, str):
            problems.add(wrong_type(self.expected, value, at))
        elif not LAYOUT.match(value):
            problems.add(bad_value(f"{toml(value)}, which is no layout", self.expected, at))
        elif len(set(value)) < len(value):
            problems.add(bad_value(f"{toml(value)}, which names a dimension twice", self.expected, at))
        elif value.find("N") > 0:
            problems.add(bad_value(f"{toml(value)}, where the batch is not first", self.expected, at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """What an input can be frozen to: a number or a boolean, or an array of them."""

    expected: str = "a number, a boolean, or an array of them"

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """Every wrong element is reported at its own place."""
        if isinstance(value, list):
            if not value:
                problems.add(bad_value("empty", self.expected, at))
            for index, element in enumerate(value):
                self._check_element(element, (*at, index), problems)
        else:
            self._check_element(value, at, problems)

    def _check_element(self, element: object, at: KeyPath, problems: Problems) -> None:
        if not isinstance(element, bool | int | float):
            problems.add(wrong_type("a number or a boolean", element, at))
        elif not isinstance(element, bool) and not is_number(element):
            problems.add(bad_value(no_number(element), "a number", at))


@dataclass(frozen=True, slots=True, kw_only=True)
class DropAmount:
    """A number in metric units, or "1%" of TensorFlow's metric. Negative: the IR must be better."""

    expected: str = 'a number such as `0.01`, or a string such as `"1%"`'

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """A string that is no percentage is a bad value, not a wrong type."""
        if isinstance(value, str):
            if not PERCENT.match(value):
                problems.add(bad_value(f"{toml(value)}, which is no percentage", self.expected, at))
        elif not isinstance(value, int | float) or isinstance(value, bool):
            problems.add(wrong_type(self.expected, value, at))
        elif not is_number(value):
            problems.add(bad_value(no_number(value), self.expected, at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Off:
    """The word `false`, where a table may stand."""

    expected: str = "a table or `false`"

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """`true` would say nothing."""
        if value is True:
            problems.add(bad_value("true, which says nothing", self.expected, at, hint="leave it out for the default"))
        elif value is not False:
            problems.add(wrong_type(self.expected, value, at))
