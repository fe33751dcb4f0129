"""The lines that a person sees of a build, where they say less than there is to say."""

from __future__ import annotations

import pytest

from ovmake.cli.terminal import lines_of, target_line
from ovmake.engine.events import ActionFinished, TargetFinished
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
