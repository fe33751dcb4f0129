"""Which actions, according to the record, may make different bytes on a different machine."""

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
    """Return the record's statement for an IR that the action `step` made."""
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
    """Return the actions whose bytes may differ."""
    return [one.action for one in found.may_differ_between_machines]


@pytest.mark.parametrize("step", ["convert", "compress"])
def test_actions_that_only_rewrite_differ_on_no_machine(step: str) -> None:
    assert Reproducible(same_machine=True, may_differ_between_machines=()) == said(step)


@pytest.mark.parametrize("step", ["quantize", "compress-weights"])
def test_actions_that_compute_state_why_and_the_instruction_set(step: str) -> None:
    found = said(step, environment={"isa": "avx2 avx512f"})

    (one,) = found.may_differ_between_machines
    assert (step, "NNCF") == (one.action, one.why[:4])
    assert "avx2 avx512f" == found.isa


def test_search_lists_both_actions_and_a_time_limit_is_not_reproducible() -> None:
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
def test_chosen_ir_lists_the_action_of_its_precision_and_the_choice(
    chosen: str, search: Search | None, expected: list[str]
) -> None:
    found = said("choose", choice=Choice(chosen=chosen, why="", candidates=()), search=search)

    assert expected == steps(found)
    assert not found.same_machine
