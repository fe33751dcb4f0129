"""Where `--watch` looks: what counts as a change, and which folders somebody has to be told of."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ovmake.commands.watch.watch_paths import WatchPaths, watch_paths_of


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repo with a model of each form, and what is none of its business."""
    root = tmp_path.resolve() / "repo"
    for path in ("Ovfile", "models/a.pb", "models/b/saved_model.pb", "models/b/variables/data", "node_modules/x/y.js"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)
    return root


def spots(root: Path, *paths: str, ignored: tuple[str, ...] = ("build", ".ovmake")) -> WatchPaths:
    return watch_paths_of(str(root), ["Ovfile", *paths], ignored=ignored)


def folders(found: WatchPaths, root: Path) -> list[str]:
    return [os.path.relpath(folder, root) for folder in found.folders()]


def test_a_file_is_watched_through_its_folder_and_nothing_beside_it_is_walked(root: Path) -> None:
    found = spots(root, "models/a.pb")

    assert folders(found, root) == [".", "models"]
    assert [name for name in ("a.pb", "b", ".a.pb.swp") if found.counts(f"{root}/models/{name}")] == ["a.pb"]
    assert [name for name in ("Ovfile", "models", "node_modules", "build") if found.counts(f"{root}/{name}")] == [
        "Ovfile",
        "models",
    ]


def test_a_folder_is_watched_to_its_depths_and_in_its_own_folder(root: Path) -> None:
    found = spots(root, "models/b")

    assert folders(found, root) == [".", "models", "models/b", "models/b/variables"]
    for path in ("models/b", "models/b/new", "models/b/variables", "models/b/variables/data"):
        assert found.counts(f"{root}/{path}")
    assert not found.counts(f"{root}/models/a.pb")


def test_what_is_not_there_yet_counts_on_every_step_of_its_way(root: Path) -> None:
    found = spots(root, "later/deep/m.pb")

    assert folders(found, root) == ["."]
    assert found.counts(f"{root}/later")
    (root / "later").mkdir()
    assert folders(found, root) == [".", "later"]
    assert found.counts(f"{root}/later/deep")


def test_what_leads_out_of_the_repo_is_watched_from_where_the_ways_part(root: Path) -> None:
    found = spots(root, "../exports/m.pb")

    assert found.counts(str(root.parent / "exports"))
    assert found.counts(str(root.parent / "exports/m.pb"))
    assert not found.counts(str(root))


def test_a_link_counts_and_so_does_what_it_points_at(root: Path) -> None:
    (root / "current").symlink_to("next")
    (root / "next").symlink_to(root / "models")

    found = spots(root, "current/a.pb")

    assert [name for name in ("current", "next", "models") if found.counts(f"{root}/{name}")] == [
        "current",
        "next",
        "models",
    ]
    assert found.counts(f"{root}/models/a.pb")


def test_a_link_in_a_folder_is_followed(root: Path) -> None:
    (root / "shared/deep").mkdir(parents=True)
    (root / "models/b/assets").symlink_to("../../shared")
    (root / "models/b/up").symlink_to("..")

    found = spots(root, "models/b")

    assert folders(found, root) == [".", "models", "models/b", "models/b/variables", "shared", "shared/deep"]
    assert found.counts(f"{root}/shared/deep/new")


def test_links_in_a_circle_end(root: Path) -> None:
    (root / "one").symlink_to("two")
    (root / "two").symlink_to("one")

    found = spots(root, "one/m.pb")

    assert found.counts(f"{root}/one")
    assert found.counts(f"{root}/two")


def test_a_link_that_nobody_follows_counts_alone(root: Path) -> None:
    (root.parent / "outside").mkdir()
    (root / "out").symlink_to("../outside")

    found = watch_paths_of(str(root), ["out"], shallow=["out"])

    assert found.counts(f"{root}/out")
    assert not found.counts(str(root.parent / "outside/new"))


def test_files_beside_a_checkpoint_count_also_if_they_are_not_there_yet(root: Path) -> None:
    found = spots(root, "models/m-1.meta")

    names = ("m-1.meta", "m-1.index", "m-1.data-00000-of-00001", "m-1", "m-10.index", "m.index")
    assert [name for name in names if found.counts(f"{root}/models/{name}")] == list(names[:4])


def test_what_a_build_writes_does_not_count_in_a_folder_around_it(root: Path) -> None:
    for path in ("build/a/x", ".ovmake/x"):
        (root / path).parent.mkdir(parents=True)
        (root / path).touch()

    found = spots(root, ".")

    assert not any(found.counts(f"{root}/{path}") for path in ("build", "build/a", "build/a/x", ".ovmake/x", ".ovmake"))
    assert found.counts(f"{root}/models/new")


def test_a_folder_that_is_closed_to_us_is_left_to_the_build(root: Path) -> None:
    (root / "models/b/variables").chmod(0)
    try:
        found = spots(root, "models/b")
        assert ("models/b/variables" in folders(found, root)) == os.access(root / "models/b/variables", os.R_OK)
    finally:
        (root / "models/b/variables").chmod(0o700)


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "models/b/variables/data").write_text("longer than before"),
        lambda root: (root / "models/b/new").touch(),
        lambda root: (root / "models/b/saved_model.pb").unlink(),
        lambda root: shutil.rmtree(root / "models/b"),
        lambda root: (root / "models/a.pb").rename(root / "models/b/variables/data"),
        lambda root: (root / "models/b/variables").rename(root / "models/b/other"),
        lambda root: os.utime(root / "models/b/saved_model.pb", ns=(0, 0)),
        lambda root: (root / "models/m.index").touch(),
    ],
)
def test_state_tells_every_change_that_counts(root: Path, change: Callable[[Path], object]) -> None:
    found = spots(root, "models/b", "models/m.meta")
    before = found.state()

    change(root)

    assert found.state() != before


def test_state_tells_nothing_of_what_does_not_count(root: Path) -> None:
    found = spots(root, "models/b")
    before = found.state()

    (root / "models/a.pb").write_text("another model")
    (root / "models/c.pb").touch()
    (root / "build").mkdir()
    os.utime(root / "models/b")

    assert found.state() == before
