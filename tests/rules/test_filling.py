"""Params are filled with the declared keys that their action uses: by field, else under `more`."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from ovmake.contracts.codec import decode, encode, flat
from ovmake.contracts.params.declared import Declared
from ovmake.ovfile.schema.declaring import key
from ovmake.ovfile.schema.kinds import Flag, Number, Text, Whole
from ovmake.rules.filling import filled


@dataclass(frozen=True, slots=True, kw_only=True)
class Oven:
    """Keys of a table."""

    fan_speed: int = key(Whole(minimum=0), default=2, doc="How fast", reaches=("heat",))
    is_open: bool = key(Flag(), name="door-open", default=False, doc="Whether it is open", reaches=("heat",))
    warmth: float = key(Number(), default=180.0, doc="How hot", reaches=("heat",), stated=True)
    label: str = key(Text(), default="", doc="Its name", reaches=("sell",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Grill(Oven):
    """An oven with one more key."""

    bars: int = key(Whole(), default=4, doc="How many", reaches=("heat",))


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatParams(Declared):
    """The params of an oven that a worker reads."""

    fan_speed: int = 2
    open_door: bool = False
    food: str = ""


def test_key_goes_into_the_field_of_its_name_or_into_more() -> None:
    found = filled(HeatParams, "heat", Oven(fan_speed=5, is_open=True, warmth=200.0))

    assert HeatParams(fan_speed=5, more={"door-open": True, "warmth": 200.0}) == found


def test_key_at_its_default_is_sent_only_if_declared_so() -> None:
    found = filled(HeatParams, "heat", Oven())

    assert HeatParams(more={"warmth": 180.0}) == found
    assert {"warmth": 180.0} == flat(found)


def test_key_that_the_action_does_not_use_is_not_sent() -> None:
    assert {} == flat(filled(HeatParams, "wash", Oven(fan_speed=5, label="big")))


def test_keys_of_a_base_class_can_be_omitted() -> None:
    assert HeatParams(more={"bars": 6}) == filled(HeatParams, "heat", Grill(fan_speed=5, bars=6), beyond=Oven)


def test_given_fields_override_keys() -> None:
    found = filled(HeatParams, "heat", Oven(fan_speed=5), fan_speed=7, food="bread")

    assert (7, "bread") == (found.fan_speed, found.food)


def test_given_field_must_exist() -> None:
    with pytest.raises(TypeError, match="colour"):
        filled(HeatParams, "heat", Oven(), colour="red")


def test_worker_reads_what_was_filled() -> None:
    params = filled(HeatParams, "heat", Oven(fan_speed=5, is_open=True))

    sent = json.loads(json.dumps(encode(params)))

    assert {"fan-speed": 5, "more": {"door-open": True, "warmth": 180.0}} == sent
    assert params == decode(HeatParams, sent, "heat")
