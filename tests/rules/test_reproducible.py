"""What a record says of its IR's bytes: which step could make others on another machine."""

from __future__ import annotations

import pytest

from ovmake.rules.publish import reproducible


@pytest.mark.parametrize("step", ["convert", "compress"])
def test_steps_without_the_processors_arithmetic_differ_nowhere(step: str) -> None:
    assert {"same_machine": True, "may_differ_between_machines": []} == reproducible(step, {})


@pytest.mark.parametrize("step", ["quantize", "compress-weights"])
def test_steps_with_it_say_why_and_on_which_instruction_set_it_was(step: str) -> None:
    found = reproducible(step, {"isa": "avx2 avx512f"})

    assert f"'step': '{step}', 'why': 'NNCF" in str(found["may_differ_between_machines"])
    assert "avx2 avx512f" == found["isa"]


def test_a_search_has_both_steps_and_with_limited_time_promises_nothing() -> None:
    found = reproducible("control", {}, timed=True)

    assert False is found["same_machine"]
    steps = found["may_differ_between_machines"]
    assert isinstance(steps, list)
    assert ["quantize", "control"] == [step["step"] for step in steps]


def test_what_auto_chooses_may_be_another_ir_even_on_this_machine() -> None:
    found = reproducible("choose", {}, chosen="int8")

    assert found["same_machine"] is False
    steps = found["may_differ_between_machines"]
    assert isinstance(steps, list)
    assert ["quantize", "choose"] == [step["step"] for step in steps]


def test_of_what_auto_chooses_the_choice_alone_may_differ_where_the_ir_may_not() -> None:
    steps = reproducible("choose", {}, chosen="fp16")["may_differ_between_machines"]

    assert isinstance(steps, list)
    assert ["choose"] == [step["step"] for step in steps]
