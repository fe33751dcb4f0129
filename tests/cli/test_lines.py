"""The lines that a person sees of a build, where they say less than there is to say."""

from __future__ import annotations

import pytest

from ovmake.cli.terminal import lines_of, target_line
from ovmake.engine.events import ActionFinished, TargetFinished
from ovmake.engine.outcomes.scores import Scores
from ovmake.graph.action import Action


def test_what_was_skipped_shows_in_the_lines_about_targets_only() -> None:
    skipped = ActionFinished(
        action=Action(kind="publish", subject="m:int8", worker="in-process"),
        status="skipped",
        reasons=("an action that it needs failed",),
    )

    assert [] == lines_of(skipped, explain=False)
    assert ["publish m:int8: skipped, because an action that it needs failed"] == lines_of(skipped, explain=True)


@pytest.mark.parametrize(
    ("drop", "shown"), [(-2e-9, "0.0000"), (2e-9, "0.0000"), (-0.00006, "-0.0001"), (0.0042, "0.0042")]
)
def test_drop_of_nothing_has_no_sign(drop: float, shown: str) -> None:
    line = target_line(TargetFinished(target="m:int8", status="built", gate="passed", drop=drop), "m.xml")

    assert f"gate passed, drop {shown} " in line


def test_facts_of_a_stranger_cannot_steer_the_terminal() -> None:
    scores = Scores(metric="\x1b[2J\nerror: x", unit="", tensorflow=1.0, openvino=1.0)
    event = TargetFinished(target="m:int8", status="built", gate="\x1b[31m", scores=scores, chosen="\x07", needs="\r")

    line = target_line(event, "m.xml")

    assert line.isprintable()
    assert r"gate \x1b[31m, \x1b[2J\nerror: x 1 → 1" in line
