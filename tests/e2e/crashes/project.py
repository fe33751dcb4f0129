"""A small, fast repo to break: two models, fp32 and fp16, a build of a second and without TensorFlow.

make_project(folder) -> Project
project.set(weights=1, batch=4)         other inputs; there are few, so that going back happens by itself
project.whole(before, after)            every published folder is as it was or as it should be
clean.outputs(project)                  what a build of the same inputs gives in an empty folder; made once for each
"""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from ovmake.graph.digest import of_bytes, of_tree
from tests import warm
from tests.e2e.conftest import Repo, environment
from tests.examples import LONG
from tests.graphdefs import dense

HERE = Path(__file__).parent
OVFILE = """\
[defaults]
precisions = ["fp32", "fp16"]
accuracy = false

[models.a]
source = "models/a.pb"
batch = 1

[models.b]
source = "models/b.pb"
"""
# What a user put beside the published files.
NOTES = "a/fp32/notes.txt"

Case = TypeVar("Case")
Outputs = Mapping[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Project(Repo):
    """The repo, and what is done to it."""

    def set(self, *, weights: int = 0, batch: int = 1, others: int = 0, size: int = 8) -> None:
        """Have other inputs: the weights of model `a`, its batch, the weights of model `b`; `size` is of both."""
        (self.folder / "Ovfile").write_text(OVFILE.replace("batch = 1", f"batch = {batch}"))
        (self.folder / "models").mkdir(exist_ok=True)
        (self.folder / "models/a.pb").write_bytes(model(weights, size))
        (self.folder / "models/b.pb").write_bytes(model(100 + others, size))

    def inputs(self) -> list[Path]:
        """Return everything that a build reads and that git would have."""
        return [path for path in sorted(self.folder.rglob("*")) if path.is_file() and not self._made(path)]

    def _made(self, path: Path) -> bool:
        return path.relative_to(self.folder).parts[0] in {"build", ".ovmake"}

    def start_through(self, script: str, *words: str, mark: str = "") -> subprocess.Popen[str]:
        """Start a script of this folder that runs ovmake, itself with `mark` in its environment."""
        return self._start_cold(str(HERE / script), *words, mark=mark)

    def start_marked(self, *words: str, mark: str) -> subprocess.Popen[str]:
        """Start ovmake with `mark` in its environment."""
        return self._start_cold("-m", "ovmake", *words, mark=mark)

    def _start_cold(self, *command: str, mark: str) -> subprocess.Popen[str]:
        with warm.cold():
            return self._start({**environment(), "CRASH_MARK": mark}, *command)

    def published(self) -> dict[str, dict[str, bytes]]:
        """Return what is published, by folder; without the notes, and what is being made in hidden folders."""
        found: dict[str, dict[str, bytes]] = {}
        for name, content in self.outputs().items():
            folder, _, file = name.rpartition("/")
            if not any(part.startswith(".") for part in folder.split("/")) and name != NOTES:
                found.setdefault(folder, {})[file] = content
        return found

    def left(self) -> list[str]:
        """Return what should be gone after a build: scratch files, and hidden folders beside the published ones."""
        hidden, scratch = (self.folder / "build").rglob(".*"), (self.folder / ".ovmake/tmp").glob("*")
        return [str(path) for path in (*hidden, *scratch)]


def make_project(folder: Path) -> Project:
    """Make the repo with its first inputs."""
    folder.mkdir(parents=True)
    project = Project(folder=folder)
    project.set()
    return project


def some(cases: Iterable[Case], few: int) -> list[Case]:
    """Return all cases in the long run, and the first few of them in CI."""
    return list(cases) if LONG else list(cases)[:few]


def model(seed: int, size: int = 8) -> bytes:
    """Return a model of `size` inputs and outputs."""
    numbers = random.Random(seed)  # noqa: S311
    return dense([[numbers.random() for _ in range(size)] for _ in range(size)])


def by_folder(outputs: Outputs) -> dict[str, dict[str, bytes]]:
    """Return outputs by folder and name."""
    found: dict[str, dict[str, bytes]] = {}
    for name, content in outputs.items():
        folder, _, file = name.rpartition("/")
        found.setdefault(folder, {})[file] = content
    return found


@dataclass(slots=True)
class Clean:
    """Clean builds, one for each state of the inputs."""

    folder: Path
    _known: dict[str, dict[str, bytes]] = field(default_factory=dict)

    def outputs(self, project: Project) -> dict[str, bytes]:
        """Return what a build of the project's inputs gives where nothing was built before."""
        inputs = {str(path.relative_to(project.folder)): of_bytes(path.read_bytes()) for path in project.inputs()}
        key = of_tree(inputs).sha256
        if key not in self._known:
            copy = Project(folder=self.folder / key)
            for name in inputs:
                (copy.folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(project.folder / name, copy.folder / name)
            result = copy.ovmake("build")
            assert result.status == 0, result.stderr
            self._known[key] = copy.outputs()
            shutil.rmtree(copy.folder)
        return self._known[key]


def assert_next_build_is_right(project: Project, clean: Clean, *words: str) -> None:
    """Build, and compare with a clean build; nothing of what happened is left over, and there is nothing more to do."""
    result = project.ovmake("build", *words)
    assert (0, "") == (result.status, "\n".join(line for line in result.stderr.splitlines() if "error" in line))
    assert clean.outputs(project) == {name: content for name, content in project.outputs().items() if name != NOTES}
    assert [] == project.left()
    again = project.ovmake("build", *words)
    assert (0, "up to date: 4 targets\n", "") == (again.status, again.stdout, again.stderr)
