"""Another version of ovmake builds again what its code makes differently, and nothing else.

Real builds, by a copy of the package that is edited.
"""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

import ovmake
from tests.e2e.conftest import Repo, Result, environment

pytestmark = pytest.mark.heavy

TARGET = "fashion:int8"
PACKAGE = Path(ovmake.__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Other(Repo):
    """A repo, and the ovmake that builds it, to be edited."""

    package: Path

    def ovmake(self, *words: str) -> Result:
        """Run the copied command to its end."""
        given = environment()
        path = os.pathsep.join([str(self.package.parent), given["PYTHONPATH"]])
        process = self._start({**given, "PYTHONPATH": path}, "-m", "ovmake", *words)
        stdout, stderr = process.communicate(timeout=300)
        return Result(status=process.returncode, stdout=stdout, stderr=stderr)

    def edit_code(self, file: str) -> None:
        """Change a module without changing what it does."""
        with (self.package / file).open("a") as module:
            module.write("\nEDITED = True\n")

    def reasons(self) -> dict[str, list[str]]:
        """Return the actions that would run, with the reasons."""
        events = self.ovmake("explain", "--json", TARGET).events
        return {event["action"]: event["reasons"] for event in events if event["event"] == "action-finished"}


def irs(repo: Repo) -> dict[str, bytes]:
    """Return what is published, less the report."""
    return {path: content for path, content in repo.outputs().items() if not path.startswith("report/")}


@pytest.fixture(scope="module")
def measured(built_once: Repo, tmp_path_factory: pytest.TempPathFactory) -> Other:
    """A target that is built and measured by a copy of ovmake; not to be changed."""
    folder = tmp_path_factory.mktemp("measured")
    repo = built_once.copy(folder / "fashion")
    repo.edit('precisions = ["fp32", "fp16", "int8"]', 'precisions = ["int8"]\nbenchmark.max-seconds = 1')
    shutil.copytree(PACKAGE, folder / "code/ovmake", ignore=shutil.ignore_patterns("__pycache__"))
    other = Other(folder=repo.folder, package=folder / "code/ovmake")
    assert {} == other.reasons()  # the checkout's own build: where the package lies is of no account
    result = other.ovmake("report", "--json", TARGET)
    assert (0, ["benchmark"]) == (result.status, [name.partition(" ")[0] for name in result.ran]), result.stderr
    return other


@pytest.fixture
def other(measured: Other, tmp_path: Path) -> Other:
    """The same, to be changed."""
    shutil.copytree(measured.package, tmp_path / "code/ovmake", ignore=shutil.ignore_patterns("__pycache__"))
    return Other(folder=measured.copy(tmp_path / "fashion").folder, package=tmp_path / "code/ovmake")


@pytest.mark.parametrize(
    ("file", "kinds"),
    [
        ("commands/report/tables.py", []),
        ("workers/measurement/windows.py", ["benchmark"]),
        ("workers/conversion/converting.py", ["convert", "quantize"]),
        ("workers/quantization/quantizing.py", ["quantize"]),
        ("workers/loading/tf1.py", ["benchmark", "check-source", "convert", "quantize", "reference"]),
        ("verdicts/verdict.py", ["gate", "publish"]),
    ],
)
def test_an_edit_builds_and_measures_again_what_runs_it(other: Other, file: str, kinds: list[str]) -> None:
    before = irs(other)
    other.edit_code(file)

    result = other.ovmake("report", "--json", TARGET)

    assert 0 == result.status
    assert kinds == sorted({name.partition(" ")[0] for name in result.ran})
    assert before == irs(other)


def test_a_new_version_with_the_same_code_builds_nothing(other: Other) -> None:
    file = other.package / "__init__.py"
    file.write_text(file.read_text().replace(ovmake.__version__, "9.9.9"))

    assert "ovmake 9.9.9\n" == other.ovmake("--version").stdout
    assert [] == other.ovmake("report", "--json", TARGET).ran
    assert ovmake.__version__ == other.record("fashion", "int8")["versions"]["ovmake"]


def test_explain_names_the_room_that_changed(other: Other) -> None:
    other.edit_code("workers/quantization/options.py")

    reasons = other.reasons()

    (reason,) = reasons["quantize"]
    assert re.fullmatch(r"`ovmake/workers/quantization` changed: [0-9a-f]{12} → [0-9a-f]{12}", reason)


def test_explain_tells_what_may_follow_an_edit_of_conversion(other: Other) -> None:
    other.edit_code("workers/conversion/converting.py")

    reasons = other.reasons()

    assert reasons["convert"][0].startswith("`ovmake/workers/conversion` changed: ")
    assert "`xml`, `bin` and `interface` of convert fashion may change when convert fashion runs" in reasons["quantize"]
    assert {"check-source", "reference", "evaluate", "gate", "publish"} <= set(reasons)
