"""Pages of the state database are overwritten: the next command says so and begins anew, and is right.

The session, the graph and the database are real; actions are hashes, so that a build takes a moment.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ovmake.diagnostics import OvmakeError
from ovmake.engine.executor import Outcome
from ovmake.project.session import TornStateError
from tests.real import build, ovmake, published

VARIANTS = 50
FEW = 8  # in the run of seconds: each kind of damage with an edit, and without
PAGE_BYTES = 4_096
READ_AT_ONCE = 2 * PAGE_BYTES  # the header, and whose it is: damage there shows when it is opened
MODELS = ("a", "b", "c")
STATE = ".ovmake/state.db"

Told = list[str]


def as_the_command_does(root: Path) -> tuple[Outcome, list[str]]:
    """Begin anew once, after a database that turned out to be torn."""
    try:
        return build(root)
    except TornStateError:
        return build(root)


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repo in which all is built; not to be changed."""
    root = tmp_path_factory.mktemp("torn") / "repo"
    (root / "models").mkdir(parents=True)
    (root / "Ovfile").write_text("".join(f'[models.{name}]\nsource = "models/{name}.pb"\n' for name in MODELS))
    for name in MODELS:
        (root / f"models/{name}.pb").write_text(name)
    assert 0 == build(root)[0].exit_status
    return root


def edit(root: Path) -> None:
    """Change a source."""
    (root / "models/b.pb").write_text("another b")


@pytest.fixture(scope="module")
def edited(repo: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What is published after the edit, from a state that is whole."""
    root = tmp_path_factory.mktemp("edited") / "repo"
    shutil.copytree(repo, root)
    edit(root)
    assert 0 == build(root)[0].exit_status
    return published(root)


def noise(chance: random.Random, _: bytes) -> bytes:
    return chance.randbytes(PAGE_BYTES)


def zeros(_: random.Random, __: bytes) -> bytes:
    return bytes(PAGE_BYTES)


def another_page(chance: random.Random, whole: bytes) -> bytes:
    start = chance.randrange(len(whole) // PAGE_BYTES) * PAGE_BYTES
    return whole[start : start + PAGE_BYTES]


def a_few_bytes(chance: random.Random, _: bytes) -> bytes:
    return chance.randbytes(chance.randrange(1, 40))


KINDS: tuple[Callable[[random.Random, bytes], bytes], ...] = (noise, zeros, another_page, a_few_bytes)


def tear(path: Path, seed: int) -> None:
    """Overwrite one to three places: whole pages at their place, or a few bytes anywhere."""
    chance = random.Random(seed)  # noqa: S311 - a test's own dice
    for _ in range(chance.randrange(1, 4)):
        whole = path.read_bytes()
        data = KINDS[seed % len(KINDS)](chance, whole)
        start = chance.randrange(len(whole) - len(data) + 1)
        start -= start % PAGE_BYTES if len(data) == PAGE_BYTES else 0
        path.write_bytes(whole[:start] + data + whole[start + len(data) :])


@pytest.mark.parametrize(
    "seed",
    [pytest.param(seed, marks=() if seed < FEW else pytest.mark.heavy) for seed in range(VARIANTS)],
)
def test_build_after_pages_were_overwritten_is_right(
    seed: int, repo: Path, edited: dict[str, bytes], tmp_path: Path
) -> None:
    root = tmp_path / "elsewhere"
    shutil.copytree(repo, root)
    before = published(root)
    tear(root / STATE, seed)
    if seed % FEW >= len(KINDS):
        edit(root)
        before = edited

    outcome, _ = as_the_command_does(root)

    assert (0, before) == (outcome.exit_status, published(root))
    outcome, ran = build(root)
    assert ({"fresh"}, []) == (set(outcome.targets.values()), ran)


def test_nothing_published_is_lost_before_the_next_build(repo: Path, tmp_path: Path) -> None:
    root = tmp_path / "elsewhere"
    shutil.copytree(repo, root)
    data = (root / STATE).read_bytes()
    (root / STATE).write_bytes(data[:READ_AT_ONCE] + b"\xa5" * (len(data) - READ_AT_ONCE))

    with pytest.raises(OvmakeError, match=r"was set aside as state\.db\.unreadable"):
        build(root)

    assert published(repo) == published(root)
    assert data[:READ_AT_ONCE] == (root / f"{STATE}.unreadable").read_bytes()[:READ_AT_ONCE]


@pytest.mark.parametrize("words", [("gc",), ("gc", "--json")])
def test_command_says_so_and_begins_anew(words: tuple[str, ...], repo: Path, tmp_path: Path) -> None:
    root = tmp_path / "elsewhere"
    shutil.copytree(repo, root)
    data = (root / STATE).read_bytes()
    (root / STATE).write_bytes(data[:READ_AT_ONCE] + b"\xa5" * (len(data) - READ_AT_ONCE))

    done = ovmake(root, *words)

    assert done.returncode == 0
    said = f"{root}/{STATE} was set aside as state.db.unreadable, everything is checked again: "
    assert said + "database disk image is malformed" in done.stderr + done.stdout
    assert not (root / f"{STATE}.unreadable").exists()  # gc removes what was set aside
