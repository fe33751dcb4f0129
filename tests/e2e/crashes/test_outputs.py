"""What a user does under `build/`: outputs come back, what is his stays, and nothing is written through his links."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.e2e.crashes.project import Clean, Project, assert_next_build_is_right

pytestmark = pytest.mark.heavy


def test_edited_and_deleted_outputs_come_back(project: Project, clean: Clean) -> None:
    build = project.folder / "build"
    (build / "a/fp32/a.bin").unlink()
    (build / "a/fp16/a.xml").write_text("edited")
    shutil.rmtree(build / "b/fp32")
    with (build / "b/fp16/record.json").open("a") as file:
        file.write("\n")

    assert_next_build_is_right(project, clean)


def test_everything_deleted_comes_back_without_a_worker(project: Project, clean: Clean) -> None:
    project.workers_started()
    shutil.rmtree(project.folder / "build")

    assert_next_build_is_right(project, clean)
    assert set() == project.workers_started()


def test_folders_in_the_place_of_files_and_files_in_the_place_of_folders(project: Project, clean: Clean) -> None:
    build = project.folder / "build"
    (build / "a/fp32/a.xml").unlink()
    (build / "a/fp32/a.xml/inner").mkdir(parents=True)
    shutil.rmtree(build / "b/fp16")
    (build / "b/fp16").write_text("a file")

    assert_next_build_is_right(project, clean)


def test_extra_files_beside_outputs_survive_builds_and_clean(project: Project) -> None:
    build = project.folder / "build"
    extra = {"a/fp32/notes.txt": b"1", "a/fp32/plots/deep/x.png": b"2", "a/mine": b"3", "mine": b"4", "c/x/y": b"5"}
    for name, content in extra.items():
        (build / name).parent.mkdir(parents=True, exist_ok=True)
        (build / name).write_bytes(content)
    (build / "a/fp32/latest").symlink_to("a.xml")

    project.set(weights=1)
    assert 0 == project.ovmake("build").status

    assert {**extra, "a/fp32/latest": (build / "a/fp32/a.xml").read_bytes()}.items() <= project.outputs().items()
    assert 0 == project.ovmake("clean").status
    assert extra == project.outputs()
    assert Path("a.xml") == (build / "a/fp32/latest").readlink()


def test_link_in_the_place_of_an_output_is_replaced_and_not_followed(
    project: Project, clean: Clean, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.xml"
    outside.write_text("not ovmake's")
    place = project.folder / "build/a/fp32/a.xml"
    place.unlink()
    place.symlink_to(outside)

    assert_next_build_is_right(project, clean)

    assert "not ovmake's" == outside.read_text()
    assert not place.is_symlink()


def test_link_in_the_place_of_a_published_folder_is_replaced_and_not_followed(
    project: Project, clean: Clean, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.xml").write_text("not ovmake's")
    (outside / "mine.txt").write_text("mine")
    place = project.folder / "build/a/fp32"
    shutil.rmtree(place)
    place.symlink_to(outside)
    project.set(weights=1)

    assert 0 == project.ovmake("build").status

    assert {"a.xml": "not ovmake's", "mine.txt": "mine"} == {path.name: path.read_text() for path in outside.iterdir()}
    assert not place.is_symlink()
    assert clean.outputs(project).items() <= project.outputs().items()


@pytest.mark.parametrize("level", ["build", "build/a"])
def test_link_above_published_folders_is_a_users_choice_of_a_place_with_allow_outside(
    project: Project, clean: Clean, tmp_path: Path, level: str
) -> None:
    # `build -> /big/disk` is how one puts outputs on another disk; a stranger's repo can hold such a link, too. What is
    # there besides outputs stays.
    outside, place = tmp_path / "big-disk", project.folder / level
    outside.mkdir()
    (outside / "mine.txt").write_text("mine")
    shutil.rmtree(place)
    place.symlink_to(outside)
    project.set(weights=1)

    refused = project.ovmake("build")
    assert 1 == refused.status
    assert f"`{level}`" in refused.stderr
    assert "is a link" in refused.stderr

    assert 0 == project.ovmake("build", "--allow-outside").status

    assert place.is_symlink()
    assert "mine" == (outside / "mine.txt").read_text()
    due, name = clean.outputs(project), place.relative_to(project.folder / "build")
    for file, content in due.items():
        assert content == (project.folder / "build" / file).read_bytes(), name
    assert 0 == project.ovmake("clean", "--allow-outside").status
    assert ["mine.txt"] == [str(path.relative_to(outside)) for path in outside.rglob("*") if path.is_file()]


def test_dangling_links_in_the_place_of_outputs(project: Project, clean: Clean) -> None:
    build = project.folder / "build"
    (build / "a/fp32/a.xml").unlink()
    (build / "a/fp32/a.xml").symlink_to("nowhere")
    shutil.rmtree(build / "b/fp32")
    (build / "b/fp32").symlink_to("nowhere")

    assert_next_build_is_right(project, clean)
