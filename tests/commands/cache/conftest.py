"""A team's repo, and remotes for it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.cache.teams import Member, clone, made
from tests.remote.servers import S3, WebServer, seaweed, web_server

_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built repo; not to be changed."""
    return made(tmp_path_factory.mktemp("built"))


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state folder of the user, and no credentials of whoever runs the tests."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "OVMAKE_CACHE_REMOTE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "state"


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """A folder that is a remote."""
    (tmp_path / "remote").mkdir()
    return tmp_path / "remote"


@pytest.fixture
def member(built: Path, tmp_path: Path, remote: Path) -> Member:
    """Somebody who has built all, and accepted the folder as the remote."""
    found = clone(built, tmp_path / "repo")
    found.configure(f"file://{remote}")
    found.trust()
    return found


@pytest.fixture
def web() -> Iterator[WebServer]:
    """A plain web server."""
    with web_server() as server:
        yield server


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    """A SeaweedFS for all tests of a process."""
    with seaweed(tmp_path_factory.mktemp("seaweed")) as server:
        yield server


@pytest.fixture
def bucket(s3: S3, monkeypatch: pytest.MonkeyPatch) -> str:
    """A prefix of its own in a bucket, with the credentials of who may write."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ak")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sk")
    monkeypatch.setenv("OVMAKE_CACHE_TIMEOUT", "60")  # a machine full of tests makes a server slow
    s3.shell("s3.bucket.create -name shared")
    return f"s3://shared/{next(_NUMBERS)}/models"
