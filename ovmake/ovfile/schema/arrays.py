"""Kinds of value for tensors and images: shapes, layouts, values per channel, sizes in pixels.

See `kinds.py` for what a kind is.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from ovmake.ovfile.problems import Problem, Problems, bad_value, toml, wrong_type
from ovmake.ovfile.schema.kinds import JsonSchema, Whole, in_any_dialect, is_number, no_number
from ovmake.ovfile.words import KeyPath

BOUNDED = re.compile(r"([0-9]{1,18})\.\.([0-9]{1,18})?\Z")
LARGEST_SIZE = 1 << 31
LARGEST_SIDE = 65535  # of a JPEG image
LAYOUT = re.compile(r"[A-Z]{1,10}\Z")

Dimension = int | str
ConstantElement = bool | int | float


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A size in pixels, or a height and a width."""

    expected: str = "a size, or `[height, width]`"

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """Report wrong sizes. Height comes first, as in a shape."""
        sizes = value if isinstance(value, list) else [value]
        if isinstance(value, list) and len(value) != 2:  # noqa: PLR2004 - height and width
            problems.add(bad_value(f"{toml(value)}, not {self.expected}", self.expected, at))
            return
        for index, size in enumerate(sizes):
            place = (*at, index) if isinstance(value, list) else at
            Whole(minimum=1, maximum=LARGEST_SIDE).check(size, place, problems)

    def read(self, value: object) -> tuple[int, ...] | None:
        """Return the typed value; None if its form is wrong."""
        sizes = value if isinstance(value, list) else [value]
        return tuple(size for size in sizes if isinstance(size, int)) or None

    def json_schema(self) -> JsonSchema:
        """Return the JSON Schema of the value."""
        side: JsonSchema = {"type": "integer", "minimum": 1, "maximum": LARGEST_SIDE}
        return {"anyOf": [side, {"type": "array", "items": side, "minItems": 2, "maxItems": 2}]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """An array of dimensions: a size, -1 for dynamic, or "1..8" for bounded."""

    expected: str = 'an array of dimensions such as `[-1, 224, 224, 3]` or `["1..8", 10]`'

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """Report each wrong dimension at its own index."""
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
                    message=f"{toml(dimension)} is not a valid dimension",
                    label='expected a size, -1 for dynamic, or a range such as "1..8"',
                )
            )

    def read(self, value: object) -> tuple[Dimension, ...] | None:
        """Return the typed value; None if its form is wrong."""
        found = value if isinstance(value, list) else None
        return None if found is None else tuple(one for one in found if isinstance(one, int | str))

    def json_schema(self) -> JsonSchema:
        """Return the JSON Schema of the value."""
        size: JsonSchema = {"type": "integer", "minimum": 1, "maximum": LARGEST_SIZE - 1}
        bounds: JsonSchema = {"type": "string", "pattern": in_any_dialect(f"^(?:{BOUNDED.pattern})")}
        return {"type": "array", "items": {"anyOf": [{"const": -1}, size, bounds]}}


def _is_dimension(dimension: object) -> bool:
    """Whether a value is a size of up to 31 bits, -1, or a range of sizes such as "1..8" or "2.."."""
    if isinstance(dimension, str):
        bounds = BOUNDED.match(dimension)
        return bounds is not None and 0 < int(bounds[1]) <= int(bounds[2] or bounds[1]) < LARGEST_SIZE
    return isinstance(dimension, int) and (dimension == -1 or 0 < dimension < LARGEST_SIZE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PerChannel:
    """One number, or an array with one number per channel. `zero`: 0 is allowed."""

    zero: bool = True
    expected: str = "a number or an array of numbers, one per channel"

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """Report wrong elements. The IR computes in 32-bit floats: larger values would become infinity."""
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
            problems.add(bad_value(f"{toml(element)}, which does not fit into a 32-bit float", expected, at))

    def read(self, value: object) -> tuple[float, ...] | None:
        """Return the typed value; None if its form is wrong."""
        elements = value if isinstance(value, list) else [value]
        return tuple(float(element) for element in elements if isinstance(element, int | float)) or None

    def json_schema(self) -> JsonSchema:
        """Return the JSON Schema of the value."""
        number: JsonSchema = {"type": "number", **({} if self.zero else {"not": {"const": 0}})}
        return {"anyOf": [number, {"type": "array", "items": number, "minItems": 1}]}


def _fits_float32(value: float) -> bool:
    """Whether a number becomes a finite 32-bit float, and not 0 unless it is 0."""
    try:
        # "<": the native "f" turns a value that is too large into infinity, without an error.
        (rounded,) = struct.unpack("<f", struct.pack("<f", value))
    except OverflowError:
        return False
    return value == 0 or rounded != 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One letter per dimension, each once: N batch, C channels, H height, W width, D depth; others are free."""

    expected: str = "a layout such as `NHWC`"

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """Report wrong layouts. N must be first: samples are counted along the first dimension."""
        if not isinstance(value, str):
            problems.add(wrong_type(self.expected, value, at))
        elif not LAYOUT.match(value):
            problems.add(bad_value(f"{toml(value)}, not a layout", self.expected, at))
        elif len(set(value)) < len(value):
            problems.add(bad_value(f"{toml(value)}, which names a dimension twice", self.expected, at))
        elif value.find("N") > 0:
            problems.add(bad_value(f"{toml(value)}, where the batch is not first", self.expected, at))

    def read(self, value: object) -> str | None:
        """Return the typed value; None if its form is wrong."""
        return value if isinstance(value, str) else None

    def json_schema(self) -> JsonSchema:
        """Return the JSON Schema of the value."""
        return {"type": "string", "pattern": "^[A-Z]{1,10}$"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """A constant for a frozen input: a number or a boolean, or an array of them."""

    expected: str = "a number, a boolean, or an array of them"

    def check(self, value: object, at: KeyPath, problems: Problems) -> None:
        """Report each wrong element at its own index."""
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

    def read(self, value: object) -> tuple[ConstantElement, ...] | None:
        """Return the typed value; None if its form is wrong."""
        elements = value if isinstance(value, list) else [value]
        return tuple(element for element in elements if isinstance(element, bool | int | float)) or None

    def json_schema(self) -> JsonSchema:
        """Return the JSON Schema of the value."""
        element: JsonSchema = {"type": ["number", "boolean"]}
        return {"anyOf": [element, {"type": "array", "items": element, "minItems": 1}]}
