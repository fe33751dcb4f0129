"""`.ovmake` in every bad condition: the next build is right all the same, and says what it set aside."""

from __future__ import annotations

import os
import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.crashes.project import Clean, Project, assert_next_build_is_right, some
from tests.e2e.processes import kill, wait_for

pytestmark = pytest.mark.heavy

SET_ASIDE = re.compile(r"state\.db was set aside as state\.db\.\w+, everything is checked again")


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 - 100)


def zero_pages(path: Path) -> None:
    # All but the first: what it says of the file stays.
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(bytes(size - 4096))


def scribble_over_the_header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(random.Random(0).randbytes(100))  # noqa: S311


def scribble_everywhere(path: Path) -> None:
    path.write_bytes(random.Random(0).randbytes(path.stat().st_size))  # noqa: S311


def scribble_over_one_page(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(2 * 4096)
        file.write(random.Random(0).randbytes(4096))  # noqa: S311


DAMAGE: tuple[Callable[[Path], None], ...] = (
    truncate,
    zero_pages,
    scribble_over_the_header,
    scribble_everywhere,
    scribble_over_one_page,
)


@pytest.mark.parametrize("damage", some(DAMAGE, 3), ids=lambda damage: damage.__name__)
def test_torn_database_is_set_aside_and_everything_is_looked_at_anew(
    project: Project, clean: Clean, damage: Callable[[Path], None]
) -> None:
    damage(project.folder / ".ovmake/state.db")

    result = project.ovmake("build")

    assert (0, 1) == (result.status, len(SET_ASIDE.findall(result.stderr))), result.stderr
    assert clean.outputs(project) == project.outputs()
    assert_next_build_is_right(project, clean)


def test_empty_database_is_a_new_one(project: Project, clean: Clean) -> None:
    (project.folder / ".ovmake/state.db").write_bytes(b"")
    (project.folder / ".ovmake/stamp").unlink()

    assert_next_build_is_right(project, clean)


def test_folder_in_the_place_of_the_database_is_set_aside(project: Project, clean: Clean) -> None:
    path = project.folder / ".ovmake/state.db"
    path.unlink()
    (path / "inner").mkdir(parents=True)

    result = project.ovmake("build")

    assert (0, 1) == (result.status, len(SET_ASIDE.findall(result.stderr))), result.stderr
    assert_next_build_is_right(project, clean)


def test_log_of_the_database_that_is_gone_takes_with_it_what_it_held(unbuilt: Project, clean: Clean) -> None:
    process = unbuilt.start("build")
    state = unbuilt.folder / ".ovmake"
    wait_for((unbuilt.folder / "build/b/fp32/record.json").exists)
    kill(process.pid)
    process.communicate(timeout=60)
    assert (state / "state.db-wal").stat().st_size
    (state / "state.db-wal").unlink()

    assert_next_build_is_right(unbuilt, clean)


def test_log_of_another_database_is_not_believed(project: Project, clean: Clean) -> None:
    (project.folder / ".ovmake/state.db-wal").write_bytes(random.Random(0).randbytes(20_000))  # noqa: S311
    project.set(weights=1)

    assert_next_build_is_right(project, clean)


@pytest.mark.parametrize("content", some([b"{", b"[]", b"", b"\xff\xfe", b'{"format": 1}'], 2))
def test_torn_stamp_is_no_stamp(project: Project, clean: Clean, content: bytes) -> None:
    (project.folder / ".ovmake/stamp").write_bytes(content)
    (project.folder / "build/a/fp32/a.bin").unlink()

    assert_next_build_is_right(project, clean)


def test_lost_state_folder_costs_work_and_nothing_else(project: Project, clean: Clean) -> None:
    shutil.rmtree(project.folder / ".ovmake")

    assert_next_build_is_right(project, clean)


@pytest.mark.parametrize("name", some(["cas", "stamp", "logs", "tmp", "lock"], 2))
def test_something_else_in_the_place_of_a_part_of_the_state(project: Project, clean: Clean, name: str) -> None:
    path = project.folder / ".ovmake" / name
    was_folder = path.is_dir()
    if was_folder:
        shutil.rmtree(path)
        path.write_text("a file")
    else:
        path.unlink()
        (path / "inner").mkdir(parents=True)
    project.set(weights=1)

    result = project.ovmake("build", "-k")

    # What no build can do something about is said; the user removes it.
    assert "Traceback" not in result.stderr
    assert result.status in {0, 1}
    if result.status:
        assert f".ovmake/{name}" in result.stderr
        path.unlink() if was_folder else shutil.rmtree(path)
    assert_next_build_is_right(project, clean)
