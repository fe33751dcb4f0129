"""A function of the user's: what it is given, and how its mistakes are told."""

from __future__ import annotations

import contextlib
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ovmake.contracts.files.interface import Interface
from ovmake.errors import ActionError
from ovmake.workers.evaluation.metrics import Metric, check_labels, drop_interval
from tests.workers.evaluation.metrics.counting import agrees_with_itself, counted, metric


def own(folder: Path, text: str, function: str = "score", **options: object) -> Metric:
    path = folder / "metrics.py"
    path.write_text(text)
    return metric(f"metrics.py:{function}", inputs={"metric": str(path)}, **options)


def test_function_gets_all_samples_at_once(tmp_path: Path) -> None:
    labels = np.arange(20.0)
    function = own(tmp_path, "def score(outputs, labels):\n    return -abs(outputs[:, 0] - labels).max()\n")

    tally = counted(function, labels[:, np.newaxis] + np.linspace(0, 1, 20)[:, np.newaxis], labels)

    assert -1 == tally.score()
    assert ("none", True) == (function.unit, function.higher_is_better)
    interval = drop_interval(tally, tally, seed=0)
    assert interval is not None
    assert 200 == interval.replicates


def test_several_outputs_come_by_name_and_labels_may_be_none(tmp_path: Path) -> None:
    function = own(tmp_path, "def score(outputs, labels):\n    return outputs['a'].sum() + (labels is None)\n")

    assert 4 == counted(function, {"a": np.ones(3), "b": np.zeros(3)}, None).score()


def test_function_cannot_spoil_what_it_is_given(tmp_path: Path) -> None:
    function = own(
        tmp_path,
        "def score(outputs, labels):\n    outputs += 1; labels += 1\n    return outputs.mean() + labels.mean()\n",
    )
    tally = counted(function, np.ones(9), np.ones(9))

    assert 4 == tally.score()
    assert 4 == tally.score()
    assert agrees_with_itself(tally)


def test_direction_is_the_ovfiles_to_say(tmp_path: Path) -> None:
    assert not own(tmp_path, "", higher_is_better=False).higher_is_better


@pytest.mark.parametrize(
    ("text", "problem", "note"),
    [
        ("def score(o, l):\n    return 1 / 0\n", "ZeroDivisionError: division by zero", ":2: return 1 / 0"),
        ("def helper():\n    raise ValueError('no')\ndef score(o, l):\n    helper()\n", "ValueError: no", ":2: raise"),
        ("import nothing_here\n", "ModuleNotFoundError: No module named 'nothing_here'", ":1: import nothing_here"),
        ("def score(:\n", "SyntaxError: invalid syntax", ":1: def score(:"),
        ("def score(o, l):\n    raise SystemExit(3)\n", "SystemExit: 3", ":2: raise SystemExit(3)"),
        ("import sys\nsys.exit()\n", "SystemExit", ":2: sys.exit()"),
        ("def score(o, l):\n    raise KeyboardInterrupt\n", "KeyboardInterrupt", ":2: raise Key"),
        ("def score(o, l):\n    return score(o, l)\n", "RecursionError: maximum recursion depth", ":2: return score"),
    ],
)
def test_mistake_is_told_with_its_line(tmp_path: Path, text: str, problem: str, note: str) -> None:
    with pytest.raises(ActionError) as caught:
        counted(own(tmp_path, text), np.ones(3), np.ones(3)).score()

    assert f"`metrics.py:score` failed: {problem}" in caught.value.message
    assert caught.value.notes[0].startswith(f"raised at metrics.py{note}")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("score = 3\n", "`metrics.py` has no function `score`"),
        (
            "def score(o, l):\n    return o\n",
            r"`metrics.py:score` returned an array \[3\], and a metric must be one number",
        ),
        ("def score(o, l):\n    return None\n", "`metrics.py:score` returned a NoneType"),
        (
            "def score(o, l):\n    return 10**400\n",
            "`metrics.py:score` returned a whole number of 1329 bits, more than a",
        ),
        ("def score(o, l):\n    return -(10**9999)\n", "`metrics.py:score` returned a whole number of 33216 bits"),
        (
            "import numpy\ndef score(o, l):\n    return numpy.complex64(1)\n",
            "returned complex64, and a metric must be one real",
        ),
        (
            "import numpy\ndef score(o, l):\n    return numpy.array('x')\n",
            "returned <U1, and a metric must be one real number",
        ),
    ],
)
def test_what_is_no_metric(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ActionError, match=problem):
        counted(own(tmp_path, text), np.ones(3), np.ones(3)).score()


def test_exception_that_cannot_be_told_is_told_by_its_type(tmp_path: Path) -> None:
    text = "class Mute(Exception):\n    def __str__(self): return 1 / 0\ndef score(o, l):\n    raise Mute\n"

    with pytest.raises(ActionError, match=r"`metrics\.py:score` failed: Mute$"):
        counted(own(tmp_path, text), np.ones(3), np.ones(3)).score()


def test_function_is_noted_while_it_runs_and_when_it_ran(tmp_path: Path) -> None:
    note = tmp_path / "user-code"
    text = f"import pathlib\ndef score(o, l):\n    print(pathlib.Path({str(note)!r}).read_text())\n    return 1.0\n"
    function = own(tmp_path, text)
    function = replace(function, options=replace(function.options, note=str(note)))
    said = io.StringIO()

    with contextlib.redirect_stdout(said):
        counted(function, np.ones(3), np.ones(3)).score()

    assert "running\tmetrics.py:score\t0\n\n" == said.getvalue()
    assert "ran\tmetrics.py:score\t0\n" == note.read_text()


def test_file_is_run_before_a_model_is(tmp_path: Path) -> None:
    with pytest.raises(ActionError, match="has no function `score`"):
        check_labels(own(tmp_path, ""), None, Interface(inputs=(), outputs=()))
