"""The gate on coverage, on a suite of three tests: when it measures, what it counts, and what it says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.suites import CONFIGURATION, run_suite

pytestmark = pytest.mark.heavy  # it runs pytest itself, again and again

MEASURED = """\
[tool.coverage.run]
branch = true
source = ["small"]
"""
SIGN = """\
def sign(number):
    if number > 0:
        return 1
    return -1 if number else 0
"""
TESTS = """\
import pytest
from small.sign import sign

def test_of_one():
    assert sign(1) == 1

{marks}
def test_of_less():
    assert sign(-1) == -1

@pytest.mark.heavy
def test_of_much():
    assert sign(1000) == {much}
"""
MISSED = """\
Name            Stmts   Miss Branch BrPart  Cover   Missing
-----------------------------------------------------------
small/sign.py       4      1      2      1    67%   4
-----------------------------------------------------------
TOTAL               4      1      2      1    67%

1 file skipped due to complete coverage."""


# In two processes.
TWO = ("-p", "xdist.plugin", "-n", "2")


@dataclass(frozen=True)
class Said:
    """How a session ended: its status, the last line's counts, and what the gate reported."""

    status: int
    counts: str
    report: str


def session(folder: Path, *words: str, marks: str = "", much: int = 1, prefix: tuple[str, ...] = ()) -> Said:
    files = {
        "pyproject.toml": CONFIGURATION + MEASURED,
        "small/__init__.py": "",
        "small/sign.py": SIGN,
        "tests/test_sign.py": TESTS.format(marks=marks, much=much),
    }
    done = run_suite(folder, files, *words, prefix=prefix, variables={"COLUMNS": "80"})
    report = re.search(r"^=+ coverage gate =+\n(.*?)^=", done.stdout, flags=re.MULTILINE | re.DOTALL)
    counts = re.search(r"^=+ (.*) in [0-9.]+s =+$", done.stdout, flags=re.MULTILINE)
    assert counts is not None, done.stdout + done.stderr
    return Said(done.returncode, counts[1], "" if report is None else report[1].strip())


@pytest.mark.parametrize("words", [(), ("-m", "not heavy"), TWO])
def test_suite_that_runs_every_line_and_branch_passes_with_and_without_its_heavy_tests(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    said = session(tmp_path, *words)

    assert 0 == said.status
    assert "TOTAL" in said.report
    assert "100%" in said.report


@pytest.mark.parametrize("words", [(), TWO])
@pytest.mark.parametrize("marks", ["@pytest.mark.heavy", "@pytest.mark.hypothesis"])
def test_line_that_only_a_heavy_or_a_random_test_runs_fails_a_session_that_passed(
    tmp_path: Path, marks: str, words: tuple[str, ...]
) -> None:
    assert Said(1, "3 passed", MISSED) == session(tmp_path, *words, marks=marks)


@pytest.mark.parametrize("words", [("tests",), ("-k", "less"), ("--ignore", "tests/none.py"), (*TWO, "-k", "less")])
def test_part_of_the_suite_is_not_judged(tmp_path: Path, words: tuple[str, ...]) -> None:
    said = session(tmp_path, *words, marks="@pytest.mark.heavy")

    assert (0, "") == (said.status, said.report)


@pytest.mark.parametrize("words", [(), TWO])
def test_session_that_failed_is_not_judged(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert Said(1, "1 failed, 2 passed", "") == session(tmp_path, *words, marks="@pytest.mark.heavy", much=2)


def test_session_that_was_ended_is_not_judged(tmp_path: Path) -> None:
    assert Said(2, "1 failed, 1 passed", "") == session(tmp_path, marks="@pytest.mark.xfail(strict=True)")


def test_who_measures_already_is_left_alone(tmp_path: Path) -> None:
    said = session(tmp_path, marks="@pytest.mark.heavy", prefix=("-m", "coverage", "run"))

    assert (0, "") == (said.status, said.report)
    assert (tmp_path / ".coverage").exists()
