"""A field declares a key: its name, its description, and the values that an action sees."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from ovmake.ovfile.parse import parse
from ovmake.ovfile.schema.compression import Quantization, SmoothQuant
from ovmake.ovfile.schema.declaring import key, keys_of, reaching, seen_fields, table, words_for
from ovmake.ovfile.schema.kinds import Flag, Number, Whole
from ovmake.ovfile.schema.tables import Off, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Steam:
    """Keys of a table in the table."""

    most: float | None = key(Number(), default=None, shown="no limit", doc="How much", reaches=("cook",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Oven:
    """Keys of a table."""

    label: str  # no key
    fan_speed: int = key(Whole(minimum=0), default=2, doc="How fast", reaches=("heat", "cook"))
    door: bool = key(Flag(), name="door-open", default=False, doc="Whether it is open", reaches=("cook",))
    warmth: float = key(Number(), default=180.0, doc="How hot", reaches=("heat",), stated=True)
    steam: Steam | None = table(Table(keys=keys_of(Steam), otherwise=Off()), default=Steam, doc="-", reaches=("cook",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Grill(Oven):
    """An oven with one more key."""

    bars: int = key(Whole(), default=4, doc="How many", reaches=("heat",))


def test_keys_have_the_names_of_their_fields_or_their_own() -> None:
    assert ["fan-speed", "door-open", "warmth", "steam"] == [one.name for one in keys_of(Oven)]
    assert ["bars"] == [one.name for one in keys_of(Grill, beyond=Oven)]


def test_default_of_the_field_is_that_of_the_reference() -> None:
    assert ["2", "false", "180", ""] == [one.default for one in keys_of(Oven)]
    assert ["no limit"] == [one.default for one in keys_of(Steam)]


@pytest.mark.parametrize(
    ("default", "words"),
    [(True, "true"), (20.0, "20"), (0.95, "0.95"), (300, "300"), ("mixed", "mixed"), (None, "")],
)
def test_defaults_in_words(default: object, words: str) -> None:
    assert words == words_for(default)


def test_list_as_a_default_is_its_elements() -> None:
    assert ["fp32, fp16", "[]"] == [words_for(("fp32", "fp16")), words_for(())]


def test_action_sees_values_that_reach_it_and_are_not_default() -> None:
    oven = Oven(label="a", fan_speed=5, door=True)

    assert (("fan-speed", 5), ("warmth", 180.0)) == reaching("heat", oven)
    assert (("oven.fan-speed", 5), ("oven.door-open", True)) == reaching("cook", oven, "oven.")
    assert () == reaching("wash", oven)


def test_action_sees_a_nested_table_and_that_it_is_switched_off() -> None:
    assert (("steam.most", 0.5),) == reaching("cook", Oven(label="a", steam=Steam(most=0.5)))
    assert (("steam", False),) == reaching("cook", Oven(label="a", steam=None))
    assert (("warmth", 180.0),) == reaching("heat", Oven(label="a", steam=None))


def test_seen_fields_know_which_values_an_action_sees() -> None:
    seen = {one.field: one for one in seen_fields(Oven(label="a"), "heat")}

    assert ["fan_speed", "warmth"] == list(seen)
    assert (False, True) == (seen["fan_speed"].is_told(2), seen["fan_speed"].is_told(3))
    assert seen["warmth"].is_told(180.0)
    assert ["fan_speed", "door"] == [one.field for one in seen_fields(Oven(label="a"), "cook")]  # no table
    assert ["bars"] == [one.field for one in seen_fields(Grill(label="a"), "heat", beyond=Oven)]


def test_keys_of_a_class_that_is_extended_can_be_left_out() -> None:
    grill = Grill(label="a", fan_speed=5, bars=6)

    assert (("fan-speed", 5), ("warmth", 180.0), ("bars", 6)) == reaching("heat", grill)
    assert (("bars", 6),) == reaching("heat", grill, beyond=Oven)


def test_order_has_no_meaning_for_unordered_kinds() -> None:
    text = '[models.m]\nsource = "m"\nallow-ops = ["Where", "PyFunc", "Where"]\ntags = ["b", "a", "b"]\n'

    target = parse(text).targets[0]

    assert ("PyFunc", "Where") == target.allow_ops
    assert ("b", "a", "b") == target.tags


def test_false_that_is_nearer_hides_a_table() -> None:
    text = (
        '[datasets.d]\npath = "d"\n[defaults]\ncalibration = "d"\nprecisions = ["int8"]\nmodel-type = "transformer"\n'
        'smooth-quant.matmul = 0.5\n[models.m]\nsource = "m"\n[models.n]\nsource = "n"\nsmooth-quant = false\n'
    )

    on, off = (target.quantization for target in parse(text).targets)

    assert isinstance(on, Quantization)
    assert isinstance(off, Quantization)
    assert (SmoothQuant(matmul=0.5), None) == (on.smooth_quant, off.smooth_quant)
    origins = [sorted(name for name in one.origins if "smooth" in name) for one in parse(text).targets]
    assert [["smooth-quant.matmul"], ["smooth-quant"]] == origins
