"""A worker's own worker: started when asked, and again when it has died."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from ovmake.workers.ipc.helper_worker import HelperWorker
from ovmake.workers.ipc.protocol import Request

# A worker that imports no framework until it has a use for it.
NOTHING = Request(id=1, kind="nothing")


@pytest.fixture
def sibling() -> Iterator[HelperWorker]:
    started = HelperWorker("openvino")
    yield started
    started.end()


def test_sibling_answers_and_stays(sibling: HelperWorker) -> None:
    first = sibling.ask(NOTHING)
    process = sibling._process
    second = sibling.ask(NOTHING)

    assert first == second
    assert first is not None
    assert ("action-failed", False) == (first.code, first.ok)
    assert process is sibling._process


def test_sibling_that_was_killed_is_started_again(sibling: HelperWorker) -> None:
    sibling.ask(NOTHING)
    process = sibling._process
    assert process is not None

    os.kill(process.process.pid, signal.SIGKILL)
    process.process.wait()

    assert sibling.ask(NOTHING) is not None
