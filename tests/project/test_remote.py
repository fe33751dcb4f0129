"""The remote cache of a repo: opened with the first request, and never without acceptance."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ovmake.engine.remote import Fetched, Missed, Traffic, Wanted
from ovmake.graph.digest import of_bytes
from ovmake.ovfile.schema.sharing import Cache
from ovmake.project.remote import AS_WRITTEN, RemoteRequest, RemoteWhenNeeded, remote_of
from ovmake.remote.acceptance import accept

WANTED = Wanted(key="5b2c", action="convert m", roles={})


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A user without acceptances, in an environment that names no remote."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in [name for name in os.environ if name.startswith("OVMAKE_CACHE_")]:
        monkeypatch.delenv(name)


def opened(cache: Cache, root: Path, said: list[str], request: RemoteRequest = AS_WRITTEN) -> RemoteWhenNeeded:
    remote = remote_of(cache, root, request, said.append)
    assert remote is not None
    return remote


def asked(remote: RemoteWhenNeeded) -> list[Fetched | Missed]:
    found: list[Fetched | Missed] = []
    remote.fetch(WANTED, found.append)
    return found


def test_there_is_none_where_nobody_names_one(tmp_path: Path) -> None:
    said: list[str] = []

    assert remote_of(Cache(), tmp_path, AS_WRITTEN, said.append) is None
    assert remote_of(Cache(remote="s3://b"), tmp_path, RemoteRequest(use=False), said.append) is None
    assert [] == said


def test_one_that_was_not_accepted_is_told_of_once_and_has_nothing(tmp_path: Path) -> None:
    said: list[str] = []
    remote = opened(Cache(remote="https://cache.example.org"), tmp_path, said)
    assert [] == said

    assert [Missed(key="5b2c")] == asked(remote) == asked(remote)
    assert "the remote cache is not used" == remote.blob(of_bytes(b"x"), str(tmp_path / "x"))
    assert remote.nearest("convert m") is None
    assert Traffic() == remote.settle()
    remote.close()
    (warning,) = said
    assert warning.startswith("warning[remote-not-accepted]")


def test_a_wrong_environment_is_told_and_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OVMAKE_CACHE_SIGNING_KEY", "short")
    said: list[str] = []
    cache = Cache(remote=f"file://{tmp_path}/remote")
    accept(cache, tmp_path)

    assert [Missed(key="5b2c")] == asked(opened(cache, tmp_path, said))
    assert said[0].startswith("error[signing-key]")


def test_nothing_of_it_is_loaded_before_the_first_request(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from ovmake.ovfile.schema.sharing import Cache\n"
        "from ovmake.project.remote import AS_WRITTEN, remote_of\n"
        "remote = remote_of(Cache(remote='s3://b'), Path('.'), AS_WRITTEN, print); remote.settle(); remote.close()\n"
        "print([name for name in sys.modules if name.startswith(('ovmake.remote', 'obstore', 'cryptography'))])\n"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=True)

    assert "[]\n" == done.stdout


@pytest.mark.parametrize(
    ("asked", "warned"),
    [
        (RemoteRequest(), False),
        (RemoteRequest(push=False), False),
        (RemoteRequest(push=True), True),
        (RemoteRequest(push=True, use=False), False),
    ],
)
def test_push_without_a_remote_warns(tmp_path: Path, asked: RemoteRequest, *, warned: bool) -> None:
    told: list[str] = []

    assert remote_of(Cache(), tmp_path, asked, told.append) is None

    assert warned is any("warning[no-remote]: --push uploads nothing" in text for text in told)
