"""Clocks that jump and files from impossible times: no edit is overlooked, and nothing is done twice for it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.e2e.crashes.project import Clean, Project, assert_next_build_is_right, model, some

pytestmark = pytest.mark.heavy

YEAR_S = 365 * 24 * 3600


def build_shifted(project: Project, seconds: int) -> str:
    process = project.start_through("shifting.py", str(seconds), "build")
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, stderr
    return stdout


JUMPS = ((YEAR_S, -YEAR_S), (-YEAR_S, 0), (YEAR_S, 0), (-YEAR_S, YEAR_S))


@pytest.mark.parametrize("jumps", some(JUMPS, 2))
def test_edit_between_builds_of_which_each_has_another_year(
    project: Project, clean: Clean, jumps: tuple[int, int]
) -> None:
    first, second = jumps
    project.set(weights=1)
    build_shifted(project, first)
    due_first = clean.outputs(project)
    assert due_first == project.outputs()

    project.set(weights=2)  # of the same size
    build_shifted(project, second)

    assert clean.outputs(project) == project.outputs() != due_first
    assert_next_build_is_right(project, clean)


def test_edit_right_after_a_build_in_the_future_is_noticed(project: Project, clean: Clean) -> None:
    # By a clock that is a year ahead no file is racy, and so none is read again: the kernel's time must tell.
    project.set(weights=1)
    build_shifted(project, YEAR_S)
    build_shifted(project, YEAR_S)
    for number in some(range(2, 5), 1):
        (project.folder / "models/a.pb").write_bytes(model(number))
        build_shifted(project, YEAR_S)
        assert clean.outputs(project) == project.outputs()


@pytest.mark.parametrize("seconds", [10 * YEAR_S, -YEAR_S], ids=["in the future", "before 1970"])
def test_sources_of_impossible_times(project: Project, clean: Clean, seconds: int) -> None:
    moment = time.time() + seconds if seconds > 0 else seconds
    for number in some((1, 2, 1), 2):
        path = project.folder / "models/a.pb"
        path.write_bytes(model(number))
        os.utime(path, (moment, moment))
        assert_right_whether_or_not_it_is_stamped(project, clean)


def test_edit_of_the_same_size_with_its_time_put_back_is_noticed(project: Project, clean: Clean) -> None:
    path = project.folder / "models/a.pb"
    for number in some(range(1, 4), 1):
        before = path.stat()
        edit_quietly(path, model(number))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert (before.st_size, before.st_mtime_ns) == (path.stat().st_size, path.stat().st_mtime_ns)
        assert_next_build_is_right(project, clean)


def test_published_file_edited_with_its_time_put_back_comes_back(project: Project, clean: Clean) -> None:
    path = project.folder / "build/a/fp32/a.bin"
    before = path.stat()
    edit_quietly(path, bytes(before.st_size))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert_next_build_is_right(project, clean)


def edit_quietly(path: Path, content: bytes) -> None:
    """Write in place: the inode stays."""
    with path.open("r+b") as file:
        file.write(content)


def assert_right_whether_or_not_it_is_stamped(project: Project, clean: Clean) -> None:
    """Build twice. A source from the future is never believed to be old, so no stamp is written: it is looked at."""
    for expected in ("done in", "up to date: 4 targets"):
        result = project.ovmake("build")
        assert (0, True) == (result.status, expected in result.stdout)
        assert clean.outputs(project) == project.outputs()
