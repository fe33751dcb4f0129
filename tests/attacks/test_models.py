"""Models that would do harm, by root and by an ordinary user: refused; and if they are let through, still in a cage."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ovmake.workers.ipc.cage import landlock_abi
from tests.attacks.stranger import EACH, Stranger
from tests.e2e.test_attacks import SECRET, harmed
from tests.once import once
from tests.workers.conftest import run_python

pytestmark = pytest.mark.heavy

WRITING, READING = "init-op", "reading"
OPS = {WRITING: "WriteFile", READING: "ReadFile"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of attacks: what they write to and read from lies in it, by its absolute path."""
    return once(tmp_path_factory, "attacks", lambda folder: print(run_python("../e2e/make_attacks.py", str(folder))))


def stranger_with(made: Path, folder: Path, *, allowed: bool) -> Stranger:
    """Return a repo with copies of two attacks, that still mean the files beside their originals."""
    stranger = Stranger(folder)
    ovfile = '[defaults]\nprecisions = ["fp32"]\naccuracy = false\n'
    for name, op in OPS.items():
        shutil.copytree(made / name, stranger.repo / name)
        more = f'allow-ops = ["{op}"]\n' if allowed else ""
        other = 'signature = "other"\n' if name == READING else ""
        ovfile += f'[models.{name}]\nsource = "{name}"\n{other}{more}'
    (stranger.repo / "Ovfile").write_text(ovfile)
    return stranger


@pytest.mark.parametrize("by", EACH)
@pytest.mark.parametrize("words", [("build", "-k"), ("inspect", WRITING), ("inspect", READING)])
def test_harm_is_refused_to_every_user(words: tuple[str, ...], by: str, made: Path, tmp_path: Path) -> None:
    stranger = stranger_with(made, tmp_path / "x", allowed=False)

    done = stranger.run(*words, by=by)

    assert done.status == 1
    assert "error[op-refused]" in done.stderr
    assert harmed(stranger.repo) == []
    assert not list(made.glob("written*"))


@pytest.mark.parametrize("words", [("build", "-k"), ("build", "-k", "--no-user-code")])
def test_word_of_the_ovfile_alone_lets_nothing_through(words: tuple[str, ...], made: Path, tmp_path: Path) -> None:
    stranger = stranger_with(made, tmp_path / "x", allowed=True)

    done = stranger.run(*words)

    assert done.status != 0
    assert "--allow-ops" in done.stderr
    assert harmed(stranger.repo) == []
    assert not list(made.glob("written*"))


@pytest.mark.skipif(not landlock_abi(), reason="this kernel has no Landlock")
@pytest.mark.parametrize("by", EACH)
def test_second_wall_stands_where_the_first_was_opened(by: str, made: Path, tmp_path: Path) -> None:
    """A model that is trusted with an operation, or one that found a hole, is still in its action's cage."""
    stranger = stranger_with(made, tmp_path / "x", allowed=True)
    assert SECRET in (made / "secret").read_bytes()

    built = stranger.run("build", "-k", "--allow-ops", by=by)
    inspected = [stranger.run("inspect", "--allow-ops", op, name, by=by) for name, op in OPS.items()]

    for done in (built, *inspected):
        assert done.status == 1
        assert "error[op-refused]" not in done.stderr
        assert "ermission denied" in done.stderr
    assert harmed(stranger.repo) == []
    assert not list(made.glob("written*"))
