"""`kill -9` anywhere, in chains: kill, edit, kill again, so that the leftovers of several runs meet.

A chain is drawn from its seed, which is in the test's name. Each link edits the inputs or not, starts a command and
kills it: at a step that changes the disk (`killing.py`), or after some time, by itself or with all that it started.
After each kill every published folder is whole, as it was before or as it should be; at the end of the chain, and now
and then on the way, a build is compared with a clean one.
"""

from __future__ import annotations

import random
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from tests.e2e.conftest import Repo
from tests.e2e.crashes.project import NOTES, Clean, Project, assert_next_build_is_right, by_folder
from tests.e2e.processes import alive, children, kill, marked, wait_for
from tests.examples import LONG

pytestmark = pytest.mark.heavy

# 4 chains of 5 kills; in the long run 42.
SEEDS = range(42 if LONG else 4)
KILLS = 5
# What is killed, and how many steps it has where it has most to do.
COMMANDS: dict[tuple[str, ...], int] = {
    ("build",): 700,
    ("build", "-j", "1"): 700,
    ("build", "--force"): 800,
    ("build", "a:fp16"): 300,
    ("clean",): 45,
    ("clean", "--all"): 80,
}
OFTEN = (8, 3, 2, 2, 2, 1)
# Of a build, by how long it takes undisturbed; `killing.py` makes it slower.
SHARE = 1.2


@dataclass(slots=True, kw_only=True)
class Chain:
    """A chain of kills, with its notes for whoever has to find out why it broke."""

    project: Project
    clean: Clean
    numbers: random.Random
    seen: Path
    build_seconds: float
    killed: int = 0

    def link(self) -> None:
        """Edit or do not, and kill a command."""
        if self.numbers.random() < 0.5:
            inputs = {"weights": self.numbers.randrange(2), "batch": self.numbers.choice((1, 4))}
            self.project.set(**inputs)
            print("inputs", inputs)
        (command,) = self.numbers.choices(list(COMMANDS), OFTEN)
        before = self.project.published()
        notes = (self.project.folder / "build" / NOTES).exists()
        process, mark = self._run_and_kill(command)
        print("killed" if process.returncode == -9 else f"ended with {process.returncode}", *command)
        assert process.returncode in {0, -9}, process.stderr and process.stderr.read()
        self.killed += process.returncode == -9
        wait_for(lambda: not marked(mark), seconds=10)
        self._check_published(before, removing=command[0] == "clean")
        assert not notes or (self.project.folder / "build" / NOTES).exists()

    def _run_and_kill(self, command: tuple[str, ...]) -> tuple[subprocess.Popen[str], str]:
        mark = f"CRASH_MARK={(name := uuid4().hex)}"
        if self.numbers.random() < 0.5:
            step = self.numbers.randint(1, COMMANDS[command])
            print("at step", step)
            process = self.project.start_through("killing.py", str(step), str(self.seen), *command, mark=name)
            process.communicate(timeout=120)
            return process, mark
        seconds, everything = self.numbers.uniform(0, SHARE * self.build_seconds), self.numbers.random() < 0.3
        print("after", round(seconds, 2), "s", "with all workers" if everything else "")
        process = self.project.start_through("killing.py", "0", str(self.seen), *command, mark=name)
        time.sleep(seconds)
        for pid in marked(mark) if everything else [process.pid]:
            kill(pid)
        process.communicate(timeout=120)
        return process, mark

    def _check_published(self, before: dict[str, dict[str, bytes]], *, removing: bool) -> None:
        """Every folder is whole; only `clean` makes one less of it."""
        after, due = self.project.published(), by_folder(self.clean.outputs(self.project))
        for folder in before.keys() | after.keys():
            possible = [files for files in (before.get(folder), due[folder]) if files is not None]
            if removing:
                assert any(after.get(folder, {}).items() <= files.items() for files in possible), folder
            else:
                assert after.get(folder) in possible, folder


@pytest.mark.parametrize("seed", SEEDS)
def test_kill_9_at_any_moment_in_chains(
    project: Project, clean: Clean, build_seconds: float, tmp_path: Path, seed: int
) -> None:
    (project.folder / "build" / NOTES).write_text("mine")
    numbers = random.Random(seed)  # noqa: S311
    chain = Chain(project=project, clean=clean, numbers=numbers, seen=tmp_path / "seen", build_seconds=build_seconds)

    while chain.killed < KILLS:
        chain.link()
        if numbers.random() < 0.3:
            print("build")
            assert_next_build_is_right(project, clean)

    assert_next_build_is_right(project, clean)
    assert "mine" == (project.folder / "build" / NOTES).read_text()


@pytest.mark.parametrize("seconds", [0.8, 2.0, 6.0, 9.0] if LONG else [6.0])
@pytest.mark.alone
def test_kill_9_while_tensorflow_and_nncf_are_at_work(fresh: Repo, built_once: Repo, seconds: float) -> None:
    process = fresh.start("build")
    time.sleep(seconds)
    begun = children(process.pid)
    process.kill()
    process.communicate(timeout=60)

    # What was being filled when the process died is in a hidden folder (`fashion/.fp32.22401.new`), and the next build
    # removes it.
    expected = built_once.outputs()
    for name, content in fresh.outputs().items():
        if "/." not in name:
            assert expected[name] == content
    wait_for(lambda: not any(alive(pid) for pid in begun), seconds=5)
    assert 0 == fresh.build().status
    assert expected == fresh.outputs()
