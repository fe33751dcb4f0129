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
