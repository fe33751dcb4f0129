"""The codec: what is written is read back, and nothing else is read."""

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
    """What has a file in it."""

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
def test_what_is_written_is_read_back_and_fits_its_schema(value: Everything) -> None:
    assert value == from_bytes(Everything, to_bytes(value), "file")
    jsonschema.Draft202012Validator(schema(Everything)).validate(json.loads(to_bytes(value)))


def test_a_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(schema(Everything))


def test_a_field_at_its_default_is_left_out() -> None:
    assert LEAST == encode(Everything(name="n", count=1, share=0.5))


def test_false_is_not_a_zero_that_may_be_left_out() -> None:
    assert {**LEAST, "both": False} == encode(Everything(name="n", count=1, share=0.5, both=False))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"nmae": 1}, "file has a field `nmae` that is unknown"),
        ({"name": None}, "file: `name` is null, and a string is expected"),
        ({"count": 1.5}, "file: `count` is a number, and a whole number is expected"),
        ({"count": True}, "file: `count` is true or false, and a whole number is expected"),
        ({"share": "much"}, "file: `share` is a string, and a number is expected"),
        ({"share": True}, "file: `share` is true or false, and a number is expected"),
        ({"sure": 1}, "file: `sure` is a number, and true or false is expected"),
        ({"word": "kept"}, "file: `word` is \"kept\", and one of 'passed', 'missed' is expected"),
        ({"interval": {"low": 1}}, "file: `interval` lacks the field `high`"),
        ({"interval": [1, 2]}, "file: `interval` is an array, and an object is expected"),
        ({"several": [{"low": 1, "high": 2}, 3]}, "file: `several`[1] is a number, and an object is expected"),
        ({"several": {}}, "file: `several` is an object, and an array is expected"),
        ({"pair": ["a"]}, "file: `pair` has 1 elements, and 2 are expected"),
        ({"by_name": []}, "file: `by_name` is an array, and an object is expected"),
        ({"by_name": {"x": [None]}}, "file: `by_name`: `x`[0] is null, and a number is expected"),
        ({"pet": {"kind": "dog"}}, "file: `pet` lacks the field `barks`"),
        ({"pet": {"kind": "cow"}}, "file: `pet` fits nothing that is expected"),
        ({"share": math.inf}, "file: `share` is not finite"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_field(change: dict[str, object], told: str) -> None:
    with pytest.raises(ContractError) as caught:
        decode(Everything, {**LEAST, **change}, "file")

    assert str(caught.value).startswith(told)


def test_a_missing_field_is_named() -> None:
    with pytest.raises(ContractError, match=r"^file lacks the field `count`$"):
        decode(Everything, {"name": "n", "share": 1}, "file")


def test_what_is_no_json_is_told() -> None:
    with pytest.raises(ContractError, match=r"^file is no JSON: "):
        from_bytes(Everything, b"{", "file")


@pytest.mark.parametrize("value", [math.nan, -math.inf])
def test_a_number_that_is_not_finite_is_not_written(value: float) -> None:
    with pytest.raises(ContractError):
        to_bytes(Everything(name="n", count=1, share=value))


def test_a_whole_number_is_read_as_a_float_where_one_is_expected() -> None:
    read = decode(Everything, {**LEAST, "share": 1, "both": 2}, "file")

    assert (float, int) == (type(read.share), type(read.both))


def test_settings_are_flat_for_reasons_and_named_as_in_an_ovfile() -> None:
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


def test_a_field_is_flat_under_another_name_or_in_its_place_and_nested_in_json() -> None:
    given = Nested(beside=Params(mean=(1.0,)), judged=Accuracy(max_drop="2%"), share=Share(amount=5.0))

    assert {"mean": (1.0,), "gate.max-drop": "2%", "share": "5%"} == flat(given)
    assert {"beside": {"mean": [1.0]}, "judged": {"max-drop": "2%"}, "share": {"amount": 5.0}} == encode(given)
    assert given == decode(Nested, encode(given), "params")


def test_what_is_said_already_is_left_out() -> None:
    base = Params(accuracy=Accuracy(max_drop="1%", agreement={"cosine": 0.9}), mean=(1.0,))
    other = Params(accuracy=Accuracy(max_drop="1%", agreement={"cosine": 0.99}), mean=(1.0,))

    assert Params(accuracy=Accuracy(agreement={"cosine": 0.99})) == beyond(other, base)
    assert Nested() == beyond(Nested(share=Share(amount=1.0)), Nested(share=Share(amount=1.0)))
    assert Interval(low=1, high=2) == beyond(Interval(low=1, high=2), Interval(low=1, high=2))


def test_a_type_that_no_json_has_is_a_fault_of_the_contract() -> None:
    with pytest.raises(ContractError, match="a set has no form in JSON"):
        encode({"x": {1}})


FILE = File(interval=Interval(low=0.0, high=1.0), within=File(interval=Interval(low=0.5, high=0.5)))


def test_a_file_says_its_format_first_and_a_part_of_it_does_not(tmp_path: Path) -> None:
    save(FILE, str(tmp_path / "file"))

    content = json.loads((tmp_path / "file").read_bytes())
    assert ["format", "interval", "within"] == list(content)
    assert (3, {"interval": {"low": 0.5, "high": 0.5}}) == (content["format"], content["within"])
    assert FILE == load(File, str(tmp_path / "file"), "file")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"format": 2}', "file has format 2, and 3 is expected"),
        (b"{}", "file has format null, and 3 is expected"),
        (b"[]", "file is an array, and an object is expected"),
        (b'{"format": 3, "interval": {"low": 0, "high": 1}, "within": {"format": 3}}', "file: `within` has a field"),
    ],
)
def test_a_file_of_another_format_is_not_read(content: bytes, told: str) -> None:
    with pytest.raises(ContractError) as caught:
        from_bytes(File, content, "file")

    assert str(caught.value).startswith(told)


def test_the_schema_of_a_file_has_its_format_and_a_part_of_another_has_none() -> None:
    check = jsonschema.Draft202012Validator(schema(File)).is_valid
    part = jsonschema.Draft202012Validator(schema(Holder)).is_valid
    body = {"interval": {"low": 0, "high": 1}}

    assert (True, False, False) == tuple(map(check, ({"format": 3, **body}, body, {"format": 2, **body})))
    assert (True, False) == tuple(map(part, ({"file": body}, {"file": {"format": 3, **body}})))


def test_a_file_may_say_that_there_is_none() -> None:
    assert found(File, to_bytes(None), "file") is None
    assert FILE == found(File, to_bytes(FILE), "file")
