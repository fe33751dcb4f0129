"""Equal actions of several targets become one, and different ones need different names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ovmake.graph.action import Action
from ovmake.graph.lower import Lowering
from ovmake.ovfile.parse import parse

CONVERT = Action(kind="convert", subject="m", worker="openvino")
BATCHED = replace(CONVERT, params={"batch": 4})
SHAPED = replace(CONVERT, params={"batch": 8})


def lowering() -> Lowering:
    return Lowering(ovfile=parse('[models.m]\nsource = "m"\n'))


def test_equal_actions_become_one() -> None:
    there = lowering()

    first, second = there.add(CONVERT), there.add(replace(CONVERT), otherwise="m:int8")

    assert first is second
    assert {"convert m": CONVERT} == there.actions


def test_another_action_of_the_name_is_named_after_its_target() -> None:
    there = lowering()

    first, second = there.add(CONVERT), there.add(BATCHED, otherwise="m:int8")

    assert {"convert m": first, "convert m:int8": second} == there.actions
    assert replace(BATCHED, subject="m:int8") == second


@pytest.mark.parametrize("otherwise", ["", "m:int8"])
def test_two_actions_never_share_a_name(otherwise: str) -> None:
    there = lowering()
    there.add(CONVERT)
    there.add(replace(SHAPED, subject="m:int8"))

    with pytest.raises(AssertionError, match=r"two different actions are named `convert m(:int8)?`"):
        there.add(BATCHED, otherwise=otherwise)


def test_equal_actions_become_one_also_under_another_name() -> None:
    there = lowering()
    there.add(CONVERT)

    first = there.add(BATCHED, otherwise="m:fp16")
    second = there.add(BATCHED, otherwise="m:int8")
    third = there.add(SHAPED, otherwise="m:int8")

    assert ("convert m:fp16", "convert m:int8") == (first.name, third.name)
    assert first is second
    assert 3 == len(there.actions)
