"""The live view: words of a newcomer's, how far and how long, and no line wider than the terminal."""

from __future__ import annotations

import ast
import io
import re
from pathlib import Path

import pytest

from ovmake.cli.live import Live
from ovmake.cli.terminal import DOING, doing, how_far, inner, lines_of
from ovmake.engine.events import (
    ActionDownloading,
    ActionFinished,
    ActionProgressed,
    ActionStarted,
    BuildProgressed,
    Uploading,
)
from ovmake.engine.job import Progress
from tests.engine.small import action

ROOT = Path(__file__).parents[2]
LONG = "a-model-with-a-name-of-many-words@variant:int8"


def kinds() -> set[str]:
    """Return the kinds of action that rules make."""
    found = set()
    for path in (ROOT / "ovmake/rules").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg == "kind" and isinstance(node.value, ast.Constant):
                found.add(str(node.value.value))
    return found


def test_every_kind_of_action_has_its_words() -> None:
    assert kinds() == DOING.keys()


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("check-samples", "checking data"),
        ("reference", "running TensorFlow"),
        ("control", "searching layers for INT8"),
        ("not-known-here", "not known here"),
    ],
)
def test_words_of_an_action(kind: str, words: str) -> None:
    assert words == doing(kind)


def test_line_of_an_action_that_begins() -> None:
    begun = ActionStarted(action=action("reference m"), reasons=("never built",))

    assert ["reference m: running TensorFlow …"] == lines_of(begun, explain=False)
    assert ["reference m: running TensorFlow …", "    never built"] == lines_of(begun, explain=True)


@pytest.mark.parametrize(
    ("event", "since", "words"),
    [
        (BuildProgressed(done=7, of=22, seconds_left=118.0), 0.0, "7 of 22 · about 118 s"),
        (BuildProgressed(done=7, of=22, seconds_left=130.0), 0.0, "7 of 22 · about 2 min"),
        (BuildProgressed(done=7, of=22, seconds_left=130.0), 30.0, "7 of 22 · about 100 s"),
        (BuildProgressed(done=7, of=22, seconds_left=12.0, unknown=3), 0.0, "7 of 22 · at least 12 s"),
        (BuildProgressed(done=7, of=22, seconds_left=40.0, most=True), 0.0, "7 of 22 · up to 40 s"),
        (BuildProgressed(done=7, of=22, seconds_left=40.0), 60.0, "7 of 22"),  # it takes longer than it did
        (BuildProgressed(done=0, of=22), 0.0, "0 of 22"),
    ],
)
def test_how_far_a_build_is(event: BuildProgressed, since: float, words: str) -> None:
    assert words == how_far(event, since)


@pytest.mark.parametrize(
    ("progress", "wide", "narrow"),
    [
        (Progress(done=160, of=5000, unit="samples"), "160 of 5000 samples", "160/5000"),
        (Progress(done=160, of=None, unit="samples loaded"), "160 samples loaded", "160"),
    ],
)
def test_how_far_an_action_is(progress: Progress, wide: str, narrow: str) -> None:
    assert (wide, narrow) == (inner(progress, narrow=False), inner(progress, narrow=True))


@pytest.mark.parametrize("width", [20, 40, 72, 120])
def test_no_line_of_the_view_is_wider_than_the_terminal(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = io.StringIO()
    monkeypatch.setattr("sys.stderr", stderr)
    for name, value in {"COLUMNS": str(width), "LINES": "24", "TERM": "xterm", "FORCE_COLOR": "1"}.items():
        monkeypatch.setenv(name, value)

    with Live(print, explain=True) as live:
        live(ActionStarted(action=action(f"reference {LONG}"), reasons=("`batch` changed: 1 → 2  Ovfile:17",)))
        live(BuildProgressed(done=7, of=22, seconds_left=4000.0))
        live(ActionProgressed(action=action(f"reference {LONG}"), progress=Progress(done=1, of=5000, unit="samples")))
        live._view.refresh()
        live(ActionFinished(action=action(f"reference {LONG}"), status="ran", seconds=1.0))
        live(ActionProgressed(action=action("convert m"), progress=Progress(done=1, of=2, unit="x")))  # not shown

    lines = re.split(r"[\r\n]+", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stderr.getvalue()))
    assert [] == [line for line in lines if len(line.rstrip()) > width and " " in line.strip()]
    shown = "\n".join(lines)
    assert "7 of 22" in shown
    assert ("1/5000" if width < 72 else "1 of 5000 samples") in shown
    assert "running" in shown or "runnin" in shown


def test_view_that_never_opened_says_what_there_is() -> None:
    said: list[str] = []

    with Live(said.append, explain=False) as live:
        live(ActionFinished(action=action("convert m"), status="restored"))

    assert ["convert m: restored from the action cache"] == said


def test_transfers_have_rows_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    said: list[str] = []
    seen: list[str] = []

    with Live(said.append, explain=False) as live:
        live(ActionDownloading(action=action("convert m"), progress=Progress(done=3, of=9, unit="MB")))
        seen += [f"{task.description} {task.fields['inner']}" for task in live._view.tasks]
        live(ActionFinished(action=action("convert m"), status="restored", remote=True))
        live(Uploading(progress=Progress(done=1, of=2, unit="MB")))
        live(Uploading(progress=Progress(done=2, of=2, unit="MB")))
        seen += [f"{task.description} {task.fields['inner']}" for task in live._view.tasks]

    assert ["downloading · m 3 of 9 MB", "uploading to the remote cache 2 of 2 MB"] == seen
    assert [] == said
