"""A disk that fills up at some point of a build: the build says so, and nothing else comes of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.crashes.disks import fill, small_disk
from tests.e2e.crashes.project import Clean, Project, assert_next_build_is_right, by_folder, make_project
from tests.examples import LONG

pytestmark = pytest.mark.heavy

# What is free when the build begins. The database takes some 70 kB, the FP32 and FP16 weights 256 and 128 kB, twice
# each: in the store and published. Where it stops depends on the disk's blocks, so the long run tries many.
FIRST = range(0, 1_000_000, 24_576) if LONG else (0, 40_960, 300_000)
CHANGED = range(0, 1_000_000, 24_576) if LONG else (0, 600_000)
SIZE = 256  # weights of 256 kB
# What the kernel says, and what SQLite makes of it.
FULL = re.compile(r"error\[[a-z-]+\]: .*(No space left on device|disk is full)")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Project]:
    with small_disk(tmp_path / "disk", size="6m") as place:
        project = make_project(place / "repo")
        project.set(size=SIZE)
        yield project


@pytest.mark.parametrize("free", FIRST)
def test_first_build_on_a_disk_that_fills_up(small: Project, clean: Clean, free: int) -> None:
    due = by_folder(clean.outputs(small))
    filler = fill(small.folder.parent, leave=free)

    result = small.ovmake("build", "-k")

    assert_full(result.status, result.stderr)
    for folder, files in small.published().items():
        assert due[folder] == files
    filler.unlink()
    assert_next_build_is_right(small, clean)


@pytest.mark.parametrize("free", CHANGED)
def test_build_of_changed_inputs_on_a_disk_that_fills_up(small: Project, clean: Clean, free: int) -> None:
    assert 0 == small.ovmake("build").status
    before = small.published()
    small.set(size=SIZE, weights=1, batch=4)
    due = by_folder(clean.outputs(small))
    filler = fill(small.folder.parent, leave=free)

    result = small.ovmake("build", "-k")

    assert_full(result.status, result.stderr)
    assert before.keys() == small.published().keys()
    for folder, files in small.published().items():
        assert files in (before[folder], due[folder])
    filler.unlink()
    assert_next_build_is_right(small, clean)


def test_no_command_on_a_full_disk_is_at_a_loss(small: Project) -> None:
    assert 0 == small.ovmake("build").status
    small.set(size=SIZE, weights=1)
    fill(small.folder.parent, leave=0)

    for command in (("status",), ("explain",), ("build", "-n"), ("build", "--no-wait")):
        result = small.ovmake(*command)
        assert_full(result.status, result.stderr)


def test_clean_frees_a_full_disk(small: Project, clean: Clean) -> None:
    assert 0 == small.ovmake("build").status
    filler = fill(small.folder.parent, leave=0)

    result = small.ovmake("clean")

    assert (0, "removed 12 files; the cache stays (--all removes it)\n") == (result.status, result.stdout)
    assert {} == small.outputs()
    filler.unlink()
    assert_next_build_is_right(small, clean)


def assert_full(status: int, stderr: str) -> None:
    """The build failed and every error names the disk, or there was enough."""
    assert "Traceback" not in stderr
    errors = [line for line in stderr.splitlines() if line.startswith("error")]
    assert (status, bool(errors)) in {(0, False), (1, True)}
    assert [] == [line for line in errors if not FULL.match(line)]
    for block in re.split(r"^(?=error\[)", stderr, flags=re.MULTILINE)[1:]:
        line, *_ = block.splitlines()
        files = re.findall(r"\S+/\S+", line)
        assert len(files) == 1 or "state database" in line, line
        assert "help: free space" in block or "cannot make" in line, block
