"""The remote cache of a repo, before it is opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from ovmake.ovfile.schema.sharing import Cache
from ovmake.project.remote import VARIABLE, RemoteRequest, remote_of


@pytest.mark.parametrize(
    ("asked", "warned"),
    [
        (RemoteRequest(), False),
        (RemoteRequest(push=False), False),
        (RemoteRequest(push=True), True),
        (RemoteRequest(push=True, use=False), False),
    ],
)
def test_push_without_a_remote_warns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: RemoteRequest, *, warned: bool
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    told: list[str] = []

    assert remote_of(Cache(), tmp_path, asked, told.append) is None

    assert warned is any("warning[no-remote]: --push uploads nothing" in text for text in told)
