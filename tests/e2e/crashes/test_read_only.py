"""Folders that cannot be written: the build says which, publishes nothing half-way, and is right once they can."""

from __future__ import annotations

import pytest

from tests.e2e.crashes.disks import read_only
from tests.e2e.crashes.project import Clean, Project, assert_next_build_is_right, some

pytestmark = pytest.mark.heavy


def test_read_only_build_folder_keeps_what_was_published(project: Project, clean: Clean) -> None:
    before = project.outputs()
    project.set(weights=1)

    with read_only(project.folder / "build"):
        result = project.ovmake("build", "-k")

    assert (1, before) == (result.status, project.outputs())
    assert_errors_name("build", result.stderr)
    assert_next_build_is_right(project, clean)


def test_read_only_folder_of_one_target_fails_no_other(project: Project, clean: Clean) -> None:
    before = project.published()
    project.set(weights=1, others=1)

    with read_only(project.folder / "build/a"):
        result = project.ovmake("build", "-k")

    assert 1 == result.status
    assert_errors_name("build/a", result.stderr)
    due = clean.outputs(project)
    assert {name: before[name] for name in ("a/fp32", "a/fp16")}.items() <= project.published().items()
    assert [] == [name for name, content in project.outputs().items() if name[0] == "b" and content != due[name]]
    assert_next_build_is_right(project, clean)


@pytest.mark.parametrize("command", some([("build",), ("clean",), ("gc",)], 2))
def test_read_only_state_folder_is_said_and_changes_nothing(
    project: Project, clean: Clean, command: tuple[str, ...]
) -> None:
    before = project.outputs()
    project.set(weights=1)

    with read_only(project.folder / ".ovmake"):
        result = project.ovmake(*command)

    assert (1, before) == (result.status, project.outputs())
    assert_errors_name(".ovmake", result.stderr)
    assert_next_build_is_right(project, clean)


def test_read_only_repo_that_is_up_to_date_is_up_to_date(project: Project) -> None:
    assert 0 == project.ovmake("build").status

    with read_only(project.folder):
        result = project.ovmake("build")

    assert (0, "up to date: 4 targets\n", "") == (result.status, result.stdout, result.stderr)


def test_read_only_repo_that_was_never_built_is_said(unbuilt: Project, clean: Clean) -> None:
    with read_only(unbuilt.folder):
        result = unbuilt.ovmake("build")

    assert (1, "") == (result.status, result.stdout)
    assert_errors_name(".ovmake", result.stderr)
    assert_next_build_is_right(unbuilt, clean)


def assert_errors_name(folder: str, stderr: str) -> None:
    """Every error, of which there is one, says that a folder is read-only, and which."""
    errors = [line for line in stderr.splitlines() if line.startswith("error")]
    assert errors
    assert "Traceback" not in stderr
    assert [] == [line for line in errors if folder not in line or ("ead-only" not in line and "denied" not in line)]
