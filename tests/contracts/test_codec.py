"""The codec: a round trip is exact, and anything else is refused."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovmake.contracts.codec import (
    ContractError,
    beyond,
    decode,
    encode,
    flat,
    flat_as,
    found,
    from_bytes,
    load,
    named,
    save,
    to_bytes,
)
from ovmake.contracts.schema import schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Where a figure lies."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cat:
    """A union's first."""

    kind: Literal["cat"] = field(default="cat")
    lives: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dog:
    """A union's second."""

    kind: Literal["dog"]
    barks: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Everything:
    """A field of each type."""

    name: str
    count: int
    share: float
    both: int | float = 0
    sure: bool = False
    word: Literal["passed", "missed"] = "passed"
    interval: Interval | None = None
    several: tuple[Interval, ...] = ()
    pair: tuple[str, int] = ("", 0)
    by_name: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    pet: Cat | Dog | None = None
    anything: object = None
    renamed: str = field(default="", metadata=named("class"))


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file, which says its format."""

    FORMAT: ClassVar[int] = 3

    interval: Interval
    within: File | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A class with a file as a part."""

    file: File


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """Named as in an Ovfile."""

    KEBAB: ClassVar[bool] = True

    max_drop: str = ""
    agreement: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """Settings within settings."""

    KEBAB: ClassVar[bool] = True

    accuracy: Accuracy = field(default_factory=Accuracy)
    mean: tuple[float, ...] = ()
    boxes: tuple[Interval, ...] = ()
    bias_correction: bool = True


finite = st.floats(allow_nan=False, allow_infinity=False)
intervals = st.builds(Interval, low=finite, high=finite)
everything = st.builds(
    Everything,
    name=st.text(),
    count=st.integers(),
    share=finite,
    both=st.integers() | finite,
    sure=st.booleans(),
    word=st.sampled_from(["passed", "missed"]),
    interval=st.none() | intervals,
    several=st.lists(intervals).map(tuple),
    pair=st.tuples(st.text(), st.integers()),
    by_name=st.dictionaries(st.text(), st.lists(finite).map(tuple)),
    pet=st.none() | st.builds(Cat, lives=st.integers()) | st.builds(Dog, kind=st.just("dog"), barks=st.booleans()),
    anything=st.none() | st.text() | st.lists(st.integers()).map(tuple),
    renamed=st.text(),
)

LEAST = {"name": "n", "count": 1, "share": 0.5}


@given(everything)
def test_a_round_trip_is_exact_and_matches_the_schema(value: Everything) -> None:
    assert value == from_bytes(Everything, to_bytes(value), "file")
    jsonschema.Draft202012Validator(schema(Everything)).validate(json.loads(to_bytes(value)))


def test_a_schema_is_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(schema(Everything))


def test_a_field_at_its_default_is_left_out() -> None:
    assert LEAST == encode(Everything(name="n", count=1, share=0.5))


def test_false_is_written_where_the_default_is_zero() -> None:
    assert {**LEAST, "both": False} == encode(Everything(name="n", count=1, share=0.5, both=False))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"nmae": 1}, "file has an unknown field `nmae`"),
        ({"name": None}, "file: `name` is null, expected a string"),
        ({"count": 1.5}, "file: `count` is a number, expected a whole number"),
        ({"count": True}, "file: `count` is true or false, expected a whole number"),
        ({"share": "much"}, "file: `share` is a string, expected a number"),
        ({"share": True}, "file: `share` is true or false, expected a number"),
        ({"sure": 1}, "file: `sure` is a number, expected true or false"),
        ({"word": "kept"}, "file: `word` is \"kept\", expected one of 'passed', 'missed'"),
        ({"interval": {"low": 1}}, "file: `interval` lacks the field `high`"),
        ({"interval": [1, 2]}, "file: `interval` is an array, expected an object"),
        ({"several": [{"low": 1, "high": 2}, 3]}, "file: `several`[1] is a number, expected an object"),
        ({"several": {}}, "file: `several` is an object, expected an array"),
        ({"pair": ["a"]}, "file: `pair` has 1 elements, expected 2"),
        ({"by_name": []}, "file: `by_name` is an array, expected an object"),
        ({"by_name": {"x": [None]}}, "file: `by_name`: `x`[0] is null, expected a number"),
        ({"pet": {"kind": "dog"}}, "file: `pet` lacks the field `barks`"),
        ({"pet": {"kind": "cow"}}, "file: `pet` fits no expected type"),
        ({"share": math.inf}, "file: `share` is not finite"),
    ],
)
def test_an_error_names_the_file_and_the_field(change: dict[str, object], told: str) -> None:
    with pytest.raises(ContractError) as caught:
        decode(Everything, {**LEAST, **change}, "file")

    assert str(caught.value).startswith(told)


def test_a_missing_field_is_named() -> None:
    with pytest.raises(ContractError, match=r"^file lacks the field `count`$"):
        decode(Everything, {"name": "n", "share": 1}, "file")


def test_a_file_that_is_not_json_is_an_error() -> None:
    with pytest.raises(ContractError, match=r"^file is not JSON: "):
        from_bytes(Everything, b"{", "file")


@pytest.mark.parametrize("value", [math.nan, -math.inf])
def test_a_number_that_is_not_finite_is_an_error(value: float) -> None:
    with pytest.raises(ContractError):
        to_bytes(Everything(name="n", count=1, share=value))


def test_a_whole_number_becomes_a_float_in_a_float_field() -> None:
    read = decode(Everything, {**LEAST, "share": 1, "both": 2}, "file")

    assert (float, int) == (type(read.share), type(read.both))


def test_flat_settings_have_dotted_ovfile_names() -> None:
    params = Params(
        accuracy=Accuracy(max_drop="1%", agreement={"cosine": 0.99}), mean=(1.0, 2.0), boxes=(Interval(low=0, high=1),)
    )

    found = flat(params)

    assert {
        "accuracy.max-drop": "1%",
        "accuracy.agreement.cosine": 0.99,
        "mean": (1.0, 2.0),
        "boxes": ((("low", 0), ("high", 1)),),
    } == found
    assert {} == flat(Params())


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One value in `flat`."""

    amount: float

    def setting(self) -> str:
        return f"{self.amount:g}%"


@dataclass(frozen=True, slots=True, kw_only=True)
class Nested:
    """Fields under other names in `flat`."""

    beside: Params = field(default_factory=Params, metadata=flat_as(""))
    judged: Accuracy = field(default_factory=Accuracy, metadata=flat_as("gate"))
    share: Share | None = None


def test_flat_as_renames_a_field_or_merges_it_and_json_stays_nested() -> None:
    given = Nested(beside=Params(mean=(1.0,)), judged=Accuracy(max_drop="2%"), share=Share(amount=5.0))

    assert {"mean": (1.0,), "gate.max-drop": "2%", "share": "5%"} == flat(given)
    assert {"beside": {"mean": [1.0]}, "judged": {"max-drop": "2%"}, "share": {"amount": 5.0}} == encode(given)
    assert given == decode(Nested, encode(given), "params")


def test_beyond_resets_fields_that_equal_the_base() -> None:
    base = Params(accuracy=Accuracy(max_drop="1%", agreement={"cosine": 0.9}), mean=(1.0,))
    other = Params(accuracy=Accuracy(max_drop="1%", agreement={"cosine": 0.99}), mean=(1.0,))

    assert Params(accuracy=Accuracy(agreement={"cosine": 0.99})) == beyond(other, base)
    assert Nested() == beyond(Nested(share=Share(amount=1.0)), Nested(share=Share(amount=1.0)))
    assert Interval(low=1, high=2) == beyond(Interval(low=1, high=2), Interval(low=1, high=2))


def test_a_type_that_json_cannot_hold_is_an_error() -> None:
    with pytest.raises(ContractError, match="JSON cannot hold a set"):
        encode({"x": {1}})


FILE = File(interval=Interval(low=0.0, high=1.0), within=File(interval=Interval(low=0.5, high=0.5)))


def test_a_file_begins_with_its_format_and_its_parts_have_none(tmp_path: Path) -> None:
    save(FILE, str(tmp_path / "file"))

    content = json.loads((tmp_path / "file").read_bytes())
    assert ["format", "interval", "within"] == list(content)
    assert (3, {"interval": {"low": 0.5, "high": 0.5}}) == (content["format"], content["within"])
    assert FILE == load(File, str(tmp_path / "file"), "file")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"format": 2}', "file has format 2, expected 3"),
        (b"{}", "file has format null, expected 3"),
        (b"[]", "file is an array, expected an object"),
        (
            b'{"format": 3, "interval": {"low": 0, "high": 1}, "within": {"format": 3}}',
            "file: `within` has an unknown field `format`",
        ),
    ],
)
def test_a_file_with_a_different_format_is_refused(content: bytes, told: str) -> None:
    with pytest.raises(ContractError) as caught:
        from_bytes(File, content, "file")

    assert str(caught.value).startswith(told)


def test_the_schema_of_a_file_has_its_format_and_a_part_has_none() -> None:
    check = jsonschema.Draft202012Validator(schema(File)).is_valid
    part = jsonschema.Draft202012Validator(schema(Holder)).is_valid
    body = {"interval": {"low": 0, "high": 1}}

    assert (True, False, False) == tuple(map(check, ({"format": 3, **body}, body, {"format": 2, **body})))
    assert (True, False) == tuple(map(part, ({"file": body}, {"file": {"format": 3, **body}})))


def test_a_file_may_hold_null() -> None:
    assert found(File, to_bytes(None), "file") is None
    assert FILE == found(File, to_bytes(FILE), "file")
