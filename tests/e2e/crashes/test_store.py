"""Stored bytes that are flipped, cut off, gone or unreadable: the build that needs them makes them again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ovmake.graph.digest import of_bytes
from tests.e2e.crashes.project import Clean, Project, assert_next_build_is_right, some

pytestmark = pytest.mark.heavy


def flip_a_bit(path: Path) -> None:
    """Change a byte in the middle, and keep size, times and inode."""
    before = path.stat()
    with path.open("r+b") as file:
        file.seek(before.st_size // 2)
        (byte,) = file.read(1)
        file.seek(before.st_size // 2)
        file.write(bytes([byte ^ 1]))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def cut_off(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def put_a_folder_there(path: Path) -> None:
    path.unlink()
    (path / "inner").mkdir(parents=True)


DAMAGE: tuple[Callable[[Path], None], ...] = (flip_a_bit, put_a_folder_there, cut_off, empty, Path.unlink)


@pytest.mark.parametrize("damage", some(DAMAGE, 2), ids=lambda damage: damage.__name__)
def test_damage_to_all_that_is_stored_heals_in_the_build_that_needs_it(
    project: Project, clean: Clean, damage: Callable[[Path], None]
) -> None:
    for path in stored(project):
        damage(path)
    shutil.rmtree(project.folder / "build")

    assert_next_build_is_right(project, clean)
    assert [] == [
        path for path in stored(project) if path.parent.name + path.name != of_bytes(path.read_bytes()).sha256
    ]


def test_flipped_bit_in_a_stored_ir_does_not_go_into_the_next_precision(project: Project, clean: Clean) -> None:
    forget_fp16(project)
    for path in stored(project):
        flip_a_bit(path)

    result = project.build()

    assert 0 == result.status
    assert ["compress a:fp16", "compress b:fp16", "convert a", "convert b"] == [
        name for name in result.ran if "publish" not in name
    ]
    assert clean.outputs(project) == project.outputs()
    assert_next_build_is_right(project, clean)


def test_flipped_bits_that_nobody_needs_cost_nothing_and_are_never_published(project: Project, clean: Clean) -> None:
    for path in stored(project):
        flip_a_bit(path)
    assert "up to date" in project.ovmake("build").stdout.splitlines()[-1]

    assert 0 == project.ovmake("clean").status

    assert_next_build_is_right(project, clean)


def test_rubbish_in_the_store_is_in_nobodys_way(project: Project, clean: Clean) -> None:
    cas = project.folder / ".ovmake/cas"
    (cas / "zz").mkdir()
    (cas / "zz/rubbish").write_bytes(b"?")
    (cas / "rubbish").write_bytes(b"?")
    project.set(weights=1)

    assert_next_build_is_right(project, clean)


def stored(project: Project) -> list[Path]:
    return [path for path in (project.folder / ".ovmake/cas").rglob("*") if path.is_file()]


def forget_fp16(project: Project) -> None:
    """Have a repo in which only FP32 was ever built."""
    text = (project.folder / "Ovfile").read_text()
    (project.folder / "Ovfile").write_text(text.replace(', "fp16"', ""))
    for folder in (".ovmake", "build"):
        shutil.rmtree(project.folder / folder)
    assert 0 == project.ovmake("build").status
    (project.folder / "Ovfile").write_text(text)
