"""A build that looks at some models only, because a stamp vouches for the others, does what a look at all would do.

Random edits of two real folders, and a runner that writes what an action's inputs say. One is built with its stamp, the
other without: the same runs in both, and then a look at everything finds nothing to do.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from ovmake.engine.events import ActionFinished, Event
from ovmake.engine.world import Options
from ovmake.names import STAMP
from ovmake.project import stamp
from ovmake.project.opening import open_session
from ovmake.project.repo import Where
from ovmake.project.stamping import Stamping
from tests.examples import LONG, tries
from tests.real import WritingRunner

SEEDS = range(100 if LONG else 3)
STEPS = tries(daily=3, ci=8, long=8)


@dataclass(slots=True)
class Repo:
    """A folder with models, of which each is a line of its Ovfile."""

    folder: Path
    models: dict[str, str] = field(default_factory=dict)
    comment: int = 0
    samples: int = 10

    @property
    def where(self) -> Where:
        """The Ovfile."""
        return Where(folder=self.folder)

    def add(self, name: str) -> None:
        """Add a model, whose source may be there still."""
        self.put(f"models/{name}/saved_model.pb", name)
        self.models[name] = ""
        self.write()

    def put(self, path: str, text: str) -> None:
        """Write a file."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def write(self) -> None:
        """Write the Ovfile."""
        head = (
            f"# {self.comment}\n"
            '[datasets.calibration]\npath = "data.npz"\n'
            f"[defaults]\naccuracy = false\nspeed-check = false\nint8.samples = {self.samples}\n"
        )
        said = 'calibration = "calibration"\nprecisions = ["fp32", "fp16", "int8"]\n'
        tables = [f'[models.{name}]\nsource = "models/{name}"\n{own}{said}' for name, own in self.models.items()]
        self.put("Ovfile", head + "".join(tables))

    def look(self) -> dict[str, set[str]]:
        """Return what a dry run of everything says that would or may happen."""
        told: dict[str, set[str]] = {}
        with open_session(self.where, wait=False, tell=print) as session:
            graph = session.graph(measure=False)
            session.execute(graph, list(graph.targets), Options(dry_run=True, keep_going=True), _noting(told))
        return told

    def build(self, asked: Sequence[str] = ()) -> tuple[dict[str, set[str]], int]:
        """Build as `ovmake build` does; return what happened, and how many models were looked at."""
        told: dict[str, set[str]] = {}
        known = stamp.look(str(self.folder), self.where.key)
        if known is not None and known.fresh(asked) is not None:
            return told, 0
        with open_session(self.where, wait=False, tell=print, known=known, asked=asked) as session:
            session.runner = WritingRunner()
            graph = session.graph(measure=False)
            targets = session.select(graph, asked)
            stamping = Stamping(session, graph, targets)
            executor = session.executor(graph, Options(), _noting(told))
            outcome = executor.build(targets)
            stamping.finish(executor, outcome)
            assert 0 == outcome.exit_status
            return told, len({target.model for target in session.ovfile.targets})


def _noting(told: dict[str, set[str]]) -> Callable[[Event], None]:
    def note(event: Event) -> None:
        if isinstance(event, ActionFinished):
            told.setdefault(event.status, set()).add(event.action.name)

    return note


def built(folder: Path) -> Repo:
    """Return a folder with three models, built."""
    there = Repo(folder)
    there.put("data.npz", "samples")
    for name in "abc":
        there.add(name)
    there.build()
    return there


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """Three models, built."""
    return built(tmp_path / "repo")


def edit_source(repo: Repo, random: Random) -> None:
    repo.put(f"models/{random.choice(sorted(repo.models))}/saved_model.pb", str(random.randrange(4)))


def add_file(repo: Repo, random: Random) -> None:
    repo.put(f"models/{random.choice(sorted(repo.models))}/{random.randrange(3)}.txt", "more")


def touch(repo: Repo, random: Random) -> None:
    os.utime(repo.folder / f"models/{random.choice(sorted(repo.models))}/saved_model.pb")


def edit_setting(repo: Repo, random: Random) -> None:
    repo.models[random.choice(sorted(repo.models))] = random.choice(["", "batch = 1\n", "batch = 2\n"])
    repo.write()


def edit_comment(repo: Repo, _: Random) -> None:
    repo.comment += 1
    repo.write()


def edit_default(repo: Repo, random: Random) -> None:
    repo.samples = random.randrange(10, 13)
    repo.write()


def edit_dataset(repo: Repo, random: Random) -> None:
    repo.put("data.npz", str(random.randrange(3)))


def add_model(repo: Repo, random: Random) -> None:
    repo.add(random.choice("abcdef"))


def remove_model(repo: Repo, random: Random) -> None:
    if len(repo.models) > 1:
        del repo.models[random.choice(sorted(repo.models))]
        repo.write()


def delete_output(repo: Repo, random: Random) -> None:
    if found := sorted((repo.folder / "build").rglob("*.xml")):
        random.choice(found).unlink()


def edit_output(repo: Repo, random: Random) -> None:
    if found := sorted((repo.folder / "build").rglob("*.bin")):
        random.choice(found).write_text("edited")


def lose_stored(repo: Repo, random: Random) -> None:
    if found := sorted((repo.folder / ".ovmake/cas").glob("*/*")):
        random.choice(found).unlink()


def lose_stamp(repo: Repo, _: Random) -> None:
    (repo.folder / STAMP).unlink(missing_ok=True)


def lose_state(repo: Repo, _: Random) -> None:
    shutil.rmtree(repo.folder / ".ovmake", ignore_errors=True)


def nothing(_repo: Repo, _random: Random) -> None:
    pass


EDITS = (
    *(edit_source, edit_source, edit_setting, edit_setting, add_file, touch, edit_comment, edit_default, edit_dataset),
    *(add_model, remove_model, delete_output, edit_output, lose_stored, lose_stamp, lose_state, nothing),
)


@pytest.mark.parametrize("seed", SEEDS)
def test_looking_at_some_models_does_what_looking_at_all_would_do(tmp_path: Path, seed: int) -> None:
    repo, twin = built(tmp_path / "repo"), built(tmp_path / "twin")
    steps, random, random_twin = Random(seed), Random(seed), Random(seed)  # noqa: S311
    for step in range(STEPS):
        for _ in range(steps.randrange(3)):
            edit = EDITS[steps.randrange(len(EDITS))]
            edit(repo, random)
            edit(twin, random_twin)
        lose_stamp(twin, random)

        assert twin.build()[0] == repo.build()[0], f"seed {seed}, step {step}"
        assert {} == repo.look(), f"seed {seed}, step {step}"


# That it is some models only.


def test_edited_source_is_the_only_model_looked_at(repo: Repo) -> None:
    repo.put("models/b/saved_model.pb", "other")

    did, looked_at = repo.build()

    assert 1 == looked_at
    assert {"convert b", "publish b:fp32"} <= did["ran"]
    assert ({}, 0) == repo.build()


def test_edited_setting_is_the_only_model_looked_at(repo: Repo) -> None:
    repo.models["c"] = "batch = 1\n"
    repo.write()

    did, looked_at = repo.build()

    assert 1 == looked_at
    assert "convert c" in did["ran"]
    assert ({}, 0) == repo.build()


def test_setting_that_python_takes_for_equal_is_noticed(repo: Repo) -> None:
    repo.models["c"] = "inputs.x.value = 1\n"
    repo.write()
    repo.build()
    repo.models["c"] = "inputs.x.value = true\n"
    repo.write()

    did, looked_at = repo.build()

    assert 1 == looked_at
    assert "convert c" in did["ran"]


def test_new_model_is_the_only_one_looked_at_and_a_removed_one_is_forgotten(repo: Repo) -> None:
    repo.add("d")
    assert 1 == repo.build()[1]
    del repo.models["a"]
    repo.write()

    assert ({}, 0) == repo.build()

    there = stamp.look(str(repo.folder), repo.where.key)
    assert there is not None
    assert ["b", "c", "d"] == list(there.models())


def test_dataset_that_all_models_read_makes_all_of_them_looked_at(repo: Repo) -> None:
    repo.put("data.npz", "other")

    did, looked_at = repo.build()

    assert 3 == looked_at
    assert {"quantize a:int8", "quantize b:int8", "quantize c:int8"} <= did["ran"]


def test_asking_for_one_model_leaves_the_other_stale(repo: Repo) -> None:
    repo.put("models/a/saved_model.pb", "other")
    repo.put("models/b/saved_model.pb", "other")

    did, looked_at = repo.build(["a:fp32"])

    assert 1 == looked_at
    assert {"convert a", "publish a:fp32"} == did["ran"]
    assert 2 == repo.build()[1]
    assert ({}, 0) == repo.build()
