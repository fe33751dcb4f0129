"""The line about a target, and those about actions of a plan."""

from __future__ import annotations

import pytest

from ovmake.cli.terminal import lines_of, remote_lines, target_line
from ovmake.engine.events import ActionFinished, TargetFinished
from ovmake.engine.outcomes.scores import Scores
from ovmake.engine.remote import Traffic
from tests.engine.small import action

BUILT = {"target": "m:int8", "status": "built", "gate": "passed", "drop": 0.002}


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, "m:int8                   built    gate passed, drop 0.0020     build/m.xml"),
        (
            {"int8_layers": 13, "layers": 15},
            "m:int8                   built    gate passed, drop 0.0020, 13 of 15 layers INT8 build/m.xml",
        ),
        (
            {"int8_layers": 15, "layers": 15, "chosen": "int8"},
            "m:int8                   built    gate passed, drop 0.0020, 15 of 15 layers INT8 build/m.xml (int8)",
        ),
        (
            {"scores": Scores(metric="accuracy", unit="share", tensorflow=0.872, openvino=0.87)},
            "m:int8                   built    gate passed, accuracy 87.20 % → 87.00 %, drop 0.0020 build/m.xml",
        ),
        (
            {"scores": Scores(metric="mae", unit="labels", tensorflow=12.0, openvino=12.3456), "drop": 0.3456},
            "m:int8                   built    gate passed, mae 12 → 12.35, drop 0.3456 build/m.xml",
        ),
        (
            {"int8_layers": 0, "layers": 8, "drop": None, "gate": "missed"},
            "gate missed, 0 of 8 layers INT8 build/m.xml",
        ),
    ],
)
def test_a_searched_target_says_how_int8_it_is(facts: dict[str, object], words: str) -> None:
    event = TargetFinished(**{**BUILT, **facts})  # type: ignore[arg-type]

    assert target_line(event, "build/m.xml").endswith(words)


def test_its_event_has_the_figures_and_another_ones_has_not() -> None:
    searched = TargetFinished(target="m:int8", status="built", int8_layers=13, layers=15)
    other = TargetFinished(target="m:int8", status="built")

    head = {"event": "target-finished", "target": "m:int8", "status": "built"}
    assert {**head, "int8_layers": 13, "layers": 15} == searched.to_json()
    assert head == other.to_json()


@pytest.mark.parametrize(
    ("seconds", "line"),
    [
        (3.21, "convert m: would run, about 3.2 s"),
        (200.0, "convert m: would run, about 3 min"),
        (None, "convert m: would run"),
    ],
)
def test_planned_action_says_how_long_it_is_likely_to_take(seconds: float | None, line: str) -> None:
    event = ActionFinished(
        action=action("convert m"), status="would-run", reasons=("never built",), estimate_seconds=seconds
    )

    assert [line, "    never built"] == lines_of(event, explain=False)


@pytest.mark.parametrize(
    ("traffic", "lines"),
    [
        (None, []),
        (Traffic(), []),
        (
            Traffic(restored=12, restored_bytes=34_000_000, uploaded=3, uploaded_bytes=2_000_000),
            ["remote cache: restored 12 results (34.0 MB), ran 3 actions, uploaded 3 (2.00 MB)"],
        ),
        (Traffic(misses=4), ["remote cache: restored 0 results, ran 3 actions"]),
        (
            Traffic(restored=1, refused={"unsigned": 2, "for another action": 1}, errors={"it answers 500": 1}),
            [
                "remote cache: restored 1 result, ran 3 actions",
                "remote cache: 1 result not used: for another action",
                "remote cache: 2 results not used: unsigned",
                "remote cache: 1 request failed: it answers 500",
            ],
        ),
        (
            Traffic(errors={"not uploaded: no key signs it": 2}),
            [
                "remote cache: restored 0 results, ran 3 actions",
                "remote cache: 2 results not uploaded: no key signs it",
            ],
        ),
        (
            Traffic(off="it did not answer in 5 s, three times"),
            [
                "remote cache: restored 0 results, ran 3 actions",
                "remote cache is off for this build: it did not answer in 5 s, three times",
            ],
        ),
    ],
)
def test_what_a_build_had_of_the_remote_cache(traffic: Traffic | None, lines: list[str]) -> None:
    assert lines == remote_lines(traffic, ran=3)
