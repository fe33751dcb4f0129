"""Remotes of tests: a folder, a web server, and SeaweedFS."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.remote.results import PUBLIC, Team
from tests.remote.servers import S3, Proxy, WebServer, proxy, seaweed, web_server

_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    """A SeaweedFS for all tests of a process; each test takes a prefix of its own."""
    with seaweed(tmp_path_factory.mktemp("seaweed")) as server:
        yield server


@pytest.fixture
def web() -> Iterator[WebServer]:
    """A plain web server."""
    with web_server() as server:
        yield server


@pytest.fixture
def admin(monkeypatch: pytest.MonkeyPatch) -> None:
    """The credentials of who may write."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ak")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sk")


@pytest.fixture(params=["folder", "http", pytest.param("s3", marks=pytest.mark.heavy)])
def team(request: pytest.FixtureRequest, tmp_path: Path) -> Team:
    """A team that signs, with each kind of remote."""
    if request.param == "folder":
        return Team(f"file://{tmp_path}/remote", trusted=(PUBLIC,))
    if request.param == "http":
        return Team(f"{request.getfixturevalue('web').url}/team", trusted=(PUBLIC,))
    request.getfixturevalue("admin")
    return s3_team(request.getfixturevalue("s3").endpoint)


@pytest.fixture(params=["http", pytest.param("s3", marks=pytest.mark.heavy)])
def harmed(request: pytest.FixtureRequest) -> Iterator[tuple[Team, Proxy]]:
    """A team whose readers reach the remote through a proxy; deadlines are of 1 s."""
    if request.param == "http":
        url = request.getfixturevalue("web").url
        with proxy(url) as between:
            yield Team(f"{between.url}/team", trusted=(PUBLIC,), timeout_s=1.0), between
    else:
        request.getfixturevalue("admin")
        with proxy(request.getfixturevalue("s3").endpoint) as between:
            yield s3_team(between.url, timeout_s=1.0), between


def s3_team(endpoint: str, timeout_s: float = 5.0) -> Team:
    """Return a team with a prefix of its own in the bucket `shared`."""
    url = f"s3://shared/{next(_NUMBERS)}/models"
    return Team(url, endpoint=endpoint, trusted=(PUBLIC,), timeout_s=timeout_s)
