"""A worker's own worker: started when asked, and again when it has died."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from ovmake.workers.protocol import Request
from ovmake.workers.sibling import Sibling


def asked(source: Path) -> Request:
    return Request(id=1, kind="fingerprint", inputs={"source": str(source)})


@pytest.fixture
def sibling() -> Iterator[Sibling]:
    started = Sibling("fingerprint")
    yield started
    started.end()


def test_sibling_answers_and_stays(tmp_path: Path, sibling: Sibling) -> None:
    (tmp_path / "m.pb").write_bytes(b"no graph")

    first, second = sibling.ask(asked(tmp_path / "m.pb")), sibling.ask(asked(tmp_path / "m.pb"))

    assert first is not None
    assert second is not None
    assert first.ok
    assert ("bytes", first.facts) == (first.facts["kind"], second.facts)


def test_sibling_that_was_killed_is_started_again(tmp_path: Path, sibling: Sibling) -> None:
    (tmp_path / "m.pb").write_bytes(b"no graph")
    sibling.ask(asked(tmp_path / "m.pb"))
    process = sibling._process
    assert process is not None

    os.kill(process.process.pid, signal.SIGKILL)
    process.process.wait()

    assert sibling.ask(asked(tmp_path / "m.pb")) is not None


def test_failure_is_an_answer(tmp_path: Path, sibling: Sibling) -> None:
    response = sibling.ask(asked(tmp_path / "gone.pb"))

    assert response is not None
    assert not response.ok
