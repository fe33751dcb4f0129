"""What a record says of its IR's bytes: which step could make others on another machine."""

from __future__ import annotations

from typing import Any

import pytest

from ovmake.contracts.files.interface import Interface
from ovmake.contracts.files.record import Reproducible
from ovmake.contracts.files.search import Search
from ovmake.contracts.files.speed import Choice
from ovmake.contracts.params.publication import MadeParams, PublishParams
from ovmake.contracts.params.quantization import SearchLimits
from ovmake.verdicts.record import Published, reproducible
from tests.evaluations import a_search

SEARCH = a_search()


def said(step: str, **made: Any) -> Reproducible:
    """Return what the record says where `step` made the IR."""
    return reproducible(
        Published(
            params=PublishParams(target="m:int8", path="m", made=made.pop("params", MadeParams())),
            tools={},
            digests={},
            interface=Interface(inputs=(), outputs=()),
            evaluation=None,
            verdict=None,
            action=step,
            **made,
        )
    )


def steps(found: Reproducible) -> list[str]:
    """Return the steps that may differ."""
    return [one.action for one in found.may_differ_between_machines]


@pytest.mark.parametrize("step", ["convert", "compress"])
def test_steps_without_the_processors_arithmetic_differ_nowhere(step: str) -> None:
    assert Reproducible(same_machine=True, may_differ_between_machines=()) == said(step)


@pytest.mark.parametrize("step", ["quantize", "compress-weights"])
def test_steps_with_it_say_why_and_on_which_instruction_set_it_was(step: str) -> None:
    found = said(step, environment={"isa": "avx2 avx512f"})

    (one,) = found.may_differ_between_machines
    assert (step, "NNCF") == (one.action, one.why[:4])
    assert "avx2 avx512f" == found.isa


def test_a_search_has_both_steps_and_with_limited_time_promises_nothing() -> None:
    found = said("control", search=SEARCH, params=MadeParams(search=SearchLimits(max_evaluations=60, max_minutes=5)))

    assert not found.same_machine
    assert ["quantize", "control"] == steps(found)


@pytest.mark.parametrize(
    ("chosen", "search", "expected"),
    [
        ("fp16", None, ["choose"]),
        ("int8", None, ["quantize", "choose"]),
        ("int8", SEARCH, ["quantize", "control", "choose"]),
        ("int4-weights", None, ["compress-weights", "choose"]),
    ],
)
def test_a_chosen_ir_has_the_steps_of_its_precision_and_the_choice(
    chosen: str, search: Search | None, expected: list[str]
) -> None:
    found = said("choose", choice=Choice(chosen=chosen, why="", candidates=()), search=search)

    assert expected == steps(found)
    assert not found.same_machine
