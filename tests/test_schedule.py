"""The order of tests and who has the machine, on a suite that writes down when each of its tests ran."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.suites import CONFIGURATION, run_suite

pytestmark = pytest.mark.heavy  # it runs pytest itself, again and again

HEAD = """\
import os, time
import pytest

def ran(name, seconds, meets=""):
    began = time.monotonic()
    if meets and os.environ["TOGETHER"]:
        mine, other = meets.split()
        open(mine, "w").close()
        while not os.path.exists(other) and time.monotonic() < began + 30:
            time.sleep(0.01)
    time.sleep(seconds)
    with open(os.environ["NOTES"], "a") as notes:
        notes.write(f"{name} {began} {time.monotonic()}\\n")
"""
FILES = {
    "test_a": "@pytest.mark.heavy\ndef test_heavy():\n    ran('heavy', 0.1, meets='a b')\n"
    "    if os.environ['DIES']:\n        os._exit(1)\n",
    "test_alone": "@pytest.mark.alone\n@pytest.mark.parametrize('n', range(3))\ndef test_alone(n):\n"
    "    ran('alone', 0.1)\n",
    "test_b": "".join(
        f"@pytest.mark.heavy\ndef test_{n}():\n    ran('heavy', 0.05, meets={'' if n else 'b a'!r})\n" for n in range(8)
    ),
    "test_light": "def test_light():\n    ran('light', 0.1)\n    assert not os.environ.get('RED')\n",
    "test_quality": "@pytest.mark.heavy\ndef test_lint():\n    ran('lint', 0.1)\n",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A test that ran, from when until when, in seconds."""

    name: str
    began: float
    ended: float


def session(folder: Path, *words: str, **variables: str) -> tuple[str, list[Ran]]:
    """Run the suite; return what pytest said, and what ran, in the order of its ends."""
    files = {"pyproject.toml": CONFIGURATION, **{f"tests/{name}.py": HEAD + text for name, text in FILES.items()}}
    notes = folder / "notes"
    given = {"NOTES": str(notes), "COLUMNS": "120", "TMPDIR": str(folder), "TOGETHER": "", "DIES": "", "RED": ""}
    done = run_suite(folder, files, "-p", "xdist.plugin", *words, variables={**given, **variables})
    assert [] == list(folder.glob("ovmake-tests-*")), "the locks are still there"
    lines = [line.split() for line in notes.read_text().splitlines()]
    return done.stdout, [Ran(name=name, began=float(began), ended=float(ended)) for name, began, ended in lines]


def test_light_tests_come_first_and_those_that_are_alone_last(tmp_path: Path) -> None:
    said, ran = session(tmp_path)

    assert " 14 passed" in said
    assert ["lint", "light", *["heavy"] * 9, *["alone"] * 3] == [one.name for one in ran]


def test_nothing_runs_beside_a_test_that_is_alone(tmp_path: Path) -> None:
    said, ran = session(tmp_path, "-n", "2", TOGETHER="1")

    assert " 14 passed" in said
    for alone in (one for one in ran if one.name == "alone"):
        assert [] == [one for one in ran if one is not alone and beside(one, alone)]
    heavy = [one for one in ran if one.name == "heavy"]
    assert any(beside(one, other) for one, other in itertools.combinations(heavy, 2))


def beside(one: Ran, other: Ran) -> bool:
    return one.began < other.ended and other.began < one.ended


@pytest.mark.parametrize("words", [(), ("-n", "2")])
def test_a_light_test_that_fails_ends_the_whole_suite_before_the_heavy_ones(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    said, ran = session(tmp_path, *words, RED="1")

    assert "tests/test_light.py::test_light failed: the heavy tests were not run" in said
    (light,) = [one for one in ran if one.name == "light"]
    # One may have begun in the other process by then, and no other.
    assert sum(one.name in {"heavy", "alone"} for one in ran) <= len(words) // 2
    assert [] == [one for one in ran if one.name == "heavy" and one.began > light.ended + 0.5]


def test_a_test_in_which_its_process_dies_ends_no_other(tmp_path: Path) -> None:
    said, ran = session(tmp_path, "-n", "2", DIES="1")

    assert "1 failed, 13 passed" in said
    assert 14 == len(ran)


def test_asked_for_by_name_all_run_whatever_fails(tmp_path: Path) -> None:
    _, ran = session(tmp_path, "tests", RED="1")

    assert 14 == len(ran)


def test_where_durations_are_asked_for_files_are_summed(tmp_path: Path) -> None:
    said, _ = session(tmp_path, "-n", "2", "--durations", "3")

    files = said.partition("slowest files")[2]
    assert "8  tests/test_b.py\n" in files
    assert "14  all files\n" in files
