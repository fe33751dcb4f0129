"""Links inside source folders: what lies outside of the repo is read into nothing, and what never ends is not read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.attacks.stranger import Stranger
from tests.e2e.tiny import saved_model

OVFILE = """\
[datasets.val]
path = "images"
labels = "folder"

[datasets.shown]
loader = "data.py:val"
files = ["notes"]

[models.m]
source = "model"
precisions = ["fp32"]
accuracy = { dataset = "DATASET", metric = "accuracy", max-drop = 0.1 }
"""
PLACES = ("model/variables/variables.index", "model/assets", "images/cats/1.png", "images/dogs", "notes/deep/note")


def stranger_with(folder: Path, place: str) -> Stranger:
    """Return a repo that asks for the dataset which the place is in."""
    stranger = Stranger(folder)
    ovfile = OVFILE.replace("DATASET", "shown" if place.startswith("notes") else "val")
    (stranger.repo / "Ovfile").write_text(ovfile)
    (stranger.repo / "data.py").write_text("def val():\n    yield 1\n")
    for name in ("model/variables", "images/cats", "notes/deep"):
        (stranger.repo / name).mkdir(parents=True)
    (stranger.repo / "model/saved_model.pb").write_bytes(saved_model(1))
    for name in ("images/cats/0.png", "notes/a"):
        (stranger.repo / name).write_bytes(b"x")
    (stranger.repo / place).parent.mkdir(parents=True, exist_ok=True)
    return stranger


@pytest.mark.parametrize("leads_to", ["authorized_keys", "more", "."])
@pytest.mark.parametrize("place", PLACES)
def test_link_in_a_source_folder_that_leaves_the_repo_is_refused_with_its_path(
    place: str, leads_to: str, tmp_path: Path
) -> None:
    stranger = stranger_with(tmp_path / "x", place)
    (stranger.repo / place).symlink_to(stranger.home / ".ssh" / leads_to)

    done = stranger.run("build", "-n")

    assert done.status == 1
    assert f"`{place}` is a link that leaves the repo" in done.stderr
    assert "--allow-outside" in done.stderr
    stranger.home_is_untouched()


def test_link_by_way_of_another_link_is_no_way_out(tmp_path: Path) -> None:
    stranger = stranger_with(tmp_path / "x", "model")
    (stranger.repo / "inside").symlink_to(stranger.home / ".ssh")
    (stranger.repo / "model/assets").symlink_to("../inside/more")

    done = stranger.run("build", "-n")

    assert "`model/assets` is a link that leaves the repo" in done.stderr


def test_link_below_a_linked_folder_is_no_way_out(tmp_path: Path) -> None:
    stranger = stranger_with(tmp_path / "x", "model")
    (stranger.repo / "shared").mkdir()
    (stranger.repo / "shared/key").symlink_to(stranger.home / ".ssh/authorized_keys")
    (stranger.repo / "model/assets").symlink_to("../shared")

    done = stranger.run("build", "-n")

    assert "`model/assets/key` is a link that leaves the repo" in done.stderr


@pytest.mark.parametrize("words", [("build", "-n"), ("status",), ("explain",)])
def test_links_within_the_repo_are_no_matter(words: tuple[str, ...], tmp_path: Path) -> None:
    stranger = stranger_with(tmp_path / "x", "model")
    (stranger.repo / "shared").mkdir()
    (stranger.repo / "shared/vocabulary").write_text("a")
    (stranger.repo / "model/assets").symlink_to("../shared")
    (stranger.repo / "model/again").symlink_to(".")

    done = stranger.run(*words)

    assert "leaves the repo" not in done.said


def test_allow_outside_follows_them(tmp_path: Path) -> None:
    stranger = stranger_with(tmp_path / "x", "model")
    (stranger.repo / "model/assets").symlink_to(stranger.home)

    done = stranger.run("build", "-n", "--allow-outside")

    assert "leaves the repo" not in done.said


@pytest.mark.timeout(60)
@pytest.mark.parametrize("place", ["model/assets", "images/cats/1.png", "notes/deep/note"])
def test_pipe_in_a_source_folder_keeps_nobody_waiting(place: str, tmp_path: Path) -> None:
    stranger = stranger_with(tmp_path / "x", place)
    os.mkfifo(stranger.repo / place)

    done = stranger.run("build", "-n")

    assert done.status == 1
    assert "not a regular file" in done.stderr


@pytest.mark.timeout(60)
@pytest.mark.parametrize("words", [("build",), ("status",), ("inspect", "m")])
def test_source_that_is_a_pipe_keeps_nobody_waiting(words: tuple[str, ...], tmp_path: Path) -> None:
    stranger = Stranger(tmp_path / "x")
    (stranger.repo / "m.pb").unlink()
    os.mkfifo(stranger.repo / "m.pb")

    stranger.run(*words)


@pytest.mark.timeout(60)
def test_source_that_never_ends_is_not_read_with_allow_outside_either(tmp_path: Path) -> None:
    stranger = stranger_with(tmp_path / "x", "model")
    (stranger.repo / "model/assets").symlink_to("/dev/zero")

    assert "`model/assets` is a link that leaves the repo" in stranger.run("build", "-n").stderr
    assert "not a regular file" in stranger.run("build", "-n", "--allow-outside").stderr


def test_link_that_appears_while_an_action_reads_fails_it(tmp_path: Path) -> None:
    """The engine looks again when an action is done: `Sources.unchanged`."""
    from ovmake.store.database import Database
    from ovmake.store.files.disk import RealDisk
    from ovmake.store.files.sources import Sources

    stranger = stranger_with(tmp_path / "x", "model")
    repo = os.path.realpath(stranger.repo)
    disk = RealDisk(stranger.repo, inside=lambda path: os.path.realpath(f"{repo}/{path}").startswith(repo))
    sources = Sources(disk, Database.in_memory())
    state = sources.state("model")
    assert state is not None

    (stranger.repo / "model/assets").symlink_to(stranger.home)

    assert not sources.unchanged("model", state)
