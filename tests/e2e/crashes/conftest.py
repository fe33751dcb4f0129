"""The repo to break, built once, and clean builds to compare with."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.e2e.crashes.project import Clean, Project, make_project
from tests.once import once


@pytest.fixture(scope="session")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Clean:
    """Clean builds of whatever inputs."""
    return Clean(tmp_path_factory.mktemp("clean"))


@pytest.fixture(scope="session")
def project_once(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The repo, built; not to be changed."""

    def build(folder: Path) -> None:
        result = make_project(folder / "repo").ovmake("build")
        assert result.status == 0, result.stderr

    return Project(folder=once(tmp_path_factory, "project", build) / "repo")


@pytest.fixture(scope="session")
def build_seconds(tmp_path_factory: pytest.TempPathFactory) -> float:
    """How long the repo's first build takes here and now: what comes at a random time is to come in its midst."""
    made = make_project(tmp_path_factory.mktemp("timed") / "repo")
    began = time.monotonic()
    process = made.start("build")
    _, complaint = process.communicate(timeout=120)
    assert process.returncode == 0, complaint
    return time.monotonic() - began


@pytest.fixture
def project(project_once: Project, tmp_path: Path) -> Project:
    """A built repo of the test's own."""
    return Project(folder=project_once.copy(tmp_path / "repo").folder)


@pytest.fixture
def unbuilt(tmp_path: Path) -> Project:
    """A repo in which nothing was built."""
    return make_project(tmp_path / "repo")
